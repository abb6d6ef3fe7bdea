"""Sags: the verb, the table and the recording come to the same Changes; what is wrong is said with its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.small_plants import chain
from twin.scenario import Change, read
from twin.scenario.reader import check
from twin.scenario.sags import edges, spans

Save = Callable[..., str]
FINE = "run: {duration: 30 min, tick: 1 s, zoom: [{at: 9 s, for: 3 s, tick: 5 ms}]}"
CSV = "time,voltage,frequency\n0,1.0,60\n9.5,0.3,60\n9.56,1.0,60.02\n20,1.0,60\n"


def voltages(path: str) -> list[tuple[float, str, float]]:
    return [(c.time, c.unit, c.value) for c in read(path).changes if c.input == "voltage"]


@pytest.fixture
def fine(head: str) -> str:
    """The shortest scenario, with a zoom around 10 s."""
    return head.replace("run: {duration: 30 min, tick: 1 s}", FINE)


def test_a_sag_goes_down_and_back(save: Save, fine: str) -> None:
    path = save(fine + "events: [{at: 10 s, sag: utility-a, residual: 30 %, for: 60 ms, why: lightning}]\n")
    assert voltages(path) == [(10.0, "utility-a", 0.3), (pytest.approx(10.06), "utility-a", 1.0)]
    assert {c.verb for c in read(path).changes} == {"sag"}


def test_it_goes_back_to_what_the_voltage_was(save: Save, fine: str) -> None:
    text = fine + (
        "initial: {utility-a.voltage: 0.98}\n"
        "events:\n"
        "  - {at: 10 s, sag: utility-a, residual: 30 %, for: 60 ms}\n"
        "  - {at: 9.5 s, set: utility-a.voltage, to: 1.02}\n"
        "  - {at: 9.1 s, sag: utility-a, residual: 30 %, for: 60 ms}\n"
    )
    assert [value for _, _, value in voltages(save(text))] == [0.3, 0.98, 1.02, 0.3, 1.02]


def test_a_table_counts_from_its_moment(save: Save, fine: str) -> None:
    table = "grid: {utility: utility-a, at: 10 s, sags: [[0 s, 25 %, 42 ms], [1 s, 0.4, 66 ms]]}\n"
    found = voltages(save(fine + table))
    assert [(round(time, 3), value) for time, _, value in found] == [(10, 0.25), (10.042, 1), (11, 0.4), (11.066, 1)]


def test_a_recording_is_played_back_and_hashed(save: Save, fine: str) -> None:
    save(CSV, "rms.csv")
    path = save(fine + "grid: {utility: utility-a, file: rms.csv}\n")
    changes = read(path).changes
    assert [(c.time, c.input, c.value) for c in changes] == [
        (0.0, "voltage", 1.0), (0.0, "frequency", 60.0), (9.5, "voltage", 0.3), (9.56, "voltage", 1.0),
        (9.56, "frequency", 60.02), (20.0, "frequency", 60.0),
    ]  # fmt: skip
    assert "rms.csv" in read(path).inputs


def test_a_shipped_recording_is_found_by_its_name_and_one_in_the_folder_goes_before_it(save: Save, head: str) -> None:
    text = head + "grid: {utility: utility-a, at: 10 s, file: nerc-2024-07-10.csv}\n"
    found = read(save(text))
    assert [digest for name, digest in found.inputs.items() if name.endswith("nerc-2024-07-10.csv")]
    sags = spans([c for c in found.changes if c.input == "voltage"], 600.0)
    assert [round(sag.residual, 2) for sag in sags] == [0.25, 0.32, 0.28, 0.40, 0.36, 0.30]
    assert all(0.042 <= sag.length <= 0.066 + 1 / 60 for sag in sags)
    assert sags[-1].time - sags[0].time == pytest.approx(81.9, abs=0.01)
    assert max(c.value for c in found.changes if c.input == "frequency") == 60.047
    save("# of our own\ntime,voltage\n0,1.0\n1,0.5\n", "nerc-2024-07-10.csv")
    assert voltages(save(text)) == [(10.0, "utility-a", 1.0), (11.0, "utility-a", 0.5)]


def test_a_recording_beside_requests(save: Save, fine: str) -> None:
    save("time,voltage\n0,1.0\n", "rms.csv")
    requests = "requests: [{at: 2 min, reduce: 5 %, ramp: 1 min, for: 1 min}]"
    text = f"grid: {{utility: utility-a, file: rms.csv, at: 1 s, {requests}}}\n"
    assert {c.input for c in read(save(fine + text)).changes} == {"voltage", "power_request"}


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("", 'rms.csv:1: the file is empty; the header "time,voltage" or "time,voltage,frequency" is wanted'),
        ("t,u\n", 'rms.csv:1: "t,u" was found; the header "time,voltage" or "time,voltage,frequency" is wanted'),
        ("time,voltage\n", "rms.csv:1: 0 rows were found; 1 to 100000 are wanted"),
        ("time,voltage\n0,1\n1,0.x\n", 'rms.csv:3: "0.x" was found as voltage; a number is wanted'),
        ("time,voltage\n0,1\n1,300\n", "rms.csv:3: 300 was found as voltage; 0 to 1.5 is wanted"),
        ("time,voltage\n0,1\n1,nan\n", "rms.csv:3: nan was found as voltage; 0 to 1.5 is wanted"),
        ("time,voltage\n0,1\n\n1\n", "rms.csv:4: 1 values were found; 2 are wanted, as in the header"),
        ("time,voltage\n1,1\n1,1\n", "rms.csv:3: the time 1 s does not come after 1 s; times that rise are wanted"),
        ("time,voltage,frequency\n0,1,0.99\n", "rms.csv:2: 0.99 was found as frequency; 40 to 70 is wanted"),
    ],
)
def test_a_recording_is_read_strictly(save: Save, fine: str, csv: str, message: str) -> None:
    save(csv, "rms.csv")
    assert [str(fault) for fault in check(save(fine + "grid: {utility: utility-a, file: rms.csv}\n"))] == [message]


def test_a_sag_needs_no_zoom_and_lasts_at_least_a_millisecond(save: Save, head: str) -> None:
    sag = "events: [{at: 10.2 s, sag: utility-a, residual: 30 %, for: 60 ms}]\n"
    assert check(save(head + sag)) == []
    (fault,) = check(save(head + sag.replace("60 ms", "0.5 ms")))
    assert str(fault).endswith("this sag of utility-a lasts 0.5 ms; at least 1 ms is wanted, the clock's unit")


def test_ticks_end_where_a_feed_goes_out_of_its_band_changes_there_or_comes_back() -> None:
    plant = chain()
    steps = [(1, 0.95), (2, 0.5), (3, 0.4), (4, 0.92), (5, 1.0), (6, 1.3), (7, 0.99)]
    changes = [Change(time, "utility", "voltage", value) for time, value in steps]
    changes += [Change(8.5, "utility", "in_service", 0.0), Change(9.5, "rack-1", "in_service", 0.0)]
    assert edges(plant, changes) == {2, 3, 4, 6, 7, 8.5}


def test_spans_join_what_lies_outside_and_see_swells() -> None:
    def change(time: float, value: float) -> Change:
        return Change(time, "u", "voltage", value)

    steps = [(1, 0.5), (2, 0.3), (3, 0.95), (4, 1.2), (5, 1.0), (8, 0.0)]
    found = [(s.time, s.residual, s.length) for s in spans([change(*step) for step in steps], 10.0)]
    assert found == [(1, 0.3, 2), (4, 1.2, 1), (8, 0.0, 2)]
