"""The ladder: seconds left by hand, what came of each store, and which broke first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_hall import small_data, small_events, small_plant, write

from twin.physics.fluids import properties
from twin.report.cut_off import cut_off
from twin.report.findings import Findings
from twin.report.ladder import Rung, first_to_break, ladder
from twin.report.ladder_plot import ladder_plot
from twin.report.moments import mean_power
from twin.report.rows import Rows
from twin.report.story import Story
from twin.trace import Event, Trace, open_trace


def rung(findings: Findings, asset: str) -> Rung:
    return next(each for each in findings.ladder if each.asset == asset)


def test_a_battery_lasts_as_it_says_and_its_use_is_what_it_gave(findings: Findings) -> None:
    found = rung(findings, "UPS batteries")
    assert found.units == ["ups-1", "ups-2"]
    assert found.foreseen == pytest.approx(720.0)
    assert found.used == pytest.approx(15.5 * 0.5e6 / 360e6)
    assert found.came is None
    assert found.outcome() == "ups-1, drawn on from 00:01:00: on battery for 15.5 s, down to 97.8 %"


def test_a_battery_that_is_charged_after_the_fault_gave_of_what_it_then_held(tmp_path: Path) -> None:
    """At 60 s it stands at 40 % and is being charged; at 160 s, with 44 %, it bears its load and falls to 42 %."""
    time, data = small_data()
    given = np.interp(time, [60.0, 160.0, 180.0], [0.40, 0.44, 0.42])
    data["ups"]["state_of_charge"] = np.stack([given, np.full_like(given, 0.5)], axis=1)[:, None, :]
    kept = [event for event in small_events() if event.flag not in ("on_battery", "depleted")]
    borne = [Event(160.0, 0, "ups-1", "on_battery", 1), Event(180.0, 0, "ups-1", "on_battery", 0)]
    findings = Findings(write(tmp_path / "made.h5", time, data, sorted([*kept, *borne], key=lambda each: each.time)))
    found = rung(findings, "UPS batteries")
    assert found.used == pytest.approx(0.02 / 0.44)
    assert found.outcome() == "ups-1, drawn on from 00:02:40: on battery for 20 s, down to 42 %"


def test_a_battery_that_takes_over_the_other_cord_lasts_less(tmp_path: Path) -> None:
    """By hand: 720 s at 0.5 MW; at 1 MW, with a loss r = 10 % at 1 MW, 720 x 0.5 x 1.05 / (1 x 1.1)."""
    time, data = small_data()
    after = (time > 100)[:, None] * np.array([-0.5e6, 0.5e6])
    data["ups"]["need"] = (0.5e6 + after)[:, None, :]
    data["ups"]["state_of_charge"][:, 0, 0] = 1.0  # the first gives nothing: the rung is of the second
    plant = small_plant()
    for name in ("ups-1", "ups-2"):
        plant.units[name].parameters["discharge_loss"] = 0.1
    findings = Findings(write(tmp_path / "made.h5", time, data, small_events(), plant=plant))
    found = rung(findings, "UPS batteries")
    assert found.foreseen == pytest.approx(720.0)
    assert found.burdened == pytest.approx(720.0 * 0.5 * 1.05 / 1.1)
    assert found.least == found.burdened
    row = next(each for each in Rows(findings).ladder() if each[0].startswith("UPS batteries"))
    assert row[2] == "500 kW; 1 MW after"
    assert row[4] == "12 min; 343.6 s as loaded after"
    assert ladder_plot(findings.ladder)


def test_a_tank_by_hand(tmp_path: Path) -> None:
    time, data = small_data()
    data["cdu"]["heat"] = np.full((len(time), 1, 2), 0.4e6)
    findings = Findings(write(tmp_path / "made.h5", time, data, small_events()))
    found = rung(findings, "cold water of tank-1")
    capacity = 20.0 * properties("water", 303.15).heat_capacity
    assert found.foreseen == pytest.approx(capacity * 8.0 / 0.8e6)
    assert (found.unit, found.used, found.came_at) == ("tank-1", 1.0, pytest.approx(150.0))
    assert found.began == pytest.approx(61.0, abs=1.0)
    assert found.came == pytest.approx(150.0 - found.began)


def test_what_nothing_draws_on_has_no_time(findings: Findings) -> None:
    assert rung(findings, "cold water of tank-1").foreseen is None


def test_the_first_at_its_limit_is_named(findings: Findings) -> None:
    broke = first_to_break(findings.ladder)
    assert broke is not None
    assert broke.asset == "cold water of tank-1"
    told = "First at its limit: cold water of tank-1 (tank-1), at 00:02:30, 89 s after it was itself drawn on."
    assert Rows(findings).ladder_told() == told


def test_without_a_loss_the_nearest_is_named(tmp_path: Path) -> None:
    time, data = small_data()
    data["cdu"]["heat"] = np.full((len(time), 1, 2), 0.4e6)
    kept = [event for event in small_events() if event.flag not in ("exhausted", "throttled")]
    findings = Findings(write(tmp_path / "made.h5", time, data, kept))
    assert first_to_break(findings.ladder) is None
    assert Rows(findings).ladder_told().startswith("None came to its limit; nearest was cold water of tank-1 (tank-1)")


def test_an_older_trace_whose_ratings_are_fewer_still_has_a_ladder(findings: Findings) -> None:
    assert {each.asset for each in findings.ladder} == {"UPS batteries", "cold water of tank-1"}


def test_the_picture_has_a_bar_for_each_time(findings: Findings) -> None:
    assert ladder_plot(findings.ladder)
    assert ladder_plot([each for each in findings.ladder if each.foreseen is None]) is None


def test_power_before_a_fault_is_a_mean_by_the_counter(tmp_path: Path) -> None:
    time, data = small_data()
    swing = np.where(time % 2 < 1, 1.2e6, 0.8e6)
    data["site"]["it_power"][:, 0, 0] = swing
    data["site"]["work_energy"] = np.concatenate([[0.0], np.cumsum(swing[1:])])[:, None, None]
    trace = write(tmp_path / "made.h5", time, data, small_events())
    story = Story(trace)
    assert mean_power(story, 0, 60.0) == pytest.approx(1.0e6)
    assert mean_power(story, 0, 0.0) is None
    assert Findings(trace).measure["lost"]["power_before"] == pytest.approx(1.0e6)


def test_a_run_in_which_nothing_fails_has_a_ladder_from_its_start(tmp_path: Path) -> None:
    time, data = small_data()
    trace: Trace = write(tmp_path / "made.h5", time, data, [Event(0.0, 0, "site", "input:dry_bulb", 300.0)])
    found = ladder(Story(trace), 0)
    assert [each.asset for each in found if each.foreseen is not None] == ["UPS batteries"]
    assert small_plant().units["ups-1"].parameters["battery_energy"] == 360e6


def test_stores_bear_the_mean_of_an_iteration_where_jobs_train(drilled) -> None:
    """Two UPS share 1.0 MW of racks that swing between 0.84 and 1.15 MW in 4 s; rows are 5 s apart."""
    with open_trace(drilled("training-rack-lost")[0]) as trace:
        (batteries,) = (rung for rung in Findings(trace).ladder if rung.asset.startswith("UPS batteries"))
    assert batteries.foreseen == pytest.approx(929.0, rel=0.02)
    assert batteries.burdened is None, "the same swing after the fault is no load that it brought"


def test_a_store_counts_from_when_it_was_itself_cut_off(drilled) -> None:
    """A site goes dark at 1:00: each store comes to its limit as foreseen, once it is its turn."""
    with open_trace(drilled("black-building")[0]) as trace:
        findings = Findings(trace)
        shelves, coolant, batteries = (
            rung(findings, name) for name in ("power shelves of racks", "coolant of technology", "UPS batteries")
        )
        ends = {event.flag: event.time for event in reversed(trace.events) if event.flag in ("depleted", "throttled")}
    assert shelves.came == pytest.approx(shelves.foreseen, abs=1e-3), "from the empty battery, not from 1:00"
    assert shelves.began == pytest.approx(ends["depleted"])
    assert coolant.came == pytest.approx(coolant.foreseen, rel=0.03), "from when its facility water stood"
    assert coolant.came_at == pytest.approx(ends["throttled"])
    assert (batteries.began, batteries.came_at) == (60.0, pytest.approx(ends["depleted"]))
    still = rung(findings, "dies and plates of racks, coolant standing")
    assert (still.came, still.used) == (None, 0.0), "their coolant stood only when they had no power any more"
    assert first_to_break(findings.ladder) is coolant


def test_warmer_dies_of_a_job_that_starts_draw_on_no_coolant(drilled) -> None:
    with open_trace(drilled("jobs-in-a-queue")[0]) as trace:
        findings = Findings(trace)
        assert {each.outcome() for each in findings.ladder} == {"not drawn on"}
        assert Rows(findings).ladder_told() == "No store was drawn on after the fault."


def test_racks_that_throttle_for_want_of_flow_have_not_used_their_coolant(drilled) -> None:
    with open_trace(drilled("cdu-lost-tokens")[0]) as trace:
        coolant = rung(Findings(trace), "coolant of technology")
    assert coolant.came is None
    assert coolant.used == pytest.approx(0.104, abs=0.01)
    assert coolant.outcome().endswith("3.98 K short of throttling; it throttles for want of flow")


def test_a_rung_is_of_the_unit_that_binds(drilled) -> None:
    """generator-2 is the first without fuel; what it held, its load and its seconds are its own."""
    with open_trace(drilled("generator-fuel-runs-out")[0]) as trace:
        fuel = rung(Findings(trace), "fuel of generators, all sharing the site")
        first = next(event for event in trace.events if event.flag == "out_of_fuel")
        begun = next(event.time for event in trace.events if event.flag == "running" and event.unit == first.unit)
    assert (fuel.unit, fuel.came_at) == (first.unit, pytest.approx(first.time))
    assert fuel.began == begun
    assert fuel.came == pytest.approx(fuel.foreseen, rel=0.02)


@pytest.mark.parametrize(("feeds", "gone"), [(("pdu-1",), 20.0), (("pdu-1", "pdu-2"), None)])
def test_cut_off_is_when_the_last_feed_went(at: Path, feeds: tuple[str, ...], gone: float | None) -> None:
    plant = small_plant()
    plant.feeds["rack-1"] = list(feeds)
    events = [Event(20.0, 0, "pdu-1", "dead", 1), Event(60.0, 0, "utility-a", "input:in_service", 0)]
    story = Story(write(at, *small_data(), events, plant=plant))
    assert cut_off(story, 0, "rack-1", 30.0) == gone
    assert cut_off(story, 0, "rack-1", 10.0) is None
