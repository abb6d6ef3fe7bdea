"""A unit answers alike whoever stands beside it, bit for bit: what saves work at rest changes nothing."""

from dataclasses import fields

import numpy as np
import pytest

from twin.equipment import KINDS

PARAMETERS = {
    "utility": {"rated_power": 12e6},
    "transformer": {"rated_power": 3e6, "impedance": 0.0575, "no_load_loss": 3.6e3, "load_loss": 24e3},
    "bus": {},
    "breaker": {"rated_power": 3e6, "thermal_time_constant": 60.0},
    "generator": {"rated_power": 3e6, "fuel_tank": 40.0, "full_load_fuel": 2.24e-4, "idle_fuel": 2e-5},
    "ats": {"sense_delay": 0.7, "transfer_delay": 0.4, "retransfer_delay": 5.0},
    "ups": {"rated_power": 2e6, "battery_energy": 6e7, "recharge_power": 2e5},
    "pdu": {"rated_power": 2e6, "no_load_loss": 4e3, "load_loss": 16e3},
}
FEEDS = {"transformer": 1, "breaker": 1, "bus": 3, "ats": 2, "ups": 2, "pdu": 2}


def story(kind, dt, seed):
    """A random life of one unit: feeds, load, signal and service, tick by tick."""
    random = np.random.default_rng(seed)
    troubles = [name for name in ("inverter_failed", "battery_failed", "stuck", "fails_to_open") if seed]
    for k in range(60):
        feeds = []
        for _ in range(FEEDS.get(kind, 0)):
            gap = float(random.choice([0.0, 0.0, 0.37 * dt, dt])) if seed else 0.0
            alive = float(random.choice([1.0, 0.98, 0.6])) if seed else 1.01
            feeds.append((0.0 if gap == dt else alive, gap))
        yield {
            "feeds": feeds,
            "load": float(random.uniform(0, 3e6)) + 2e5j,
            "start": max(k * dt - 1.0, 0.0) if seed else 0.0,
            "set": {name: float(random.random() < 0.1) for name in troubles}
            | ({"in_service": float(random.random() < 0.9)} if seed else {}),
        }


def live_through(bench, kind, dt, lives):
    b = bench(KINDS[kind](**PARAMETERS[kind]), count=len(lives))
    known = {field.name for field in fields(b.inputs)}
    history = []
    for at_once in zip(*(story(kind, dt, seed) for seed in lives)):
        for name in known & {name for one in at_once for name in one["set"]}:
            b.set(**{name: [one["set"].get(name, getattr(b.inputs, name)[0, 0]) for one in at_once]})
        feeds = [tuple(zip(*pairs)) for pairs in zip(*(one["feeds"] for one in at_once))]
        b.tick(dt, feeds, load=[one["load"] for one in at_once], start=[one["start"] for one in at_once])
        rows = [(row, field.name) for row in (b.state, b.out) for field in fields(row)]
        history.append({name: np.array(np.broadcast_to(getattr(row, name), (1, b.count))[0]) for row, name in rows})
    assert b.worst < 1e-9
    return history


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.049])
@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_at_rest_alone_and_beside_a_unit_in_trouble(bench, kind, dt):
    alone, beside = live_through(bench, kind, dt, [0]), live_through(bench, kind, dt, [0, 5, 6])
    troubled = live_through(bench, kind, dt, [5])
    for one, three, five in zip(alone, beside, troubled):
        for name in one:
            assert one[name][0] == three[name][0], name
            assert five[name][0] == three[name][1], name
