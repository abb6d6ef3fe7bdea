"""A UPS that counts sags, through a whole plant: who starts generators, who comes back by hand, who loses the load."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import UPS, pod
from twin import model as compiled
from twin.declare import replace
from twin.ledger import LIMIT
from twin.plant import SignalLine
from twin.simulation import settle
from twin.step import step

MOMENTS = (10.0, 25.0, 40.0)
"""When the voltage sags to 30 % for 60 ms, told in ticks of 20 ms; the third one locks."""


def plant(heard):
    """A pod whose UPS count sags; where `heard`, they tell the switch, and that tells them of the generators."""
    made = pod(4)
    made.units["ats-1"].parameters["retransfer_delay"] = 20.0
    for i in (1, 2):
        made.units[f"ups-{i}"].parameters["battery_energy"] = UPS["rated_power"] * 20.0
        made.units[f"ups-{i}"].settings["sag_logic"] = 1.0
        if heard:
            made.add_signal(SignalLine(f"ups-{i}", "start_request", "ats-1", "transfer"))
            made.add_signal(SignalLine("ats-1", "alternate_time", f"ups-{i}", "on_generator"))
    return made


def run(heard, until, reset_at=None):
    """State at the end, and the power taken from the utility in every tick."""
    model = compiled.compile(plant(heard))
    asked = compiled.inputs(model)
    s, now, taken = settle(model, asked), 0.0, []
    while now < until - 1e-9:
        near = any(moment <= now + 1e-9 < moment + 0.2 for moment in MOMENTS)
        sags = any(moment <= now + 1e-9 < moment + 0.059 for moment in MOMENTS)
        tick = 0.02 if near else min([1.0, *(m - now for m in MOMENTS if m > now + 1e-9)])
        voltage = np.full((1, 1), 0.3 if sags else 1.0)
        asked = asked | {"utility": replace(asked["utility"], voltage=voltage)}
        if reset_at is not None and now >= reset_at:
            asked = asked | {"ups": replace(asked["ups"], reset=np.ones((1, 2)))}
        s = step(model, s, asked, now, tick)
        assert float(s.outputs["site"].energy_residual.max()) <= LIMIT
        now += tick
        taken.append((now, float(s.outputs["utility"].power[0, 0])))
    return s, taken


def flag(s, kind, name):
    return float(getattr(s.rows[kind], name).max())


def test_the_lock_starts_the_generators_and_a_reset_brings_the_site_back():
    away, taken = run(heard=True, until=100.0)
    assert away.rows["ups"].locked_at == pytest.approx(40.0)
    assert (flag(away, "ats", "on_alternate"), flag(away, "ups", "on_battery"), flag(away, "rack", "unpowered")) == (
        1,
        0,
        0,
    )
    assert max(power for now, power in taken if now > 70.0) < 5e3, "but for the losses of its transformer"
    back, taken = run(heard=True, until=150.0, reset_at=100.0)
    assert (flag(back, "ups", "locked"), flag(back, "ats", "on_alternate"), flag(back, "rack", "unpowered")) == (
        0,
        0,
        0,
    )
    assert taken[-1][1] > 4e5


def test_a_lock_that_nobody_hears_loses_the_load_with_the_grid_alive():
    lost, taken = run(heard=False, until=200.0)
    assert (flag(lost, "ups", "locked"), flag(lost, "ups", "depleted"), flag(lost, "rack", "unpowered")) == (1, 1, 1)
    assert (flag(lost, "ats", "asking"), flag(lost, "generator", "running")) == (0, 0)
    assert taken[-1][1] > 1e4, "the cooling plant is fed all the while"
