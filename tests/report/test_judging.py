"""Judging: means, windows, seconds to a flag, tokens, energy and money against hand-made traces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_hall import small_data, small_events, small_plant, write

from twin.plant import Unit
from twin.report.judging import judge
from twin.report.story import Story
from twin.report.verdict import Judgement
from twin.trace import Event


def judged(path: Path, criterion: str, events: list[Event] | None = None, **changes: object) -> Judgement:
    time, data = small_data()
    scenario = f'title: one\ncriteria: ["{criterion}"]\n'
    told = small_events() if events is None else events
    (found,) = judge(Story(write(path, time, data, told, scenario=scenario, **changes))).judgements  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("criterion", "value", "time", "where", "passed"),
    [
        # the coolant of the CDUs stands at 40 degC for 60 s, rises by 5 K until 150 s, by 17 K until 202 s
        ("mean(cdu.supply_temperature) < 41 degC before 60 s", 313.15, 60.0, "cdu-1", True),
        ("mean(cdu.supply_temperature) < 42 degC between 60 s and 150 s", 313.15 + 2.5, 150.0, "cdu-1", False),
        ("max(cdu.supply_temperature) < 46 degC before 150 s", 318.15, 150.0, "cdu-1", True),
        ("max(rack.die_temperature) < 88 degC after 450 s", 352.15, 450.0, "rack-1", True),
        ("min(rack.die_temperature) > 80 degC between 202 s and 330 s", 363.15, 330.0, "rack-8", True),
        ("final(site.it_power) > 0.8 MW before 190 s", 0.9e6, 190.0, "site", True),
    ],
)
def test_windows_and_means(at: Path, criterion: str, value: float, time: float, where: str, passed: bool) -> None:
    found = judged(at, criterion)
    assert found.value == pytest.approx(value, abs=0.02)
    assert (found.time, found.where, found.passed) == (time, where, passed)


def test_a_window_between_two_rows_is_told(at: Path) -> None:
    found = judged(at, "max(rack.die_temperature) < 88 degC between 10.2 s and 10.4 s")
    assert (found.passed, found.note) == (False, "no row was recorded in its window")


@pytest.mark.parametrize(
    ("criterion", "value", "margin", "where", "passed"),
    [
        ("time to throttle >= 60 s", 120.25, 60.25, "rack-3", True),
        ("time to throttle >= 2 min 30 s", 120.25, -29.75, "rack-3", False),
        ("time to throttle of rack-1 >= 2 min", 121.0, 1.0, "rack-1", True),
        ("time to shut_down of cdu-1's racks > 141 s", 141.75, 0.75, "rack-3", True),
        ("time to generator.running < 5 s", 3.0, 2.0, "generator-1", True),
        ("time to throttle >= 60 s after 190 s", 130.0, 70.0, "rack-3", True),
    ],
)
def test_seconds_from_the_fault(
    at: Path, criterion: str, value: float, margin: float, where: str, passed: bool
) -> None:
    found = judged(at, criterion)
    assert (found.value, found.margin) == (pytest.approx(value), pytest.approx(margin))
    assert (found.where, found.passed, found.unit) == (where, passed, "s")
    assert found.time == pytest.approx(60.0 + value)


def test_what_never_comes(at: Path) -> None:
    never = judged(at, "time to unpowered >= 60 s")
    assert (never.passed, never.value, never.value_said(), never.margin_said()) == (True, None, "never", "-")
    unproven = judged(at, "time to unpowered >= 10 min")
    assert (unproven.passed, unproven.note) == (False, "the run ends 540 s after the fault: unproven")
    wanted = judged(at, "time to unpowered < 10 min")
    assert (wanted.passed, wanted.value_said(), wanted.note) == (False, "never", "")


def test_all_loads_restored(at: Path) -> None:
    """Racks 3 and 4 shut down and nobody resets them; then at 500 s and 510 s somebody does."""
    out = judged(at, "all loads restored within 15 min")
    assert (out.passed, out.value_said(), out.where) == (False, "never", "rack-3")
    assert out.note == "rack-3, rack-4 still out at the end"
    reset = [Event(500.0 + 10 * i, 0, f"rack-{3 + i}", "shut_down", 0) for i in range(2)]
    late = judged(at, "all loads restored within 7 min", [*small_events(), *reset])
    assert (late.passed, late.value, late.margin, late.where) == (False, 450.0, -30.0, "rack-4")
    assert judged(at, "all racks restored within 7.5 min", [*small_events(), *reset]).passed
    none = judged(at, "all racks restored within 1 min", small_events()[:3])
    assert (none.passed, none.value_said()) == (True, "none lost")


def test_a_run_that_ends_before_its_loads_could_be_lost_proves_nothing(at: Path) -> None:
    """Ten minutes with a fault after one: what happens after nine is not seen."""
    none = judged(at, "all loads restored within 15 min", small_events()[:3])
    assert (none.passed, none.value_said()) == (False, "none lost")
    assert none.note == "the run ends 540 s after the fault: unproven"
    assert judged(at, "all loads restored within 15 min before 5 min", small_events()[:3]).passed
    reset = [Event(500.0 + 10 * i, 0, f"rack-{3 + i}", "shut_down", 0) for i in range(2)]
    all_back = judged(at, "all loads restored within 15 min", [*small_events(), *reset])
    assert (all_back.passed, all_back.note) == (True, "last of 2 units; the run ends 540 s after the fault")


def test_a_rack_that_boots_is_not_restored(at: Path) -> None:
    told = [
        Event(60.0, 0, "pdu-1", "input:in_service", 0.0),
        Event(60.0, 0, "rack-1", "unpowered", 1),
        Event(100.0, 0, "rack-1", "unpowered", 0),
        Event(100.0, 0, "rack-1", "booting", 1),
        Event(350.0, 0, "rack-1", "booting", 0),
    ]
    found = judged(at, "all loads restored within 4 min", told)
    assert (found.passed, found.value, found.where) == (False, 290.0, "rack-1")


def test_a_flag_that_stands_into_a_window_breaks_it(at: Path) -> None:
    found = judged(at, "no racks throttle after 350 s")
    assert (found.passed, found.value, found.time) == (False, 8.0, 350.0)
    assert judged(at, "no racks throttle before 180 s").passed
    assert judged(at, "no rack-1..2.throttled after 401 s").passed
    assert not judged(at, "no rack trips").passed


def test_energy_and_what_it_costs(at: Path) -> None:
    """1.25 MW for 60 s, nothing for 15 s, and so on: by rows, each for the second before it."""
    first = judged(at, "energy < 20 kWh before 60 s")
    assert (first.value, first.passed, first.where) == (pytest.approx(75e6), False, "site")
    work = judged(at, "energy (it) < 20 kWh between 10 s and 60 s")
    assert (work.value, work.passed) == (pytest.approx(50e6), True)
    generators = judged(at, "energy (generator) > 1 kWh before 180 s")
    assert generators.value == pytest.approx(105 * 1.25e6)
    assert judged(at, "cost < 10 USD").note == "neither a price of energy is said nor one of tokens"


SERVICE = {
    "prefill_rate": 1e4, "decode_rate": 1e3, "batch": 10.0, "least_token_time": 0.01,
    "price": 10.0, "prompt_price": 1.0, "priority": 1.0,
}  # fmt: skip


def serving(path: Path, criterion: str) -> Judgement:
    """Two services: 100 tokens/s each; premium drops 10/s from 60 s to 160 s, and 2000 tokens wait at 160 s."""
    plant = small_plant()
    for name in ("premium", "batch"):
        plant.add(Unit(name, "service", dict(SERVICE)))
    time, data = small_data()
    asked = np.stack((time * 100.0, time * 100.0), axis=1)[:, None, :]
    lost = np.stack((np.clip(time - 60, 0, 100) * 10.0, time * 0), axis=1)[:, None, :]
    waits = np.stack((np.interp(time, [0, 60, 160, 260], [0, 0, 2000, 0]), time * 0 + 50), axis=1)[:, None, :]
    data["service"] = {
        "offered_answers": asked, "dropped_answers": lost, "served_answers": asked - lost, "queued": waits,
        "offered_prompts": asked * 3, "dropped_prompts": lost * 3, "revenue": (asked - lost) * 1e-5,
    }  # fmt: skip
    data["site"]["energy_price"] = np.full((len(time), 1, 1), 100.0 / 3.6e9)
    scenario = f'title: one\ncriteria: ["{criterion}"]\n'
    (found,) = judge(Story(write(path, time, data, small_events(), plant=plant, scenario=scenario))).judgements
    return found


@pytest.mark.parametrize(
    ("criterion", "value", "passed", "where", "time"),
    [
        ("tokens lost (premium) < 1700 token", 1000.0, True, "premium", 160.0),
        ("tokens lost < 999 token", 1000.0, False, "premium", 160.0),
        ("tokens lost (premium) < 1 %", 1000 / 60000, False, "premium", 160.0),
        ("tokens lost < 1 %", 1000 / 120000, True, "premium", 160.0),
        ("tokens lost (premium) < 8 % between 60 s and 160 s", 0.1, False, "premium", 160.0),
        ("tokens lost (batch) < 0.1 %", 0.0, True, "batch", 0.0),
        ("tokens served > 118 ktoken", 119000.0, True, "batch", 600.0),
        ("tokens deferred < 2 ktoken", 2050.0, False, "premium", 160.0),
        ("tokens deferred (batch) < 1 %", 50 / 240000, True, "batch", 0.0),
        ("revenue > 1.2 USD", 1.19, False, "batch", 600.0),
        ("revenue lost < 20 USD", 0.013, True, "premium", 160.0),
        ("cost of energy < 10 USD before 60 s", 75e6 * 100 / 3.6e9, True, "site", 60.0),
        ("cost < 2.09 USD before 60 s", 75e6 * 100 / 3.6e9, True, "site", 60.0),
        ("energy per token < 6 kJ/token before 60 s", 75e6 / 12000, False, "site", 60.0),
    ],
)
def test_tokens_and_money(at: Path, criterion: str, value: float, passed: bool, where: str, time: float) -> None:
    found = serving(at, criterion)
    assert found.value == pytest.approx(value, rel=1e-9)
    assert (found.passed, found.where, found.time) == (passed, where, time)


def test_a_name_goes_with_its_criterion(at: Path) -> None:
    time, data = small_data()
    scenario = "title: t\ncriteria: [{name: dies stay cool, hold: max(rack.die_temperature) < 88 degC}]\n"
    verdict = judge(Story(write(at, time, data, [], scenario=scenario)))
    assert verdict.judgements[0].title() == "dies stay cool: max(rack.die_temperature) < 88 degC"
    assert verdict.sentence() == "1 of 1 criterion failed: dies stay cool."


def test_the_worst_member_speaks_for_sums_too(at: Path) -> None:
    time, data = small_data()
    three = {k: {n: np.repeat(v, 3, axis=1) for n, v in named.items()} for k, named in data.items()}
    events = [Event(60.0, m, "utility-a", "input:in_service", 0.0) for m in range(3)]
    events += [Event(100.0 + 10 * m, m, "rack-1", "throttled", 1) for m in (2, 1)]
    scenario = 'title: t\ncriteria: ["time to throttle >= 55 s"]\n'
    (found,) = judge(Story(write(at, time, three, events, scenario=scenario))).judgements
    assert (found.passed, found.member, found.members_passed, found.value) == (False, 1, 2, 50.0)
