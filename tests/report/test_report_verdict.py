"""The verdict: values, limits, margins and moments against hand-made traces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_hall import small_data, small_events, write

from twin.report.findings import Findings
from twin.report.judging import judge
from twin.report.story import Story
from twin.report.verdict import Judgement, Verdict


def verdict_on(path: Path, criterion: str, **changes: object) -> Verdict:
    time, data = small_data()
    scenario = f'title: one\ncriteria: ["{criterion}"]\n'
    return judge(Story(write(path, time, data, small_events(), scenario=scenario, **changes)))  # type: ignore[arg-type]


def only(verdict: Verdict) -> Judgement:
    (judgement,) = verdict.judgements
    return judgement


def test_the_small_hall_fails_two_of_three(findings: Findings) -> None:
    verdict = findings.verdict
    assert verdict.outcome == "failed"
    assert [each.passed for each in verdict.judgements] == [False, False, True]
    assert verdict.sentence().startswith("2 of 3 criteria failed: max(rack.die_temperature) < 88 degC")


@pytest.mark.parametrize(
    ("criterion", "value", "margin", "time", "where", "passed"),
    [
        ("max(rack.die_temperature) < 88 degC", 370.15, -9.0, 202.0, "rack-1", False),
        ("max(rack.die_temperature) < 98 degC", 370.15, 1.0, 202.0, "rack-1", True),
        ("max(rack-8.die_temperature) <= 94 degC", 367.15, 0.0, 202.0, "rack-8", True),
        ("max(rack-8.die_temperature) < 94 degC", 367.15, 0.0, 202.0, "rack-8", False),
        ("min(rack.die_temperature) > 70 degC", 345.15, 2.0, 0.0, "rack-8", True),
        ("final(site.it_power) > 0.8 MW", 0.75e6, -0.05e6, 600.0, "site", False),
        ("final(rack.die_temperature) < 76 degC", 348.15, 1.0, 600.0, "rack-1", True),
        ("min(site.power) >= 0 W", 0.0, 0.0, 61.0, "site", True),
    ],
)
def test_value_margin_moment_and_place(
    at: Path, criterion: str, value: float, margin: float, time: float, where: str, passed: bool
) -> None:
    found = only(verdict_on(at, criterion))
    assert found.value == pytest.approx(value, abs=1e-9)
    assert found.margin == pytest.approx(margin, abs=1e-6)
    assert (found.time, found.where, found.passed) == (time, where, passed)


def test_a_flag_that_must_not_rise_names_its_first_rise(at: Path) -> None:
    found = only(verdict_on(at, "no rack.shut_down"))
    assert (found.passed, found.value, found.time, found.where) == (False, 2.0, 201.75, "rack-3")
    assert found.note == "first of 2 units"
    assert only(verdict_on(at, "no rack.unpowered")).passed


def test_a_failure_that_must_not_be_drawn(at: Path) -> None:
    assert only(verdict_on(at, "no generator.fails_to_start")).passed


def test_what_is_not_recorded_or_not_understood_fails(at: Path) -> None:
    unrecorded = only(verdict_on(at, "max(cdu.return_temperature) < 60 degC"))
    assert not unrecorded.passed
    assert unrecorded.note == "cdu.return_temperature was not recorded"
    strange = only(verdict_on(at, "average(rack.die_temperature) < 88 degC"))
    assert not strange.passed
    assert strange.note == "this version does not understand it"


def test_no_criteria_and_a_run_that_broke_off(at: Path) -> None:
    time, data = small_data()
    none = judge(Story(write(at, time, data, [], scenario="title: none\n")))
    assert none.outcome == "no criteria"
    assert verdict_on(at, "max(rack.die_temperature) < 98 degC", finished=False).outcome == "unfinished"
    assert verdict_on(at, "max(rack.die_temperature) < 88 degC", finished=False).outcome == "failed"


def test_every_member_must_hold_and_the_worst_speaks(at: Path) -> None:
    time, data = small_data()
    three = {k: {n: np.repeat(v, 3, axis=1) for n, v in named.items()} for k, named in data.items()}
    three["rack"]["die_temperature"] += np.array([-20.0, 5.0, -20.0])[None, :, None]
    trace = write(at, time, three, [], scenario='title: t\ncriteria: ["max(rack.die_temperature) < 88 degC"]\n')
    found = only(judge(Story(trace)))
    assert (found.passed, found.member, found.members_passed, found.members) == (False, 1, 2, 3)
    assert found.value == pytest.approx(375.15)
    assert Findings(trace).shown == 1


def test_gaps_in_a_quantity_are_left_out(at: Path) -> None:
    time, data = small_data()
    data["rack"]["die_temperature"][5:, :, :] = np.nan
    scenario = 'title: t\ncriteria: ["max(rack.die_temperature) < 88 degC"]\n'
    found = only(judge(Story(write(at, time, data, [], scenario=scenario))))
    assert found.passed
    assert found.value == pytest.approx(348.15)
    data["rack"]["die_temperature"][:] = np.nan
    empty = only(judge(Story(write(at, time, data, [], scenario=scenario))))
    assert (empty.passed, empty.value) == (False, None)
