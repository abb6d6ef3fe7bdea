"""The first state of a run in words: who is under maintenance, what stores hold, and that the books still close."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twin.scenario import read
from twin.simulation import simulate
from twin.trace import open_trace

ROOM = """\
title: A room with a battery
plant:
  units:
    utility-a: {kind: utility, rated_power: 1 MW}
    ups-1..2: {kind: ups, feeds: utility-a, rated_power: 400 kW, battery_energy: 100 kWh, recharge_power: 20 kW}
    pdu-1: {kind: pdu, feeds: [ups-1, ups-2], rated_power: 400 kW}
    it: {kind: load, feeds: pdu-1, rated_power: 100 kW, zone: hall}
    hall: {kind: zone, volume: 800 m^3, mass_heat_capacity: 3 MJ/K}
    crah: {kind: fan_wall, feeds: pdu-1, zone: hall, fan_power: 5 kW, air_flow: 20 m^3/s, coil_conductance: 30 kW/K,
           nominal_flow: 400 L/min, nominal_pressure_drop: 30 kPa}
    pump-1: {kind: pump, feeds: utility-a, nominal_flow: 400 L/min, nominal_head: 200 kPa, shutoff_head: 250 kPa,
             efficiency: 60 %}
    dry-1: {kind: dry_cooler, feeds: utility-a, coil_conductance: 40 kW/K, air_flow: 40 m^3/s, fan_power: 10 kW,
            nominal_flow: 400 L/min, nominal_pressure_drop: 60 kPa}
    tank-1: {kind: tank, volume: 2 m^3, useful_temperature: 45 degC}
  coolant:
    room: {fluid: pg25, plant: [[pump-1, dry-1]], storage: tank-1, loads: [crah]}
run: {duration: 60 s, tick: 1 s}
weather: {dry_bulb: 25 degC, relative_humidity: 40 %}
"""


def ran(tmp_path: Path, more: str):
    path = tmp_path / "room.yaml"
    path.write_text(ROOM + more, encoding="utf-8")
    result = simulate(read(path), trace=tmp_path / "room.h5", device="cpu")
    return result, open_trace(tmp_path / "room.h5")


def test_stores_begin_where_it_is_said_and_the_energy_balance_closes(tmp_path):
    result, trace = ran(
        tmp_path,
        "start: {ups-1.state_of_charge: 60 %, tank-1.temperature: 12 degC, hall.temperature: 31 degC}\n",
    )
    assert result.energy_residual < 1e-11
    energy = np.asarray(trace["ups.energy"].values)[0, 0]
    assert energy[0] == pytest.approx(0.6 * energy[1])
    charge = np.asarray(trace["ups.state_of_charge"].values)[:, 0]
    assert charge[0] == pytest.approx([0.6, 1.0], abs=1e-7), "and says so: nothing has been charged yet"
    assert (np.diff(charge[:, 0]) > 0).all()
    assert np.asarray(trace["tank.temperature"].values)[0, 0, 0] == pytest.approx(285.15, abs=1e-3)
    hall = np.asarray(trace["zone.temperature"].values)[:, 0, 0]
    assert hall[0] == pytest.approx(304.15, abs=1e-3)
    assert hall[-1] < hall[0]


def test_who_is_under_maintenance_is_locked_out_without_a_fault(tmp_path):
    _, trace = ran(tmp_path, "maintenance: [ups-2]\n")
    carried = np.asarray(trace["ups.power"].values)[:, 0]
    assert (carried[:, 0] > 9e4).all()
    assert (carried[:, 1] == 0).all()
    assert not [event for event in trace.events if event.flag.startswith("input:")]


def test_a_unit_without_a_switch_is_isolated(tmp_path):
    scenario_text = "maintenance: [ups-1, dry-1]\n"
    path = tmp_path / "room.yaml"
    path.write_text(ROOM + scenario_text, encoding="utf-8")
    said = {(change.unit, change.input): change.value for change in read(path).initial}
    assert said["ups-1", "mode"] == 3.0
    assert ("dry-1", "mode") in said or said["dry-1", "in_service"] == 0.0


def test_a_tank_that_begins_cold_is_not_told_to_have_become_so(tmp_path):
    hot = "start: {tank-1.temperature: 12 degC}\ninitial: {dry-1.mode: off}\n"
    _, trace = ran(tmp_path, hot)
    assert 0.0 not in [event.value for event in trace.events if event.flag == "exhausted"], "cold again"
    assert np.asarray(trace["tank.exhausted"].values)[0, 0, 0] == 0
