"""Site: its totals are the sums of the units', by hand, in a plant that ticks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.small_plants import pod
from twin import model as compiled
from twin.declare import replace
from twin.equipment.site import Site
from twin.simulation import settle
from twin.step import step


def test_one_site_in_plain_numbers():
    inputs = Site.Inputs()
    assert (inputs.dry_bulb, inputs.wet_bulb, inputs.power_request) == (298.15, 291.15, 1.0)
    assert Site().pace() == {}


@pytest.fixture(scope="module")
def settled():
    model = compiled.compile(pod(4))
    asked = compiled.inputs(model)
    return model, asked, settle(model, asked)


def total(state, model, kind, output):
    return sum(float(getattr(state.outputs[t.key], output).sum()) for t in model.tables if t.kind == kind)


def test_its_totals_are_the_sums_of_the_units(settled):
    model, asked, now = settled
    now = step(model, now, asked, 0.0, 1.0)
    site = {name: float(value[0, 0]) for name, value in vars(now.outputs["site"]).items()}
    supplied = total(now, model, "utility", "power") + total(now, model, "generator", "power")
    work = total(now, model, "rack", "power")
    assert site["power"] == pytest.approx(supplied, rel=1e-12)
    assert site["it_power"] == pytest.approx(work, rel=1e-12)
    assert site["pue"] == pytest.approx(supplied / work, rel=1e-12)
    assert 1.0 < site["pue"] < 2.0
    assert site["energy_residual"] <= 1e-9


def test_at_rest_all_that_is_drawn_goes_to_the_outdoors(settled):
    model, asked, now = settled
    for tick in range(5):
        now = step(model, now, asked, float(tick), 1.0)
    site = now.outputs["site"]
    assert float(site.heat_rejected[0, 0]) == pytest.approx(float(site.power[0, 0]), rel=2e-3)
    left = float((site.power - site.heat_rejected - site.stored_power)[0, 0])
    assert left == pytest.approx(0.0, abs=1e-9 * float(site.power[0, 0]))


def test_without_work_its_pue_is_not_a_number(settled):
    model, asked, now = settled
    asked = asked | {"rack": replace(asked["rack"], in_service=np.zeros_like(asked["rack"].in_service))}
    now = step(model, now, asked, 0.0, 1.0)
    assert math.isnan(float(now.outputs["site"].pue[0, 0]))
    assert float(now.outputs["site"].it_power[0, 0]) == 0
