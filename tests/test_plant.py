"""The plant: its graph, its JSON, and every named check with its exact sentence."""

from __future__ import annotations

import json

import pytest

from tests.small_plants import BESS, CDU, CHILLER, FAN_WALL, PUMP, RACK, add, branch, chain, pod
from twin import model as compiled
from twin import plant_checks
from twin.faults import Where
from twin.plant import Element, Loop, Plant, SignalLine, Unit
from twin.plant_loads import nominal_loads


def sentences(plant):
    return [fault.text for fault in plant.faults()]


def change(do):
    """The faults of a chain after one change."""
    plant = chain()
    do(plant)
    return sentences(plant)


def test_a_sound_plant_has_no_fault():
    assert sentences(chain()) == []
    assert sentences(pod()) == []


def facility(plant):
    return plant.loops["facility"]


CASES = {
    "feeds of nobody": (
        lambda p: p.feed("rak-1", ["board"]),
        ["feeds are given for rak-1, which is not a unit; did you mean rack-1?"],
    ),
    "a feed that is not there": (
        lambda p: p.feed("rack-1", ["bord"]),
        ["rack-1 is fed from bord, which is not a unit; did you mean board?"],
    ),
    "a feed unlike any name": (
        lambda p: p.feed("rack-1", ["xyzzy"]),
        ["rack-1 is fed from xyzzy, which is not a unit"],
    ),
    "a feed that feeds nobody": (
        lambda p: p.feed("rack-1", ["rack-2"]),
        ["rack-1 is fed from rack-2, but a rack feeds nobody"],
    ),
    "a feed named twice": (
        lambda p: p.feed("rack-1", ["board", "board"]),
        ["rack-1 names board 2 times among its feeds; once is wanted"],
    ),
    "no feeds": (lambda p: p.feeds.pop("rack-1"), ["rack-1 has no feeds; a rack wants 1 to 2"]),
    "too many feeds": (
        lambda p: ([add(p, name, "bus", ("utility",)) for name in "bc"], p.feed("cdu", ["board", "b", "c"])),
        ["cdu has 3 feeds; a cdu wants 1 to 2"],
    ),
    "one feed where two are wanted": (
        lambda p: add(p, "ats", "ats", ("board",)),
        ["ats has 1 feed; an ats wants 2"],
    ),
    "feeds of what takes none": (
        lambda p: p.feed("tank", ["board"]),
        ["tank has 1 feeds, but a tank takes no electricity from others"],
    ),
    "a circle of feeds": (
        lambda p: (add(p, "loop-a", "bus", ("loop-b",)), add(p, "loop-b", "bus", ("loop-a",))),
        ["the feeds run in a circle: loop-b -> loop-a -> loop-b; a unit cannot feed itself"],
    ),
    "a board that feeds itself": (
        lambda p: p.feed("board", ["utility", "board"]),
        ["the feeds run in a circle: board -> board; a unit cannot feed itself"],
    ),
    "a zone that is not there": (
        lambda p: add(p, "pdu", "pdu", ("board",), "hal", rated_power=1e6)
        or add(p, "hall", "zone", volume=10, mass_heat_capacity=0),
        ["pdu stands in hal, which is not a unit; a zone is wanted; did you mean hall?"],
    ),
    "a zone that is none": (
        lambda p: add(p, "pdu", "pdu", ("board",), "cdu", rated_power=1e6),
        ["pdu stands in cdu, which is a cdu; a zone is wanted"],
    ),
    "a fan wall in the open": (
        lambda p: (add(p, "wall", "fan_wall", ("board",), **FAN_WALL), facility(p).loads.append(branch("wall"))),
        ["wall cools air but stands in no zone; zone: NAME is wanted"],
    ),
    "a loop that names nobody": (
        lambda p: facility(p).loads.append([Element("wal", "coolant")]),
        ["loop facility names wal, which is not a unit"],
    ),
    "a stream that is not there": (
        lambda p: facility(p).loads.append([Element("cdu", "coolant")]),
        ["loop facility names the stream cdu.coolant, which does not exist; its streams are technology, facility"],
    ),
    "a stream of what has none": (
        lambda p: facility(p).loads.append([Element("board", "coolant")]),
        ["loop facility names the stream board.coolant, which does not exist; a bus has none"],
    ),
    "a storage that is no tank": (
        lambda p: (add(p, "more", "chiller", ("board",), **CHILLER), setattr(facility(p), "storage", "more"),
                   p.units.pop("tank")),
        ["loop facility has more as storage, but that is a chiller; a tank is wanted"],
    ),
    "a stream used twice": (
        lambda p: facility(p).plant.append(branch("pump")),
        ["the stream pump.coolant stands in 2 branches, the last of loop facility; one is wanted"],
    ),
    "a stream in no loop": (
        lambda p: add(p, "cdu-2", "cdu", ("board",), **CDU),
        ["cdu-2.technology stands in no coolant loop; nothing would flow through it",
         "cdu-2.facility stands in no coolant loop; nothing would flow through it"],
    ),
    "a tank in no loop": (
        lambda p: setattr(facility(p), "storage", None),
        ["tank stands in no coolant loop; nothing would flow through it"],
    ),
    "a tank in a branch": (
        lambda p: (setattr(facility(p), "storage", None), facility(p).loads.append(branch("tank"))),
        ["loop facility has tank in a branch; a tank stands in its supply: storage: tank is wanted"],
    ),
    "a signal of nobody": (
        lambda p: p.add_signal(SignalLine("bord", "start", "rack-1", "start")),
        ["a signal names bord, which is not a unit; did you mean board?",
         "the signal input rack-1.start does not exist; it listens to none"],
    ),
    "a signal that is not offered": (
        lambda p: (add(p, "gen", "generator", **GENERATOR_RATINGS),
                   p.add_signal(SignalLine("board", "power", "gen", "start"))),
        ["the signal board.power does not exist; it offers none"],
    ),
    "an output that is no age": (
        lambda p: (add(p, "gen", "generator", **GENERATOR_RATINGS), add(p, "ats", "ats", ("board", "gen")),
                   p.add_signal(SignalLine("ats", "begin", "gen", "start"))),
        ["the signal ats.begin does not exist; it offers start_request, alternate_time"],
    ),
    "an input that does not listen": (
        lambda p: (add(p, "gen", "generator", **GENERATOR_RATINGS), add(p, "ats", "ats", ("board", "gen")),
                   p.add_signal(SignalLine("ats", "start_request", "gen", "begin"))),
        ["the signal input gen.begin does not exist; it listens to start"],
    ),
    "a loop without loads": (
        lambda p: p.add_loop(Loop("spare", "water", [], [])),
        ["loop spare has no plant; a stream without both ways cannot flow",
         "loop spare has no loads; a stream without both ways cannot flow"],
    ),
    "a loop without a pump": (
        lambda p: (p.units.pop("pump"), p.feeds.pop("pump"), setattr(facility(p), "plant", [branch("chiller")])),
        ["loop facility has no pump among its plant; nothing would flow"],
    ),
    "an exchanger the wrong way round": (
        lambda p: (facility(p).loads.remove(branch("cdu.facility")), p.loops["technology"].plant.clear(),
                   add(p, "pump-2", "pump", ("board",), **PUMP), p.loops["technology"].plant.append(branch("pump-2")),
                   p.loops["technology"].loads.append(branch("cdu.technology")),
                   add(p, "rack-9", "rack", ("board",), **{**RACK, "air_fraction": 0}),
                   facility(p).loads.append(branch("rack-9")), facility(p).plant.append(branch("cdu.facility"))),
        ["cdu.technology must stand in the plant of a loop and cdu.facility in the loads of another"],
    ),
    "an exchanger that shares its branch": (
        lambda p: (p.units.update({}), facility(p).plant.clear(), facility(p).plant.append(branch("pump")),
                   facility(p).loads.clear(), add(p, "cdu-2", "cdu", ("board",), **CDU),
                   p.loops["technology"].plant.append(branch("cdu-2.technology")),
                   facility(p).loads.append(branch("cdu.facility", "cdu-2.facility")),
                   facility(p).plant[0].append(*branch("chiller"))),
        [f"{cdu} shares a branch with another exchanger; one in a branch is wanted" for cdu in ("cdu", "cdu-2")],
    ),
    "a room that nothing cools": (
        lambda p: (add(p, "hall", "zone", volume=10, mass_heat_capacity=0),
                   [add(p, f"pdu-{i}", "pdu", ("board",), "hall", rated_power=1e6) for i in (1, 2)]),
        ["hall holds 2 units and nothing that cools its air; a fan_wall is wanted"],
    ),
    "a rack without a room": (
        lambda p: p.units["rack-2"].parameters.update(air_fraction=0.1),
        ["rack-2 gives heat to the air but stands in no zone; zone: NAME is wanted"],
    ),
    "die limits out of order": (
        lambda p: p.units["rack-3"].parameters.update(slowdown_temperature=370.0),
        ["rack-3: release_temperature < throttle_temperature < slowdown_temperature < shutdown_temperature is wanted, "
         "but these are not in that order"],
    ),
    "idle above rated": (
        lambda p: p.units["rack-3"].parameters.update(idle_power=140e3),
        ["rack-3: idle_power is not below rated_power"],
    ),
    "storage that feeds no board": (
        lambda p: (add(p, "bess", "bess", **BESS), p.feeds["rack-1"].append("bess")),
        ["rack-1 is fed from bess, which is storage; storage stands among the feeds of a bus"],
    ),
    "storage that could hold nothing": (
        lambda p: (add(p, "bess", "bess", **BESS, lowest_charge=0.95), p.feeds["board"].append("bess")),
        ["bess: lowest_charge is not below highest_charge; it could hold nothing"],
    ),
    "a pump curve that rises": (
        lambda p: p.units["pump"].parameters.update(shutoff_head=300e3),
        ["pump: shutoff_head must be above nominal_head; the pump curve must fall with flow"],
    ),
}  # fmt: skip

GENERATOR_RATINGS = {"rated_power": 3e6, "fuel_tank": 10, "full_load_fuel": 2e-4, "idle_fuel": 2e-5}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_fault_has_its_sentence(case):
    do, expected = case
    assert change(do) == expected


def test_an_island_has_no_path_to_a_source():
    """Two boards that nobody feeds cannot be written (feeds are counted), but a dead end without a source can."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e6)
    add(plant, "pdu", "pdu", ("utility",), rated_power=1e6)
    assert sentences(plant) == []
    plant.units["utility"].kind = "bus"
    plant.feeds["utility"] = []
    assert sentences(plant) == ["utility has no feeds; a bus wants 1 to 16"]
    found = [fault.text for fault in plant_checks.unfed_consumers(plant)]
    assert found == [
        f"{name} has no path to a source; a utility or generator must feed it through its feeds"
        for name in ("utility", "pdu")
    ]


def test_exchangers_of_one_loop_give_to_one_loop_only():
    plant = chain()
    add(plant, "cdu-2", "cdu", ("board",), **CDU)
    add(plant, "pump-2", "pump", ("board",), **PUMP)
    plant.loops["technology"].plant.append(branch("cdu-2.technology"))
    plant.add_loop(Loop("other", "water", [branch("pump-2")], [branch("cdu-2.facility")]))
    assert sentences(plant) == ["the exchangers of loop technology give to facility, other; one loop is wanted"]


def test_loops_do_not_give_heat_to_each_other_in_a_circle():
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e6)
    for name in ("one", "two"):
        add(plant, name, "cdu", ("utility",), **CDU)
    plant.add_loop(Loop("left", "water", [branch("one.technology")], [branch("two.facility")]))
    plant.add_loop(Loop("right", "water", [branch("two.technology")], [branch("one.facility")]))
    assert sentences(plant) == ["loops give heat to each other in a circle: left -> right"]


def test_ratings_below_the_nominal_load_are_a_warning_not_an_error():
    """Four racks at 135 kW, a CDU, a pump and a chiller on a utility of 500 kW."""
    plant = chain()
    plant.units["utility"].parameters["rated_power"] = 0.5e6
    (fault,) = plant.faults()
    assert fault.warning
    load = 4 * 135e3 + 13.7e3 + 0.036 * 300e3 / 0.7 + 300e3
    assert nominal_loads(plant)["utility"] == pytest.approx(load, rel=1e-12)
    assert str(fault) == "warning: utility carries 0.869 MW at nominal load, above its rated_power of 0.5 MW"
    assert compiled.compile(plant).unit_count == len(plant.units)


def test_nominal_loads_share_between_feeds_and_follow_a_preference():
    """Racks share their two PDUs; the ATS takes all from its first feed."""
    load = nominal_loads(pod())
    assert load["pdu-1"] == pytest.approx(8 * 135e3 / 2 + 13.7e3, rel=1e-12)
    assert load["tx-a"] == load["ats-1"] > 1.2e6
    assert load["gbus"] == 0.0


def test_all_faults_come_at_once_and_say_where():
    plant = chain()
    plant.units["rack-1"].where = Where("hall.yaml", 14, "units.rack-1")
    plant.feed("rack-1", ["bord"])
    plant.feeds.pop("rack-2")
    plant.add_signal(SignalLine("board", "x", "rack-1", "y"))
    found = [str(fault) for fault in plant.faults()]
    assert found == [
        "hall.yaml:14: units.rack-1: rack-1 is fed from bord, which is not a unit; did you mean board?",
        "rack-2 has no feeds; a rack wants 1 to 2",
        "the signal board.x does not exist; it offers none",
        "the signal input rack-1.y does not exist; it listens to none",
    ]
    with pytest.raises(ValueError, match=r"(?s)rack-1 is fed from bord.*\n.*rack-2 has no feeds"):
        compiled.compile(plant)


def test_a_rack_finds_its_own_ratings_at_odds():
    plant = chain()
    plant.units["rack-1"].parameters |= {"shelf_count": 8.0, "shelf_air_share": 0.0}
    plant.units["rack-2"].parameters |= {"shelf_count": 8.0, "shelf_air_share": 0.0, "second_feed_share": 0.0,
                                         "efficiency_at_10": 0.9, "efficiency_at_20": 0.99}  # fmt: skip
    assert [str(fault).partition(":")[0] for fault in plant.faults()] == ["rack-1", "rack-2"]
    assert "second_feed_share: 0 % is wanted" in str(plant.faults()[0])
    assert "makes power" in str(plant.faults()[1])


def test_all_machines_are_made_for_the_frequency_of_the_grid():
    plant = chain()
    assert not [fault for fault in plant.faults() if "Hz" in fault.text]
    (grid,) = [unit for unit in plant.units.values() if unit.kind == "utility"]
    grid.parameters["nominal_frequency"] = 50.0
    (fault,) = [fault for fault in plant.faults() if "Hz" in fault.text]
    assert fault.text.endswith("frequency: 50 Hz is wanted beside it")
    grid.settings["frequency"] = 50.0
    assert not [fault for fault in plant.faults() if "Hz" in fault.text]


def test_a_chiller_is_set_to_water_that_it_can_make():
    plant = chain()
    plant.units["chiller"].parameters["highest_leaving"] = 290.0
    (fault,) = [fault for fault in plant.faults() if not fault.warning]
    assert fault.text == (
        "chiller.leaving_setpoint is 18 degC, but its water leaves at 16.85 degC at most; "
        "a lower setpoint, or another machine, is wanted"
    )
    plant.units["chiller"].settings["leaving_setpoint"] = 289.0
    assert not [fault for fault in plant.faults() if not fault.warning]


def test_every_check_has_a_test_here():
    """A check added to plant_checks wants a case: its name is asked for, so that nobody forgets."""
    tested = {
        "dangling_feeds", "feed_counts", "feed_cycles", "unknown_zones", "dangling_streams", "dangling_signals",
        "unfed_consumers", "unpumped_loops", "lone_exchangers", "uncooled_zones", "racks_without_room", "die_limits",
        "ratings_cover_loads", "own_ratings", "direct_current", "taps_and_feeds_lost", "storage_at_boards",
        "one_frequency", "setpoints_in_reach",
    }  # fmt: skip
    tested |= {"breaking_capacities"}  # in studies/test_coordination
    tested |= {"vessels_large_enough"}  # in networks/test_coolant_pressure
    tested |= {"dangling_work"}  # in networks/test_serving
    tested |= {"dangling_ties", "loops_at_rest"}  # in networks/test_mesh
    tested |= {"deaf_ties"}  # in scenario/test_looping and its broken files
    tested |= {"no_impedance", "wrong_levels", "currents_within_ampacity"}  # in test_plant_electrics
    assert {check.__name__ for check in (*plant_checks.FIRST, *plant_checks.THEN)} == tested


def test_names_are_unique_and_kinds_known():
    plant = chain()
    with pytest.raises(ValueError, match=r"^rack-1 is named twice; each unit wants a name of its own$"):
        plant.add(Unit("rack-1", "rack"))
    with pytest.raises(ValueError, match=r'^x: kind "rak" is not known; one of site, utility, .* is wanted$'):
        plant.add(Unit("x", "rak"))
    with pytest.raises(ValueError, match=r"^loop facility is named twice; each loop wants a name of its own$"):
        plant.add_loop(Loop("facility", "water", [], []))


def test_a_rating_left_out_is_never_filled_in_with_nothing():
    plant = chain()
    del plant.units["tank"].parameters["volume"]
    with pytest.raises(ValueError, match=r"^tank has no volume; a tank wants it$"):
        compiled.compile(plant)


def test_edges_run_from_source_to_consumer_by_medium():
    plant = pod(2)
    assert set(plant.medium("power").predecessors("rack-01")) == {"pdu-1", "pdu-2"}
    assert set(plant.medium("air").successors("rack-01")) == {"hall"}
    assert set(plant.medium("signal").successors("ats-1")) == {"gen-1", "gen-2"}
    coolant = plant.medium("coolant")
    assert set(coolant.predecessors("rack-01")) == {"cdu-1", "cdu-2"}
    assert set(coolant.predecessors("tank")) == {"ch-1", "ch-2"}
    assert set(coolant.successors("pump-1")) == {"dry-1"}


def test_json_holds_the_whole_plant():
    plant = pod()
    plant.units["rack-01"].at = (1.0, 2.0, 0.0)
    plant.units["rack-01"].where = Where("hall.yaml", 14, "units.rack-01")
    text = plant.to_json()
    again = Plant.from_json(text)
    assert again.to_json() == text
    assert json.loads(text)["feeds"] == plant.feeds
    assert again.units == plant.units
    assert again.loops == plant.loops
    assert again.signals == plant.signals
    assert sorted(again.graph.edges(data="medium")) == sorted(plant.graph.edges(data="medium"))
    assert [unit.name for unit in again.of_kind("rack")] == [unit.name for unit in plant.of_kind("rack")]


def test_a_job_that_saves_more_than_it_works_is_doubtful() -> None:
    plant = Plant()
    ratings = {"step_time": 4.0, "checkpoint_interval": 30.0, "checkpoint_time": 60.0}
    plant.add(Unit("train", "job", ratings))
    told = [(fault.warning, fault.text) for fault in plant.faults() if "checkpoints" in fault.text]
    assert told == [(True, "train works 30 s between checkpoints that take 60 s: it saves more than it works")]
