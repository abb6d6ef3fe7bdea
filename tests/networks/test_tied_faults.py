"""Short circuits through ties: by hand, against a dense nodal solution, and with books that close."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.networks.test_short_circuit import GRID, TX, Z_GRID, Z_TX, World
from tests.small_plants import add
from twin.ledger import LIMIT
from twin.networks.short_circuit import BOLTED
from twin.physics.electric import thevenin
from twin.plant import Plant

OHMS = 0.002 + 0.006j
Z_TIE = OHMS / 480.0**2


def pair(load=0.0, thrown=True, **tie):
    """Two boards, each behind a grid, a transformer and a main; b feeds a through the tie while `thrown`."""
    plant = Plant()
    for side in "ab":
        add(plant, f"grid-{side}", "utility", **GRID)
        add(plant, f"tx-{side}", "transformer", (f"grid-{side}",), **TX, secondary_voltage=480.0)
        add(plant, f"main-{side}", "breaker", (f"tx-{side}",), rated_power=2e6)
        add(plant, f"board-{side}", "bus", (f"main-{side}",))
        add(plant, f"feeder-{side}", "breaker", (f"board-{side}",), rated_power=1e6)
        add(plant, f"pdu-{side}", "pdu", (f"feeder-{side}",), rated_power=1e6)
        add(plant, f"load-{side}", "load", (f"pdu-{side}",), rated_power=1.0 + load, power_factor=1.0)
    said = {"rated_power": 2e6, "series_resistance": OHMS.real, "series_reactance": OHMS.imag}
    add(plant, "tie", "tie", **said | tie)
    plant.join("tie", ["board-a", "board-b"])
    if thrown:
        plant.units["main-a"].settings["closed"] = 0.0
        plant.units["tie"].settings["closed"] = 1.0
    return plant


def started(plant, members=1):
    """A world whose Inputs stand as the plant says."""
    world = World(plant, members)
    world.tick(count=3)
    return world


def test_a_bolted_short_circuit_beyond_a_tie_by_hand():
    """I = 1/(z_grid + z_tx + z_tie) through main b, tie and feeder a; board b holds z_tie/z, board a nothing."""
    world = started(pair())
    world.set("pdu-a", short_circuit=1)
    world.tick()
    z = Z_GRID + Z_TX + Z_TIE
    current = abs(1 / z)
    assert world.row("main-b", "load_fraction") * 2e6 == pytest.approx(current, rel=1e-6)
    assert world.row("tie", "load_fraction") * 2e6 == pytest.approx(current, rel=1e-6)
    assert world.row("feeder-a", "load_fraction") * 1e6 == pytest.approx(current, rel=1e-6)
    assert world.row("feeder-b", "load_fraction") < 1e-5
    assert world.row("main-a", "load_fraction") == 0
    assert world.voltage("board-a") == 0
    assert world.row("board-a", "dead") == 1
    left = abs(Z_TIE / z)
    assert (abs(world.voltage("board-b")) if left >= 0.5 else left) == pytest.approx(left, rel=1e-6)
    assert world.short().voltage[0, column(world, "board-b")] == pytest.approx(Z_TIE / z, rel=1e-6)
    world.set("pdu-a", short_circuit=0)
    world.tick(count=3)
    assert abs(world.voltage("board-a")) == pytest.approx(1.0, abs=1e-6)
    assert world.worst <= LIMIT


@pytest.mark.parametrize("where", ["board-a", "board-b"])
def test_what_a_short_circuit_with_impedance_leaves_on_both_boards(where):
    """V = 1/(1 + z Y) where it strikes; the other board has the same (beyond) or z_tie I more (before)."""
    world = started(pair())
    strength = 8e6
    world.set(where, short_circuit=1, fault_power=strength)
    world.tick()
    z = Z_GRID + Z_TX + (Z_TIE if where == "board-a" else 0)
    V = 1 / (1 + z * strength)
    before = V * (1 + Z_TIE * strength) if where == "board-a" else V
    assert world.voltage("board-b") == pytest.approx(before, rel=1e-5)
    assert world.voltage("board-a") == pytest.approx(V, rel=1e-5)
    through = abs(strength * V) if where == "board-a" else 0.0
    assert world.row("tie", "load_fraction") * 2e6 == pytest.approx(through, rel=1e-5, abs=5)
    assert world.worst <= LIMIT


def test_loads_stand_beside_a_short_circuit_beyond_a_tie():
    """Superposition with constant-power loads on both boards: a nodal fixed point written by hand."""
    load, strength = 0.4e6, 3e6
    world = started(pair(load=load))
    world.set("board-a", short_circuit=1, fault_power=strength)
    world.tick(count=200)
    z, a, b = Z_GRID + Z_TX, 1.0 + 0j, 1.0 + 0j
    for _ in range(400):
        far = np.conj(load / a) + strength * a
        b = 1.0 - z * (np.conj(load / b) + far)
        a = b - Z_TIE * far
    assert world.voltage("board-b") == pytest.approx(b, rel=1e-4)
    assert world.voltage("board-a") == pytest.approx(a, rel=1e-4)
    assert world.row("tie", "load_fraction") * 2e6 == pytest.approx(abs(np.conj(load / a) + strength * a), rel=1e-4)
    assert world.worst <= LIMIT


def test_an_open_tie_keeps_it_out_and_each_side_has_its_own():
    world = started(pair(thrown=False))
    world.set("board-a", short_circuit=1)
    world.tick()
    assert world.voltage("board-a") == 0
    assert abs(world.voltage("board-b")) == pytest.approx(1.0, abs=1e-6)
    assert world.row("main-a", "load_fraction") * 2e6 == pytest.approx(abs(1 / (Z_GRID + Z_TX)), rel=1e-6)
    assert world.row("tie", "load_fraction") == 0
    assert world.worst <= LIMIT


def test_a_tie_that_opens_clears_what_lies_beyond_it():
    world = started(pair(load=0.3e6))
    world.set("board-a", short_circuit=1)
    world.tick(count=3)
    assert world.voltage("load-b") == 0
    world.set("tie", closed=0)
    world.tick(count=2)
    assert abs(world.voltage("load-b")) > 0.98
    assert world.voltage("board-a") == 0
    assert world.worst <= LIMIT


def test_members_stand_differently():
    """Thrown, apart and the other way round, each struck on board a: every member as if alone."""
    modes = [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)]
    together = World(pair(load=0.3e6), members=3)
    for unit, index in (("main-a", 0), ("tie", 1), ("main-b", 2)):
        together.set(unit, closed=[mode[index] for mode in modes])
    together.tick(count=3)
    together.set("board-a", short_circuit=1, fault_power=5e6)
    together.tick(count=4)
    for member, mode in enumerate(modes):
        alone = World(pair(load=0.3e6))
        for unit, index in (("main-a", 0), ("tie", 1), ("main-b", 2)):
            alone.set(unit, closed=mode[index])
        alone.tick(count=3)
        alone.set("board-a", short_circuit=1, fault_power=5e6)
        alone.tick(count=4)
        np.testing.assert_allclose(together.now.voltage[member], alone.now.voltage[0], rtol=1e-13)
    assert together.worst <= LIMIT


# Against a nodal solution


@st.composite
def networks(draw):
    """Boards in some islands, each fed by a grid and a transformer at one of them; closed ties, and open ones."""
    count = draw(st.integers(2, 7))
    parents = [None] + [draw(st.sampled_from([None, *range(i)])) for i in range(1, count)]
    swapped = [draw(st.booleans()) for _ in range(count)]
    ohms = [complex(draw(st.floats(0, 0.02)), draw(st.floats(1e-4, 0.02))) for _ in range(count)]
    extra = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=3))
    mains = [(draw(st.floats(5e5, 5e6)), draw(st.floats(0.03, 0.1)), draw(st.floats(3e7, 3e9))) for _ in range(count)]
    struck = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3, unique=True))
    strengths = [draw(st.sampled_from([0.0, 2e6, 40e6])) for _ in struck]
    return parents, swapped, ohms, [e for e in extra if e[0] != e[1]], mains, dict(zip(struck, strengths, strict=True))


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(networks())
def test_any_network_of_ties_equals_a_dense_nodal_solution(drawn):
    """Rings with open points and main-tie-main: voltages of boards, currents of ties and mains, to 1e-5."""
    parents, swapped, ohms, extra, mains, struck = drawn
    plant, count = Plant(), len(parents)
    Y, source = np.zeros((count, count), dtype=complex), np.zeros(count, dtype=complex)
    z_main = {}
    for i, parent in enumerate(parents):
        rating, impedance, strength = mains[i]
        feeds = ()
        if parent is None:
            add(plant, f"grid-{i}", "utility", rated_power=1e9, short_circuit_power=strength, reactance_ratio=8.0)
            windings = {"impedance": impedance, "no_load_loss": 0.0, "load_loss": 0.1 * impedance * rating}
            add(
                plant, f"tx-{i}", "transformer", (f"grid-{i}",), rated_power=rating, secondary_voltage=480.0, **windings
            )
            feeds = (f"tx-{i}",)
            R = 0.1 * impedance
            z_main[i] = complex(thevenin(np.array(strength), 8.0)) + (R + 1j * np.sqrt(impedance**2 - R**2)) / rating
            Y[i, i] += 1 / z_main[i]
            source[i] += 1 / z_main[i]
        add(plant, f"board-{i}", "bus", feeds, nominal_voltage=480.0)
    for i, parent in enumerate(parents):
        if parent is None:
            continue
        said = {"series_resistance": ohms[i].real, "series_reactance": ohms[i].imag}
        add(plant, f"tie-{i}", "tie", rated_power=2e6, **said)
        plant.units[f"tie-{i}"].settings["closed"] = 1.0
        ends = [f"board-{i}", f"board-{parent}"]
        plant.join(f"tie-{i}", ends[::-1] if swapped[i] else ends)
        y = 480.0**2 / ohms[i]
        Y[i, i] += y
        Y[parent, parent] += y
        Y[i, parent] -= y
        Y[parent, i] -= y
    for number, (one, two) in enumerate(extra):
        add(plant, f"open-{number}", "tie", rated_power=2e6)
        plant.join(f"open-{number}", [f"board-{one}", f"board-{two}"])
    for i, strength in struck.items():
        Y[i, i] += strength or BOLTED
    V = np.linalg.solve(Y, source)
    world = started(plant)
    for i, strength in struck.items():
        world.set(f"board-{i}", short_circuit=1, fault_power=strength)
    world.tick()
    found = world.short()
    strongest = max(abs(1 / z) for z in z_main.values())
    for i, parent in enumerate(parents):
        assert found.voltage[0, column(world, f"board-{i}")] == pytest.approx(V[i], rel=1e-5, abs=1e-5)
        if parent is None:
            flows = (1 - V[i]) / z_main[i]
            assert found.current[0, column(world, f"tx-{i}")] == pytest.approx(flows, rel=1e-5, abs=1e-6 * strongest)
        else:
            flows = (V[parent] - V[i]) * 480.0**2 / ohms[i]
            assert found.current[0, column(world, f"tie-{i}")] == pytest.approx(flows, rel=1e-5, abs=1e-6 * strongest)
            seen = world.row(f"tie-{i}", "load_fraction") * 2e6
            assert seen == pytest.approx(abs(flows), rel=1e-5, abs=1e-6 * strongest)
    assert world.worst <= LIMIT


def column(world, unit):
    key, row = world.model.seats[unit]
    return world.model.table(key).first + row
