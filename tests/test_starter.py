"""The starter room: four air-cooled racks hold with one of each gone, heat up as two masses foretell, and work."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.small_plants import AIR_RACK, SERVICE, add, air_cooled, chain
from twin.assets import drills_folder, scenarios_folder
from twin.declare import replace
from twin.model import Model, State, compile, inputs
from twin.physics.fluids import ROOM_AIR
from twin.plant import Plant
from twin.scenario import read_plant
from twin.simulation import settle
from twin.step import step

HOT = 44 + 273.15


@cache
def starter() -> Model:
    return compile(read_plant(scenarios_folder() / "plants" / "starter.yaml"))


def settled(*lost: str, outdoors: float = HOT) -> tuple[Model, dict[str, Any], State]:
    """At full work, with units out of service."""
    model = starter()
    asked = inputs(model)
    asked["site"] = replace(asked["site"], dry_bulb=asked["site"].dry_bulb * 0 + outdoors)
    asked["air_rack"] = replace(asked["air_rack"], utilisation=asked["air_rack"].utilisation * 0 + 1.0)
    for name in lost:
        key, row = model.seats[name]
        service = asked[key].in_service.copy()
        service[:, row] = 0.0
        asked[key] = replace(asked[key], in_service=service)
    return model, asked, settle(model, asked)


@pytest.mark.parametrize("lost", [(), ("crah-2",), ("chiller-1",), ("pump-3",), ("ups-1",), ("feeder-b",)])
def test_it_holds_at_full_work_in_44_degrees_with_one_of_each_gone(lost: tuple[str, ...]) -> None:
    _, _, now = settled(*lost)
    assert 15 < now.rows["zone"].temperature[0, 0] - 273.15 < 27, "ASHRAE recommends 18 to 27 degC"
    assert now.rows["air_rack"].throttled.max() == now.rows["air_rack"].unpowered.max() == 0
    assert now.outputs["air_rack"].load_fraction.max() < 1
    assert now.outputs["ups"].load_fraction.max() < 1
    assert 65 < now.rows["air_rack"].die_temperature.max() - 273.15 < 80


def test_a_rack_takes_what_four_systems_take() -> None:
    """10.2 kW each at most with fans at full speed; 8.4 kW were measured in training."""
    _, _, now = settled()
    taken = (now.outputs["air_rack"].power + now.outputs["air_rack"].loss)[0, 0] / 4
    assert 8.4e3 < taken < 10.2e3
    machine = starter().table("air_rack").machine
    full = float(np.ravel(machine.rated_power + machine.shelf_loss(machine.rated_power))[0])
    assert full / 4 == pytest.approx(10.2e3, rel=0.005)


def test_seconds_from_lost_cooling_to_throttling_against_another_way_to_reckon_them() -> None:
    """Utility lost: room air, its mass, sinks and dies as four masses integrated by scipy, fans as their curve."""
    from scipy.integrate import solve_ivp

    model, asked, now = settled(outdoors=303.15)
    rack, room = model.table("air_rack").machine, model.table("zone").machine
    asked["utility"] = replace(asked["utility"], in_service=asked["utility"].in_service * 0.0)
    zone, dies = now.rows["zone"], now.rows["air_rack"]
    start = [zone.temperature[0, 0], zone.mass_temperature[0, 0], dies.die_temperature[0, 0],
             dies.sink_temperature[0, 0], dies.fan_speed[0, 0]]  # fmt: skip
    p = {name: float(np.ravel(getattr(rack, name))[0]) for name in AIR_RACK if hasattr(rack, name)}
    least, rated = float(np.ravel(rack._least)[0]), p["rated_power"] * p["gpu_power_share"]
    fans = p["fan_share"] * (p["rated_power"] - rated)
    beside = (p["rated_power"] - rated) - fans
    C_air, C_mass, G_mass = (float(np.ravel(x)[0]) for x in
                             (room.volume * ROOM_AIR, room.mass_heat_capacity, room.mass_conductance))  # fmt: skip
    ups = now.outputs["ups"].loss[0, 0] * 1.6 + 100.0  # carries all four racks now, with a board's losses

    def rates(t: float, x: np.ndarray) -> list[float]:
        air, mass, die, sink, speed = x
        C = p["air_flow"] * ROOM_AIR * (0.03 + 0.97 * speed)
        UA = p["gpu_count"] / p["sink_resistance"] * (0.03 + 0.97 * speed**0.8)
        K, G = C * -np.expm1(-UA / C), p["gpu_count"] / p["die_resistance"]
        gpus = min(least + (rated - least) * (1 + 0.003 * (die - 341.15)), p["rated_power"] - fans - beside)
        other = beside + fans * speed**3
        losses = 0.042 * (gpus + other)
        into_air = 4 * (K * (sink - air) + other + losses) + ups + 1.5e3 - G_mass * (air - mass)
        wanted = 0.3 + 0.7 * min(max((die - 323.15) / 28.0, 0.0), 1.0)
        return [
            into_air / C_air, G_mass * (air - mass) / C_mass, (gpus - G * (die - sink)) / (32 * 100.0),
            (G * (die - sink) - K * (sink - air)) / (32 * 900.0), (wanted - speed) / 5.0,
        ]  # fmt: skip

    def hot(t: float, x: np.ndarray) -> float:
        return float(x[2] - 360.15)

    hot.terminal = True  # type: ignore[attr-defined]
    foretold = solve_ivp(rates, (0.0, 600.0), start, events=hot, rtol=1e-8, max_step=1.0).t_events[0][0]
    tick = 0
    while not now.rows["air_rack"].throttled.any():
        now = step(model, now, asked, tick * 0.5, 0.5)
        tick += 1
    seconds = float(now.rows["air_rack"].throttled_at.max())
    assert seconds == pytest.approx(foretold, rel=0.03)
    assert 60 < seconds < 180


def serving(plant: Plant) -> Plant:
    """The plant with a service on its first rack and a job on its second and third."""
    for job in [unit.name for unit in plant.of_kind("job")]:  # those of the small plant make room
        del plant.units[job], plant.pools[job], plant.stores[job]
    add(plant, "pool", "pool")
    add(plant, "train", "job", step_time=4.0, exposed_communication=0.0)
    add(plant, "answers", "service", **SERVICE)
    plant.pools |= {"pool": ["rack-1"], "train": ["rack-2", "rack-3"]}
    plant.served["answers"] = {"prefill": ["pool"], "decode": ["pool"]}
    return plant


@pytest.mark.parametrize(("kind", "make"), [("rack", chain), ("air_rack", air_cooled)])
def test_services_and_jobs_work_on_air_racks_as_on_liquid_ones(kind: str, make: Callable[[], Plant]) -> None:
    """More is asked than one rack can: its GPUs write what their clocks allow; a gang stops with one of its racks."""
    model = compile(serving(make()))
    asked = inputs(model)
    asked["service"] = replace(asked["service"], request_rate=asked["service"].request_rate * 0 + 1e4)
    now = settle(model, asked)
    for tick in range(60):
        now = step(model, now, asked, float(tick), 1.0)
    answers, train = (model.table(key).names.index(name) for key, name in (("service", "answers"), ("job", "train")))
    racks, out = model.table(kind).machine, now.outputs[kind]
    gpus = float(np.ravel(racks.gpu_count)[0])  # type: ignore[attr-defined]
    speeds = out.prefill_speed[0, 0], out.decode_speed[0, 0]
    requests = gpus / (1000 / (SERVICE["prefill_rate"] * speeds[0]) + 250 / (SERVICE["decode_rate"] * speeds[1]))
    assert now.outputs["service"].answer_rate[0, answers] == pytest.approx(250 * requests, rel=0.02)
    assert now.rows["job"].steps[0, train] == pytest.approx(out.training_speed[0, 1] * 60 / 4, rel=0.01)
    service = asked[kind].in_service.copy()
    service[0, 2] = 0.0
    asked[kind] = replace(asked[kind], in_service=service)
    for tick in range(60, 63):
        now = step(model, now, asked, float(tick), 1.0)
    assert now.rows["job"].stopped[0, train] == 1
    assert now.outputs["service"].answer_rate[0, answers] > 0


@pytest.mark.parametrize("name", ["air-cooling-lost", "storage-controller-lost"])
def test_its_drills_have_a_report_of_their_own(name: str, tmp_path: Path) -> None:
    """Nothing in the page asks an air-cooled rack for its coolant, and the ladder foresees what the room is worth."""
    from twin.report import report
    from twin.studies.drill import run

    drill = run(drills_folder() / f"{name}.yaml", output=tmp_path / "drill.h5", device="cpu")
    page = report(drill.trace, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "dies and heat sinks of racks, fans standing" in page
    assert "air of rooms" in page
