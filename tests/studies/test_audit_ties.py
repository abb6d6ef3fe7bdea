"""The audit of plants with ties: a throw counts by the graph and in the run, a lockout where it must, rings too."""

from __future__ import annotations

import dataclasses

import pytest
from matplotlib.figure import Figure
from rich.console import Console

from tests.small_plants import GENERATOR, add
from twin.assets import drills_folder
from twin.plant import Plant
from twin.studies.audit import Conditions, audit
from twin.studies.audit.graph import Wiring
from twin.studies.audit.picture import picture
from twin.studies.audit.subject import _cut
from twin.studies.audit.tables import failures, whole

SHORTLY = Conditions(window=10.0, hold=60.0)


@pytest.fixture(scope="module")
def pair():
    return audit(drills_folder() / "bus-fault-lockout.yaml", SHORTLY)


def told(found) -> str:
    console = Console(width=140, highlight=False)
    with console.capture() as captured:
        console.print(whole(found, 140))
    return captured.get()


def test_a_main_that_is_lost_is_no_single_point_where_a_tie_throws_over(pair):
    assert set(pair.single_points) == {"grid", "board-1", "board-2", "feeder-1", "feeder-2", "pdu-1", "pdu-2"}
    graph = {each.unit for each in pair.losses}
    assert not {"main-1", "transformer-2", "tie-12"} & graph


def test_a_short_circuit_on_a_tied_board_costs_that_board_alone(pair):
    (struck,) = [each for each in pair.contingencies if each.name == "board-1.short_circuit"]
    assert struck.dropped == ("load-1",)
    assert [(trip.unit, trip.flag) for trip in struck.trips] == [
        ("main-1", "tripped_short_time"), ("tie-12", "locked_out"),
    ]  # fmt: skip


def test_an_isolated_board_is_not_fed_through_the_tie(pair):
    (out,) = [each for each in pair.upkeep if each.unit == "board-1"]
    assert out.stopped == ("load-1",)


def test_a_tie_has_its_row_with_one_moment(pair):
    (tie,) = [each for each in pair.loading if each.unit == "tie-12"]
    assert tie.normal == 0
    assert tie.worst == pytest.approx(1.2 / 3, rel=0.1)
    assert 0.65 < tie.worst_at < 5.0, "once it has thrown, and not before"
    assert f"{tie.worst_by}, after" in told(pair)


def ring(open_tie: str) -> Plant:
    """Three boards in a ring behind one main, with a cable to a load."""
    plant = Plant()
    add(plant, "grid", "utility", rated_power=5e6, short_circuit_power=200e6, nominal_voltage=480)
    add(plant, "main", "breaker", ("grid",), rated_power=3e6, short_time_pickup=4, short_time_delay=0.3)
    for i in (1, 2, 3):
        add(plant, f"board-{i}", "bus", ("main",) if i == 1 else ())
        add(plant, f"load-{i}", "load", (f"board-{i}",), rated_power=4e5)
    run = {"length": 50, "resistance": 1e-5, "reactance": 1e-5, "ampacity": 1200, "nominal_voltage": 480}
    add(plant, "cable", "cable", ("board-3",), **run)
    add(plant, "far", "load", ("cable",), rated_power=1e5)
    for name, ends in (("tie-12", (1, 2)), ("tie-23", (2, 3)), ("tie-31", (3, 1))):
        add(plant, name, "tie", rated_power=2e6, series_resistance=1e-3, series_reactance=1e-3)
        plant.units[name].settings["closed"] = float(name != open_tie)
        plant.join(name, [f"board-{i}" for i in ends])
    return plant


def test_a_ring_with_an_open_point_is_fed_through_its_closed_ties():
    wiring = Wiring(ring("tie-31"))
    assert {"board-2", "board-3", "tie-23", "far"} <= wiring.alive()
    assert "tie-31" not in wiring.alive()
    losses = {each.unit: set(each.work) for each in wiring.losses(away=False)}
    assert losses["tie-12"] == {"load-2", "load-3", "far"}
    assert losses["tie-23"] == {"load-3", "far"}
    assert "tie-31" not in losses
    assert set(losses) == {"grid", "main", "board-1", "board-2", "board-3", "tie-12", "tie-23", "cable"}


def test_a_ring_is_audited_with_cables_and_short_circuits():
    found = audit(ring("tie-31"), SHORTLY)
    rows = {each.unit: each for each in found.loading}
    assert rows["cable"].unit_of_rating == "A"
    assert rows["cable"].normal == pytest.approx(1e5 / 0.9 / 480 / 3**0.5 / 1200, rel=0.2)
    assert rows["tie-12"].normal > rows["tie-23"].normal > 0
    assert "1200 A" in told(found)
    struck = {each.unit for each in found.contingencies if each.failure == "short_circuit" and each.stops}
    assert {"board-2", "board-3"} <= struck
    assert Wiring(ring("tie-31")).unguarded("board-3", ["load-2"]) == "tie-23", "no breaker clears it for board-2"


def test_a_part_of_a_plant_keeps_its_ties():
    plant = ring("tie-31")
    assert _cut(plant, plant.units).joins == plant.joins


def test_a_plant_without_racks_and_loads_is_not_called_sound():
    plant = Plant()
    add(plant, "grid", "utility", rated_power=5e6)
    add(plant, "board", "bus", ("grid",))
    found = audit(plant, SHORTLY)
    assert found.works == 0
    text = " ".join(told(found).split())
    assert "NO WORK there are neither racks nor loads" in text
    assert "SOUND" not in text


def test_single_points_while_the_grid_is_away_stand_in_the_title(tmp_path, monkeypatch):
    plant = Plant()
    add(plant, "grid", "utility", rated_power=5e6)
    add(plant, "grid-2", "utility", rated_power=5e6)
    add(plant, "set", "generator", **GENERATOR)
    add(plant, "ats", "ats", ("grid", "set"))
    add(plant, "board", "bus", ("ats",))
    for i, feeds in ((1, ("board", "grid-2")), (2, ("board", "grid-2"))):
        add(plant, f"load-{i}", "load", feeds, rated_power=4e5)
    found = audit(plant, SHORTLY)
    assert found.single_points == ()
    assert found.single_points_away
    said = []
    drawn = Figure.text
    monkeypatch.setattr(Figure, "text", lambda self, x, y, s, **rest: said.append(s) or drawn(self, x, y, s, **rest))
    picture(found, tmp_path / "audit.png")
    assert any("while the grid is away" in each or "while it is away" in each for each in said)


def test_failures_that_trip_others_are_told_apart(pair):
    """One row must not speak for a failure that trips something else."""
    (struck,) = [each for each in pair.contingencies if each.name == "board-2.short_circuit"]
    other = dataclasses.replace(
        struck, trips=tuple(dataclasses.replace(trip, unit=trip.unit.replace("main", "relay")) for trip in struck.trips)
    )
    changed = dataclasses.replace(
        pair, contingencies=tuple(other if each is struck else each for each in pair.contingencies)
    )
    rows = {}
    for found in (pair, changed):
        console = Console(width=160, highlight=False)
        with console.capture() as captured:
            console.print(failures(found))
        rows[found is changed] = [
            line for line in captured.get().splitlines() if "short circuit" in line and "board" in line
        ]
    assert [len(rows[False]), len(rows[True])] == [1, 2]
