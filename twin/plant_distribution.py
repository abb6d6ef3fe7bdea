"""Checks of what brings power to the racks: direct current where it is meant, taps, feeds lost, breaking capacity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Fault, a_kind
from twin.plant_electrics import conductors, direct, duties, levels


def direct_current(plant: Any) -> Iterator[Fault]:
    """What stands on direct current says so and takes no reactive power; what does not, does not say so."""
    on = direct(plant)
    for unit in plant.units.values():
        said = unit.parameters.get("direct_current", 0.0)
        knows = "direct_current" in quantities(KINDS[unit.kind])
        if unit.name in on and unit.kind in ("transformer", "ups", "rectifier"):
            yield Fault(unit.where, f"{unit.name} is fed with direct current, which {a_kind(unit.kind)} does not take")
        elif unit.name in on and knows and not said:
            yield Fault(unit.where, f"{unit.name} is fed with direct current; direct_current: 1 is wanted")
        elif unit.name not in on and said:
            text = "says direct_current, but no rectifier feeds it; a rectifier, or direct_current: 0, is wanted"
            yield Fault(unit.where, f"{unit.name} {text}")
        factor = unit.parameters.get("power_factor", 0.99 if KINDS[unit.kind].is_work else 1.0)
        if unit.name in on and KINDS[unit.kind].is_work and factor < 1:
            text = f"is fed with direct current and has a power_factor of {factor:g}; power_factor: 1 is wanted"
            yield Fault(unit.where, f"{unit.name} {text}")


def taps_and_feeds_lost(plant: Any) -> Iterator[Fault]:
    """Warn where a whip, or a busway with another feed lost, carries more than it may."""
    ways = {unit.name: unit for unit in plant.of_kind("busway")}
    if not ways:
        return
    level = levels(plant)
    for name, way in ways.items():
        served = [unit for unit in plant.units.values() if name in plant.feeds.get(unit.name, ())]
        volts = conductors(plant, name) * level[name]
        if not volts:
            continue
        asked = {unit.name: _amperes(unit) / volts for unit in served if not KINDS[unit.kind].serves}
        tap = way.parameters.get("tap_ampacity", 0.0)
        for consumer, amperes in asked.items():
            if 0 < tap < amperes:
                text = f"takes {amperes:.4g} A from {name} alone, above its tap_ampacity of {tap:.4g} A"
                yield Fault(plant.units[consumer].where, f"{consumer} {text}", warning=True)
        others = {feed for consumer in asked for feed in plant.feeds[consumer] if feed != name}
        share = way.parameters.get("feed_lost_share", 0.9)
        most = share * way.parameters["ampacity"]
        for other in sorted(others):
            current = sum(amperes / _left(plant.feeds[consumer], other) for consumer, amperes in asked.items())
            if current > most * (1.0 + 1e-9):
                text = f"carries {current:.4g} A with {other} lost, above {share:.0%} of its ampacity, {most:.4g} A"
                yield Fault(way.where, f"{name} {text}", warning=True)
                break


def breaking_capacities(plant: Any) -> Iterator[Fault]:
    """Warn of a breaker that cannot break what can flow behind it."""
    for name, can, flows in duties(plant):
        if flows > can:
            text = f"breaks {can / 1e6:.3g} MVA (breaking_capacity), but {flows / 1e6:.3g} MVA can flow behind it"
            yield Fault(plant.units[name].where, f"{name} {text}", warning=True)


def _amperes(unit: Any) -> float:
    """Apparent power of a consumer at its rating [VA]."""
    machine = unit.machine()
    return float(machine.nominal_power()) / float(getattr(machine, "power_factor", 1.0))


def _left(feeds: list[str], lost: str) -> int:
    """How many feeds share a consumer once one is lost."""
    return len([feed for feed in feeds if feed != lost])
