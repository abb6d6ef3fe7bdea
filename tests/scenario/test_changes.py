"""The verbs become Changes; nothing but inputs can be changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twin.declare import MODES
from twin.scenario import Change, read

Save = Callable[..., str]
STIFF = "1 MW, short_circuit_power: 50 MVA, nominal_voltage: 400 V}"


def rows(save: Save, head: str, *events: str) -> list[Change]:
    text = head + "events:\n" + "".join(f"  - {each}\n" for each in events)
    return read(save(text)).changes


def test_fail_and_restore_a_unit(save: Save, head: str) -> None:
    found = rows(save, head, "{at: 20 min, restore: utility-a}", "{at: 60 s, fail: utility-a, why: a digger}")
    assert found == [
        Change(60.0, "utility-a", "in_service", 0.0, verb="fail", why="a digger"),
        Change(1200.0, "utility-a", "in_service", 1.0, verb="restore"),
    ]


def test_fail_a_flag(save: Save, small: str) -> None:
    found = [change for change in read(save(small)).changes if change.time == 360.0]
    assert found == [Change(360.0, "generator-1", "fails_to_start", 1.0, verb="fail")]


def test_a_fault_stands_until_it_is_restored_or_its_time_is_over(save: Save, head: str) -> None:
    text = head.replace("1 MW}", STIFF, 1).replace("1 s}", "5 ms}")
    found = rows(save, text, "{at: 1 s, fault: pdu-1, for: 200 ms, why: a tool}", "{at: 2 s, restore: pdu-1}")
    assert found == [
        Change(1.0, "pdu-1", "fault_power", 0.0, verb="detail", why="a tool"),
        Change(1.0, "pdu-1", "short_circuit", 1.0, verb="fault", why="a tool"),
        Change(1.2, "pdu-1", "short_circuit", 0.0, verb="restore", why="a tool"),
        Change(2.0, "pdu-1", "in_service", 1.0, verb="restore"),
        Change(2.0, "pdu-1", "short_circuit", 0.0, verb="restore"),
    ]


def test_the_impedance_of_a_fault_is_told_by_the_voltage_at_its_place(save: Save, head: str) -> None:
    """5 mohm at 400 V draw 32 MVA at nominal voltage."""
    text = head.replace("1 MW}", STIFF, 1).replace("1 s}", "5 ms}")
    detail, _ = rows(save, text, "{at: 1 s, fault: pdu-2, impedance: 5 mohm}")
    assert (detail.input, detail.value) == ("fault_power", pytest.approx(400**2 / 5e-3))


def test_a_mode_is_set_by_its_word(save: Save, small: str) -> None:
    (found,) = [change for change in read(save(small)).changes if change.input == "mode"]
    assert found == Change(300.0, "dry-1", "mode", 2.0, member=1)


def test_a_ramp_has_an_end(save: Save, small: str) -> None:
    found = [change for change in read(save(small)).changes if change.verb == "ramp"]
    assert found == [Change(300.0, f"rack-0{n}", "utilisation", 0.5, 1200.0, verb="ramp") for n in (1, 2)]


def test_events_of_one_moment_keep_their_order_and_a_clash_is_doubtful(save: Save, head: str) -> None:
    text = head + "events:\n  - {at: 60 s, fail: pdu-1..2}\n  - {at: 1 min, restore: pdu-*}\n"
    scenario = read(save(text))
    assert [change.value for change in scenario.changes] == [0.0, 0.0, 1.0, 1.0]
    (doubt,) = scenario.warnings
    assert doubt.text == "pdu-1.in_service is changed twice at 60 s; the later line holds (and 1 more like it)"


def test_initial_comes_after_weather_and_workload(save: Save, small: str) -> None:
    initial = read(save(small)).initial
    assert [change.verb for change in initial] == ["weather"] * 2 + ["workload"] * 2 + ["initial"] * 3
    assert initial[-2] == Change(0.0, "rack-01", "utilisation", 0.9, verb="initial")
    assert initial[-1] == Change(0.0, "fan-wall-1", "mode", MODES["locked_out"], verb="initial"), "maintenance"


@pytest.mark.parametrize("event", ["{at: 60 s, fail: pdu}", '{at: 60 s, fail: "pdu-?"}', "{at: 60 s, fail: pdu-1..2}"])
def test_a_kind_a_pattern_and_a_range_mean_the_same(save: Save, head: str, event: str) -> None:
    assert [change.unit for change in rows(save, head, event)] == ["pdu-1", "pdu-2"]
