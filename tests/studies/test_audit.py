"""The audit on small plants whose answers are known by hand."""

from __future__ import annotations

import dataclasses
import json

import pytest
from matplotlib.image import imread
from rich.console import Console

from tests.small_plants import CDU, CHILLER, DRY_COOLER, GENERATOR, PUMP, RACK, TRANSFORMER, UPS, add, branch
from twin.cli.words import plain
from twin.plant import Loop, Plant, SignalLine
from twin.scenario import BadInput
from twin.studies.audit import Conditions, audit
from twin.studies.audit.contingency import Pace, _ticks
from twin.studies.audit.graph import Wiring, failures, families
from twin.studies.audit.groups import fulfils
from twin.studies.audit.picture import picture
from twin.studies.audit.subject import pace, sample, subject
from twin.studies.audit.tables import bar, whole

MILD = Conditions(dry_bulb=298.15, wet_bulb=291.15, window=20.0, hold=300.0)


def cool(plant: Plant, feeds: tuple[str, ...], racks: int, units: int = 2) -> None:
    """Racks fed from all feeds, and cooling in which any unit can be missing."""
    for i in range(1, racks + 1):
        add(plant, f"rack-{i}", "rack", feeds, **{**RACK, "air_fraction": 0.0})
    for i in range(1, units + 1):
        add(plant, f"cdu-{i}", "cdu", feeds, **CDU)
        add(plant, f"pump-{i}", "pump", feeds, **PUMP)
        add(plant, f"chiller-{i}", "chiller", feeds, **CHILLER)
        add(plant, f"dry-{i}", "dry_cooler", feeds, **DRY_COOLER)
    trains = [branch(f"pump-{i}", f"dry-{i}", f"chiller-{i}") for i in range(1, units + 1)]
    plant.add_loop(Loop("facility", "water", trains, [branch(f"cdu-{i}.facility") for i in range(1, units + 1)]))
    cdus = [branch(f"cdu-{i}.technology") for i in range(1, units + 1)]
    plant.add_loop(Loop("technology", "pg25", cdus, [branch(f"rack-{i}") for i in range(1, racks + 1)]))


def two_n(rating: float = 1.5e6) -> Plant:
    """Two of everything from the grid to the rack: either side bears all."""
    plant = Plant()
    for side in ("a", "b"):
        add(plant, f"utility-{side}", "utility", rated_power=3e6)
        add(plant, f"transformer-{side}", "transformer", (f"utility-{side}",), **{**TRANSFORMER, "rated_power": 1.6e6})
        add(plant, f"board-{side}", "bus", (f"transformer-{side}",))
    for i, side in enumerate("ab", 1):
        add(plant, f"ups-{i}", "ups", (f"board-{side}",), **{**UPS, "rated_power": rating})
        add(plant, f"pdu-{i}", "pdu", (f"ups-{i}",), rated_power=1.5e6)
    cool(plant, ("pdu-1", "pdu-2"), 4)
    return plant


def one_board() -> Plant:
    """The same with one board in the middle, which is the single point that was put there."""
    plant = two_n()
    plant.add(dataclasses.replace(plant.units["board-a"], name="board"))
    plant.feed("board", ["transformer-a", "transformer-b"])
    for i in (1, 2):
        plant.feeds[f"ups-{i}"] = ["board"]
    for side in "ab":
        del plant.units[f"board-{side}"], plant.feeds[f"board-{side}"]
    return plant


def without_racks(guarded: bool = False) -> Plant:
    """Two loads of two cords on one board."""
    plant = Plant()
    add(plant, "grid", "utility", rated_power=3e6)
    add(plant, "transformer", "transformer", ("grid",), **{**TRANSFORMER, "rated_power": 1.6e6})
    add(plant, "board", "bus", ("transformer",))
    for i in (1, 2):
        if guarded:
            settings = {"overload_limit": 1.2, "instantaneous_pickup": 5.0, "instantaneous_delay": 0.01}
            add(plant, f"feeder-{i}", "breaker", ("board",), rated_power=1e6, **settings)
        add(plant, f"pdu-{i}", "pdu", (f"feeder-{i}" if guarded else "board",), rated_power=1.5e6)
        add(plant, f"load-{i}", "load", ("pdu-1", "pdu-2"), rated_power=3e5)
    return plant


@pytest.fixture(scope="module")
def sound():
    return audit(two_n(), MILD)


@pytest.fixture(scope="module")
def unsound():
    return audit(one_board(), MILD)


def test_a_plant_with_two_of_everything_has_no_single_point(sound):
    assert sound.single_points == ()
    assert sound.not_maintainable == ()
    assert sound.losses == ()
    shorted = [each for each in sound.contingencies if each.name == "pdu-1.short_circuit"]
    assert [each.dropped for each in shorted] == [()], "a rack lives on its other feed"
    assert sound.sentence() == "no single point of failure among 10 units of the power side"


def test_a_board_that_all_hangs_on_is_found_by_the_graph_and_in_the_simulation(unsound):
    assert unsound.single_points == ("board",)
    (loss,) = unsound.losses
    assert loss.work == ("rack-1", "rack-2", "rack-3", "rack-4")
    assert set(loss.loops) == {"facility", "technology"}
    (seen,) = [each for each in unsound.contingencies if each.name == "board"]
    # 4 racks of 135 kW, two UPS of 1.5 MW x 300 s: the batteries outlast the hold
    assert seen.dropped == ()
    assert 0.0 < seen.lowest_charge < 1.0


def test_what_cannot_be_taken_out_is_told_once_the_batteries_are_empty():
    found = audit(one_board(), dataclasses.replace(MILD, hold=3600.0))
    assert found.not_maintainable == ("board",)
    (seen,) = [each for each in found.contingencies if each.name == "board"]
    assert len(seen.after_stopped) == 4
    assert seen.lowest_charge == pytest.approx(0.0, abs=0.02)  # what is left is the cut-off reserve


def test_loads_are_the_work_of_a_plant_without_racks():
    found = audit(without_racks(guarded=True), MILD)
    assert found.single_points == ("grid", "transformer", "board")
    assert found.not_maintainable == found.single_points
    (seen,) = [each for each in found.contingencies if each.name == "grid"]
    assert seen.dropped == seen.after_stopped == ("load-1", "load-2")
    assert found.unguarded == ()
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(whole(found, 120))
    assert "2 loads without a feed" in captured.get()
    assert "2 loads stop at once" in captured.get()
    assert "4 of 7 units can be taken out while all work goes on" in captured.get()
    assert "rack" not in captured.get()


def test_loads_that_generators_take_over_stand_still_only_by_what_fails_besides():
    plant = without_racks(guarded=True)
    add(plant, "generator", "generator", **GENERATOR)
    add(plant, "ats", "ats", ("transformer", "generator"))
    plant.feeds["board"] = ["ats"]
    plant.add_signal(SignalLine("ats", "start_request", "generator", "start"))
    found = audit(plant, dataclasses.replace(MILD, window=60.0))
    assert found.single_points == ("board", "ats")
    assert found.single_points_away == ("generator",)


def test_a_short_circuit_that_no_breaker_clears_takes_the_board_along():
    found = audit(without_racks(), MILD)
    assert found.single_points == ("grid", "transformer", "board", "pdu-1", "pdu-2")
    assert found.unguarded == ("no breaker stands between pdu-1, pdu-2 and board to clear a short circuit",)


def test_the_current_of_a_short_circuit_is_no_loading():
    found = audit(without_racks(guarded=True), MILD)
    assert max(each.worst for each in found.loading) < 1.0
    assert not any("short_circuit" in each.worst_by for each in found.loading)
    assert any(each.name == "pdu-1.short_circuit" and each.trips for each in found.contingencies)


def test_loading_is_what_arithmetic_says(sound):
    """Everything shares two alike sides: normal is half of all, and one side out leaves the other with it all."""
    rows = {each.unit: each for each in sound.loading}
    for name in ("pdu-1", "ups-1", "transformer-a", "utility-a"):
        assert rows[name].worst == pytest.approx(2 * rows[name].normal, rel=0.06), name
        assert rows[name].worst_by in ("utility-b", "transformer-b", "board-b", "ups-2", "pdu-2"), name
    racks = 4 * RACK["rated_power"]
    assert rows["pdu-1"].normal * 1.5e6 * 2 == pytest.approx(racks + 150e3, rel=0.15)  # and the cooling plant
    assert [each.worst for each in sound.loading] == sorted((each.worst for each in sound.loading), reverse=True)


def test_groups_are_counted_and_compared_with_their_names():
    plant = two_n()
    plant.redundancy = {"ups": "2N"}
    (group,) = [each for each in audit(plant, MILD).groups if each.name == "ups"]
    assert (group.built, group.needed, group.as_built, group.fulfils) == (2, 1, "N+1", True)
    assert group.sentence() == "ups: 2 built, 1 needed: N+1, as named (2N)"


def test_a_group_named_better_than_it_is_is_told():
    """Two UPS of 0.5 MW for 0.7 MW: N, whatever the plant calls them."""
    plant = two_n(rating=0.5e6)
    plant.redundancy = {"ups": "N+1"}
    (group,) = [each for each in audit(plant, MILD).groups if each.name == "ups"]
    assert (group.needed, group.as_built, group.fulfils) == (2, "N", False)
    assert group.sentence() == "ups: 2 built, 2 needed: N; the plant names it N+1, which it is not"


def test_generators_count_while_the_grid_is_away():
    plant = Plant()
    add(plant, "utility", "utility", rated_power=3e6)
    for i in (1, 2):
        add(plant, f"generator-{i}", "generator", closing_order=i - 1, **{**GENERATOR, "rated_power": 1.5e6})
    add(plant, "generator-bus", "bus", ("generator-1", "generator-2"))
    add(plant, "ats", "ats", ("utility", "generator-bus"))
    for i in (1, 2):
        add(plant, f"ups-{i}", "ups", ("ats",), **UPS)
    cool(plant, ("ups-1", "ups-2"), 4)
    for i in (1, 2):
        plant.add_signal(SignalLine("ats", "start_request", f"generator-{i}", "start"))
    found = audit(plant, dataclasses.replace(MILD, window=60.0))
    assert found.single_points == ("ats",)
    assert found.single_points_away == ("generator-bus",)
    (group,) = [each for each in found.groups if each.name == "generator"]
    assert (group.away, group.built, group.needed, group.as_built) == (True, 2, 1, "N+1")
    (said,) = found.swings
    assert said.startswith("generator: all racks swinging by 60 % move its frequency by")
    rows = {each.unit: each for each in found.loading}
    assert rows["generator-1"].normal == 0.0
    assert rows["generator-1"].worst_by == "generator-2"
    assert rows["generator-1"].worst == pytest.approx(group.load / 1.5e6, rel=0.02)


@pytest.mark.parametrize(
    ("named", "built", "needed", "spare", "good"),
    [
        ("N", 4, 4, 0, True), ("N+1", 5, 4, 1, True), ("N+1", 4, 4, 0, False), ("N+2", 5, 4, 1, False),
        ("2N", 8, 4, 4, True), ("2N", 7, 4, 3, False), ("2N+1", 9, 4, 5, True), ("2(N+1)", 9, 4, 5, False),
        ("2(N+1)", 10, 4, 6, True), ("N+1", 5, 4, 0, False),
    ],
)  # fmt: skip
def test_names_mean_what_they_say(named, built, needed, spare, good):
    assert fulfils(named, built, needed, spare) is good


def test_the_graph_counts_any_live_feed_and_no_detour_through_what_is_out():
    wiring = Wiring(one_board())
    alive = wiring.alive()
    assert wiring.dead_without("transformer-a", alive) == {"transformer-a"}
    assert "rack-1" in wiring.dead_without("board", alive)
    assert wiring.dead_without("ups-1", alive) == {"ups-1", "pdu-1"}
    assert wiring.alive(wiring.utilities) == set()


def test_failures_begin_with_the_whole_unit():
    plant = two_n()
    assert failures(plant.units["ups-1"])[0] == ("in_service", 0.0)
    assert ("inverter_failed", 1.0) in failures(plant.units["ups-1"])
    assert set(families(plant.of_kind("ups"))) == {"ups"}


def test_ticks_grow_and_keep_to_the_rule_of_pace():
    ticks = list(_ticks(60.0, 600.0, Pace(0.1, 1.0, 30.0)))
    assert sum(ticks) == pytest.approx(660.0, abs=1e-9)
    assert ticks[0] == 0.1
    assert max(ticks) <= 30.0
    time, first = 0.0, pace(two_n()).first
    for tick in _ticks(60.0, 0.0, pace(two_n())):
        assert tick <= max(first, time / 5.0) + 1e-9
        time += tick


def test_alike_blocks_are_simulated_once():
    whole_of = subject("campus", MILD)
    part = sample(whole_of)
    assert part.words.startswith("164 of 18378 units: h001 for 116 alike")
    assert {name for name in part.plant.units if "/" not in name} >= {"line-a", "substation-a-01", "bus-b-01"}
    assert not part.plant.faults()


def test_an_unknown_plant_is_told_which_there_are():
    with pytest.raises(
        BadInput,
        match=r'"hal" is neither a file nor a shipped plant; .*campus, .*hall, .*pod, .*pod-storage.* is wanted',
    ):
        audit("hal")


def test_tables_fit_the_terminal_and_say_the_verdict(unsound, sound):
    for width in (80, 120):
        console = Console(width=width, no_color=True)
        with console.capture() as captured:
            console.print(whole(unsound, width))
        text = captured.get()
        assert max(map(len, text.splitlines())) <= width
        assert "NOT SOUND  1 single point of failure: board" in text
        assert "4 racks without a feed" in text
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(whole(sound, 120))
    assert "SOUND  no single point of failure" in captured.get()
    assert "10 of 10 units can be taken out" in captured.get()


def test_bars_are_as_long_as_the_load():
    assert bar(0.5, 0.75, 20) == "█" * 10 + "░" * 5
    assert bar(0.0, 1.2, 10) == "░" * 10 + ">"


def test_json_holds_everything(unsound):
    said = json.loads(json.dumps(plain(unsound.to_json()), allow_nan=False))
    assert said["single_points"] == ["board"]
    assert len(said["contingencies"]) == len(unsound.contingencies)


def test_the_picture_is_drawn(unsound, tmp_path):
    drawn = imread(picture(unsound, tmp_path / "loading.png"))
    assert drawn.shape[1] == 1300
    assert drawn.std() > 0.05


def test_breakers_that_are_not_selective_are_told():
    plant = two_n()
    for name, feed in (("upper", "transformer-a"), ("lower", "upper")):
        add(plant, name, "breaker", (feed,), rated_power=1.6e6)
    plant.feeds["board-a"] = ["lower"]
    found = audit(plant, MILD)
    assert any(said.startswith("upper and lower below it are selective up to") for said in found.selectivity)


@pytest.mark.slow
def test_the_hall_is_what_it_says_it_is():
    found = audit("hall")
    assert found.single_points == ()
    assert {each.name: each.fulfils for each in found.groups if each.named} == {"ups": True, "generator": True}
