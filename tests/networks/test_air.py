"""Air: rooms against their closed form, the coils' and the givers' heat in balance, rooms apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.small_plants import FAN_WALL, PUMP, add, branch
from twin import model as compiled
from twin.declare import replace
from twin.equipment.zone import Zone
from twin.networks import air
from twin.plant import Loop, Plant
from twin.step import step


def rooms(walls=(2, 1), fed=(3, 1)) -> Plant:
    """Two rooms with fan walls and PDUs in them, one fan wall's worth of water."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e7)
    add(plant, "board", "bus", ("utility",))
    for letter, volume in zip("ab", (800.0, 300.0)):
        add(plant, f"room-{letter}", "zone", volume=volume, mass_heat_capacity=2e6)
    names = []
    for letter, count, pdus in zip("ab", walls, fed):
        for i in range(count):
            names.append(f"wall-{letter}{i}")
            add(plant, names[-1], "fan_wall", ("board",), f"room-{letter}", **FAN_WALL)
        for i in range(pdus):
            ratings = {"rated_power": 1e6, "no_load_loss": 5e3}
            add(plant, f"pdu-{letter}{i}", "pdu", ("board",), f"room-{letter}", **ratings)
    add(plant, "pdu-out", "pdu", ("board",), rated_power=1e6, no_load_loss=7e3)
    add(plant, "pump", "pump", ("board",), **PUMP)
    plant.add_loop(Loop("water", "water", [branch("pump")], [branch(name) for name in names]))
    return plant


def solved(dt=1.0, temperature=(303.15, 300.15), inlet=291.15, members=1, plant=None):
    """One tick of the rooms at full fans and nominal water; the ports and what each unit gave."""
    model = compiled.compile(plant or rooms())
    asked = compiled.inputs(model, members)
    now = compiled.state(model, asked, members)
    ports = compiled.ports(model)
    wall, zone = model.table("fan_wall"), model.table("zone")
    now.rows["zone"] = replace(now.rows["zone"], temperature=np.zeros((members, 2)) + np.array(temperature))
    row = now.rows["fan_wall"]
    now.rows["fan_wall"] = replace(row, inlet_temperature=np.zeros((members, wall.size)) + inlet)
    port = ports["fan_wall"]
    port.gap, port.voltage = np.zeros((members, wall.size)), np.ones((members, wall.size))
    port.flow["coolant"] = np.zeros((members, wall.size)) + FAN_WALL["nominal_flow"]
    port.capacity_rate["coolant"] = port.flow["coolant"] * 4.17e6
    port.power = np.zeros((members, wall.size)) + FAN_WALL["fan_power"]
    port.drive = wall.machine.actuate(now.rows["fan_wall"], asked["fan_wall"], port, dt)
    for t in model.tables:
        if t.kind == "pdu":
            ports[t.key].power = np.zeros((members, t.size)) + np.array([t.machine.no_load_loss[0]])
            ports[t.key].load = 0.0 * ports[t.key].power
    warmth = np.zeros((members, model.unit_count + 1))
    air.solve(model.air, ports, now.rows, asked, warmth, np, dt)
    return model, now, ports, warmth, zone


def coil():
    """K of one fan wall at nominal air and water, by the textbook."""
    C_air, C = 20 * 1.19e3, FAN_WALL["nominal_flow"] * 4.17e6
    small, large = min(C_air, C), max(C_air, C)
    gone = math.exp(-15e3 / small * (1 - small / large))
    return small * (1 - gone) / (1 - small / large * gone)


@pytest.mark.parametrize("dt", [0.1, 1.0, 60.0, 3600.0])
def test_a_room_relaxes_as_its_closed_form_says(dt):
    """C dT/dt = given - K (T - T_water): the room's heat over the tick, exact at any dt."""
    _, _, ports, _, zone = solved(dt)
    K = coil()
    for column, (walls, pdus, T) in enumerate([(2, 3, 303.15), (1, 1, 300.15)]):
        C = float(zone.machine.heat_capacity()[0, column])
        given = walls * 5e3 + pdus * 5e3
        rest = 291.15 + given / (walls * K)
        end = rest + (T - rest) * math.exp(-walls * K * dt / C)
        assert float(ports["zone"].air_heat[0, column]) * dt == pytest.approx(C * (end - T), rel=1e-11)


def test_what_coils_take_and_rooms_gain_is_what_was_given():
    model, _, ports, warmth, _ = solved(10.0)
    taken, gained = ports["fan_wall"].air_heat.sum(), ports["zone"].air_heat.sum()
    inside = float((warmth * model.air.indoors).sum())
    assert taken + gained == pytest.approx(inside, rel=1e-13)
    assert float(warmth.sum()) - inside == pytest.approx(7e3, rel=1e-14), "a PDU without a zone stands outdoors"


def test_coils_of_one_room_share_its_heat_and_rooms_do_not_touch():
    _, _, ports, _, _ = solved(1.0)
    heat = ports["fan_wall"].air_heat[0]
    assert heat[0] == heat[1] != heat[2]
    _, _, other, _, _ = solved(1.0, temperature=(303.15, 320.0))
    assert (other["fan_wall"].air_heat[0, :2] == heat[:2]).all()
    assert other["fan_wall"].air_heat[0, 2] > heat[2]


def test_a_room_colder_than_its_water_is_warmed_by_it():
    _, _, ports, _, _ = solved(1.0, temperature=(285.0, 285.0), inlet=295.0)
    assert (ports["fan_wall"].air_heat < 0).all()
    assert (ports["zone"].air_heat > 0).all()


def test_units_are_told_the_air_they_stand_in():
    model, now, ports, _, _ = solved()
    assert ports["fan_wall"].zone_temperature.tolist() == [[303.15, 303.15, 300.15]]
    assert "zone" not in model.air.zone_of
    assert now.rows["zone"].temperature.tolist() == [[303.15, 300.15]], "a network writes no State"


def test_without_rooms_all_heat_goes_outdoors():
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e7)
    add(plant, "pdu-1", "pdu", ("utility",), rated_power=1e6, no_load_loss=5e3)
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    now = step(model, compiled.state(model, asked), asked, 0.0, 1.0)
    assert float(now.outputs["site"].heat_rejected[0, 0]) == pytest.approx(5e3, rel=1e-14)
    assert float(now.outputs["site"].energy_residual[0, 0]) <= 1e-9


def heated(power: float, air: float, mass: float, conductance: float) -> tuple:
    """A room of so much air [m3] with a mass [J/K] behind a conductance [W/K]; a load [W] in it, a fan wall off."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e7)
    add(plant, "room", "zone", volume=air, mass_heat_capacity=mass, mass_conductance=conductance)
    add(plant, "load", "load", ("utility",), "room", rated_power=power)
    add(plant, "wall", "fan_wall", ("utility",), "room", **FAN_WALL)
    add(plant, "pump", "pump", ("utility",), **PUMP)
    plant.units["wall"].settings["mode"] = plant.units["pump"].settings["mode"] = 0.0
    plant.add_loop(Loop("water", "water", [branch("pump")], [branch("wall")]))
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    return model, asked, compiled.state(model, asked, 1)


def warmed(C: float, mass: float, G: float, power: float, t: float) -> np.ndarray:
    """Air and mass of a room [K] after t seconds of heat from 298.15 K, in closed form."""
    from scipy.linalg import expm

    A = np.array([[-G / C, G / C, power / C], [G / mass, -G / mass, 0.0], [0.0, 0.0, 0.0]])
    return np.asarray(expm(A * t) @ np.array([298.15, 298.15, 1.0]))[:2]


@pytest.mark.parametrize("dt", [0.5, 2.0, 10.0])
def test_a_room_warms_first_as_its_air_alone_and_in_the_end_as_all_its_mass(dt):
    """Khankari's form: the rate falls from P/C_air to P/(C_air + C_mass); the order of the tick is the error's."""
    model, asked, now = heated(100e3, 240.0, 5e6, 4e3)
    C = 240 * 1.19e3
    for k in range(round(600 / dt)):
        was = now.rows["zone"].temperature[0, 0]
        now = step(model, now, asked, k * dt, dt)
        row = now.rows["zone"]
        if (k + 1) * dt in (10.0, 60.0, 600.0):
            exact = warmed(C, 5e6, 4e3, 100e3, (k + 1) * dt)
            assert [row.temperature[0, 0], row.mass_temperature[0, 0]] == pytest.approx(exact, abs=0.02 * dt)
        if k == 0 and dt < 1:
            assert (row.temperature[0, 0] - was) / dt == pytest.approx(100e3 / C, rel=0.01)
        assert float(now.outputs["site"].energy_residual[0, 0]) < 1e-12
    assert (row.temperature[0, 0] - was) / dt == pytest.approx(100e3 / (C + 5e6), rel=0.01)


def test_published_seconds_to_thermal_shutdown():
    """Opengate/Active Power: 5 kW a rack shut down after 3 min 9 s, 10 kW and more within a minute.

    Of a room with 10 m^3 a rack and air that may rise by 25 K, one number is fitted to the first point, the mass's
    conductance; the second is held out. Source: bladewatch.com, 2007-09-19.
    """
    from scipy.optimize import brentq

    C, mass = 10 * 1.19e3, 4e5
    conductance = brentq(lambda G: warmed(C, mass, G, 5e3, 189.0)[0] - 323.15, 10.0, 2e3)
    for power, least, most in ((5e3, 188.0, 190.0), (10e3, 15.0, 60.0), (15e3, 10.0, 60.0)):
        model, asked, now = heated(power, 10.0, mass, conductance)
        seconds = 0.0
        while now.rows["zone"].temperature[0, 0] < 323.15:
            now = step(model, now, asked, seconds, 0.5)
            seconds += 0.5
        assert least <= seconds <= most, power
    assert 5 < conductance / 10.0 < 50, "a conductance per cubic metre that a room may have"


def test_rooms_with_and_without_a_mass_of_their_own_stand_side_by_side():
    """The one without is what it was before; its mass has its air's temperature."""
    plant = rooms()
    model, asked = compiled.compile(plant), None
    asked = compiled.inputs(model)
    plain = step(model, compiled.state(model, asked, 1), asked, 0.0, 1.0)
    mixed = rooms()
    mixed.units["room-a"].parameters["mass_conductance"] = 2e3
    other = compiled.compile(mixed)
    both = step(other, compiled.state(other, asked, 1), asked, 0.0, 1.0)
    assert both.rows["zone"].temperature[0, 1] == plain.rows["zone"].temperature[0, 1]
    assert both.rows["zone"].mass_temperature[0, 1] == both.rows["zone"].temperature[0, 1]
    assert both.rows["zone"].temperature[0, 0] != plain.rows["zone"].temperature[0, 0]


def test_the_seconds_foreseen_of_a_room_are_those_of_its_closed_form():
    room = Zone(volume=240.0, mass_heat_capacity=5e6, mass_conductance=4e3)
    for rise in (1.0, 10.0, 30.0):
        seconds = room.seconds_to(rise, 100e3)
        assert warmed(240 * 1.19e3, 5e6, 4e3, 100e3, seconds)[0] == pytest.approx(298.15 + rise, abs=1e-6)
    close = Zone(volume=240.0, mass_heat_capacity=5e6)
    assert close.seconds_to(10.0, 100e3) == pytest.approx(10.0 * (240 * 1.19e3 + 5e6) / 100e3)
    assert close.seconds_to(-1.0, 100e3) == 0.0
