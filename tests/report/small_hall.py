"""A small hall and a hand-made trace of it: every moment in it is chosen, so every answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from twin.declare import quantities
from twin.equipment import KINDS
from twin.plant import Element, Loop, Plant, SignalLine, Unit
from twin.trace import Column, Event, Recorder, Trace, open_trace

RACKS = [f"rack-{i}" for i in range(1, 9)]
RATINGS: dict[str, dict[str, float]] = {
    "utility": {"rated_power": 2e6},
    "transformer": {"rated_power": 2e6, "impedance": 0.06, "no_load_loss": 2e3, "load_loss": 15e3},
    "rack": {
        "rated_power": 135e3,
        "throttle_temperature": 361.15,
        "slowdown_temperature": 364.15,
        "shutdown_temperature": 366.15,
        "release_temperature": 351.15,
    },
    "ups": {"rated_power": 1e6, "battery_energy": 360e6, "recharge_power": 1e5},
    "tank": {"volume": 20.0, "useful_temperature": 303.15},
    "generator": {"rated_power": 2e6},
}


def small_plant() -> Plant:
    """Utility and generator, one ATS, two UPS, eight racks on two CDUs, one chiller behind a tank."""
    plant = Plant()
    kinds = {
        "utility-a": "utility", "transformer-a": "transformer", "generator-1": "generator",
        "generator-bus": "bus",
        "ats-a": "ats", "ups-1": "ups", "ups-2": "ups", "pdu-1": "pdu", "pdu-2": "pdu",
        "cdu-1": "cdu", "cdu-2": "cdu", "pump-1": "pump", "chiller-1": "chiller",
        "tank-1": "tank", "hall": "zone",
    }  # fmt: skip
    for name, kind in kinds.items():
        plant.add(Unit(name, kind, dict(RATINGS.get(kind, {}))))
    for name in RACKS:
        plant.add(Unit(name, "rack", dict(RATINGS["rack"]), zone="hall", like="gb300-nvl72"))
    feeds = {
        "transformer-a": ["utility-a"], "generator-bus": ["generator-1"],
        "ats-a": ["transformer-a", "generator-bus"],
        "ups-1": ["ats-a"], "ups-2": ["ats-a"], "pdu-1": ["ups-1"], "pdu-2": ["ups-2"],
        "cdu-1": ["ups-1"], "cdu-2": ["ups-2"], "chiller-1": ["ats-a"], "pump-1": ["ats-a"],
    }  # fmt: skip
    for consumer, sources in feeds.items():
        plant.feed(consumer, sources)
    for name in RACKS:
        plant.feed(name, ["pdu-1", "pdu-2"])
    cold = [[Element("pump-1", ""), Element("chiller-1", "")]]
    plant.add_loop(
        Loop(
            "facility",
            "water",
            cold,
            [[Element("cdu-1", "facility")], [Element("cdu-2", "facility")]],
            "tank-1",
        )
    )
    made = [[Element("cdu-1", "technology")], [Element("cdu-2", "technology")]]
    plant.add_loop(Loop("technology", "pg25", made, [[Element(name, "")] for name in RACKS]))
    plant.add_signal(SignalLine("ats-a", "start_request", "generator-1", "start"))
    return plant


def small_events() -> list[Event]:
    """Utility lost at 60 s, chiller with it; the generator is there at 75.5 s; then the tank warms."""
    told = [
        (60.0, "utility-a", "input:in_service", 0.0),
        (60.0, "utility-a", "lost", 1),
        (60.0, "chiller-1", "stopped", 1),
        (60.0, "pump-1", "stopped", 1),
        (60.0, "ups-1", "on_battery", 1),
        (60.0, "ups-2", "on_battery", 1),
        (63.0, "ats-a", "asking", 1),
        (63.0, "generator-1", "running", 1),
        (73.0, "generator-1", "ready", 1),
        (74.0, "generator-1", "closed", 1),
        (75.0, "ats-a", "on_alternate", 1),
        (75.5, "ups-1", "on_battery", 0),
        (75.5, "ups-2", "on_battery", 0),
        (150.0, "tank-1", "exhausted", 1),
        (180.25, "rack-3", "throttled", 1),
        *((181.0 + 0.1 * i, name, "throttled", 1) for i, name in enumerate(n for n in RACKS if n != "rack-3")),
        (200.5, "rack-3", "slowed", 1),
        (201.75, "rack-3", "shut_down", 1),
        (202.0, "rack-4", "shut_down", 1),
        (300.0, "utility-a", "input:in_service", 1.0),
        (300.0, "utility-a", "lost", 0),
        (330.0, "chiller-1", "stopped", 0),
        (360.0, "tank-1", "exhausted", 0),
        *((400.0, name, "throttled", 0) for name in RACKS if name not in ("rack-3", "rack-4")),
    ]
    return [Event(time, 0, unit, flag, value) for time, unit, flag, value in told]


SCENARIO = """
title: A small hall loses its utility
description: >
  Utility lost at one minute, back at five;
  the chiller restarts late.
run: {duration: 10 min, tick: 1 s}
events:
  - {at: 60 s, fail: utility-a, why: a digger found the cable}
  - {at: 5 min, restore: utility-a}
criteria: ["max(rack.die_temperature) < 88 degC", "no rack.shut_down", "min(ups.state_of_charge) > 20 %"]
"""


def small_data() -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]:
    """Ten minutes, one row a second: times, and kind -> name -> values (time, 1 member, unit)."""
    time = np.arange(0.0, 601.0)
    return time, _electric(time, (time > 60) & (time <= 75)) | _thermal(time)


def write(
    path: Path,
    time: np.ndarray,
    data: dict[str, dict[str, np.ndarray]],
    events: list[Event],
    *,
    plant: Plant | None = None,
    scenario: str = SCENARIO,
    title: str = "A small hall loses its utility",
    finished: bool = True,
) -> Trace:
    """A trace with these values in double precision, opened again."""
    plant = plant or small_plant()
    columns, members = [], 1
    for kind, named in data.items():
        said = quantities(KINDS[kind].Inputs) | quantities(KINDS[kind].State) | quantities(KINDS[kind].Outputs)
        columns += [Column(kind, name, said[name].unit, said[name].doc, "f8") for name in named]
        members = next(iter(named.values())).shape[1]
    recorder = Recorder(
        path,
        columns=columns,
        units={kind: [unit.name for unit in plant.of_kind(kind)] for kind in data},
        members=members,
        plant_json=plant.to_json(),
        scenario_text=scenario,
        provenance={"title": title, "twin_version": "0.1.0", "device": "cpu (numpy)", "seed": 1},
    )
    blocks = {(kind, name): values for kind, named in data.items() for name, values in named.items()}
    recorder.append(time, blocks, sorted(events, key=lambda event: event.time))
    recorder.close({"finished": True} if finished else {})
    return open_trace(path)


def small_trace(path: Path, **changes: Any) -> Trace:
    """The small hall's own trace."""
    time, data = small_data()
    return write(path, time, data, small_events(), **changes)


def _column(values: Any, time: np.ndarray, units: int = 1) -> np.ndarray:
    """(time, 1 member, unit) from values (time,) or (time, unit)."""
    wide = np.broadcast_to(np.asarray(values, dtype=float).reshape(len(time), -1), (len(time), units))
    return np.array(wide)[:, None, :]


def _electric(time: np.ndarray, out: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    work = np.where(time > 202, 0.75e6, np.where(time > 181, 0.9e6, 1.0e6))
    site = np.where(out, 0.0, work * 1.25)
    on_generator = (time > 75) & (time <= 330)
    lost = np.clip(time - 60, 0, 15.5) * work[:1] / 2
    charge = 1.0 - lost / 360e6 + np.clip(time - 80, 0, None) * 0.0
    return {
        "site": {
            "power": _column(site, time),
            "it_power": _column(work, time),
            "heat_rejected": _column(site * 0.98, time),
            "stored_power": _column(site * 0.02, time),
            "energy_residual": _column(np.full(len(time), 1e-13), time),
            "dry_bulb": _column(np.full(len(time), 308.15), time),
        },
        "utility": {"power": _column(np.where(on_generator | out, 0.0, site), time)},
        "generator": {"power": _column(np.where(on_generator, site, 0.0), time)},
        "transformer": {"voltage": _column(np.where(time <= 60, 0.99, np.where(time > 300, 0.99, 0.0)), time)},
        "ups": {
            "energy": _column((charge * 360e6)[:, None], time, 2),
            "state_of_charge": _column(charge[:, None], time, 2),
            "autonomy": _column((charge * 720.0)[:, None], time, 2),
            "load_fraction": _column(np.stack((work / 2e6, work / 2.1e6), axis=1), time, 2),
        },
    }


def _thermal(time: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    warm = np.interp(time, [0, 60, 150, 202, 330, 450, 600], [0, 0, 5, 22, 18, 4, 0])
    spread = np.linspace(0.0, 3.0, 8)[::-1]
    die = 345.15 + warm[:, None] + spread
    return {
        "rack": {
            "die_temperature": _column(die, time, 8),
            "coolant_temperature": _column(die - 20, time, 8),
            "power": _column(np.full(len(time), 125e3), time, 8),
            "flow": _column(np.full(len(time), 0.002), time, 8),
        },
        "cdu": {
            "supply_temperature": _column(313.15 + warm[:, None], time, 2),
            "flow": _column(np.full(len(time), 0.01), time, 2),
        },
        "pump": {"flow": _column(np.where((time > 62) & (time < 80), 0.0, 0.02), time)},
        "chiller": {
            "leaving_temperature": _column(295.15 + warm, time),
            "flow": _column(np.full(len(time), 0.02), time),
        },
        "tank": {"temperature": _column(295.15 + warm * 0.9, time)},
        "zone": {"temperature": _column(300.15 + warm * 0.3, time)},
    }
