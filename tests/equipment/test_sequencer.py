"""Sequencer: calls and releases by load with hysteresis, replaces what is lost, rotates, and does not cycle."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import CDU, CHILLER, PUMP, RACK, add, branch
from twin import model as compiled
from twin.declare import MODES, Ports, quantities, replace
from twin.equipment.sequencer import SLOTS, Sequencer
from twin.plant import Loop, Plant, SignalLine
from twin.simulation import settle
from twin.step import step

MW = 1e6


class Bench:
    """A sequencer by itself; loads and losses are told it as its lines would."""

    def __init__(self, dt=1.0, **ratings):
        self.unit = Sequencer(**{"machines": 4.0, "machine_capacity": MW, **ratings})
        self.dt, self.now = dt, 0.0
        self.u = self.unit.Inputs(**{n: np.array([[q.default]]) for n, q in quantities(Sequencer.Inputs).items()})
        fresh = {n: np.zeros((1, 1)) + (q.default or 0.0) for n, q in quantities(Sequencer.State).items()}
        self.s = self.unit.State(**(fresh | {n: np.zeros((1, 1)) + v for n, v in self.unit.rest(self.u).items()}))

    def run(self, seconds, load, short=0.0, lost=(), alive=True):
        """Tick on; what ran at each tick."""
        seen = []
        for _ in range(round(seconds / self.dt)):
            port = Ports(now=self.now, feed_voltage=[np.array([[alive + 0j]])])
            port.gap = np.array([[0.0 if alive else self.dt]])
            port.voltage = np.array([[alive + 0j]])
            port.signal = {name: np.zeros((1, 1)) for name in self.unit.signals}
            port.signal |= {"load": np.array([[load]]), "short": np.array([[short]])}
            port.signal |= {f"lost_{k}": np.array([[1.0]]) for k in lost}
            port.drive = self.unit.actuate(self.s, self.u, port, self.dt)
            port.power = self.unit.demand(self.s, self.u, port, self.dt).real
            self.s, self.out = self.unit.advance(self.s, self.u, port, self.dt)
            self.now += self.dt
            seen.append(tuple(k for k in SLOTS if getattr(self.s, f"calls_{k}")[0, 0]))
        return seen

    @property
    def standing_by(self):
        return tuple(k for k in SLOTS[:4] if getattr(self.out, f"standby_{k}")[0, 0] > 0)


@pytest.mark.parametrize("dt", [10.0, 60.0, 300.0])
def test_it_goes_down_to_what_the_load_wants_and_stays_there(dt):
    """0.8 MW of 1 MW machines: one would be at 80 %, released at 75 %: two run, at any tick, without end."""
    b = Bench(dt)
    seen = b.run(6 * 3600, 0.8 * MW)
    assert seen[-1] == (1, 2)
    assert b.standing_by == (3, 4)
    assert len(set(seen[round(2 * 3600 / dt) :])) == 1


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
def test_one_more_is_called_after_its_delay(dt):
    b = Bench(dt)
    b.dt = 300.0
    b.run(4 * 3600, 0.5 * MW)
    b.dt = dt
    assert b.run(600, 0.5 * MW)[-1] == (1,)
    seen = b.run(600, 0.95 * MW)
    called = next(k for k, who in enumerate(seen, 1) if who == (1, 2)) * dt
    assert 120 <= called <= 120 + dt + 300 * (dt >= 300)


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
@pytest.mark.parametrize("load", [0.76, 0.91, 1.49, 1.81, 2.26])
def test_no_steady_load_makes_it_cycle(dt, load):
    b = Bench(300.0)
    b.run(8 * 3600, load * MW)
    b.dt = dt
    assert len(set(b.run(min(8 * 3600, 1800 * dt), load * MW))) == 1


def test_a_lost_machine_is_replaced_at_once_and_does_not_come_back_by_itself():
    b = Bench(300.0)
    b.run(4 * 3600, 1.4 * MW)
    b.dt = 1.0
    assert b.run(1, 1.4 * MW) == [(1, 2)]
    assert b.run(1, 1.4 * MW, lost=(2,)) == [(1, 3)]
    assert b.run(60, 1.4 * MW, lost=(2,))[-1] == (1, 3)
    b.dt = 60.0
    assert b.run(3600, 1.4 * MW)[-1] == (1, 3)
    assert b.s.short_of_machines[0, 0] == 0
    assert b.run(60, 1.4 * MW, lost=(1, 2, 4)) == [(3,)]
    assert b.s.short_of_machines[0, 0] == 1


def test_machines_at_their_limit_call_another_and_it_remembers_what_they_gave():
    """On a hot day two give 1.5 MW instead of 2: a third is called, and not released for 1.4 MW would overload two."""
    b = Bench(300.0)
    b.run(4 * 3600, 1.4 * MW)
    b.dt = 10.0
    b.run(200, 1.5 * MW, short=150.0)
    assert b.run(10, 1.6 * MW)[-1] == (1, 2, 3)
    b.dt = 60.0
    assert b.run(3600, 1.4 * MW)[-1] == (1, 2, 3)
    assert b.run(24 * 3600, 1.4 * MW)[-1] == (1, 2), "half a day later it tries again"


def test_the_lead_goes_round_with_an_overlap():
    b = Bench(100.0, rotation_period=86400.0)
    b.run(20 * 3600, 1.4 * MW)
    seen = b.run(3 * 86400, 1.4 * MW)
    order = [who for k, who in enumerate(seen) if k == 0 or who != seen[k - 1]]
    assert order == [(1, 2), (1, 2, 3), (2, 3), (2, 3, 4), (3, 4), (1, 3, 4), (1, 4)]


def test_without_supply_it_commands_nothing_and_it_boots_before_it_does_again():
    b = Bench(300.0)
    b.run(4 * 3600, 0.5 * MW)
    assert b.standing_by == (2, 3, 4)
    b.dt = 1.0
    b.run(5, 0.5 * MW, alive=False)
    assert (b.standing_by, b.out.power[0, 0]) == ((), 0.0)
    b.run(59, 0.5 * MW)
    assert b.standing_by == ()
    b.run(2, 0.5 * MW)
    assert b.standing_by == (2, 3, 4)


def test_by_hand_it_wants_what_it_is_told():
    b = Bench()
    b.u = replace(b.u, mode=np.array([[MODES["hand"]]]), hand_count=np.array([[3.0]]))
    assert b.run(10, 0.0)[-1] == (1, 2, 3)


@pytest.mark.parametrize(
    ("ratings", "said"),
    [({"machines": 2.5}, "whole number"), ({"release_at": 0.9}, "without end"), ({"fewest": 5.0}, "at most as many")],
)
def test_ratings_that_make_no_sense_are_told(ratings, said):
    (fault,) = Sequencer(**{"machines": 4.0, "machine_capacity": MW, **ratings}).faults(1)
    assert said in fault


def staged(trains=3):
    """Eight racks behind a CDU; three trains of pump and chiller, of which two carry it, staged as trains."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=6e6)
    add(plant, "board", "bus", ("utility",))
    for i in range(1, 9):
        add(plant, f"rack-{i}", "rack", ("board",), **{**RACK, "air_fraction": 0.0})
    add(plant, "cdu", "cdu", ("board",), **{**CDU, "facility_flow": 0.03})
    slim = {"cooling_capacity": 0.65e6, "nominal_flow": 0.018, "isolation_stroke": 20.0, "restart_delay": 60.0}
    for i in range(1, trains + 1):
        add(plant, f"pump-{i}", "pump", ("board",), **{**PUMP, "nominal_flow": 0.018, "restart_delay": 20.0})
        add(plant, f"chiller-{i}", "chiller", ("board",), **{**CHILLER, **slim, "ramp_time": 60.0})
        plant.add_signal(SignalLine(f"chiller-{i}", "heat", "staging", "load"))
        plant.add_signal(SignalLine(f"chiller-{i}", "limited_for", "staging", "short"))
        plant.add_signal(SignalLine(f"chiller-{i}", "lost_for", "staging", f"lost_{i}"))
        for name in ("pump", "chiller"):
            plant.add_signal(SignalLine("staging", f"standby_{i}", f"{name}-{i}", "standby"))
    add(plant, "staging", "sequencer", ("board",), machines=trains, machine_capacity=0.65e6)
    add(plant, "tank", "tank", volume=6, useful_temperature=300)
    branches = [branch(f"pump-{i}", f"chiller-{i}") for i in range(1, trains + 1)]
    plant.add_loop(Loop("facility", "water", branches, [branch("cdu.facility")], "tank"))
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], [branch(f"rack-{i}") for i in range(1, 9)]))
    assert not [fault for fault in plant.faults() if not fault.warning]
    return plant


@pytest.mark.parametrize("dt", [10.0, 60.0, 300.0])
def test_a_chiller_trips_the_standby_starts_and_the_supply_comes_back(dt):
    model = compiled.compile(staged())
    asked = compiled.inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + 0.8)
    state, now = settle(model, asked), 0.0
    assert [float(x) for x in state.outputs["chiller"].heat[0] > 1e3] == [1, 1, 0]
    before = float(state.rows["tank"].temperature[0, 0])
    tripped = asked["chiller"].in_service.copy()
    tripped[:, 0] = 0.0
    asked["chiller"] = replace(asked["chiller"], in_service=tripped)
    warmest, worst = before, 0.0
    while now < 3600:
        state = step(model, state, asked, now, dt)
        now += dt
        warmest = max(warmest, float(state.rows["tank"].temperature[0, 0]))
        worst = max(worst, float(state.outputs["site"].energy_residual.max()))
    heat, flow = state.outputs["chiller"].heat[0], state.outputs["chiller"].flow[0]
    assert [float(x) for x in heat > 1e3] == [0, 1, 1]
    assert flow[0] < 1e-4 * flow[1], "no warm water passes the one that tripped"
    assert before + 0.3 < warmest < before + 12.0
    assert float(state.rows["tank"].temperature[0, 0]) == pytest.approx(before, abs=0.3)
    assert worst < 1e-9
