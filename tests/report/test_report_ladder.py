"""The ladder: seconds left by hand, what came of each store, and which broke first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_hall import small_data, small_events, small_plant, write

from twin.physics.fluids import properties
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
    assert found.outcome().startswith("on battery for 15.5 s, down to 97.8 %")


def test_a_battery_that_takes_over_the_other_cord_lasts_less(tmp_path: Path) -> None:
    """By hand: 720 s at 0.5 MW; at 1 MW, with a loss r = 10 % at 1 MW, 720 x 0.5 x 1.05 / (1 x 1.1)."""
    time, data = small_data()
    after = (time > 100)[:, None] * np.array([-0.5e6, 0.5e6])
    data["ups"]["need"] = (0.5e6 + after)[:, None, :]
    plant = small_plant()
    for name in ("ups-1", "ups-2"):
        plant.units[name].parameters["discharge_loss"] = 0.1
    findings = Findings(write(tmp_path / "made.h5", time, data, small_events(), plant=plant))
    found = rung(findings, "UPS batteries")
    assert found.foreseen == pytest.approx(720.0)
    assert found.burdened == pytest.approx(720.0 * 0.5 * 1.05 / 1.1)
    assert found.least == found.burdened
    row = next(each for each in Rows(findings).ladder() if each[0].startswith("UPS batteries"))
    assert row[2] == "500 kW; 1 MW after (ups-2)"
    assert row[4] == "12 min; 343.6 s as loaded after"
    assert ladder_plot(findings.ladder)


def test_a_tank_by_hand(tmp_path: Path) -> None:
    time, data = small_data()
    data["cdu"]["heat"] = np.full((len(time), 1, 2), 0.4e6)
    findings = Findings(write(tmp_path / "made.h5", time, data, small_events()))
    found = rung(findings, "cold water of tank-1")
    capacity = 20.0 * properties("water", 303.15).heat_capacity
    assert found.foreseen == pytest.approx(capacity * 8.0 / 0.8e6)
    assert found.came == pytest.approx(90.0)
    assert found.came_unit == "tank-1"
    assert found.used == pytest.approx(22 * 0.9 / 8.0)


def test_what_nothing_draws_on_has_no_time(findings: Findings) -> None:
    assert rung(findings, "cold water of tank-1").foreseen is None


def test_the_first_at_its_limit_is_named(findings: Findings) -> None:
    broke = first_to_break(findings.ladder)
    assert broke is not None
    assert broke.asset == "cold water of tank-1"
    assert Rows(findings).ladder_told() == "First at its limit: cold water of tank-1, 90 s after the fault (tank-1)."


def test_without_a_loss_the_nearest_is_named(tmp_path: Path) -> None:
    time, data = small_data()
    data["cdu"]["heat"] = np.full((len(time), 1, 2), 0.4e6)
    kept = [event for event in small_events() if event.flag not in ("exhausted", "throttled")]
    findings = Findings(write(tmp_path / "made.h5", time, data, kept))
    assert first_to_break(findings.ladder) is None
    assert Rows(findings).ladder_told().startswith("None came to its limit; nearest was cold water of tank-1")


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
