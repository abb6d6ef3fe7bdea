"""Step, skipping: what a tick leaves out because nothing happens equals what it would have computed, bit for bit."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.small_plants import add, pod
from twin import model as compiled
from twin.arrays import nothing
from twin.declare import replace
from twin.simulation import settle
from twin.step import step

MEMBERS = 3
EVENTS = [
    # tick, unit, input, value, member (None: all)
    (3, "dry-2", "leaving_setpoint", 285.0, None),
    (5, "rack-03", "utilisation", 1.0, 1),
    (7, "rack-04", "isolated", 1.0, 2),
    (10, "utility-a", "in_service", 0.0, None),
    (12, "gen-1", "fails_to_start", 1.0, 1),
    (14, "gen-1", "mode", 0.0, 2),
    (15, "gen-2", "mode", 0.0, 2),
    (30, "cdu-1", "duty_pump_failed", 1.0, 0),
    (32, "cdu-2", "duty_pump_failed", 1.0, 1),
    (32, "cdu-2", "standby_pump_failed", 1.0, 1),
    (40, "ch-1", "in_service", 0.0, None),
    (45, "pump-2", "mode", 0.0, 1),
    (50, "cdu-1", "mode", 2.0, 2),
    (51, "cdu-1", "hand_valve", 0.3, 2),
    (55, "cdu-2", "valve_stuck", 1.0, 0),
    (60, "ups-1", "inverter_failed", 1.0, 0),
    (62, "ups-2", "mode", 4.0, 1),
    (66, "breaker-2", "closed", 0.0, 2),
    (70, "rack-02", "power_limit", 0.5, None),
    (72, "fw-1", "in_service", 0.0, None),
    (85, "utility-a", "in_service", 1.0, None),
    (88, "pump-2", "mode", 1.0, 1),
    (90, "cdu-2", "duty_pump_failed", 0.0, 1),
    (92, "ups-2", "mode", 1.0, 1),
    (94, "breaker-2", "closed", 1.0, 2),
    (96, "fw-1", "in_service", 1.0, None),
    (98, "site", "dry_bulb", 312.0, None),
    (100, "ats-1", "mode", 4.0, 1),
    (102, "ch-1", "in_service", 1.0, None),
    (104, "rack-04", "isolated", 0.0, 2),
    (100, "pump-1", "fails_to_restart", 1.0, 2),
    (106, "utility-a", "voltage", 0.5, None),
    (107, "pump-1", "fails_to_restart", 0.0, 2),
    (109, "utility-a", "voltage", 0.95, None),
    (118, "fw-3", "reset", 1.0, 1),
    (112, "cdu-1", "pump_speed", 0.7, None),
    (115, "rack-01", "mode", 0.0, 1),
    (120, "rack-01", "utilisation", 1.0, None),
]
TICKS = 140
SHORT = {*range(9, 13), *range(84, 88)}
"""Ticks of 10 ms, about the moments at which the utility goes and comes."""


def plant():
    """A pod with a breaker before each PDU, one of which transfers between two feeds."""
    made = pod(4)
    for i in (1, 2):
        add(made, f"breaker-{i}", "breaker", (f"ups-{i}",), rated_power=0.7e6)
        made.feed(f"pdu-{i}", [f"breaker-{i}", f"breaker-{3 - i}"])
        made.units[f"ups-{i}"].parameters["battery_energy"] = 1.5e6 * 8
    made.units["pdu-2"].parameters["static_transfer"] = 1.0
    return made


def put(model, asked, unit, name, value, member):
    key, row = model.seats[unit]
    array = getattr(asked[key], name).copy()
    array[slice(None) if member is None else member, row] = value
    return asked | {key: replace(asked[key], **{name: array})}


def beginning():
    """Inputs in which members differ, and the steady state under them."""
    model = compiled.compile(plant())
    asked = compiled.inputs(model, MEMBERS)
    for member in range(MEMBERS):
        for i in range(1, 5):
            asked = put(model, asked, f"rack-{i:02d}", "utilisation", 0.6 + 0.15 * member + 0.02 * i, member)
        asked = put(model, asked, "site", "dry_bulb", 293.15 + 5.0 * member, member)
        asked = put(model, asked, "gen-1", "start_delay", 8.0 + 2.0 * member, member)
    return asked, settle(model, asked, MEMBERS)


def drill(asked, now):
    """Every array of State and Outputs in every tick of the drill, and whether each flag ever rose."""
    model = compiled.compile(plant())
    time, kept, rose = 0.0, [], set()
    for tick in range(TICKS):
        for when, *event in EVENTS:
            if when == tick:
                asked = put(model, asked, *event)
        dt = 0.01 if tick in SHORT else 1.0
        now = step(model, now, asked, time, dt)
        time += dt
        kept.append({f"{name}": getattr(now, name) for name in ("voltage", "pressure", "headers", "stored")})
        for table in model.tables:
            for row in (now.rows[table.key], now.outputs[table.key]):
                for name, values in vars(row).items():
                    kept[-1][f"{table.key}.{name}"] = values
                    if name.endswith("_at") and values.any():
                        rose.add(f"{table.key}.{name}")
    return kept, rose


def as_on_a_device(mask):
    """What `worth_doing` says on a device: nobody can look at an array, so all of it is worth doing."""
    return True if isinstance(mask, np.ndarray) else bool(mask)


@pytest.fixture(scope="module")
def skipping():
    asked, now = beginning()
    return asked, now, *drill(asked, now)


def test_what_is_skipped_equals_what_is_computed(skipping, monkeypatch):
    asked, now, skipped, rose = skipping
    assert {"ats.on_alternate_at", "generator.closed_at", "ups.on_battery_at", "rack.unpowered_at"} <= rose
    assert {f"{kind}.tripped_at" for kind in ("pump", "chiller", "dry_cooler", "fan_wall")} <= rose
    modules = [each for name, each in list(sys.modules.items()) if name.startswith("twin.")]
    for module in modules:
        if hasattr(module, "worth_doing"):
            monkeypatch.setattr(module, "worth_doing", as_on_a_device)
    computed, _ = drill(asked, now)
    for tick, (one, other) in enumerate(zip(skipped, computed, strict=True)):
        differ = [name for name in one if one[name].tobytes() != other[name].tobytes()]
        assert differ == [], f"in tick {tick}"


def test_what_is_skipped_has_the_shape_of_what_is_computed(skipping):
    """Outputs and State are (member, unit) whatever is left out; the trace relies on it."""
    _, now, kept, _ = skipping
    for tick in kept:
        for name, values in tick.items():
            assert not nothing(values), name
            assert values.shape == kept[0][name].shape, name
    assert {values.shape[0] for name, values in kept[0].items() if "." in name} == {MEMBERS}
    assert now.voltage.shape[0] == MEMBERS


def test_a_tick_is_a_function_of_its_arguments(skipping):
    """What is remembered between ticks (`Equipment.once`) is remembered for the same arrays alone."""
    asked, now, kept, _ = skipping
    model = compiled.compile(plant())
    other = put(model, asked, "rack-01", "utilisation", 0.1, None)
    first = step(model, now, asked, 0.0, 1.0)
    between = step(model, now, other, 0.0, 1.0)
    again = step(model, now, asked, 0.0, 1.0)
    np.testing.assert_array_equal(first.rows["rack"].die_temperature, again.rows["rack"].die_temperature)
    assert (between.outputs["rack"].power[:, 0] < 0.5 * first.outputs["rack"].power[:, 0]).all()
    assert kept[0]["rack.die_temperature"].tobytes() == first.rows["rack"].die_temperature.tobytes()
