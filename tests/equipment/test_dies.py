"""Dies of a rack, each a mass of its own: steady state by hand, against an ODE, limits, seeds, and the trace."""

from __future__ import annotations

import numpy as np
import pytest
import xarray
from scipy.integrate import solve_ivp

from tests.small_plants import RACK, chain
from twin.declare import replace
from twin.equipment.rack import Rack
from twin.model import compile, inputs
from twin.plant import Plant
from twin.scenario import RunSettings, Scenario
from twin.simulation import settle, simulate
from twin.step import step
from twin.trace import open_trace


def plant(**rack: float) -> Plant:
    """The chain of one rack, with other dies."""
    made = chain()
    for unit in made.of_kind("rack"):
        unit.parameters.update(die_spread=0.1, **rack)
    return made


def settled(load: float = 1.0, **rack: float):
    model = compile(plant(**rack))
    asked = inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + load)
    return model, asked, settle(model, asked)


def lost(asked):
    """The chain without technology flow."""
    gone = dict.fromkeys(("duty_pump_failed", "standby_pump_failed"), asked["cdu"].duty_pump_failed * 0.0 + 1.0)
    return asked | {"cdu": replace(asked["cdu"], **gone)}


@pytest.mark.parametrize("count", [1, 18, 72])
def test_at_rest_each_die_stands_above_the_plate_by_its_own_resistance_times_its_own_power(count):
    model, _, s = settled(die_groups=count, die_masses=1)
    machine, row = model.table("rack").machine, s.rows["rack"]
    die, mean = row.each_die_temperature[0, 0], row.die_temperature[0, 0]
    least = machine._least[0, 0] / RACK["gpu_count"]
    share = s.outputs["rack"].gpu_power[0, 0] / RACK["gpu_count"]
    leak = machine.leakage[0, 0] * (share - least) / (1 + machine.leakage[0, 0] * (mean - 343.15))
    power = share + leak * (die - mean)
    resistance = machine._resistances[0, 0]
    # second order in the spread: hotter dies have more resistance, so their mean power leaves through a little more
    assert die - row.plate_temperature[0, 0] == pytest.approx(power * resistance, rel=2e-3)
    assert resistance.mean() == pytest.approx(RACK["die_resistance"])
    assert die.mean() == pytest.approx(mean, abs=1e-9)
    assert s.outputs["rack"].hottest_die_temperature[0, 0] == die.max()


@pytest.mark.parametrize(("dt", "near"), [(0.1, 2e-3), (1.0, 0.05)])
def test_after_a_loss_of_flow_each_die_follows_the_differential_equation_of_its_own_mass(dt, near):
    """Eighteen dies on the plate as it went in fine ticks, by scipy; what all differ by is the mean's to say."""
    model, asked, rest = settled(die_groups=18, die_masses=1, leakage=0.0, load=0.5)
    machine, times, plates = model.table("rack").machine, [0.0], [rest.rows["rack"].plate_temperature[0, 0]]
    s = rest
    for k in range(400):
        s = step(model, s, lost(asked), 0.02 * k, 0.02)
        times.append(0.02 * (k + 1))
        plates.append(s.rows["rack"].plate_temperature[0, 0])
    R, C = machine._resistances[0, 0], machine.die_heat_capacity[0, 0]
    share = rest.outputs["rack"].gpu_power[0, 0] / RACK["gpu_count"]
    assert s.outputs["rack"].gpu_power[0, 0] == pytest.approx(share * RACK["gpu_count"]), "nothing throttles"

    def course(t, T):
        return (share - (T - np.interp(t, times, plates)) / R) / C

    start = rest.rows["rack"].each_die_temperature[0, 0]
    wanted = solve_ivp(course, (0, 8.0), start, rtol=1e-9, atol=1e-9, max_step=0.1).y[:, -1]
    s = rest
    for k in range(round(8 / dt)):
        s = step(model, s, lost(asked), k * dt, dt)
    found = s.rows["rack"].each_die_temperature[0, 0]
    assert np.ptp(start) - np.ptp(wanted) > 0.5, "a plate that warms lets the dies come closer"
    assert found - found.mean() == pytest.approx(wanted - wanted.mean(), abs=near)
    assert s.outputs["site"].energy_residual[0, 0] < 1e-11


def test_one_die_followed_alone_is_the_rack_as_its_mean():
    finds = [settled(die_groups=1, die_masses=each)[2] for each in (0, 1)]
    mean, alone = finds[0].rows["rack"].die_temperature, finds[1].rows["rack"].each_die_temperature
    assert (mean == finds[1].rows["rack"].die_temperature).all()
    assert alone[..., 0] == pytest.approx(mean, abs=1e-9)


def test_the_finer_the_dies_the_sooner_the_hottest_throttles_the_rack():
    moments = []
    for count in (1, 18, 72):
        model, asked, s = settled(die_groups=count, die_masses=1)
        for k in range(300):
            s = step(model, s, lost(asked), 0.1 * k, 0.1)
            if s.rows["rack"].throttled[0, 0]:
                break
        moments.append(float(s.rows["rack"].throttled_at[0, 0]))
        limit = RACK["throttle_temperature"]
        assert s.outputs["rack"].hottest_die_temperature[0, 0] == pytest.approx(limit, abs=0.6)
    assert moments[0] > moments[1] > moments[2] > 1.0


def test_the_spread_is_seeded_by_name_and_seed_and_keeps_its_mean():
    def drawn(seed, *names):
        machine = Rack(**{name: np.array([[value] * len(names)]) for name, value in (
            RACK | {"die_groups": 72, "die_masses": 1, "die_spread": 0.1, "die_seed": seed}).items()})  # fmt: skip
        machine.names = names
        return machine._resistances

    one = drawn(1, "rack-01", "rack-02")
    assert (one == drawn(1, "rack-01", "rack-02")).all()
    assert (one[0, 1] == drawn(1, "rack-02")[0, 0]).all(), "whoever stands beside it"
    assert not (one[0, 0] == one[0, 1]).any()
    assert not (one[0, 0] == drawn(2, "rack-01")[0, 0]).any()
    assert one.mean(axis=2) == pytest.approx(RACK["die_resistance"])
    assert one[0].std(axis=1) / RACK["die_resistance"] == pytest.approx(0.1, rel=0.25)


def test_a_trace_holds_each_die_by_name_and_a_member_is_itself_alone(tmp_path):
    made = plant(die_groups=18, die_masses=1)
    racks = [unit.name for unit in made.of_kind("rack")]
    results = []
    for members in (1, 3):
        asked = Scenario("dies", "", made, RunSettings(20.0, 1.0, members=members), text="dies")
        results.append(simulate(asked, trace=tmp_path / f"{members}.h5", device="cpu").trace)
    with open_trace(results[0]) as one, open_trace(results[1]) as three:
        assert one.units("die") == [f"{rack}/die-{k + 1:02}" for rack in racks for k in range(18)]
        assert one["die.die_temperature"].values.shape == (21, 1, 18 * len(racks))
        assert (three["die.die_temperature"].values[:, [2]] == one["die.die_temperature"].values).all()
        hottest = one["die.die_temperature"].values.reshape(21, 1, -1, 18).max(axis=3)
        assert (hottest == one["rack.hottest_die_temperature"].values).all()
        assert one[f"{racks[0]}/die-07.die_temperature"].to("degC").values[-1, 0, 0] > 30
    with xarray.open_dataset(results[0], group="die") as seen:
        assert seen["die_temperature"].attrs["units"] == "K"


def test_dies_that_are_followed_are_whole():
    (fault,) = Rack(**{**RACK, "die_groups": 4.5, "die_masses": 1.0}).faults(1)
    assert fault == "die_groups of 4.5 cannot be followed one by one; a whole number is wanted"
