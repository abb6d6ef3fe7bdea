"""The timeline: every change once, in order, with its words and the change that led to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_hall import RACKS, SCENARIO, small_data, small_events, small_plant, write

from twin.plant import Unit
from twin.report.findings import Findings
from twin.report.fold import fold
from twin.report.timeline import Entry
from twin.trace import Event


def entry_of(findings: Findings, unit: str, what: str) -> Entry:
    found = [entry for entry in findings.entries if entry.unit == unit and entry.what.startswith(what)]
    assert len(found) == 1, found
    return found[0]


def cause_of(findings: Findings, unit: str, what: str) -> tuple[str, str] | None:
    cause = entry_of(findings, unit, what).cause
    return None if cause is None else (findings.entries[cause].unit, findings.entries[cause].what)


def test_every_event_is_there_in_order_of_time(findings: Findings) -> None:
    assert len(findings.entries) == len(small_events())
    times = [entry.time for entry in findings.entries]
    assert times == sorted(times)


def test_a_cause_stands_before_its_effect(findings: Findings) -> None:
    assert all(entry.cause is None or entry.cause < index for index, entry in enumerate(findings.entries))


@pytest.mark.parametrize(
    ("unit", "what", "cause"),
    [
        ("utility-a", "is taken out", None),
        ("utility-a", "is lost", ("utility-a", "is taken out of service (fail)")),
        ("chiller-1", "stops", ("utility-a", "is lost")),
        ("ups-1", "goes to battery", ("utility-a", "is lost")),
        ("ats-a", "asks", ("utility-a", "is lost")),
        ("generator-1", "starts", ("ats-a", "asks for the generators")),
        ("generator-1", "is up", ("generator-1", "starts cranking")),
        ("generator-1", "closes", ("generator-1", "is up to speed")),
        ("ats-a", "transfers to", ("generator-1", "closes on its bus")),
        ("ups-1", "is back", ("ats-a", "transfers to its alternate feed")),
        ("tank-1", "is exhausted", ("chiller-1", "stops")),
        ("rack-3", "throttles", ("tank-1", "is exhausted")),
        ("rack-3", "shuts down", ("tank-1", "is exhausted")),
        ("utility-a", "is put back", None),
        ("utility-a", "is back", ("utility-a", "is put back in service (restore)")),
        ("tank-1", "is cold again", ("chiller-1", "is at full readiness again")),
        ("rack-1", "runs at full clock", ("tank-1", "is cold again")),
    ],
)
def test_the_cause_is_the_nearest_upstream_over_the_medium(
    findings: Findings, unit: str, what: str, cause: tuple[str, str] | None
) -> None:
    assert cause_of(findings, unit, what) == cause


def test_reasons_are_filled_with_the_units_own_ratings(findings: Findings) -> None:
    assert entry_of(findings, "rack-3", "throttles").why == "a die reached 88 °C"
    assert entry_of(findings, "tank-1", "is exhausted").why == "its coolant has warmed above 30 °C"
    assert entry_of(findings, "generator-1", "is up").why == "10 s after the request"
    assert entry_of(findings, "utility-a", "is taken").why == "a digger found the cable"


def test_a_unit_switched_off_is_its_own_cause_even_under_a_dead_feed(at: Path) -> None:
    events = [
        Event(10.0, 0, "utility-a", "lost", 1),
        Event(20.0, 0, "pump-1", "input:mode", 0.0),
        Event(20.0, 0, "pump-1", "stopped", 1),
        Event(30.0, 0, "cdu-1", "input:duty_pump_failed", 1.0),
        Event(33.0, 0, "cdu-1", "standby_running", 1),
    ]
    findings = Findings(write(at, *small_data(), events))
    assert [entry.what for entry in findings.entries] == [
        "is lost",
        "is switched to off (set)",
        "stops",
        "fails: the duty pump is lost (fail)",
        "starts its standby pump",
    ]
    assert [entry.cause for entry in findings.entries] == [None, None, 1, None, 3]


def test_members_do_not_cause_each_other(at: Path) -> None:
    time, data = small_data()
    two = {kind: {name: values.repeat(2, axis=1) for name, values in named.items()} for kind, named in data.items()}
    events = [Event(10.0, 1, "utility-a", "lost", 1), Event(10.0, 0, "ups-1", "on_battery", 1)]
    findings = Findings(write(at, time, two, events))
    assert [entry.cause for entry in findings.entries] == [None, None]


def test_ramps_and_the_grid_are_told_as_such(at: Path) -> None:
    scenario = """
title: A grid event
grid: {requests: [{at: 60 s, reduce: 25 %, ramp: 60 s, for: 2 min}]}
events:
  - {at: 30 s, ramp: rack.utilisation, to: 50 %, over: 10 s}
criteria: []
"""
    events = [
        *(Event(30.0, 0, name, "input:utilisation", 0.5) for name in RACKS),
        Event(60.0, 0, "site", "input:power_request", 0.75),
        Event(240.0, 0, "site", "input:power_request", 1.0),
    ]
    findings = Findings(write(at, *small_data(), events, scenario=scenario))
    told = [(line.event(), line.why) for line in findings.lines]
    assert told == [
        ("8 racks move to utilisation 50 % within 10 s (ramp): rack-1..rack-8", "as the scenario has it"),
        ("site is asked to go to 75 % of its power within 60 s (grid)", "the grid asks for less"),
        ("site is asked to go to 100 % of its power within 60 s (grid)", "the grid's request ends"),
    ]
    assert findings.verdict.outcome == "no criteria"


def test_equal_changes_close_together_are_one_line_and_far_apart_are_two() -> None:
    rows = [Entry(t, 0, f"rack-{i:02d}", "throttles", "hot", None) for i, t in enumerate((1.0, 1.5, 2.0, 9.0))]
    lines = fold(rows, dict.fromkeys((row.unit for row in rows), "rack"), gap=2.0)
    assert [(line.event(), line.time, line.last) for line in lines] == [
        ("3 racks throttle: rack-00..rack-02", 1.0, 2.0),
        ("rack-03 throttles", 9.0, 9.0),
    ]


def test_a_long_timeline_is_folded_until_people_can_read_it(at: Path) -> None:
    events = [Event(10.0 + 5 * i, 0, "rack-1", "throttled", 1 - i % 2) for i in range(110)]
    findings = Findings(write(at, *small_data(), events, scenario=SCENARIO, plant=small_plant()))
    assert len(findings.entries) == 110
    assert len(findings.lines) <= 60
    assert sum(line.entries for line in findings.lines) == 110


def test_a_transfer_breaks_and_makes(at: Path) -> None:
    events = [
        Event(10.0, 0, "utility-a", "lost", 1),
        Event(10.0, 0, "ups-1", "on_battery", 1),
        Event(12.0, 0, "ats-a", "asking", 1),
        Event(12.0, 0, "generator-1", "running", 1),
        Event(22.0, 0, "generator-1", "closed", 1),
        Event(22.0, 0, "generator-1", "ready", 1),
        Event(22.0, 0, "generator-bus", "dead", 0),
        Event(25.0, 0, "ats-a", "on_alternate", 1),
        Event(25.5, 0, "ups-1", "on_battery", 0),
        Event(100.0, 0, "utility-a", "lost", 0),
        Event(400.0, 0, "ats-a", "asking", 0),
        Event(400.0, 0, "ats-a", "on_alternate", 0),
        Event(400.0, 0, "ups-1", "on_battery", 1),
        Event(401.0, 0, "generator-1", "closed", 0),
        Event(401.0, 0, "generator-bus", "dead", 1),
        Event(402.0, 0, "ups-1", "on_battery", 0),
    ]
    findings = Findings(write(at, *small_data(), events))
    told = [(e.what, None if e.cause is None else findings.entries[e.cause].what) for e in findings.entries]
    assert told == [
        ("is lost", None),
        ("goes to battery", "is lost"),
        ("asks for the generators", "is lost"),
        ("starts cranking", "asks for the generators"),
        ("is up to speed", "starts cranking"),
        ("closes on its bus", "is up to speed"),
        ("is alive again", "closes on its bus"),
        ("transfers to its alternate feed", "is alive again"),
        ("is back on its feed", "transfers to its alternate feed"),
        ("is back", None),
        ("transfers back to its normal feed", "is back"),
        ("lets the generators go", "transfers back to its normal feed"),
        ("goes to battery", "transfers back to its normal feed"),
        ("opens its breaker", "lets the generators go"),
        ("is dead", "opens its breaker"),
        ("is back on its feed", "transfers back to its normal feed"),
    ]


def test_a_standby_that_steps_in_is_not_blamed(at: Path) -> None:
    events = [
        Event(10.0, 0, "chiller-1", "input:in_service", 0.0),
        Event(10.0, 0, "chiller-1", "stopped", 1),
        Event(20.0, 0, "cdu-1", "input:duty_pump_failed", 1.0),
        Event(23.0, 0, "cdu-1", "standby_running", 1),
        Event(25.0, 0, "cdu-1", "input:duty_pump_failed", 0.0),
        Event(90.0, 0, "rack-1", "throttled", 1),
    ]
    findings = Findings(write(at, *small_data(), events))
    assert cause_of(findings, "rack-1", "throttles") == ("chiller-1", "stops")


def test_an_engine_that_gives_up_stops_for_that_and_nothing_else(at: Path) -> None:
    events = [
        Event(10.0, 0, "utility-a", "lost", 1),
        Event(12.0, 0, "ats-a", "asking", 1),
        Event(12.0, 0, "generator-1", "running", 1),
        Event(60.0, 0, "ats-a", "on_alternate", 1),
        Event(87.0, 0, "generator-1", "failed_to_start", 1),
        Event(88.0, 0, "generator-1", "running", 0),
    ]
    findings = Findings(write(at, *small_data(), events))
    assert cause_of(findings, "generator-1", "gives up") == ("generator-1", "starts cranking")
    assert cause_of(findings, "generator-1", "stops") == ("generator-1", "gives up starting")


def test_a_rack_without_power_is_not_at_full_clock_and_its_room_cools_by_that(at: Path) -> None:
    events = [
        Event(10.0, 0, "rack-1", "throttled", 1),
        Event(20.0, 0, "rack-2", "throttled", 1),
        Event(20.0, 0, "rack-2", "slowed", 1),
        Event(30.0, 0, "hall", "too_hot", 1),
        *(Event(40.0, 0, name, "unpowered", 1) for name in RACKS if name != "rack-2"),
        Event(45.0, 0, "rack-1", "throttled", 0),
        Event(50.0, 0, "rack-2", "input:in_service", 0),
        Event(51.0, 0, "rack-2", "cold", 1),
        Event(55.0, 0, "rack-2", "slowed", 0),
        Event(55.0, 0, "rack-2", "throttled", 0),
        Event(90.0, 0, "hall", "too_hot", 0),
        Event(200.0, 0, "rack-1", "unpowered", 0),
    ]
    findings = Findings(write(at, *small_data(), events))
    assert cause_of(findings, "rack-1", "stops throttling, without power") == ("rack-1", "loses power")
    asked = ("rack-2", "is taken out of service (fail)")
    assert cause_of(findings, "rack-2", "stops throttling, switched off") == asked
    assert cause_of(findings, "rack-2", "leaves slowdown, switched off") == asked
    assert cause_of(findings, "hall", "is within limits again") == asked
    assert not [entry for entry in findings.entries if "full clock" in entry.what]
    assert entry_of(findings, "hall", "is too hot").cause is None


def test_a_room_cools_by_its_fans_while_most_of_its_racks_stand(at: Path) -> None:
    plant = small_plant()
    plant.add(Unit("fans-1", "fan_wall", {}, zone="hall"))
    events = [
        Event(10.0, 0, "fans-1", "stopped", 1),
        Event(15.0, 0, "rack-1", "throttled", 1),
        Event(30.0, 0, "hall", "too_hot", 1),
        Event(40.0, 0, "fans-1", "stopped", 0),
        Event(45.0, 0, "rack-1", "unpowered", 1),
        Event(50.0, 0, "rack-1", "throttled", 0),
        Event(90.0, 0, "hall", "too_hot", 0),
    ]
    findings = Findings(write(at, *small_data(), events, plant=plant))
    assert cause_of(findings, "hall", "is too hot") == ("fans-1", "stops")
    assert cause_of(findings, "hall", "is within limits again") == ("fans-1", "moves air again")
