"""Mesh: rings and main-tie-main against pandapower and by the second, closed loops named, members apart."""

from __future__ import annotations

import numpy as np
import pytest

from tests.networks.power_flows import gives, voltage
from tests.small_plants import BESS, add
from twin import model as compiled
from twin.declare import MODES, replace
from twin.ledger import ClosedLoop, loop_of
from twin.networks import mesh
from twin.plant import Plant
from twin.plant_loads import nominal_loads
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import simulate
from twin.step import step
from twin.trace import open_trace

RING = 8
OHMS = [0.05 + 0.03 * i + 1j * (0.04 + 0.02 * i) for i in range(RING)]
LOADS = [(4e5 + 5e4 * i, 0.85 + 0.01 * i) for i in range(RING)]


def ring(open_tie=5):
    """Eight boards in a ring, the first with a main; tie-i joins board-i and board-(i+1)."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e7, nominal_voltage=13.8e3)
    for i in range(1, RING + 1):
        add(plant, f"board-{i}", "bus", ("utility",) if i == 1 else ())
        add(plant, f"load-{i}", "load", (f"board-{i}",), rated_power=LOADS[i - 1][0], power_factor=LOADS[i - 1][1])
    for i in range(1, RING + 1):
        z = OHMS[i - 1]
        add(plant, f"tie-{i}", "tie", rated_power=8e6, series_resistance=z.real, series_reactance=z.imag)
        plant.units[f"tie-{i}"].settings["closed"] = float(i != open_tie)
        plant.join(f"tie-{i}", [f"board-{i}", f"board-{i % RING + 1}"])
    return plant


def ticks(model, asked, now, count, first=0, dt=1.0):
    for tick in range(first, first + count):
        now = step(model, now, asked, tick * dt, dt)
        assert float(now.outputs["site"].energy_residual.max()) <= 1e-11
    return now


def started(plant, count=40, members=1, **closed):
    model = compiled.compile(plant)
    asked = compiled.inputs(model, members)
    return model, asked, ticks(model, asked, compiled.state(model, asked, members), count)


def put(model, asked, unit, **values):
    """Inputs of one unit set; lists go by member."""
    key, row = model.seats[unit]
    changed = {}
    for name, value in values.items():
        array = getattr(asked[key], name).copy()
        array[:, row] = value
        changed[name] = array
    return asked | {key: replace(asked[key], **changed)}


def oracle(open_tie):
    """The ring in pandapower, one segment out of service."""
    pp = pytest.importorskip("pandapower")
    from tests.networks.power_flows import solved

    net = pp.create_empty_network(f_hz=60.0)
    buses = [pp.create_bus(net, vn_kv=13.8) for _ in range(RING)]
    pp.create_ext_grid(net, buses[0])
    for i, (P, factor) in enumerate(LOADS):
        pp.create_load(net, buses[i], P / 1e6, P / 1e6 * np.sqrt(1 / factor**2 - 1))
    for i, z in enumerate(OHMS):
        pp.create_line_from_parameters(net, buses[i], buses[(i + 1) % RING], 1.0, z.real, z.imag, 0.0, 100.0,
                                       in_service=i + 1 != open_tie)  # fmt: skip
    solved(net)
    return net.res_bus.vm_pu.to_numpy() * np.exp(1j * np.deg2rad(net.res_bus.va_degree.to_numpy())), net


@pytest.mark.parametrize("open_tie", range(1, RING + 1))
def test_every_open_point_of_a_ring_has_the_voltages_of_pandapower(open_tie):
    model, _, now = started(ring(open_tie))
    theirs, net = oracle(open_tie)
    ours = [voltage(model, now, f"board-{i}") for i in range(1, RING + 1)]
    assert abs(np.array(ours) - theirs).max() <= 1e-9
    lost = sum(gives(model, now, f"tie-{i}", "loss") for i in range(1, RING + 1))
    assert lost == pytest.approx(net.res_line.pl_mw.sum() * 1e6, rel=1e-8)


def test_the_open_point_moves_in_a_run():
    """From tie-5 to tie-2 and on: the ring is fed the other way round, at once and then exactly."""
    model, asked, now = started(ring(5))
    asked = put(model, put(model, asked, "tie-2", closed=0.0), "tie-5", closed=1.0)
    now = ticks(model, asked, now, 1, 40)
    assert all(abs(voltage(model, now, f"board-{i}")) > 0.8 for i in range(1, RING + 1))
    now = ticks(model, asked, now, 40, 41)
    theirs, _ = oracle(2)
    ours = [voltage(model, now, f"board-{i}") for i in range(1, RING + 1)]
    assert abs(np.array(ours) - theirs).max() <= 1e-9


def test_boards_cut_off_are_dead_and_live_again():
    model, asked, now = started(ring(5))
    cut = put(model, asked, "tie-2", closed=0.0)
    now = ticks(model, cut, now, 5, 40)
    dead = [i for i in range(1, RING + 1) if voltage(model, now, f"board-{i}") == 0]
    assert dead == [3, 4, 5]
    assert gives(model, now, "load-4", "power") == 0
    now = ticks(model, asked, now, 5, 45)
    assert gives(model, now, "load-4", "power") == LOADS[3][0]


def test_a_ring_closed_at_rest_is_told_with_its_members():
    plant = ring(0)
    (fault,) = plant.faults()
    assert str(fault).startswith("a loop is closed: board-8 - tie-7 - board-7 - ")
    assert str(fault).endswith("- tie-8 - board-8; one of its ties is wanted open")


def test_a_loop_closed_in_a_run_ends_it_and_keeps_the_trace(tmp_path):
    plant = ring(5)
    changes = [Change(20.0, "tie-5", "closed", 1.0)]
    scenario = Scenario("ring", "", plant, RunSettings(60.0, 1.0), changes=changes, text="ring")
    with pytest.raises(ClosedLoop, match=r"a loop is closed: .*tie-\d.*; power there has two ways in tick 21 \(20 s\)"):
        simulate(scenario, trace=tmp_path / "ring.h5", device="cpu")
    assert open_trace(tmp_path / "ring.h5").time[-1] == 20.0


# Main-tie-main


def main_tie_main(**ratings):
    plant = Plant()
    for side in "ab":
        add(plant, f"utility-{side}", "utility", rated_power=3e6)
        add(plant, f"board-{side}", "bus", (f"utility-{side}",))
        add(plant, f"load-{side}", "load", (f"board-{side}",), rated_power=1e6, power_factor=1.0)
    said = {"auto_throw": 1, "sense_delay": 0.5, "transfer_time": 0.15, "retransfer_delay": 10.0} | ratings
    add(plant, "tie", "tie", rated_power=2e6, **said)
    plant.join("tie", ["board-a", "board-b"])
    return plant


def drill(dt, until=40.0, back=20.0, both=False, **ratings):
    """Main a is lost from 5 s until `back`; seconds without supply of board a, and the run."""
    model = compiled.compile(main_tie_main(**ratings))
    well = compiled.inputs(model)
    lost = put(model, well, "utility-a", in_service=0.0)
    if both:
        lost = put(model, lost, "utility-b", in_service=0.0)
    now, dead, course = compiled.state(model, well), 0.0, []
    for tick in range(round(until / dt)):
        start = tick * dt
        asked = lost if 5.0 - 1e-9 <= start < back - 1e-9 else well
        now = step(model, now, asked, start, dt)
        assert float(now.outputs["site"].energy_residual.max()) <= 1e-11
        dead += (1.0 - gives(model, now, "load-a", "power") / 1e6) * dt
        course.append((gives(model, now, "utility-a", "power"), gives(model, now, "utility-b", "power")))
        assert not loop_of(model, now)
    return dead, course, model, now


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
def test_a_throw_is_counted_in_seconds_at_any_tick(dt):
    """0.5 s of sensing and 0.15 s of transfer, then 0.15 s back: 0.8 s without supply."""
    dead, course, model, now = drill(dt)
    assert dead == pytest.approx(0.8, abs=1e-9)
    at = lambda seconds: course[round(seconds / dt)]  # noqa: E731
    assert at(10.0) == (0.0, pytest.approx(2e6))
    assert at(25.0) == (0.0, pytest.approx(2e6)), "interlocked until it has been back for 10 s"
    assert at(35.0) == (pytest.approx(1e6), pytest.approx(1e6))
    key, row = model.seats["tie"]
    assert now.rows[key].thrown_at[0, row] == pytest.approx(30.0, abs=1e-9)


def test_the_moment_of_the_throw_is_in_the_tick():
    _, _, model, now = drill(1.0, until=10.0)
    key, row = model.seats["tie"]
    assert now.rows[key].thrown[0, row] == 1
    assert now.rows[key].thrown_at[0, row] == pytest.approx(5.5, abs=1e-9)


def test_with_both_mains_dead_it_does_nothing():
    _, course, model, now = drill(1.0, until=18.0, both=True)
    assert course[-1] == (0.0, 0.0)
    key, row = model.seats["tie"]
    assert now.rows[key].thrown[0, row] == 0


def test_stuck_or_in_hand_it_stays():
    for change in ({"stuck": 1.0}, {"mode": MODES["hand"]}, {"mode": MODES["off"]}):
        model = compiled.compile(main_tie_main())
        asked = put(model, put(model, compiled.inputs(model), "tie", **change), "utility-a", in_service=0.0)
        now = ticks(model, asked, compiled.state(model, asked), 10)
        assert gives(model, now, "load-a", "power") == 0


def test_two_live_mains_on_a_closed_tie_are_a_loop_that_is_named():
    plant = main_tie_main(auto_throw=0)
    model, asked, now = started(plant, 3)
    now = step(model, now, put(model, asked, "tie", closed=1.0), 3.0, 1.0)
    assert loop_of(model, now) == "a loop is closed: board-a - tie - board-b; power there has two ways"
    plant.units["tie"].settings["closed"] = 1.0
    (fault,) = plant.faults()
    assert str(fault) == (
        "tie closed joins the mains of board-a and board-b; one of the ties between them, or a main, is wanted open"
    )


def test_storage_that_only_follows_is_no_main_on_a_ring():
    plant = main_tie_main(auto_throw=0)
    plant.units["tie"].settings["closed"] = 1.0
    add(plant, "bess", "bess", **BESS)
    plant.feeds["board-b"] = ["bess"]
    assert [str(f) for f in plant.faults() if not f.warning] == []
    plant.units["bess"].settings["control"] = 2.0
    assert "joins the mains of board-a and board-b" in str(plant.faults()[0]), "one that forms is a main"


def test_nominal_loads_go_through_ties_that_are_normally_closed():
    """A ring fed at board-1 with its last segment open: ties and the main carry all that lies behind them."""
    plant = ring(RING)
    load = nominal_loads(plant)
    P = [power for power, _ in LOADS]
    boards = [name for name in plant.units if plant.units[name].kind == "bus"]
    assert load[boards[0]] == pytest.approx(sum(P))
    ties = [name for name in plant.units if plant.units[name].kind == "tie"]
    assert [load[tie] for tie in ties[:-1]] == pytest.approx([sum(P[i + 1 :]) for i in range(len(ties) - 1)])
    assert load[ties[-1]] == 0.0


def test_a_tie_joins_two_boards_that_are():
    plant = main_tie_main()
    plant.joins["tie"] = ["board-a", "load-b"]
    assert [str(f) for f in plant.faults()] == ["tie joins load-b, which is a load; a bus is wanted"]
    plant.joins["tie"] = ["board-a"]
    assert [str(f) for f in plant.faults()] == ["tie joins board-a; a tie joins two boards: joins: [ONE, OTHER]"]


# Members


def wander(members):
    """A ring whose switches stand differently in each member and move at their own moments."""
    model = compiled.compile(ring(5))
    asked = compiled.inputs(model, len(members))
    now = compiled.state(model, asked, len(members))
    for tick in range(30):
        for m, member in enumerate(members):
            key, _ = model.seats["tie-1"]
            if tick == 3 + member:
                closed = asked[key].closed.copy()
                closed[m, member % RING] = 0.0
                asked = asked | {key: replace(asked[key], closed=closed)}
        now = step(model, now, asked, float(tick), 1.0)
        assert float(now.outputs["site"].energy_residual.max()) <= 1e-11
    return now


def test_any_chunk_of_members_equals_the_whole_bit_for_bit():
    together = wander(list(range(7)))
    for chunk in ([0], [3], [6], [1, 2, 3], [4, 5]):
        alone = wander(chunk)
        np.testing.assert_array_equal(alone.voltage, together.voltage[chunk])
        for key in alone.rows:
            for name, values in vars(alone.rows[key]).items():
                np.testing.assert_array_equal(values, getattr(together.rows[key], name)[chunk], err_msg=f"{key}.{name}")
    assert len({tuple(abs(row) > 0) for row in together.voltage}) > 3


# Energy, and the words of a plant file


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_books_close_through_a_storm_of_switching(seed):
    """Ties, mains and stuck contacts at random, in ticks from 1 ms to 60 s, loops and joined mains included."""
    rng = np.random.default_rng(seed)
    for plant in (ring(5), main_tie_main()):
        model = compiled.compile(plant)
        asked = compiled.inputs(model, 3)
        now, start = compiled.state(model, asked, 3), 0.0
        for _ in range(150):
            for key, row in list(asked.items()):
                kind = key.partition(":")[0]
                for name in {"tie": ("closed", "stuck", "in_service"), "utility": ("in_service",)}.get(kind, ()):
                    if rng.random() < 0.2:
                        array = getattr(row, name).copy()
                        array[rng.integers(3), rng.integers(array.shape[1])] = rng.integers(2)
                        row = replace(row, **{name: array})
                asked[key] = row
            dt = float(rng.choice([0.001, 0.1, 1.0, 1.0, 60.0]))
            now = step(model, now, asked, start, dt)
            start += dt
            assert float(now.outputs["site"].energy_residual.max()) <= 1e-11
            assert np.isfinite(now.voltage).all()


def test_a_plant_file_says_joins_and_ranges_of_them(tmp_path):
    from twin.scenario import read_plant

    (tmp_path / "plant.yaml").write_text(
        "title: A ring\n"
        "units:\n"
        "  utility: {kind: utility, rated_power: 5 MW, nominal_voltage: 13.8 kV}\n"
        "  board-1: {kind: bus, feeds: utility}\n"
        "  board-2..4: {kind: bus}\n"
        "  tie-1..3: {kind: tie, rated_power: 2 MVA, joins: [board-1..3, board-2..4], closed: 1}\n"
        "  tie-4: {kind: tie, rated_power: 2 MVA, joins: [board-4, board-1]}\n"
    )
    plant = read_plant(tmp_path / "plant.yaml")
    assert plant.joins["tie-2"] == ["board-2", "board-3"]
    assert plant.joins["tie-4"] == ["board-4", "board-1"]
    assert Plant.from_json(plant.to_json()).joins == plant.joins


def test_an_isolated_board_is_fed_by_nobody_and_nothing_is_thrown_onto_it():
    model = compiled.compile(main_tie_main())
    asked = compiled.inputs(model)
    out = put(model, asked, "board-a", in_service=0.0)
    now = ticks(model, out, compiled.state(model, asked), 20)
    assert gives(model, now, "load-a", "power") == 0
    assert now.rows["tie"].thrown[0, 0] == 0
    model, asked, now = started(ring(5))
    now = ticks(model, put(model, asked, "board-2", in_service=0.0), now, 5, 40)
    assert [i for i in range(1, RING + 1) if voltage(model, now, f"board-{i}") == 0] == [2, 3, 4, 5]


def test_what_feeds_a_board_for_half_a_tick_bears_it_for_as_long():
    """A tie opens within a tick: the boards between bear its load over their own ties for that time, and none else."""
    model, *_ = started(ring(5), count=1)
    net = model.power.meshes[0]
    root, closed = np.arange(RING)[None, :] == 0, np.array([[float(i != 5) for i in range(1, RING + 1)]])
    slot = mesh._slots(net, root, closed)
    seconds = 0.5 * (np.arange(RING)[None, :] == 3)
    load = 3e5 * (np.arange(RING)[None, :] == 3) * (1.0 + 0.5j)
    way = mesh.Way(root, slot, 0.0 * seconds, seconds)
    z = np.append(np.array([1e-9, 2e-9, 3e-9] + [0.0] * (RING - 3)), 0.0) + 0j
    into, _, current, _ = mesh._up(net, way, load, np.ones((1, RING), dtype=complex), z, None, 1.0)
    bears = 3e5 * (1.0 + 0.5j)
    for z_tie, board in ((3e-9, 3), (2e-9, 2), (1e-9, 1)):
        assert abs(current[0, board]) == pytest.approx(abs(bears) / 0.5)
        bears = bears + z_tie * abs(bears / 0.5) ** 2 * 0.5
    assert into[0, 0] == pytest.approx(bears)
