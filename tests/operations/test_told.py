"""What a report tells of operations: alarms with first-out and who attended to them, and the chain of causes."""

from __future__ import annotations

import json

from twin.report.page import page
from twin.report.rows import Rows

SEVERAL = """\
events:
  - {at: 60 s, fail: utility-a, why: a digger}
  - {at: 100 s, restore: utility-a}
  - {at: 200 s, fail: pdu-2}
alarms:
  boards: {watch: pdu.dead, delay: 20 s, polling: 10 s, priority: high}
  feed: {watch: utility-a.lost, delay: 5 s, polling: 30 s, priority: critical}
  other: {watch: pdu-2.dead, polling: 5 s, group: second}
crews:
  hands: {people: 1, reaction: 15 s}
procedures:
  look: {on: feed, who: hands, steps: [{walk: 1 min}, {check: not pdu-2.dead, else: mend}]}
  mend:
    who: hands
    steps: [{work: 30 s}, {set: pdu-2.reset, to: 1}, {decide: 5 s}, {ramp: pdu-2.reset, to: 0, over: 10 s}]
"""


def test_alarms_are_told_with_first_out_and_who_attended(ran, found):
    alarms = found(ran(SEVERAL)).summary()["alarms"]
    by_name = {(each["name"], each["raised"]): each for each in alarms}
    feed, boards = by_name["feed", 90.0], by_name["boards", 80.0]
    assert (feed["stood"], feed["active"], feed["acknowledged"], feed["by"]) == (60.0, 65.0, 105.0, "hands")
    assert (boards["stood"], boards["active"], boards["acknowledged"]) == (60.0, 80.0, None)
    assert feed["first_out"], "its device was first, though its poll was last"
    assert not boards["first_out"]
    assert by_name["other", 65.0]["first_out"], "a group of its own"
    assert by_name["other", 205.0]["first_out"], "the group had been clear"
    assert feed["cleared"] == 120.0
    assert by_name["boards", 220.0]["cleared"] is None


def test_the_timeline_follows_an_alarm_to_what_people_do(ran, found):
    text = SEVERAL.replace("{at: 200 s, fail: pdu-2}", "{at: 61 s, fail: pdu-2}")
    entries = found(ran(text)).entries
    chain, at = [], next(i for i, e in enumerate(entries) if e.what.startswith("is told to reset"))
    while at is not None:
        chain.append((entries[at].unit, entries[at].what))
        at = entries[at].cause
    assert chain == [
        ("pdu-2", "is told to reset (set)"),
        ("hands", "set pdu-2.reset to 1"),
        ("hands", "worked for 30 s"),
        ("hands", "attended to it 15 s after the call"),
        ("hands", "called for mend: utility-a"),
        ("hands", "checked not pdu-2.dead: no; mend follows"),
        ("hands", "walked 60 s"),
        ("hands", "set out on foot, 60 s to go"),
        ("hands", "attended to it 15 s after the call"),
        ("hands", "called for look: utility-a"),
        ("utility-a", "raises alarm feed (critical)"),
        ("utility-a", "is lost"),
        ("utility-a", "is taken out of service (fail)"),
    ]
    ramp = next(e for e in entries if "moves to reset" in e.what)
    assert ramp.what == "moves to reset 0 within 10 s (ramp)"
    assert ramp.why == "by hands, mend"


def test_a_repair_is_put_down_to_what_broke(ran, found):
    text = """\
events:
  - {at: 60 s, fail: pdu-1}
crews:
  mechanics: {people: 1, travel: 1 min}
repairs:
  boards: {of: pdu, crew: mechanics, time: 2 min}
"""
    entries = found(ran(text)).entries
    said = {entry.what: entry for entry in entries}
    called, mended = said["called for boards: pdu-1"], said["mended it in 120 s"]
    assert entries[called.cause].what == "is taken out of service (fail)"
    arrived = entries[mended.cause]
    assert (arrived.what, arrived.time) == ("arrived after 60 s on the way", 120.0)
    sets_out = entries[arrived.cause]
    assert (sets_out.what, sets_out.time) == ("set out, 60 s to go", 60.0)
    assert entries[sets_out.cause].what == "attended to it at once"
    back = said["is put back in service (restore)"]
    assert entries[back.cause] is mended
    assert entries[said["is alive again"].cause] is back


def test_the_page_and_the_terminal_have_the_alarms(ran, found):
    findings = found(ran(SEVERAL))
    rows = Rows(findings).alarms()
    assert [row[0] for row in rows][:2] == ["other (high)", "boards (high)"]
    assert rows[2][:3] == ["feed (critical)", "first-out", "utility-a"]
    text = page(findings)
    assert "First-out is the first of its group" in text
    assert "feed (critical)" in text
    json.dumps(findings.summary())


def test_a_run_without_operations_tells_none(ran, found):
    findings = found(ran("events:\n  - {at: 60 s, fail: pdu-1}\n"))
    assert findings.summary()["alarms"] == []
    assert Rows(findings).alarms() == []
    assert findings.story.log.rows() == []


BRIEF = """\
events:
  - {at: 60 s, fail: pdu-1}
  - {at: 62 s, restore: pdu-1}
  - {at: 100 s, fail: utility-a}
  - {at: 110 s, restore: utility-a}
alarms:
  brief: {watch: pdu-1.dead, polling: 1 min, group: apart}
  one: {watch: pdu-2.dead, polling: 5 s}
  two: {watch: pdu-3.dead, polling: 20 s}
"""


def test_what_was_over_before_the_poll_is_told_of_its_first_time_and_of_what_began_it(ran, found):
    findings = found(ran(BRIEF, "duration: 150 s, tick: 1 s"))
    brief = next(each for each in findings.alarms if each.name == "brief")
    assert (brief.stood, brief.raised) == (60.0, 120.0), "two times between two polls: the first"
    told = findings.entries
    raised = next(each for each in told if each.what == "raises alarm brief (high)")
    began = told[raised.cause]
    assert (began.what, began.time) == ("is dead", 60.0), "and not that it is alive again"


def test_alarms_of_one_moment_are_all_first_out(ran, found):
    alarms = {each.name: each for each in found(ran(BRIEF, "duration: 150 s, tick: 1 s")).alarms}
    assert alarms["one"].active == alarms["two"].active == 100.0
    assert (alarms["one"].raised, alarms["two"].raised) == (105.0, 120.0)
    assert alarms["one"].first_out
    assert alarms["two"].first_out
