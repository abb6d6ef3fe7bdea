"""Random failures: as often as said, for as long, alone and together, by published rates; each member by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.declare import quantities
from twin.equipment import KINDS
from twin.scenario import BadInput, Change, chance, check, read
from twin.scenario.changes import inputs_of
from twin.scenario.rates import RateSet, sets
from twin.scenario.renewal import Causes, Lifetime, Outage, merged, outages

Save = Callable[..., str]
HOUR = 3600.0
HEAD = """\
title: A try
plant:
  units:
    utility-a: {kind: utility, rated_power: 1 MW}
    pdu-1..2: {kind: pdu, feeds: utility-a, rated_power: 400 kW}
    generator-1..3: {kind: generator, rated_power: 500 kW, fuel_tank: 2 m^3, full_load_fuel: 140 L/h, idle_fuel: 20 L/h}
    generator-bus: {kind: bus, feeds: generator-1..3}
    ats-a: {kind: ats, feeds: [utility-a, generator-bus]}
run: {duration: 1000 h, tick: 1 min, record: 1 day, seed: 3}
weather: {dry_bulb: 35 degC, relative_humidity: 20 %}
"""


def changes(save: Save, text: str, members: int = 1, seed: int | None = None) -> list[Change]:
    found = read(save(HEAD + text), members=members, seed=seed).changes
    return [change for change in found if change.verb in ("failure", "repair", "draw")]


def begun(found: list[Change], unit: str) -> list[Change]:
    return [change for change in found if change.verb == "failure" and change.unit == unit]


def test_it_fails_and_is_well_again_in_turn(save: Save) -> None:
    found = changes(save, "failures: {pdu-1.in_service: {every: 50 h, repair: 2 h, why: a loose lug}}\n")
    assert {change.unit for change in found} == {"pdu-1"}
    assert [change.value for change in found] == [0.0, 1.0] * (len(found) // 2) + [0.0] * (len(found) % 2)
    for down, up in itertools.pairwise(found):
        if down.verb == "failure":
            assert up.time - down.time == pytest.approx(2 * HOUR, abs=1e-6)
            assert (down.repair, down.why) == (2 * HOUR, "a loose lug")
    assert found[-1].time <= 1000 * HOUR


def test_as_many_failures_and_as_much_time_away_as_the_renewal_theorem_says(save: Save) -> None:
    """A machine up for m and down for r on the mean fails T/(m + r) times, and is away r/(m + r) of the time."""
    members = 400
    text = "failures: {pdu-1.in_service: {every: 50 h, repair: {uniform: [5 h, 15 h]}}}\n"
    found = begun(changes(save, text, members), "pdu-1")
    expected = members * 1000 / 60
    assert len(found) == pytest.approx(expected, abs=5 * expected**0.5)
    away = sum(change.repair or 0.0 for change in found) / (members * 1000 * HOUR)
    assert away == pytest.approx(10 / 60, rel=0.05)


def test_a_member_is_drawn_alike_alone_and_among_others_and_beside_other_units(save: Save) -> None:
    few = changes(save, "failures: {pdu.in_service: {every: 50 h, repair: 2 h}}\n", 2)
    many = changes(save, "failures: {pdu.in_service: {every: 50 h, repair: 2 h}}\n", 20)
    assert few == [change for change in many if change.member in (0, 1)]
    alone = changes(save, "failures: {pdu-2.in_service: {every: 50 h, repair: 2 h}}\n", 2)
    assert alone == [change for change in few if change.unit == "pdu-2"]
    assert few != changes(save, "failures: {pdu.in_service: {every: 50 h, repair: 2 h}}\n", 2, seed=4)


def test_a_failure_input_rises_and_falls_and_a_mode_goes_back_to_what_it_was(save: Save) -> None:
    text = """\
initial: {ats-a.mode: hand}
failures:
  ats-a.stuck: {every: 100 h, repair: 3 h}
  ats-a.mode: {every: 100 h, repair: 3 h, to: off}
"""
    found = changes(save, text)
    assert {(c.input, c.verb, c.value) for c in found} == {
        ("stuck", "failure", 1.0), ("stuck", "repair", 0.0), ("mode", "failure", 0.0), ("mode", "repair", 2.0)
    }  # fmt: skip


def test_several_causes_of_one_machine(save: Save) -> None:
    text = """\
failures:
  pdu-1.in_service:
    - {every: 50 h, repair: 1 h, why: a lug}
    - {every: {lognormal: [100 h, 2]}, repair: {exponential: 5 h}, why: a winding}
"""
    found = begun(changes(save, text, 50), "pdu-1")
    assert {change.why for change in found} == {"a lug", "a winding"}
    for member in range(50):
        ours = [change for change in found if change.member == member]
        for one, other in itertools.pairwise(ours):
            assert one.time + (one.repair or 0.0) <= other.time


def test_a_repair_lasts_a_tick_at_least(save: Save) -> None:
    found = begun(changes(save, "failures: {pdu-1.in_service: {every: 20 h, repair: {exponential: 2 s}}}\n"), "pdu-1")
    assert found
    assert all((change.repair or 0.0) >= 60.0 for change in found)


def test_common_causes_leave_each_its_rate_and_take_all_at_once(save: Save) -> None:
    """Each PDU still fails 1000 h/50 h times; the share beta of them at the moment of the other."""
    members, beta = 300, 0.3
    text = """\
failures:
  common: [{of: pdu.in_service, beta: 30 %, why: control bus}]
  pdu.in_service: {every: 50 h, repair: 1 min, why: itself}
"""
    found = changes(save, text, members)
    one, other = begun(found, "pdu-1"), begun(found, "pdu-2")
    expected = members * 1000 / 50
    for each in (one, other):
        assert len(each) == pytest.approx(expected, abs=5 * expected**0.5)
    moments = {(change.member, change.time) for change in one} & {(change.member, change.time) for change in other}
    assert len(moments) == pytest.approx(beta * expected, abs=5 * (beta * expected) ** 0.5)
    assert {change.why for change in one if (change.member, change.time) in moments} == {"control bus"}


def test_common_causes_of_what_is_asked_on_demand(save: Save) -> None:
    """P(all fail) = beta p + ((1 - beta) p)^3 nearly, and P(one fails) = p."""
    members, p, beta = 4000, 0.2, 0.25
    text = """\
draws: {generator.fails_to_start: {probability: 20 %}}
failures: {common: [{of: generator.fails_to_start, beta: 25 %, why: fuel}]}
"""
    found = [change for change in changes(save, text, members) if change.verb == "draw"]
    by_member: dict[int, set[str]] = {}
    for change in found:
        by_member.setdefault(change.member or 0, set()).add(change.unit)
    assert len({(c.member, c.unit) for c in found}) == len(found)
    alone = (1 - beta) * p
    share_of_each = 1 - (1 - beta * p) * (1 - alone)
    assert len(found) / (3 * members) == pytest.approx(share_of_each, abs=0.015)
    all_three = sum(len(units) == 3 for units in by_member.values()) / members
    assert all_three == pytest.approx(beta * p + (1 - beta * p) * alone**3, abs=0.012)
    assert {change.why for change in found} == {"fuel", "by itself"}


def test_a_beta_of_one_is_one_draw_for_all(save: Save) -> None:
    text = """\
failures:
  common: [{of: pdu.in_service, beta: 100 %}]
  pdu.in_service: {every: 50 h, repair: 1 h}
"""
    found = changes(save, text)
    assert [c.time for c in begun(found, "pdu-1")] == [c.time for c in begun(found, "pdu-2")] != []


def test_a_set_hits_all_units_of_its_kinds_but_those_with_a_key_of_their_own(save: Save) -> None:
    text = """\
failures:
  like: ieee-493
  utility-a.in_service: {every: 1000 h, repair: 1 h, why: a fault in the grid}
"""
    found = changes(save, text, 2000)
    assert {c.why for c in begun(found, "utility-a")} == {"a fault in the grid"}
    assert {c.why for c in begun(found, "ats-a")} == {"transfer switch fails"}
    expected = 2000 * 1000 / 250_100
    assert len(begun(found, "ats-a")) == pytest.approx(expected, abs=5 * expected**0.5)
    starts = [c for c in found if c.input == "fails_to_start"]
    assert len(starts) == pytest.approx(3 * 2000 * 0.0013, abs=5 * 7.8**0.5)


JOBS = """\
title: A try
plant:
  units:
    utility-a: {kind: utility, rated_power: 9 MW}
    rack-01..08: {like: gb300-nvl72, feeds: utility-a, air_fraction: 0 %, shelf_count: 0, storage_capacity: 0 J}
    pump-1: {like: pump-25lps, feeds: utility-a}
    cooler-1: {like: dry-cooler-2900kw, feeds: utility-a}
    pretrain: {kind: job, racks: rack-01..06, step_time: 4 s}
  coolant:
    technology: {fluid: pg25, plant: [[pump-1, cooler-1]], loads: [rack-01..08]}
run: {duration: 30 day, tick: 1 min, record: 1 day}
weather: {dry_bulb: 20 degC, relative_humidity: 50 %}
"""


@pytest.mark.parametrize(
    ("line", "every"),
    [
        ("pretrain.crash: {like: llama-3-54-days, repair: 5 min}", 21_233_664 / 419 / (6 * 72)),
        ("rack-07.in_service: {like: llama-3-54-days, repair: 5 min}", 21_233_664 / 419 / 72),
        ("pretrain.crash: {like: rsc-1, repair: 5 min}", 24_000 / 6.5 / (6 * 9)),
        ("pretrain.crash: {like: rsc-2, repair: 5 min}", 24_000 / 2.34 / (6 * 9)),
    ],
)
def test_rates_by_gpu_go_with_the_gpus_of_a_rack_or_a_job(save: Save, line: str, every: float) -> None:
    """Published: one interruption in 50,677 GPU-hours; 6.50 and 2.34 in 1,000 days of nodes of 8."""
    found = [c for c in read(save(f"{JOBS}failures: {{{line}}}\n"), members=400).changes if c.verb == "failure"]
    expected = 400 * 720 / (every + 1 / 12)
    assert len(found) == pytest.approx(expected, abs=5 * expected**0.5)


def test_more_rows_than_a_run_can_hold_are_refused(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(HEAD + "failures: {pdu-1.in_service: {every: 50 h, repair: 2 h}}\n")
    rows = len(read(path, members=3).changes)
    monkeypatch.setattr(chance, "MOST_ROWS", rows)
    assert len(read(path, members=3).changes) == rows
    monkeypatch.setattr(chance, "MOST_ROWS", rows - 1)
    with pytest.raises(BadInput, match=rf"pass {rows - 1} rows in member 2 of pdu-1; fewer members,"):
        read(path, members=3)


def test_a_long_tick_is_a_doubt_where_chance_strikes_and_not_a_fault(save: Save) -> None:
    told = check(save(JOBS + "failures: {pump-1.in_service: {every: 100 h, repair: 1 h}}\n"))
    assert len(told) == 1
    assert told[0].warning
    assert "moments are coarse" in str(told[0])


def test_each_cause_of_a_list_has_a_value_of_its_own(save: Save) -> None:
    """The one that began first keeps its value while it is away."""
    text = """failures:
  ats-a.mode:
    - {every: 50 h, repair: 1 h, to: off, why: dies}
    - {every: 50 h, repair: 1 h, to: locked_out, why: locks out}
"""
    value = inputs_of("ats")["mode"].choices or {}
    found = begun(changes(save, text), "ats-a")
    assert {(each.why, each.value) for each in found} == {("dies", value["off"]), ("locks out", value["locked_out"])}
    first, second = Outage(0.0, 5.0, "one", 2.0), Outage(3.0, 9.0, "other", 1.0)
    assert merged([[second], [first]]) == [Outage(0.0, 12.0, "one", 2.0)]


def test_a_common_cause_leaves_each_unit_its_own_repair(save: Save) -> None:
    """Whichever stands first; all that are alike fall at the same moments."""
    entries = ["pdu-1.in_service: {every: 50 h, repair: 1 h}", "pdu-2.in_service: {every: 50 h, repair: 5 h}"]
    told = []
    for order in (entries, entries[::-1]):
        listed = "".join(f"  {each}\n" for each in order)
        found = changes(save, f"failures:\n{listed}  common: [{{of: pdu.in_service, beta: 100 %}}]\n", 3)
        told.append(sorted(found, key=lambda each: (each.member, each.time, each.unit)))
    assert told[0] == told[1]
    assert {(each.unit, each.repair) for each in told[0] if each.verb == "failure"} == {
        ("pdu-1", HOUR), ("pdu-2", 5 * HOUR)
    }  # fmt: skip
    moments = [{each.time for each in begun(told[0], unit)} for unit in ("pdu-1", "pdu-2")]
    assert moments[0] == moments[1] != set()


def test_causes_compete_as_often_as_their_rates() -> None:
    """The first of two exponential times: mean 1/(1/3 + 1/6) = 2, the first cause in two of three."""
    short = lambda random: 1e-6  # noqa: E731
    both = Causes(("a", "b"), (3.0, 6.0), (short, short))
    found = outages(both, np.random.default_rng(1), 20_000.0, 1e-6, 10_000_000)
    assert len(found) == pytest.approx(10_000, abs=500)
    assert sum(outage.why == "a" for outage in found) / len(found) == pytest.approx(2 / 3, abs=0.025)


def test_a_lifetime_of_no_spread_is_a_clock() -> None:
    life = Lifetime("worn", lambda random: 10.0, lambda random: 2.0)
    assert outages(life, np.random.default_rng(1), 36.0, 1.0, 100) == [
        Outage(10.0, 2.0, "worn"), Outage(22.0, 2.0, "worn"), Outage(34.0, 2.0, "worn")
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 30)), max_size=6).map(
            lambda rows: [Outage(start, repair, "x") for start, repair in sorted(rows)]
        ),
        max_size=4,
    )
)
def test_merged_outages_cover_what_each_covers_and_never_overlap(several: list[list[Outage]]) -> None:
    found = merged(several)
    for one, other in itertools.pairwise(found):
        assert one.start + one.repair <= other.start
    for moment in np.linspace(0, 140, 281):
        within = any(o.start <= moment < o.start + o.repair for each in several for o in each)
        near = any(abs(moment - edge) < 1e-9 for o in found for edge in (o.start, o.start + o.repair))
        assert near or within == any(o.start <= moment < o.start + o.repair for o in found)


@pytest.mark.parametrize("known", sets(), ids=lambda each: each.name)
def test_each_set_says_where_it_comes_from_and_hits_inputs_that_are_there(known: RateSet) -> None:
    assert known.title
    assert known.note
    for rate in known.rates:
        assert rate.source
        assert rate.date
        assert (rate.every is None) != (rate.probability is None)
        if rate.kind is not None:
            said = inputs_of(rate.kind)[rate.input]
            assert rate.input == "in_service" or said.failure
            assert rate.kind in KINDS
        if rate.mark == "E":
            assert "estimate" in rate.source


def test_the_counts_of_llama_3_are_those_published() -> None:
    known = next(each for each in sets() if each.name == "llama-3-54-days")
    assert known.gpus == 1
    rate = sum(1.0 / (each.every or np.inf) for each in known.rates) * HOUR * 16_384
    assert 1.0 / rate == pytest.approx(54 * 24 / 419, rel=1e-12)  # one in 3.09 h
    assert sum(21_233_664 * HOUR / (each.every or np.inf) for each in known.rates) == pytest.approx(419)
    gpu = [each for each in known.rates if "GPU" in each.cause]
    assert sum(21_233_664 * HOUR / (each.every or np.inf) for each in gpu) == pytest.approx(268 - 6)


def test_what_is_declared_a_failure_is_none_until_it_fails() -> None:
    """So that a repair puts it back to what it was."""
    for kind in KINDS:
        for name, said in quantities(KINDS[kind].Inputs).items():
            if said.failure:
                assert inputs_of(kind)[name].default == 0.0


def test_a_crew_takes_over_the_repair(save: Save) -> None:
    text = """\
failures: {pdu.in_service: {every: 50 h, repair: 2 h}}
crews: {electricians: {people: 1}}
repairs: {a-lug: {of: pdu-1, crew: electricians, time: 3 h}}
"""
    found = changes(save, text)
    assert {change.verb for change in found if change.unit == "pdu-1"} == {"failure"}
    assert {change.verb for change in found if change.unit == "pdu-2"} == {"failure", "repair"}
