"""The section `grid`: requests for less power, lowered to ramps of the site's `power_request`."""

from __future__ import annotations

from twin import units
from twin.scenario.changes import Change
from twin.scenario.document import Map, Node
from twin.scenario.faults import Faults
from twin.scenario.forms import Grid, Request, fill, items


def lower(node: Node, duration: float, faults: Faults) -> list[Change]:
    """Ramps of site.power_request: down over `ramp`, held `for` a while, and up again over `ramp`."""
    if fill(Grid, node, faults) is None or not isinstance(node, Map) or "requests" not in node:
        return []
    found: list[Change] = []
    free_from = 0.0
    for item in items(node["requests"], faults):
        form = fill(Request, item, faults)
        if form is None or not form.complete or not isinstance(item, Map):
            continue
        down, up = form.at + form.ramp, form.at + form.ramp + form.length
        if form.at > duration:
            span = units.show(duration, "s")
            text = f"{units.quoted(str(item['at']))} lies after the end of the run ({span})"
            faults.add(item["at"].where, text)
        if form.at < free_from:
            end = units.show(free_from, "s")
            faults.add(item["at"].where, f"this request begins before the one above has ended (at {end})")
        free_from = max(free_from, up + form.ramp)
        why = f"the grid asks for {units.show(form.reduce, '1')} less"
        found.append(Change(form.at, "site", "power_request", 1.0 - form.reduce, down, verb="grid", why=why))
        if up <= duration:
            text = "the grid's request ends"
            found.append(Change(up, "site", "power_request", 1.0, up + form.ramp, verb="grid", why=text))
    return found
