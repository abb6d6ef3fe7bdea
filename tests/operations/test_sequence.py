"""The expected sequence of operations: in time, late, out of turn, never; by member, in every output."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from twin.report.rows import Rows
from twin.report.verdict import FAILED, GOOD

EVENTS = """\
events:
  - {at: 60 s, fail: utility-a}
  - {at: 70 s, fail: pdu-2}
  - {at: 100 s, restore: utility-a}
  - {at: 130 s, restore: pdu-2}
alarms:
  dark: {watch: utility-a.lost, delay: 5 s, polling: 10 s}
crews:
  hands: {people: 1}
procedures:
  look: {on: dark, who: hands, steps: [{walk: 15 s}]}
"""


def judged(findings):
    return [(each.passed, each.value, each.note) for each in findings.verdict.sequence]


def test_steps_are_found_in_order_with_their_times(ran, found):
    text = (
        EVENTS
        + """\
expected:
  - {what: utility-a.lost, within: 1 s}
  - {what: pdu.dead, within: 1 s, units: all}
  - {what: dark, within: 15 s, after: previous}
  - {what: look, within: 20 s, after: previous}
  - {what: not utility-a.lost, by: 100 s}
  - {what: not pdu.dead, units: 5, within: 1 s, after: previous}
  - {what: not pdu.dead, units: all, within: 70 s, after: fault}
"""
    )
    findings = found(ran(text))
    assert judged(findings) == [
        (True, pytest.approx(0.0), ""),
        (True, pytest.approx(0.0), ""),
        (True, pytest.approx(10.0), ""),  # active at 65, polled at 70
        (True, pytest.approx(15.0), ""),
        (True, pytest.approx(100.0), ""),
        (True, pytest.approx(0.0), ""),
        (True, pytest.approx(70.0), ""),
    ]
    assert findings.verdict.outcome == GOOD
    assert findings.verdict.sentence() == "All 7 expected steps held."
    assert findings.verdict.sequence[6].where == "pdu-2"


def test_late_never_and_out_of_turn_fail_and_say_so(ran, found):
    text = (
        EVENTS
        + """\
expected:
  - {what: not utility-a.lost, within: 30 s}
  - {what: pdu-2.dead, within: 5 s}
  - {what: pdu-2.overloaded}
  - {what: look, within: 1 s, after: previous}
criteria:
  - max(pdu.power) < 1 MW
"""
    )
    findings = found(ran(text))
    assert judged(findings) == [
        (False, pytest.approx(40.0), ""),
        (False, None, "came 40 s before the step before it: out of turn"),
        (False, None, "did not come"),
        (False, None, "came 15 s before the step before it: out of turn; the step before it did not come"),
    ]
    assert findings.verdict.outcome == FAILED
    assert findings.verdict.sentence().startswith("4 of 5 criteria and expected steps failed: not utility-a.lost")
    rows = Rows(findings).expected()
    assert rows[0][:5] == ["not utility-a.lost within 30 s of the fault", "FAILED", "40 s", "30 s", "-10 s"]
    assert rows[2][2] == "never"


def test_a_quantity_is_interpolated_and_must_begin_to_hold(ran, found):
    text = """\
events:
  - {at: 60 s, ramp: site.dry_bulb, to: 45 degC, over: 100 s}
expected:
  - {what: site.dry_bulb > 40 degC, by: 120 s}
  - {what: site.dry_bulb > 30 degC}
"""
    (warm, never) = found(ran(text)).verdict.sequence
    assert warm.passed
    assert warm.time == pytest.approx(110, abs=1.0)
    assert not never.passed, "it held all the time, so nothing came about"


def test_the_worst_member_speaks_and_all_are_counted(ran, found):
    text = """\
events:
  - {at: 60 s, fail: utility-a}
  - {at: 80 s, restore: utility-a, member: 0}
  - {at: 95 s, restore: utility-a, member: 1}
expected:
  - {what: not utility-a.lost, within: 30 s}
"""
    (each,) = found(ran(text, members=2)).verdict.sequence
    assert (each.member, each.members_passed, each.members, each.value) == (1, 1, 2, pytest.approx(35.0))


def test_the_command_ends_with_one_where_a_step_fails(readied, tmp_path):
    from twin.cli import app

    for within, code in (("50 s", 0), ("30 s", 1)):
        readied(EVENTS + f"expected:\n  - {{what: not utility-a.lost, within: {within}}}\n")
        done = CliRunner().invoke(app, ["run", str(tmp_path / "boards.yaml"), "-o", str(tmp_path / "b.h5"), "--quiet"])
        assert done.exit_code == code
        assert "Expected sequence" in done.stdout
