"""Carried: who takes over from a machine of the cooling side, and the numbers that coolant must come back to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twin.equipment import KINDS
from twin.plant import Loop, SignalLine
from twin.studies.ist.site import MARGIN, Site
from twin.studies.ist.step import Await, Gate

FLOW_LEFT = 0.9
"""Share of the flow that the racks are rated for which must come back. Estimate: balancing and pump curves."""
RESETS = 3.0
"""Reset times after which a pressure control has come to rest: within 5 %."""
NEAR_SETPOINT = 1.0
"""So near [K] to its setpoint the coolant of a distribution unit must be at the end."""


def litres(flow: float) -> str:
    """A flow [m^3/s] in words."""
    return f"{flow * 6e4:.4g} L/min"


def loop_of(site: Site, unit: str) -> Loop | None:
    """The loop to which a unit gives coolant."""
    for loop in site.plant.loops.values():
        if any(element.unit == unit for branch in loop.plant for element in branch):
            return loop
    return None


def beside(site: Site, unit: str) -> list[str]:
    """Units of its kind that give coolant to the same loop, without the unit and without those on call."""
    loop = loop_of(site, unit)
    kind = site.plant.units[unit].kind
    inside = [] if loop is None else [element.unit for branch in loop.plant for element in branch]
    alike = [name for name in dict.fromkeys(inside) if site.plant.units[name].kind == kind and name != unit]
    return [name for name in alike if kind != "pump" or not site.rating(name, "on_call")]


def standbys(site: Site, unit: str) -> Iterator[SignalLine]:
    """The lines by which pumps on call hear that a pump gives no flow."""
    for line in site.plant.signals:
        hears = line.source == unit and line.output == "lost_for"
        if hears and site.plant.units[line.target].kind == "pump" and site.rating(line.target, "on_call"):
            yield line


def stand_in(site: Site, unit: str, coast: float) -> list[Await]:
    """Each pump on call for one that stops: called, and up to half of its rated flow."""
    found = []
    for line in standbys(site, unit):
        name, called = line.target, coast + line.delay + MARGIN
        up = called + site.rating(name, "restart_delay") + site.rating(name, "ramp_time") + MARGIN
        half = litres(site.rating(name, "nominal_flow") / 2)
        found.append(Await(f"{name}.called", called, f"coast-down {coast:g} s + line {line.delay:g} s + {MARGIN:g} s"))
        found.append(Await(f"{name}.flow > {half}", up, f"restart and ramp {up - called - MARGIN:g} s + {MARGIN:g} s"))
    return found


def racks_flow(site: Site, loop: Loop) -> float:
    """Flow that the racks of a loop are rated for [m^3/s]."""
    taken = dict.fromkeys(element.unit for branch in loop.loads for element in branch)
    return sum(site.rating(unit, "nominal_flow") for unit in taken if KINDS[site.plant.units[unit].kind].is_work)


def settles(site: Site, units: Iterable[str]) -> float:
    """How long the pressure control of distribution units takes to come to rest [s]; 0 where pumps keep their speed."""
    held = [unit for unit in units if site.rating(unit, "pressure_setpoint") > 0]
    return RESETS * site.most(held, "pressure_reset_time")


def flow_of(site: Site, unit: str, carriers: list[str], name: str, within: float) -> list[Gate]:
    """Distribution units carry the flow of the racks from some time on [s], each its share by rating."""
    loop = loop_of(site, unit)
    wanted = 0.0 if loop is None else racks_flow(site, loop)
    rated = sum(site.rating(each, "nominal_flow") for each in carriers)
    if not wanted or not rated:
        return []
    why = f"{100 * FLOW_LEFT:g} % of the racks' {litres(wanted)}, shared by rating"
    found = []
    for said in site.ranges(carriers):
        least = site.rating(said.partition("..")[0], "nominal_flow") / rated * wanted * FLOW_LEFT
        after = within + settles(site, carriers)
        found.append(Gate(f"min({said}.flow) > {litres(least)}", why, f"flow of {said}{name}", after=after))
    return found


def supply(site: Site, without: Iterable[str] = ()) -> list[Gate]:
    """Coolant as the racks want it at the end; of all distribution units but those that are lost."""
    gone, found = set(without), []
    units = [
        unit.name for unit in site.of("cdu") if unit.name not in gone and not site.rating(unit.name, "outdoor_reset")
    ]
    by_setpoint: dict[float, list[str]] = {}
    for name in units:
        by_setpoint.setdefault(site.rating(name, "supply_setpoint"), []).append(name)
    for setpoint, names in by_setpoint.items():
        for said in site.ranges(names):
            limit = f"{setpoint + NEAR_SETPOINT - 273.15:.6g} degC"
            why = f"setpoint + {NEAR_SETPOINT:g} K"
            found.append(Gate(f"final({said}.supply_temperature) < {limit}", why, f"supply of {said}"))
    return found


def others_cold(site: Site, unit: str) -> list[Gate]:
    """The chillers left hold their setpoint at the end."""
    found = []
    for said in site.ranges(beside(site, unit)):
        setpoint = site.rating(said.partition("..")[0], "leaving_setpoint")
        limit = f"{setpoint + NEAR_SETPOINT - 273.15:.6g} degC"
        gate = Gate(
            f"final({said}.leaving_temperature) < {limit}", f"setpoint + {NEAR_SETPOINT:g} K", f"cold of {said}"
        )
        found.append(gate)
    return found
