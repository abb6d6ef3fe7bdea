"""The sweep: each case is the drill that it would be alone, bit for bit, and what comes of it is told rightly."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from tests.small_plants import add, chain, pod, tied
from twin.ledger import BrokenBalance
from twin.model import compile
from twin.report.findings import Findings
from twin.report.words import lasting
from twin.scenario import BadInput, Change, Scenario, Zoom, read
from twin.scenario.draws import generator
from twin.scenario.pace import slow_ticks
from twin.scenario.sweeping import Sweeping
from twin.simulation import Simulation, simulate
from twin.studies.sweep import chunks, sweep
from twin.studies.sweep.base import air, base, scenario_of, together, wished, zooms
from twin.studies.sweep.cases import Case, Failure, Start, enumerated
from twin.studies.sweep.fold import folded
from twin.studies.sweep.world import World, fingerprints
from twin.trace import open_trace

SHORT = Sweeping(at=(2.0,), after=12.0)


def ground(plant, wish=SHORT):
    return base(plant, wish)


def cases_of(found):
    return enumerated(found.plant, found.wish, air(found))


def run(found, cases, size=256):
    """Outcomes by case, in chunks of a size."""
    rows, world = {}, World(found)
    for part in chunks(found, cases, set(), size, 1, 4e9):
        rows |= dict(zip([i for i, _ in part], world.run([case for _, case in part]), strict=True))
    return [rows[index] for index in range(len(cases))]


SOME = dataclasses.replace(SHORT, kinds=("ups", "bus", "pump"))


@pytest.fixture(scope="module")
def together_run():
    found = ground(pod(2), SOME)
    cases = cases_of(found)
    return found, cases, run(found, cases)


def test_every_case_equals_its_drill_run_alone_bit_for_bit(together_run):
    found, cases, rows = together_run
    for case, row in list(zip(cases, rows, strict=True))[::9]:
        alone = Simulation(scenario_of(found, [case]), device="cpu")
        alone.run()
        assert fingerprints(alone.state, 1) == [row.fingerprint], case.name
    assert len({row.fingerprint for row in rows}) > len(rows) / 3, "they take different courses"


@pytest.mark.parametrize(("size", "number"), [(1, 8), (3, 27), (7, 27), (256, 256)])
def test_chunks_change_no_bit_of_any_row(together_run, size, number):
    """A case stands anywhere in its chunk, some of them several times over; 256 are one batch."""
    found, cases, rows = together_run
    world, places = World(found), [place * 5 % len(cases) for place in range(number)]
    for first in range(0, number, size):
        part = places[first : first + size]
        assert [repr(row) for row in world.run([cases[i] for i in part])] == [repr(rows[i]) for i in part]


@pytest.mark.slow
def test_cases_of_the_hall_equal_their_drills_run_alone_bit_for_bit(tmp_path):
    """`pytest -n0 -m slow tests/studies/test_sweep.py`: N-1 of the hall whole, and twelve of it alone; five minutes."""
    found = base("hall")
    cases = [group[0] for group in folded(found, cases_of(found))]
    every = sweep("hall", output=tmp_path / "hall.h5", jobs=2)
    assert not every.broken
    for place in np.random.default_rng(6).choice(len(cases), 12, replace=False):
        case, row = cases[place], every.outcomes[place]
        alone = Simulation(scenario_of(found, [case]), device="cpu")
        alone.run()
        assert (row.case, [row.fingerprint]) == (case.name, fingerprints(alone.state, 1))


def test_rows_say_what_a_trace_of_the_case_alone_says(together_run, tmp_path):
    found, cases, rows = together_run
    place = next(i for i, case in enumerate(cases) if case.name == "msb")
    drill = scenario_of(found, [cases[place]])
    simulate(drill, trace=tmp_path / "alone.h5", device="cpu")
    told, row = Findings(open_trace(tmp_path / "alone.h5")), rows[place]
    measure = told.measure
    assert measure["fault"]["unit"] == "msb"
    assert row.racks_lost == measure["lost"]["units_peak"]
    assert row.power_lost == measure["lost"]["power_lost_peak"]
    assert row.failed == len(told.verdict.failed)
    throttled = measure["first"]["first_throttle"]
    assert math.isnan(row.to_throttle) if throttled is None else row.to_throttle == throttled["seconds"]
    assert any(entry.unit == row.first_unit and entry.what == row.first for entry in told.entries)


def test_every_case_ticks_as_fast_as_the_reader_would_ask():
    found = ground(pod(2))
    for case in cases_of(found):
        drill = scenario_of(found, [case])
        assert slow_ticks(drill.plant, drill.run, drill.changes) == [], case.name


def test_a_window_around_the_failure_keeps_those_of_the_scenario():
    found = ground(pod(2), dataclasses.replace(SHORT, after=60.0))
    ran = dataclasses.replace(found.scenario.run, zooms=[Zoom(3.0, 2.0, 0.1), Zoom(20.0, 5.0, 0.02)])
    scenario = dataclasses.replace(found.scenario, run=ran)
    found = dataclasses.replace(found, scenario=scenario, paces={"power": 4.9})
    case = Case((Failure("msb", "in_service", 0.0),), 2.0)
    assert zooms(found, case) == [Zoom(2.0, 1.0, 0.5), Zoom(3.0, 2.0, 0.1), Zoom(5.0, 2.0, 0.5), Zoom(20.0, 5.0, 0.02)]


class TestCases:
    def test_every_unit_by_every_failure_after_the_one_in_which_nothing_fails(self):
        cases = cases_of(ground(chain()))
        assert cases[0].failures == ()
        assert [case.name for case in cases[1:]][:4] == ["utility", "board", "board.short_circuit", "rack-1"]
        assert len({case.name for case in cases}) == len(cases)

    def test_two_at_once_are_all_pairs_and_each_by_itself(self):
        wish = dataclasses.replace(SHORT, order=2, kinds=("pump", "chiller"))
        one = len(cases_of(ground(chain(), dataclasses.replace(wish, order=1)))) - 1
        assert len(cases_of(ground(chain(), wish))) == 1 + one + one * (one - 1) // 2

    def test_pairs_of_named_units_alone(self):
        wish = dataclasses.replace(SHORT, order=2, of=("pump", "chiller"), modes=("in_service",))
        names = [case.name for case in cases_of(ground(chain(), wish))]
        assert names[-1] == "pump + chiller"
        assert sum("+" in name for name in names) == 1

    def test_maintenance_loads_weather_and_moments_multiply(self):
        wish = Sweeping(
            kinds=("pump",), modes=("in_service",), at=(2.0, 5.0), after=10.0, maintenance=("rack-1", "rack-2"),
            loads=(0.5, 1.0), weather=((300.0, None), (310.0, 0.2)),
        )  # fmt: skip
        cases = cases_of(ground(chain(), wish))
        assert len(cases) == 3 * 2 * 2 * 2 * 2
        assert cases[-1].name == "pump, rack-2 in maintenance, 100 % load, 36.85 degC, at 5 s"

    def test_who_is_in_maintenance_does_not_fail(self):
        wish = dataclasses.replace(SHORT, maintenance=("all",), modes=("in_service",))
        cases = cases_of(ground(chain(), wish))
        assert all(case.start.maintenance not in case.units for case in cases)
        starts = {case.start.maintenance for case in cases}
        assert starts == {"", "utility", "board", *(f"rack-{i}" for i in range(1, 5)), "cdu", "pump", "chiller"}

    @pytest.mark.parametrize(
        ("wish", "said"),
        [
            ({"kinds": ("pumps",)}, 'kinds: the plant has no "pumps"; did you mean "pump"?'),
            (
                {"modes": ("shortcircuit",)},
                'modes: nothing here fails by "shortcircuit"; did you mean "short_circuit"?',
            ),
            ({"units": ("rack-5",)}, 'sweep: there is no unit or kind "rack-5"; did you mean "rack-4"?'),
            ({"order": 2, "at": tuple(range(5000))}, "cases are wanted, at most 500,000 are run"),
            ({"units": ("site",)}, "nothing of what is wanted can fail"),
            ({"after": 0.0}, "after: 0 s was found; a time above 0 s is wanted"),
            ({"after": -5.0}, "after: -5 s was found"),
            ({"restore_after": 0.0}, "restore_after: 0 s was found; a time above 0 s is wanted"),
            ({"restore_after": -5.0}, "restore_after: -5 s was found"),
            ({"after": math.nan}, "a time above 0 s is wanted"),
            ({"maintenance": ("rack-1", "site")}, "maintenance: site cannot be taken out of service"),
        ],
    )
    def test_wishes_that_cannot_be_are_told(self, wish, said):
        with pytest.raises(BadInput) as told:
            cases_of(ground(chain(), dataclasses.replace(SHORT, **wish)))
        assert said in str(told.value)

    def test_nothing_may_fail_where_no_failure_is_wanted(self):
        assert len(cases_of(ground(chain(), dataclasses.replace(SHORT, units=("site",), order=0)))) == 1

    def test_loads_that_jobs_would_not_heed_are_told(self):
        plant = chain()
        add(plant, "train", "job")
        plant.gather("train", ["rack-1", "rack-2"])
        with pytest.raises(BadInput, match="loads: train trains"):
            ground(plant, dataclasses.replace(SHORT, loads=(0.5, 1.0)))


@pytest.fixture(scope="module")
def stopped():
    found = ground(chain(), Sweeping(kinds=("pump", "rack"), modes=("in_service",), at=(10.0,), after=400.0))
    cases = cases_of(found)
    return found, cases, {row.case: row for row in run(found, cases)}


class TestOutcomes:
    def test_a_pump_that_stops_throttles_the_racks_and_the_chain_says_how(self, stopped):
        _, _, rows = stopped
        assert rows["nothing fails"].first == ""
        assert rows["nothing fails"].energy_residual < 1e-9
        hot = rows["pump"]
        assert hot.chain.startswith("pump is taken out of service (fail) > ")
        assert hot.racks_lost == hot.throttled == 4
        assert hot.first_unit != "pump"
        assert 10 < hot.to_throttle < hot.to_shutdown < 400
        assert hot.recovery == math.inf
        assert hot.power_lost > 0.9 * 4 * 135e3
        assert hot.power_before == pytest.approx(4 * 135e3, rel=0.1)
        assert hot.failed == 2
        one = rows["rack-1"]
        assert (one.racks_lost, one.racks_lost_end, one.throttled, one.failed) == (1, 1, 0, 0)
        assert one.recovery == math.inf

    def test_the_causes_go_back_from_the_first_harmed_rack_to_the_failure(self, stopped):
        found, cases, rows = stopped
        (pump,) = [case for case in cases if case.name == "pump"]
        assert repr(World(found).run([pump])[0]) == repr(rows["pump"]), "alone no word of it is another"
        hot, one = rows["pump"], rows["rack-1"]
        assert (hot.harm, hot.harm_unit, hot.throttled_peak) == ("shuts down", "rack-1", 4)
        assert hot.harm_after == hot.to_shutdown
        links = hot.harm_chain.split(" > ")
        assert links[0] == "pump is taken out of service (fail)"
        assert links[-2:] == [
            f"rack-1 throttles (after {lasting(hot.to_throttle)})",
            f"rack-1 shuts down (after {lasting(hot.to_shutdown)})",
        ]
        assert (one.harm_unit, one.harm_after, one.harm_chain) == (
            "rack-1",
            0.0,
            "rack-1 is taken out of service (fail)",
        )
        idle = rows["nothing fails"]
        assert (idle.harm, idle.harm_chain, idle.throttled_peak) == ("", "", 0)

    def test_racks_that_only_go_slower_have_their_causes_told(self, stopped):
        found, cases, rows = stopped
        (case,), hot = [case for case in cases if case.name == "pump"], rows["pump"]
        until = dataclasses.replace(found.wish, after=(hot.to_throttle + hot.to_shutdown) / 2)
        short = World(ground(chain(), until)).run([case])[0]
        assert (short.racks_lost, short.harm, short.harm_after) == (0, "throttles", hot.to_throttle)
        assert short.harm_chain.endswith(f"rack-1 throttles (after {lasting(hot.to_throttle)})")
        assert 1 <= short.throttled_peak <= short.throttled

    def test_what_is_mended_comes_back(self):
        wish = Sweeping(units=("board",), modes=("in_service",), at=(5.0,), after=700.0, restore_after=2.0)
        rows = run(found := ground(chain(), wish), cases_of(found))
        assert rows[1].racks_lost == 4
        assert rows[1].racks_lost_end == 0
        assert 200.0 < rows[1].recovery < 700.0  # racks boot first

    def test_losses_count_against_the_same_world_in_which_nothing_fails(self):
        wish = Sweeping(units=("rack-1",), modes=("in_service",), at=(10.0,), after=90.0, loads=(0.5, 1.0))
        found = sweep(chain(), wish)
        half, full = (each for each in found.outcomes if each.units)
        assert half.load == 0.5
        assert full.energy_lost == pytest.approx(90 * 135e3, rel=0.01)
        assert half.energy_lost < 0.7 * full.energy_lost
        assert all(base.energy_lost == 0.0 for base in found.baselines)

    def test_maintenance_holds_from_the_steady_state_on(self):
        found = ground(chain(), dataclasses.replace(SHORT, order=0))
        case = Case((), 2.0, Start(maintenance="rack-1"))
        row = World(found).run([case])[0]
        idle = World(found).run([Case((), 2.0)])[0]
        assert row.work_energy == pytest.approx(0.75 * idle.work_energy, rel=0.02)
        assert row.first == ""


class TestPoison:
    def test_one_that_cannot_be_run_fails_alone_and_by_name(self):
        found = ground(pod(2), SHORT)
        sound = [case for case in cases_of(found) if together(found, case) == together(found, cases_of(found)[0])][:6]
        bad = Case((Failure("rack-01", "utilisation", math.nan),), 2.0)
        clean = World(found).run(sound)
        mixed = World(found).run([*sound[:3], bad, *sound[3:]])
        assert "is not a number" in mixed[3].fault
        assert mixed[3].case == "rack-01.utilisation"
        assert [repr(row) for row in (*mixed[:3], *mixed[4:])] == [repr(row) for row in clean]

    def test_a_closed_loop_of_switches_is_one_case_s_own_fault(self):
        found = ground(tied(), dataclasses.replace(SHORT, kinds=("tie",)))
        loop = Case((Failure("ring-2", "closed", 1.0), Failure("ring-3", "closed", 1.0)), 2.0)
        rows = World(found).run([Case((), 2.0), loop])
        assert rows[0].fault == ""
        assert "a loop is closed" in rows[1].fault

    def test_a_whole_sweep_of_such_is_told_and_counts_nothing(self, monkeypatch):
        found = ground(chain(), dataclasses.replace(SHORT, order=0))
        world = World(found)

        def breaks(*_):
            raise BrokenBalance("energy was made")

        monkeypatch.setattr(world, "_together", breaks)
        assert [row.fault for row in world.run([Case((), 2.0)] * 3)] == ["energy was made"] * 3


def test_worlds_of_a_scenario_s_own_draws_are_those_of_its_members():
    plant = chain()
    drawn = [
        Change(0.0, "rack-1", "utilisation", float(generator(7, member, "rack-1", "u").random()), None, member, "draw")
        for member in range(3)
    ]
    ground_ = base(plant, dataclasses.replace(SHORT, order=0, draws=3))
    scenario: Scenario = dataclasses.replace(ground_.scenario, changes=drawn)
    found = base(scenario, dataclasses.replace(SHORT, order=0, draws=3))
    rows = run(found, cases_of(found), 2)
    side_by_side = Simulation(
        dataclasses.replace(scenario, run=dataclasses.replace(found.scenario.run, members=3)), device="cpu"
    )
    side_by_side.run()
    assert [row.fingerprint for row in rows] == fingerprints(side_by_side.state, 3)
    assert len({row.fingerprint for row in rows}) == 3


def test_weather_without_a_humidity_keeps_the_water_of_the_air():
    found = ground(chain(), dataclasses.replace(SHORT, weather=((300.0, None), (300.0, 1.0), (270.0, None))))
    (_, dry), (_, wet), (_, cold) = air(found)
    assert dry < 300.0
    assert wet == pytest.approx(300.0, abs=1e-6)
    assert cold <= 270.0


def test_compiling_once_serves_all_batches():
    found = ground(chain(), dataclasses.replace(SHORT, kinds=("pump",)))
    world, cases = World(found), cases_of(found)
    again = world.run(cases)
    assert [repr(row) for row in world.run(cases)] == [repr(row) for row in again]
    assert world.model.unit_count == compile(found.plant).unit_count


def test_people_take_the_times_of_their_own_world_wherever_they_run(tmp_path):
    path = tmp_path / "people.yaml"
    path.write_text(
        "title: people\nplant: pod\nrun: {duration: 60 s, tick: 1 s, zoom: [{at: 4 s, for: 8 s, tick: 500 ms}]}\n"
        "weather: {dry_bulb: 30 degC, relative_humidity: 30 %}\nworkload: {utilisation: 60 %}\n"
        "events: [{at: 5 s, fail: cdu-1}]\n"
        "alarms: {lost: {watch: cdu-1.pumps_lost, polling: 1 s}}\n"
        "crews: {people: {people: 1, reaction: {uniform: [1 s, 30 s]}}}\n"
        "procedures: {less: {on: lost, who: people, steps: [{set: rack.utilisation, to: 20 %}]}}\n"
    )
    wish = Sweeping(order=0, draws=4, at=(5.0,), after=55.0)
    found = base(path, wish)
    rows = run(found, cases_of(found), 3)
    side_by_side = Simulation(read(path, members=4), device="cpu")
    side_by_side.run()
    assert [row.fingerprint for row in rows] == fingerprints(side_by_side.state, 4)
    assert len({row.work_energy for row in rows}) > 2
    named = cases_of(base(path, Sweeping(kinds=("pump",), modes=("in_service",), at=(5.0,))))
    assert len(folded(found, named)) == len(named), "what is drawn by names is not folded"


SAID = """\
title: said
plant: pod
run: {duration: 90 s, tick: 500 ms}
weather: {dry_bulb: 30 degC, relative_humidity: 30 %}
workload: {utilisation: 60 %}
sweep:
  n: 2
  kinds: [pump, chiller]
  modes: in_service
  fault_at: [10 s, 20 s]
  after: 30 s
  maintenance: pump-1
  loads: 50 %
  weather: [25 degC, 38 degC/15 %]
  restore_after: 10 s
"""


def test_a_scenario_says_what_is_swept_and_the_command_goes_before(tmp_path):
    path = tmp_path / "said.yaml"
    path.write_text(SAID)
    said = read(path).sweep
    assert said == Sweeping(
        2, (), (), ("pump", "chiller"), ("in_service",), (10.0, 20.0), 30.0, ("pump-1",), (0.5,),
        ((298.15, None), (311.15, 0.15)), 0, 10.0,
    )  # fmt: skip
    assert base(path).wish == said
    assert wished(path, {"order": 1, "loads": (1.0,)}) == dataclasses.replace(said, order=1, loads=(1.0,))
    assert wished("pod", {"after": 5.0}) == Sweeping(after=5.0)
    assert base(path).scenario.run.duration == 50.0
