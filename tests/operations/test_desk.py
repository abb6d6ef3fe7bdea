"""Alarms, crews, procedures and repairs in a run: every moment by hand, and what must hold whatever happens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.simulation import simulate
from twin.trace import open_trace

DEAD = """\
events:
  - {at: 60 s, fail: pdu-1}
alarms:
  board-dead: {watch: pdu.dead, delay: 10 s, polling: 8 s, priority: critical}
"""
HANDS = """\
crews:
  hands: {people: 1, reaction: 30 s, travel: 1 min}
procedures:
  put-back:
    on: board-dead
    who: hands
    steps:
      - {walk: 20 s}
      - {check: pdu-1.dead, else: stop}
      - {restore: pdu-1}
      - {wait for: not pdu-1.dead, at most: 1 min}
      - {say: alive}
"""


def test_delay_polling_reaction_travel_and_steps_add_up(ran, when, found):
    trace = ran(DEAD + HANDS)
    at = when(trace)
    # dead at 60, active 10 later, seen by the poll of 72 (every 8); 30 until they react, 60 on the way, 20 on foot
    assert at["alarm:board-dead"] == [72]
    assert at["does:put-back:called"] == [72]
    assert at["does:put-back:reacts"] == [102]
    assert at["does:put-back:arrives"] == [162]
    assert at["does:put-back:1"] == at["does:put-back:2"] == at["does:put-back:3"] == [182]
    assert at["pdu-1.input:in_service"] == [60, 182]
    assert at["does:put-back:4"] == at["does:put-back:5"] == at["does:put-back:ends"] == [183]
    assert at["clear:board-dead"] == [184]
    entries = found(trace).entries
    wait = next(each for each in entries if each.what.startswith("waited"))
    assert entries[wait.cause].what == "is alive again", "what they wait for ends the step"


def test_what_operations_watch_changes_no_tick(ran):
    plain = ran("events:\n  - {at: 60 s, fail: pdu-1}\n")
    before = {name: np.asarray(plain[name].values) for name in ("pdu.power", "utility.power", "pdu.dead")}
    watched = ran(DEAD)
    for name, values in before.items():
        np.testing.assert_array_equal(np.asarray(watched[name].values), values)
    assert [event for event in plain.events if event.flag == "dead"] == [
        event for event in watched.events if event.flag == "dead"
    ]


@pytest.mark.parametrize(("lasts", "raised"), [(9, False), (10, True), (15, True)])
def test_an_alarm_comes_only_if_its_condition_held_for_the_delay(ran, when, lasts, raised):
    text = DEAD.replace("alarms:", f"  - {{at: {60 + lasts} s, restore: pdu-1}}\nalarms:")
    at = when(ran(text, "duration: 5 min, tick: 1 s"))
    assert ("alarm:board-dead" in at) is raised
    if raised:  # the device holds what the poll has not seen, though it is over by then
        assert at["alarm:board-dead"] == [72]
        assert at["clear:board-dead"] == [80]


def test_the_crew_that_is_busy_makes_others_wait_and_the_critical_go_first(ran, when):
    text = """\
alarms:
  one: {watch: pdu-1.dead, polling: 1 s, priority: low}
  two: {watch: pdu-2.dead, polling: 1 s, priority: low}
  all: {watch: utility-a.lost, polling: 1 s, priority: critical}
events:
  - {at: 60 s, fail: pdu-1}
  - {at: 70 s, fail: pdu-2}
  - {at: 80 s, fail: utility-a}
crews:
  hands: {people: 1}
procedures:
  first: {on: one, who: hands, steps: [{work: 50 s}]}
  second: {on: two, who: hands, steps: [{work: 50 s}]}
  third: {on: all, who: hands, steps: [{work: 50 s}]}
"""
    at = when(ran(text))
    assert at["does:first:ends"] == [61 + 50]  # the poll of 60 comes before the tick in which it happens
    assert at["does:second:called"] == [71]
    assert at["does:third:called"] == [81]
    assert at["does:third:reacts"] == [111]  # called last, attended to before the second
    assert at["does:second:reacts"] == [161]
    assert at["does:second:ends"] == [211]


def test_two_jobs_that_want_two_people_each_do_not_wait_for_each_other_for_ever(ran, when):
    text = """\
crews:
  hands: {people: 3}
procedures:
  one: {at: 1 min, who: hands, people: 2, steps: [{work: 50 s}]}
  two: {at: 1 min, who: hands, people: 2, steps: [{work: 50 s}]}
  three: {at: 70 s, who: hands, steps: [{work: 10 s}]}
"""
    at = when(ran(text))
    assert at["does:one:ends"] == [110]
    assert at["does:two:reacts"] == [110]
    assert at["does:two:ends"] == [160]
    assert at["does:three:ends"] == [120]


def test_a_repair_waits_for_notice_crew_and_time_and_two_faults_wait_for_one_crew(ran, when):
    text = """\
events:
  - {at: 60 s, fail: pdu-1}
  - {at: 90 s, fail: pdu-2}
crews:
  mechanics: {people: 1, travel: 1 min}
repairs:
  boards: {of: pdu, crew: mechanics, notice: 20 s, time: 2 min}
"""
    at = when(ran(text))
    assert at["does:boards:called"] == [80, 110]
    assert at["pdu-1.input:in_service"] == [60, 80 + 60 + 120]
    assert at["pdu-2.input:in_service"] == [90, 260 + 60 + 120]


def test_what_people_take_out_themselves_is_not_repaired(ran, when):
    text = """\
crews:
  mechanics: {people: 2}
procedures:
  isolate: {at: 1 min, who: mechanics, steps: [{fail: pdu-1}]}
repairs:
  boards: {of: pdu, crew: mechanics, time: 2 min}
"""
    at = when(ran(text))
    assert at["pdu-1.input:in_service"] == [60]
    assert "does:boards:called" not in at


def test_a_step_that_does_not_hold_hands_over_to_another_procedure(ran, when):
    text = (
        DEAD
        + """\
crews:
  hands: {people: 1}
  engineers: {people: 1, reaction: 10 s}
procedures:
  look:
    on: board-dead
    who: hands
    steps: [{wait for: not pdu-1.dead, at most: 30 s, else: mend}, {say: never}]
  mend: {who: engineers, steps: [{work: 1 min}, {restore: pdu-1}]}
"""
    )
    at = when(ran(text))
    assert at["does:look:1-"] == at["does:look:stops"] == at["does:mend:called"] == [102]
    assert "does:look:2" not in at
    assert at["pdu-1.input:in_service"] == [60, 102 + 10 + 60]


def test_who_is_off_duty_comes_when_the_hours_begin(ran, when):
    text = DEAD + HANDS.replace(
        "people: 1,", 'people: 1, hours: {from: "08:00:00", to: "18:00:00", start: "07:55:00"},'
    )
    at = when(ran(text))
    assert at["does:put-back:called"] == [72]
    assert at["does:put-back:reacts"] == [300 + 30]


def test_a_ramp_by_hand_goes_steadily(ran):
    text = """\
crews:
  hands: {people: 1}
procedures:
  warm: {at: 1 min, who: hands, steps: [{ramp: site.dry_bulb, to: 45 degC, over: 100 s}]}
"""
    trace = ran(text)
    warm = np.asarray(trace["site.dry_bulb"].values)[:, 0, 0] - 273.15
    time = np.asarray(trace.time)
    assert warm[time == 60][0] == pytest.approx(35)
    assert warm[time == 111][0] == pytest.approx(40, abs=0.11)
    assert warm[-1] == pytest.approx(45)


DRAWN = """\
events:
  - {at: 60 s, fail: pdu-1, member: 1}
  - {at: 90 s, fail: pdu-1, member: 0}
alarms:
  board-dead: {watch: pdu.dead, delay: 10 s, polling: 8 s, priority: critical}
""" + HANDS.replace("30 s, travel: 1 min", "{lognormal: [30 s, 1.6]}, travel: {uniform: [30 s, 90 s]}")


def test_a_member_equals_itself_alone_bit_for_bit(ran):
    together = ran(DRAWN, members=3)
    many = {name: np.asarray(together[name].values) for name in ("pdu.power", "pdu.in_service", "utility.power")}
    told = [event for event in together.events if event.member == 0]
    alone = ran(DRAWN.replace("  - {at: 60 s, fail: pdu-1, member: 1}\n", ""), members=1)
    assert told == list(alone.events)
    for name, values in many.items():
        np.testing.assert_array_equal(values[:, :1], np.asarray(alone[name].values))


def test_members_take_their_own_times_and_another_seed_gives_others(ran, when):
    first = ran(DRAWN.replace("member: 1", "member: 2"), members=3)
    one, two = when(first, 0)["does:put-back:reacts"], when(first, 2)["does:put-back:reacts"]
    assert one[0].expected - 104 != two[0].expected - 72  # both from their own alarm
    again = ran(DRAWN.replace("member: 1", "member: 2"), members=3)
    assert list(first.events) == list(again.events)
    other = ran(DRAWN.replace("member: 1", "member: 2"), members=3, seed=5)
    assert when(other, 0)["does:put-back:reacts"] != one


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.integers(1, 3),
    faults=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 200)), min_size=1, max_size=8),
    times=st.lists(st.integers(1, 60), min_size=6, max_size=6),
)
def test_no_more_people_are_at_work_than_a_crew_has(readied, tmp_path, people, faults, times):
    lines = [f"  - {{at: {at} s, fail: pdu-{board}}}" for board, at in sorted(set(faults))]
    repairs = [f"  mend-{n}: {{of: pdu-{n}, crew: crew, time: {time} s}}" for n, time in enumerate(times, 1)]
    crew = f"  crew: {{people: {people}, travel: 10 s}}"
    text = "\n".join(["events:", *lines, "crews:", crew, "repairs:", *repairs, ""])
    trace = tmp_path / "many.h5"
    simulate(readied(text, "duration: 8 min, tick: 5 s"), trace=trace, device="cpu")
    turns = sorted(
        (event.time, {"reacts": 1, "ends": -1}[event.flag.rpartition(":")[2]])
        for event in open_trace(trace).events
        if event.flag.endswith((":reacts", ":ends"))
    )
    at_work = np.cumsum([turn for _, turn in turns])
    assert at_work.max() <= people
    assert at_work.min() >= 0
