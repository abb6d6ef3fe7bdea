"""Signal: ages and delays in seconds, heard a tick late, acted on at times that do not hang on the tick."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import GENERATOR, TRANSFORMER, add
from twin import model as compiled
from twin.declare import replace
from twin.networks import signal
from twin.plant import Plant, SignalLine
from twin.step import step


def standby(delays=(0.0, 2.5), switches=1) -> Plant:
    """A utility, standby sets on a bus, transfer switches that call them."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "tx", "transformer", ("utility",), **TRANSFORMER)
    for i, _ in enumerate(delays):
        add(plant, f"gen-{i}", "generator", closing_order=i, **GENERATOR)
    add(plant, "gbus", "bus", tuple(f"gen-{i}" for i, _ in enumerate(delays)))
    for k in range(switches):
        add(plant, f"ats-{k}", "ats", ("tx", "gbus"))
        add(plant, f"pdu-{k}", "pdu", (f"ats-{k}",), rated_power=1e6, no_load_loss=20e3)
        for i, delay in enumerate(delays):
            plant.add_signal(SignalLine(f"ats-{k}", "start_request", f"gen-{i}", "start", delay))
    return plant


def heard(plant, ages):
    """What the generators hear when the switches have asked for so many seconds."""
    model = compiled.compile(plant)
    asked = compiled.inputs(model, len(ages))
    now, ports = compiled.state(model, asked, len(ages)), compiled.ports(model)
    now.outputs["ats"] = replace(now.outputs["ats"], start_request=np.array(ages))
    signal.solve(model.signals, ports, now.outputs, len(ages), np)
    return ports["generator"].signal["start"]


def test_a_listener_hears_the_age_less_the_delay_of_its_line():
    assert heard(standby(), [[0.0], [1.0], [4.0]]).tolist() == [[0.0, 0.0], [1.0, 0.0], [4.0, 1.5]]


def test_of_several_lines_the_oldest_counts():
    assert heard(standby((0.0, 1.0), switches=3), [[0.0, 7.0, 2.0]]).tolist() == [[7.0, 6.0]]


def test_a_listener_without_a_line_hears_nothing():
    plant = standby()
    plant.signals = [line for line in plant.signals if line.target == "gen-0"]
    assert heard(plant, [[9.0]]).tolist() == [[9.0, 0.0]]


def test_lines_between_the_same_output_and_input_are_one_wire():
    model = compiled.compile(standby())
    (wire,) = model.signals.wires
    assert (wire.source, wire.output, wire.target, wire.input) == ("ats", "start_request", "generator", "start")
    assert [tuple(pair)[:2] for pair in wire.pairs] == [(0, 0), (0, 1)]


def outage(dt, lost_after=5.0, until=40.0):
    """Moments [s] of an outage: the request, the sets' stages, the transfer."""
    model = compiled.compile(standby())
    asked = compiled.inputs(model)
    now = compiled.state(model, asked)
    for k in range(round(until / dt)):
        gone = k * dt >= lost_after - 1e-9
        asked["utility"] = replace(asked["utility"], in_service=np.array([[0.0 if gone else 1.0]]))
        now = step(model, now, asked, k * dt, dt)
    generator, switch = now.rows["generator"], now.rows["ats"]
    return {
        "asks": float(switch.asking_at[0, 0]),
        "cranks": generator.running_at[0].tolist(),
        "ready": generator.ready_at[0].tolist(),
        "transfers": float(switch.on_alternate_at[0, 0]),
    }


def test_a_request_is_raised_when_its_delay_is_over():
    """Normal dead from 5 s, sensed for 3 s: asked at 8 s; cranking at once or after the line's 2.5 s, ready 10 s on."""
    moments = outage(0.1)
    assert moments["asks"] == pytest.approx(8.0, abs=1e-9)
    assert moments["cranks"] == pytest.approx([8.0, 10.5], abs=1e-9)
    assert moments["ready"] == pytest.approx([18.0, 20.5], abs=1e-9)


@pytest.mark.parametrize("dt", [1.0, 0.5, 0.05])
def test_what_a_signal_sets_off_happens_at_the_same_moment_at_any_tick(dt):
    """It is heard a tick late, but as an age: the listener counts from when it was raised."""
    fine, other = outage(0.1), outage(dt)
    for name in ("asks", "cranks", "ready", "transfers"):
        assert other[name] == pytest.approx(fine[name], abs=1e-6), name


def test_it_is_heard_one_tick_after_it_was_raised():
    """Units read the world as it was: in the tick of the request itself the set still stands."""
    model = compiled.compile(standby())
    asked = compiled.inputs(model)
    now = compiled.state(model, asked)
    asked["utility"] = replace(asked["utility"], in_service=np.array([[0.0]]))
    runs = []
    for k in range(8):
        now = step(model, now, asked, float(k), 1.0)
        runs.append((float(now.rows["ats"].asking[0, 0]), float(now.rows["generator"].running[0, 0])))
    first_asked = next(k for k, (asking, _) in enumerate(runs) if asking)
    first_run = next(k for k, (_, running) in enumerate(runs) if running)
    assert first_run == first_asked + 1
