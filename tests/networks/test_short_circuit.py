"""Short circuits: currents by hand and against a dense nodal solution, what converters give, books that close."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.small_plants import BESS, UPS, add
from twin import model as compiled
from twin.declare import replace
from twin.equipment.bess import FOLLOW, FORM
from twin.ledger import LIMIT
from twin.networks import power, short_circuit
from twin.networks.short_circuit import BOLTED
from twin.physics.electric import thevenin
from twin.plant import Plant
from twin.plant_electrics import available
from twin.simulation import settle
from twin.step import step

TX = {"rated_power": 2e6, "impedance": 0.06, "no_load_loss": 0.0, "load_loss": 16e3}
Z_TX = (0.008 + 1j * np.sqrt(0.06**2 - 0.008**2)) / 2e6
GRID = {"rated_power": 20e6, "short_circuit_power": 250e6, "reactance_ratio": 10.0}
Z_GRID = (1 + 10j) / np.sqrt(101) / 250e6


def feeder(load=0.0, **breaker):
    """Grid, transformer, main breaker, board; two breakers, each with a PDU and a load behind it."""
    plant = Plant()
    add(plant, "grid", "utility", **GRID)
    add(plant, "tx", "transformer", ("grid",), **TX)
    add(plant, "main", "breaker", ("tx",), rated_power=2e6)
    add(plant, "board", "bus", ("main",))
    for i in (1, 2):
        add(plant, f"breaker-{i}", "breaker", ("board",), rated_power=1e6, **breaker)
        add(plant, f"pdu-{i}", "pdu", (f"breaker-{i}",), rated_power=1e6)
        add(plant, f"load-{i}", "load", (f"pdu-{i}",), rated_power=1.0 + load, power_factor=1.0)
    return plant


class World:
    """A plant at its steady state, whose Inputs are set by unit and ticked by hand."""

    def __init__(self, plant, members=1):
        self.model = compiled.compile(plant)
        self.asked = compiled.inputs(self.model, members)
        self.now = settle(self.model, self.asked, members)
        self.time, self.worst = 0.0, 0.0

    def set(self, unit, **values):
        key, row = self.model.seats[unit]
        for name, value in values.items():
            array = getattr(self.asked[key], name).copy()
            array[:, row] = value
            self.asked[key] = replace(self.asked[key], **{name: array})

    def tick(self, dt=0.005, count=1):
        for _ in range(count):
            self.now = step(self.model, self.now, self.asked, self.time, dt)
            self.time += dt
            self.worst = max(self.worst, float(self.now.outputs["site"].energy_residual.max()))

    def short(self):
        """The short circuits of the next tick, with all that lies below half of nominal voltage."""
        port = compiled.ports(self.model)
        for each in port.values():
            each.signal = {"shed": 0.0, "on_generator": 0.0}
        was = self.now.voltage, self.now.frequency
        grid, _ = power.energise(self.model.power, port, self.now.rows, self.asked, was, 0.005)
        return short_circuit.follow(self.model.power, port, self.now.rows, self.asked, grid[0], 0.005)

    def voltage(self, unit):
        key, row = self.model.seats[unit]
        return self.now.voltage[0, self.model.table(key).first + row]

    def row(self, unit, name):
        key, row = self.model.seats[unit]
        for rows in (self.now.rows, self.now.outputs):
            if hasattr(rows[key], name):
                return float(getattr(rows[key], name)[0, row])
        raise AttributeError(name)


def test_a_bolted_short_circuit_by_hand():
    """I = 1/(z_grid + z_tx), all of it through the breakers above, none through the other; the board is dead."""
    world = World(feeder())
    world.set("pdu-1", short_circuit=1)
    world.tick()
    current = abs(1 / (Z_GRID + Z_TX))
    assert current == pytest.approx(29.41e6, rel=1e-3)
    assert world.row("main", "load_fraction") * 2e6 == pytest.approx(current, rel=1e-6)
    assert world.row("breaker-1", "load_fraction") * 1e6 == pytest.approx(current, rel=1e-6)
    assert world.row("breaker-2", "load_fraction") < 1e-5
    left = abs(Z_TX / (Z_GRID + Z_TX))
    assert abs(world.voltage("grid")) == pytest.approx(left, rel=1e-5), "the sag that the grid sees"
    assert world.voltage("board") == 0
    assert world.row("pdu-2", "dead") == 1
    world.set("pdu-1", short_circuit=0)
    world.tick(count=3)
    assert abs(world.voltage("board")) == pytest.approx(1.0, abs=1e-6)
    assert world.worst <= LIMIT


@pytest.mark.parametrize("strength", [2e6, 20e6, 200e6])
def test_a_short_circuit_with_impedance_by_hand(strength):
    """Thevenin: V = 1/(1 + z Y), I = Y V."""
    world = World(feeder())
    world.set("board", short_circuit=1, fault_power=strength)
    world.tick()
    V = 1 / (1 + (Z_GRID + Z_TX) * strength)
    assert world.row("main", "load_fraction") * 2e6 == pytest.approx(abs(strength * V), rel=1e-5)
    assert world.row("breaker-1", "load_fraction") < 1e-5
    if abs(V) > 0.5:
        assert world.voltage("board") == pytest.approx(V, rel=1e-5)
    else:
        assert world.voltage("board") == 0


def test_behind_a_transformer_and_before_it():
    for unit, z in (("tx", Z_GRID + Z_TX), ("board", Z_GRID + Z_TX)):
        world = World(feeder())
        world.set(unit, short_circuit=1)
        world.tick()
        seen = world.row("main", "load_fraction") * 2e6
        assert seen == pytest.approx(0.0 if unit == "tx" else abs(1 / z), rel=1e-6, abs=3), unit


def test_at_the_far_end_of_a_cable():
    """80 m of 0.1 + j0.08 mohm/m at 415 V: 46 + j37 ns beside 34 ns of grid and transformer."""
    plant = feeder()
    run = {"length": 80.0, "resistance": 1e-4, "reactance": 8e-5, "ampacity": 800.0, "nominal_voltage": 415.0}
    add(plant, "guard", "breaker", ("board",), rated_power=0.5e6)
    add(plant, "cable", "cable", ("guard",), **run)
    world = World(plant)
    world.set("cable", short_circuit=1)
    world.tick()
    z = Z_GRID + Z_TX + (1e-4 + 8e-5j) * 80 / 415**2
    assert world.row("guard", "load_fraction") * 0.5e6 == pytest.approx(abs(1 / z), rel=1e-5)
    assert available(plant, "cable") == pytest.approx(abs(1 / z), rel=1e-9)
    assert abs(world.voltage("board")) == pytest.approx(abs(1 - (Z_GRID + Z_TX) / z), rel=1e-5)
    assert world.worst <= LIMIT


def test_two_at_once_share_what_the_transformer_gives():
    world = World(feeder())
    for i, strength in ((1, 30e6), (2, 10e6)):
        world.set(f"pdu-{i}", short_circuit=1, fault_power=strength)
    world.tick()
    V = 1 / (1 + (Z_GRID + Z_TX) * 40e6)
    for i, strength in ((1, 30e6), (2, 10e6)):
        assert world.row(f"breaker-{i}", "load_fraction") * 1e6 == pytest.approx(abs(strength * V), rel=1e-6)


def test_sources_at_unequal_voltages_keep_their_books():
    """Two grids on one board, one 2 % lower: what they give to the short circuit shows in their own power, too."""
    plant = Plant()
    add(plant, "grid-1", "utility", **GRID)
    add(plant, "grid-2", "utility", **GRID | {"short_circuit_power": 90e6})
    add(plant, "board", "bus", ("grid-1", "grid-2"))
    add(plant, "tx", "transformer", ("board",), **TX)
    add(plant, "pdu", "pdu", ("tx",), rated_power=1e6)
    add(plant, "load", "load", ("pdu",), rated_power=0.2e6)
    world = World(plant)
    world.set("grid-2", voltage=0.98)
    world.tick(count=5)
    world.set("pdu", short_circuit=1, fault_power=20e6)
    world.tick(count=5)
    assert world.worst <= LIMIT
    power = world.row("grid-1", "power") + world.row("grid-2", "power")
    assert world.row("site", "power") == pytest.approx(power, rel=1e-12)
    assert power > 5e6
    assert world.row("tx", "load_fraction") == pytest.approx(10.0, rel=0.5), "through the transformer, seen by it"


def test_loads_stand_beside_the_short_circuit():
    """Superposition with a constant-power load on the healthy feeder: a nodal fixed point written by hand."""
    world = World(feeder(load=0.8e6))
    world.set("board", short_circuit=1, fault_power=4e6)
    world.tick(count=60)
    z, V = Z_GRID + Z_TX, 1.0 + 0j
    for _ in range(200):
        V = 1.0 - z * (np.conj(1.6e6 / V) + 4e6 * V)
    assert world.voltage("board") == pytest.approx(V, rel=1e-4)
    total = abs(np.conj(1.6e6 / V) + 4e6 * V)
    assert world.row("main", "load_fraction") * 2e6 == pytest.approx(total, rel=1e-4)
    assert world.worst <= LIMIT


def test_no_short_circuit_is_no_different_from_one_of_no_power():
    """The whole way of a short circuit, gone with one too weak to see, changes nothing that can be seen."""
    one, other = World(feeder(load=0.5e6)), World(feeder(load=0.5e6))
    other.set("pdu-1", short_circuit=1, fault_power=1e-6)
    for world in (one, other):
        world.tick(count=5)
    np.testing.assert_allclose(other.now.voltage, one.now.voltage, rtol=1e-11)


def test_an_open_breaker_stops_it_and_a_closed_one_feeds_it_again():
    world = World(feeder(load=0.5e6))
    world.set("breaker-1", closed=0)
    world.set("pdu-1", short_circuit=1)
    world.tick(count=3)
    assert abs(world.voltage("board")) > 0.95
    world.set("breaker-1", closed=1)
    world.tick()
    assert world.voltage("board") == 0
    assert world.row("breaker-1", "load_fraction") > 20


def test_a_breaker_clears_it_within_its_tick_and_the_others_recover():
    """16 ms and 34 ms to open: dead for 50 ms, then the healthy feeder lives again."""
    world = World(feeder(load=0.3e6, instantaneous_pickup=8, instantaneous_delay=0.016, opening_time=0.034))
    world.set("pdu-1", short_circuit=1)
    world.tick(count=11)
    assert world.row("breaker-1", "tripped_instantaneous") == 1
    assert world.row("breaker-1", "tripped_instantaneous_at") == pytest.approx(0.05)
    assert world.row("breaker-2", "tripped_instantaneous") == 0
    assert abs(world.voltage("pdu-2")) > 0.97
    assert world.voltage("pdu-1") == 0
    world.set("breaker-1", reset=1)
    world.tick(count=11)
    assert world.row("breaker-1", "tripped_instantaneous_at") == pytest.approx(0.055 + 0.05), "and trips on it again"
    world.set("breaker-1", reset=0)
    world.set("pdu-1", short_circuit=0)
    world.tick()
    world.set("breaker-1", reset=1)
    world.tick(count=11)
    assert abs(world.voltage("pdu-1")) > 0.97, "repaired and reset"
    assert world.worst <= LIMIT


def test_a_ups_gives_what_its_inverter_can_and_keeps_the_grid_out_of_it():
    """Twice its rating into a short circuit of 10 MVA: 30 % of voltage; the grid sees nothing of it."""
    plant = feeder()
    add(plant, "ups", "ups", ("board",), **UPS, short_circuit_current=2.0)
    add(plant, "out", "breaker", ("ups",), rated_power=1.5e6)
    add(plant, "pdu", "pdu", ("out",), rated_power=1.5e6)
    world = World(plant)
    world.set("pdu", short_circuit=1, fault_power=10e6)
    world.tick()
    assert world.row("out", "load_fraction") * 1.5e6 == pytest.approx(2 * 1.5e6, rel=1e-9)
    assert world.voltage("pdu") == 0
    assert abs(world.voltage("board")) > 0.99
    assert world.worst <= LIMIT
    world.set("pdu", fault_power=2e6)
    world.tick()
    assert world.row("out", "load_fraction") * 1.5e6 == pytest.approx(2e6, rel=1e-9), "within its limit it holds"
    assert world.voltage("pdu") == pytest.approx(1.0)
    world.set("ups", mode=4.0)
    world.set("pdu", fault_power=10e6)
    world.tick(count=4)
    V = 1 / (1 + (Z_GRID + Z_TX) * 10e6)
    assert world.row("out", "load_fraction") * 1.5e6 == pytest.approx(abs(10e6 * V), rel=1e-4), "bypass lets it through"
    assert world.worst <= LIMIT


def test_a_ups_that_cannot_clear_a_short_circuit_gives_it_to_the_bypass():
    """Its inverter bears the current for 0.2 s; then the grid, through the bypass, trips the breaker behind."""
    plant = feeder()
    add(plant, "ups", "ups", ("board",), **UPS, short_circuit_current=2.0, overload_time_peak=0.2)
    add(plant, "out", "breaker", ("ups",), rated_power=1e6, instantaneous_pickup=6, opening_time=0.03)
    add(plant, "pdu", "pdu", ("out",), rated_power=1e6)
    add(plant, "load", "load", ("pdu",), rated_power=0.2e6)
    add(plant, "other", "breaker", ("ups",), rated_power=1e6, instantaneous_pickup=6, opening_time=0.03)
    add(plant, "pdu-b", "pdu", ("other",), rated_power=1e6)
    world = World(plant)
    world.set("pdu", short_circuit=1)
    world.tick(count=39)
    assert world.row("ups", "on_bypass") == 0
    assert world.voltage("pdu-b") == 0, "what hangs beside is dead meanwhile"
    world.tick(count=20)
    assert world.row("ups", "on_bypass_at") == pytest.approx(0.2, abs=0.006)
    assert world.row("out", "tripped_instantaneous_at") == pytest.approx(0.24, abs=0.011)
    assert world.row("other", "tripped_instantaneous") == 0
    assert abs(world.voltage("pdu-b")) > 0.95
    assert world.worst <= LIMIT


PROMPT = {"curve": 4.0, "instantaneous_pickup": 8.0, "instantaneous_delay": 0.01, "opening_time": 0.03}
SLOW = {"curve": 4.0, "short_time_pickup": 4.0, "short_time_delay": 0.3, "opening_time": 0.05}


@pytest.mark.parametrize(("capacity", "strength", "clears"), [
    (20e6, 0.0, False), (30e6, 0.0, True), (0.0, 0.0, True), (20e6, 25e6, True), (12e6, 25e6, False),
])  # fmt: skip
def test_a_breaker_below_its_duty_stays_closed_and_the_next_one_clears(capacity, strength, clears):
    """29 MVA flow into a bolted short circuit, 13.6 MVA behind 25 MVA; told to open after 40 ms, the main after 350."""
    plant = feeder(load=2e5, **PROMPT, breaking_capacity=capacity)
    plant.units["main"].parameters |= SLOW
    world = World(plant)
    began = world.time
    world.set("pdu-1", short_circuit=1.0, fault_power=strength)
    world.tick(count=100)
    found = [world.row(unit, flag) for unit, flag in (("breaker-1", "damaged"), ("breaker-1", "tripped_instantaneous"))]
    assert found == [float(not clears), float(clears)]
    assert (world.row("breaker-1", "position"), world.row("main", "position")) == (float(not clears), float(clears))
    if clears:
        assert world.row("breaker-1", "tripped_instantaneous_at") == pytest.approx(began + 0.04, abs=1e-9)
        assert abs(world.voltage("pdu-2")) > 0.9
    else:
        assert world.row("breaker-1", "damaged_at") == pytest.approx(began + 0.04, abs=1e-9)
        assert world.row("main", "tripped_short_time_at") == pytest.approx(began + 0.35, abs=1e-9)
    assert world.worst < LIMIT


def test_a_damaged_breaker_stays_closed_until_it_is_taken_out_of_service():
    plant = feeder(**PROMPT, breaking_capacity=20e6)
    plant.units["main"].parameters |= SLOW
    world = World(plant)
    world.set("pdu-1", short_circuit=1.0)
    world.tick(count=100)
    world.set("pdu-1", short_circuit=0.0)
    world.set("breaker-1", closed=0.0)
    world.set("main", reset=1.0)
    world.tick(count=4)
    assert (world.row("breaker-1", "position"), world.row("breaker-1", "damaged")) == (1, 1)
    assert abs(world.voltage("pdu-1")) > 0.9, "it cannot be opened"
    world.set("breaker-1", in_service=0.0)
    world.tick(count=2)
    assert (world.row("breaker-1", "position"), world.row("breaker-1", "damaged")) == (0, 0)
    world.set("breaker-1", in_service=1.0, closed=1.0)
    world.tick(count=2)
    assert abs(world.voltage("pdu-1")) > 0.9


def current(world, short, unit):
    """Through a unit into short circuits [VA]."""
    key, row = world.model.seats[unit]
    return short.current[0, world.model.table(key).first + row]


def with_storage(control, grid=True, **ratings):
    """Grid and transformer, with storage of 1 MW beside it on a board; a breaker and a PDU behind the board."""
    plant = Plant()
    add(plant, "bess", "bess", **{**BESS, "rated_power": 1e6, "current_limit": 1.2, **ratings})
    if grid:
        add(plant, "grid", "utility", **GRID)
        add(plant, "tx", "transformer", ("grid",), **TX)
    add(plant, "board", "bus", ("tx", "bess") if grid else ("bess",))
    add(plant, "breaker", "breaker", ("board",), rated_power=1e6)
    add(plant, "pdu", "pdu", ("breaker",), rated_power=1e6)
    add(plant, "load", "load", ("pdu",), rated_power=1.0)
    plant.units["bess"].settings["control"] = control
    world = World(plant)
    world.set("bess", control=control)
    world.tick(count=100)
    return world


@pytest.mark.parametrize("control", [FOLLOW, FORM])
def test_storage_gives_its_limit_into_a_bolted_short_circuit_beside_the_grid(control):
    """1.2 x 1 MW, at right angles, beside 1/|Z_grid + Z_tx| of the grid; forming or following alike."""
    world = with_storage(control)
    world.set("pdu", short_circuit=1.0)
    short = world.short()
    behind = 1 / (Z_GRID + Z_TX)
    assert abs(current(world, short, "bess")) == pytest.approx(1.2e6, rel=1e-6)
    assert abs(current(world, short, "breaker")) == pytest.approx(abs(behind - 1.2e6j), rel=1e-4)
    world.tick()
    assert world.worst < LIMIT


def test_behind_an_impedance_storage_and_grid_part_the_current_by_theirs():
    """Both stand at one voltage behind jX = j/1.2 MVA and Z_grid + Z_tx: I = E/(Z_parallel + Z_fault)."""
    world = with_storage(FOLLOW)
    world.set("pdu", short_circuit=1.0, fault_power=5e6)
    short = world.short()
    grid, own = 1 / (Z_GRID + Z_TX), 1.2e6 / 1j
    total = 1 / (1 / (grid + own) + 1 / 5e6)
    assert abs(current(world, short, "breaker")) == pytest.approx(abs(total), rel=1e-4)
    assert abs(current(world, short, "bess")) == pytest.approx(abs(total * own / (grid + own)), rel=1e-4)


def test_alone_it_gives_its_limit_and_trips_after_its_delay():
    world = with_storage(FORM, grid=False, overload_delay=0.5)
    assert world.row("bess", "forming") == 1
    world.set("pdu", short_circuit=1.0)
    assert abs(current(world, world.short(), "breaker")) == pytest.approx(1.2e6, rel=1e-6)
    began = world.time
    world.tick(count=90)
    assert (world.row("bess", "tripped"), world.row("bess", "at_limit")) == (0, 1)
    world.tick(count=20)
    assert world.row("bess", "tripped") == 1
    assert world.row("bess", "tripped_at") == pytest.approx(began + 0.5, abs=0.006)
    assert abs(current(world, world.short(), "breaker")) < 1.0
    assert world.worst < LIMIT


def test_storage_far_from_a_short_circuit_follows_its_set_points_on():
    """A short circuit of 0.2 MVA leaves the board near nominal: 0.4 MW go on, with 8 kW of the 200 beside them."""
    world = with_storage(FOLLOW)
    world.set("bess", power_setpoint=4e5)
    world.tick(count=200)
    world.set("pdu", short_circuit=1.0, fault_power=2e5)
    world.tick(count=3)
    assert world.row("bess", "power") == pytest.approx(4.08e5, rel=2e-3)
    assert world.row("bess", "forming") == 0


def test_members_are_struck_one_by_one():
    world = World(feeder(load=0.5e6), members=3)
    key, row = world.model.seats["pdu-1"]
    struck = world.asked[key].short_circuit.copy()
    struck[1, row] = 1.0
    world.asked[key] = replace(world.asked[key], short_circuit=struck)
    world.tick()
    column = world.model.table(world.model.seats["board"][0]).first
    assert world.now.voltage[1, column] == 0
    assert (abs(world.now.voltage[[0, 2], column]) > 0.95).all()
    alone = World(feeder(load=0.5e6))
    alone.tick()
    np.testing.assert_array_equal(alone.now.voltage[0], world.now.voltage[2])


# Against a nodal solution


@st.composite
def networks(draw):
    """A random radial network of transformers and boards behind one grid, and short circuits in it."""
    count = draw(st.integers(2, 9))
    parents = [draw(st.integers(0, i)) for i in range(count)]
    units = [
        tuple(map(draw, (st.sampled_from(["transformer", "bus", "pdu"]), st.floats(2e5, 2e7), st.floats(0.02, 0.12))))
        for _ in range(count)
    ]
    struck = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3, unique=True))
    powers = [draw(st.sampled_from([0.0, 5e6, 80e6])) for _ in struck]
    return parents, units, dict(zip(struck, powers, strict=True)), draw(st.floats(20e6, 5e9)), draw(st.floats(0.5, 20))


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(networks())
def test_any_radial_network_equals_a_dense_nodal_solution(drawn):
    """Node 0 is the grid's terminal, node i + 1 the far end of unit i; currents by numpy's linear solver."""
    parents, units, struck, strength, ratio = drawn
    plant = Plant()
    add(plant, "n0", "utility", rated_power=1e9, short_circuit_power=strength, reactance_ratio=ratio)
    z = [complex(thevenin(np.array(strength), ratio))]
    for i, (kind, rating, impedance) in enumerate(units):
        windings = {"impedance": impedance, "no_load_loss": 0.0, "load_loss": 0.1 * impedance * rating}
        said = {} if kind == "bus" else {"rated_power": min(rating, 1e7)}
        said |= windings | {"rated_power": rating} if kind == "transformer" else {}
        add(plant, f"n{i + 1}", kind, (f"n{parents[i]}",), **said)
        R = 0.1 * impedance
        z.append((R + 1j * np.sqrt(impedance**2 - R**2)) / rating if kind == "transformer" else 0j)
    # lossless units are no branch of an admittance matrix: give each one that is a billion times stiffer
    z = np.array([each or 1e-16j for each in z])
    n = len(z)
    Y = np.zeros((n, n), dtype=complex)
    source = np.zeros(n, dtype=complex)
    Y[0, 0], source[0] = 1 / z[0], 1 / z[0]
    for i, parent in enumerate(parents):
        y = 1 / z[i + 1]
        Y[i + 1, i + 1] += y
        Y[parent, parent] += y
        Y[i + 1, parent] -= y
        Y[parent, i + 1] -= y
    for i, fault in struck.items():
        Y[i + 1, i + 1] += fault or BOLTED
    V = np.linalg.solve(Y, source)
    world = World(plant)
    for i, fault in struck.items():
        world.set(f"n{i + 1}", short_circuit=1, fault_power=fault)
    world.tick()
    found = world.short()
    columns = [world.model.table(world.model.seats[f"n{i}"][0]).first + world.model.seats[f"n{i}"][1] for i in range(n)]
    through = [(V[parent] - V[i + 1]) / z[i + 1] for i, parent in enumerate(parents)]
    strongest = abs(V[0] - 1) / abs(z[0])
    for i, flows in enumerate(through):
        if abs(z[i + 1]) > 1e-15:
            assert found.current[0, columns[i + 1]] == pytest.approx(flows, rel=1e-5, abs=1e-6 * strongest)
    for i in range(n):
        assert found.voltage[0, columns[i]] == pytest.approx(V[i], rel=1e-5, abs=1e-5)
    assert world.worst <= LIMIT
