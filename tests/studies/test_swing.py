"""Swing: the closed form against a load that swings, tick by tick."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from twin.declare import Ports, quantities
from twin.equipment.generator import Generator
from twin.studies.swing import USUAL, swing_check

SET = Generator(rated_power=3e6, fuel_tank=40, full_load_fuel=2e-4, idle_fuel=2e-5, voltage_dip_limit=0.9)


def swinging(at, swing, dt=0.01, mean=0.6, tangent=0.0):
    """Amplitudes of frequency [Hz] and voltage [1] of a closed set under a sinusoid, seen over whole periods."""
    rest = {name: q.default for name, q in quantities(Generator.State).items()}
    rest |= {
        "fuel": 40.0, "run_for": 100.0, "ready": 1.0, "running": 1.0, "closed": 1.0, "asked_for": 100.0,
        "engine_speed": 1.0, "engine_power": mean, "fuel_setting": mean, "settled_load": mean * 3e6,
        "carried_load": mean * 3e6,
    }  # fmt: skip
    s = Generator.State(**{name: np.zeros((1, 1)) + value for name, value in rest.items()})
    u = Generator.Inputs(**{n: np.zeros((1, 1)) + q.default for n, q in quantities(Generator.Inputs).items()})
    seen = []
    times = np.arange(0, 8 + 4 / at, dt)
    for now in times:
        port = Ports(now=now, served_voltage=np.ones((1, 1)))
        port.signal = {"start": np.zeros((1, 1)) + 100.0 + now}
        supply = SET.live(s, u, port, dt)
        port.voltage, port.gap = supply.voltage, supply.gap
        port.drive = SET.actuate(s, u, port, dt)
        load = np.zeros((1, 1)) + (mean + swing * np.sin(2 * np.pi * at * (now + dt / 2))) * 3e6
        port.load, port.load_reactive = load, load * tangent
        s, out = SET.advance(s, u, port, dt)
        seen.append((float(out.frequency[0, 0]), float(s.terminal_voltage[0, 0])))
    late = times >= 8
    wave = np.exp(-2j * np.pi * at * times[late])
    values = np.array(seen)[late] - np.mean(np.array(seen)[late], axis=0)
    return SimpleNamespace(
        frequency=abs(2 * np.mean(values[:, 0] * wave)), voltage=abs(2 * np.mean(values[:, 1] * wave))
    )


@pytest.mark.parametrize("at", [0.2, 0.5, 1.0, 2.0])
def test_the_closed_form_is_what_a_simulated_sinusoid_does(at):
    tangent = (1 / 0.98**2 - 1) ** 0.5
    (told,) = swing_check(SET, 0.05 * 3e6, [at])
    seen = swinging(at, 0.05, tangent=tangent)
    assert told.frequency == pytest.approx(seen.frequency, rel=0.03)
    assert told.voltage == pytest.approx(seen.voltage, rel=0.06)


def test_the_worst_swing_lies_at_the_governors_own_frequency():
    """Below it the governor follows, above it the rotor bears the swing: |G| falls as 1/(2H w)."""
    answers = swing_check(SET, 0.3 * 3e6)
    worst = max(answers, key=lambda each: each.frequency)
    assert 0.7 <= worst.at <= 1.5
    assert not worst.within
    fast = swing_check(SET, 0.3 * 3e6, [20.0])[0]
    assert fast.frequency == pytest.approx(60 * 0.3 / (2 * np.pi * 20 * 2), rel=0.01)
    assert [each.at for each in answers] == list(USUAL)
    assert all(each.within for each in swing_check(SET, 3e3))
    assert set(worst.to_json()) == {"at", "frequency", "voltage", "within"}
