"""Random states of a loop: pumps on, off and coasting, valves open, throttled and shut, check valves, wild guesses."""

from __future__ import annotations

import numpy as np

from tests.small_plants import CDU, PUMP, RACK, add, branch
from twin.networks.coolant import CoolantNetwork, Resistances, compile_coolant
from twin.networks.tables import compile_tables
from twin.physics.hydraulic import CHECK_LEAK, VALVE_LEAK
from twin.plant import Loop, Plant


def two_loops(pumps: int = 3, cdus: int = 2, racks: int = 5, fluid: str = "water") -> Plant:
    """Pumps to CDUs, CDUs to racks: two loops that exchange heat."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e8)
    add(plant, "board", "bus", ("utility",))
    for i in range(pumps):
        add(plant, f"pump-{i}", "pump", ("board",), **PUMP)
    for i in range(cdus):
        add(plant, f"cdu-{i}", "cdu", ("board",), **CDU)
    for i in range(racks):
        add(plant, f"rack-{i}", "rack", ("board",), **{**RACK, "air_fraction": 0.0})
    facility = [branch(f"cdu-{i}.facility") for i in range(cdus)]
    plant.add_loop(Loop("facility", fluid, [branch(f"pump-{i}") for i in range(pumps)], facility))
    technology = [branch(f"cdu-{i}.technology") for i in range(cdus)]
    plant.add_loop(Loop("technology", "pg25", technology, [branch(f"rack-{i}") for i in range(racks)]))
    return plant


def coolant_of(plant: Plant) -> CoolantNetwork:
    return compile_coolant(plant, compile_tables(plant, np), np)


def random_states(net: CoolantNetwork, count: int, seed: int) -> tuple[Resistances, np.ndarray]:
    """Resistances of `count` states (one a member) and a first guess for each, however wrong."""
    random = np.random.default_rng(seed)
    shape = (count, net.branch_count)
    is_plant = np.broadcast_to(net.sign > 0, shape)
    nominal = 10.0 ** random.uniform(-3, -1, shape)
    loss = 10.0 ** random.uniform(4, 5.5, shape)
    laminar_share = random.choice([1e-6, 0.02, 0.1, 1.0], shape)
    laminar, turbulent = laminar_share * loss / nominal, (1 - laminar_share) * loss / nominal**2
    opening = np.where(random.random(shape) < 0.5, 1.0, random.random(shape))
    opening = np.where(random.random(shape) < 0.15, VALVE_LEAK, opening)
    all_shut = random.random((count, 1)) < 0.05
    opening = np.where(all_shut & ~is_plant, VALVE_LEAK, np.maximum(opening, VALVE_LEAK))
    speed = random.choice([0.0, 1e-4, 0.01, 0.3, 0.9, 1.0, 1.2], shape)
    all_off = random.random((count, 1)) < 0.1
    head = np.where(is_plant & ~all_off, speed**2 * 10.0 ** random.uniform(4.5, 6.0, shape), 0.0)
    booster = (random.random(shape) < 0.1) & ~is_plant & ~all_off
    head = np.where(booster, speed**2 * 2e5, head)
    check = np.where(random.random(shape) < 0.7, is_plant | booster, 0.0)
    stiff = 1.0 + check * (1.0 / CHECK_LEAK - 1.0)
    factor = 1.0 / opening**2
    guess = random.choice([-1.0, 1.0], (count, len(net.loops))) * 10.0 ** random.uniform(-3, 9, (count, len(net.loops)))
    return Resistances(head, laminar * factor, turbulent * factor, stiff), guess
