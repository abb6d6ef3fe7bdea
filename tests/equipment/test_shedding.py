"""Shedding: loads go in the order of their priorities while a generator asks, and stay away until told otherwise."""

import numpy as np
import pytest

from tests.small_plants import GENERATOR, add
from twin import model as compiled
from twin.declare import replace
from twin.equipment.ats import ATS
from twin.equipment.pdu import PDU
from twin.physics.shedding import age_while, drops
from twin.plant import Plant, SignalLine
from twin.step import step


def test_by_hand():
    heard = np.array([0.0, 0.5, 0.0, 0.0, 0.5])
    was = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    reset = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    assert drops(heard, was, reset, 0.0).tolist() == [0, 1, 1, 0, 1], "a reset against a standing request is vain"
    assert drops(heard, was, reset, reset).tolist() == [0, 1, 1, 1, 1], "a reset that merely stands clears nothing"
    quiet = np.zeros(2)
    assert drops(0.0, quiet, 0.0, 0.0) is quiet
    assert age_while(np.array([1.0, 0.0]), np.array([3.0, 3.0]), 0.5).tolist() == [3.5, 0.0]


def test_a_pdu_stays_shed_until_it_is_reset(bench):
    b = bench(PDU(rated_power=2e6))
    live = [(1, 0.0)]
    assert b.tick(1.0, live, load=1e6, shed=0.0).power == 1e6
    answer = b.tick(1.0, live, load=1e6, shed=0.4)
    assert (answer.power, answer.voltage, answer.gap) == (0, 0, 1.0)
    assert (b.is_("load_shed"), b.is_("load_shed_at"), b.is_("dead")) == (1, 1.0, 1)
    assert b.tick(1.0, live, load=1e6, shed=0.0).power == 0
    b.set(reset=1)
    assert b.tick(1.0, live, load=1e6, shed=0.0).power == 1e6
    assert (b.is_("load_shed"), b.is_("load_shed_at")) == (0, 3.0)


def test_an_ats_is_shed_on_its_alternate_feed_alone_and_comes_back_with_normal(bench):
    b = bench(ATS(sense_delay=1.0, transfer_delay=1.0, retransfer_delay=3.0))
    both, lost = [(1, 0.0), (1, 0.0)], [(0, 1.0), (1, 0.0)]
    assert b.tick(1.0, both, load=1e6, shed=5.0).power == 1e6, "on normal it bears nothing of the generators'"
    assert b.is_("load_shed") == 0
    for _ in range(4):
        answer = b.tick(1.0, lost, load=1e6, shed=0.0)
    assert (answer.power, b.is_("on_alternate")) == (1e6, 1)
    answer = b.tick(1.0, lost, load=1e6, shed=0.3)
    assert (answer.power, answer.voltage) == (0, 0)
    assert (b.is_("load_shed"), b.is_("load_shed_at")) == (1, 5.0)
    assert b.tick(1.0, lost, load=1e6, shed=0.0).power == 0
    for _ in range(5):
        answer = b.tick(1.0, both, load=1e6, shed=0.0)
    assert (answer.power, b.is_("load_shed"), b.is_("on_alternate")) == (1e6, 0, 0)


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_loads_go_in_their_order_and_no_more_than_needed(dt):
    plant = Plant()
    strong = {"rated_power": 250e3, "overload_delay": 60, "block_step": 2, "engine_limit": 3}
    add(plant, "gen", "generator", **{**GENERATOR, **strong})
    add(plant, "gbus", "bus", ("gen",))
    for i, delay in enumerate((2.0, 4.0, 6.0)):
        add(plant, f"pdu-{i}", "pdu", ("gbus",), rated_power=2e6, no_load_loss=99e3)
        plant.add_signal(SignalLine("gen", "shed_request", f"pdu-{i}", "shed", delay))
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    asked["generator"] = replace(asked["generator"], mode=asked["generator"].mode * 0 + 2.0)
    s = compiled.state(model, asked)
    for tick in range(round(25 / dt)):
        s = step(model, s, asked, tick * dt, dt)
    assert s.rows["pdu"].load_shed.tolist() == [[1, 0, 0]]
    asks_at = 10.0
    assert s.rows["pdu"].load_shed_at[0, 0] == pytest.approx(asks_at + 2.0, abs=1.1 * dt)
    assert s.outputs["generator"].load_fraction[0, 0] == pytest.approx(198 / 250)
    assert s.rows["generator"].shedding[0, 0] == 0
