"""The section `run`: how long, how finely, and where the tick is shorter."""

from __future__ import annotations

from itertools import pairwise

from twin.scenario.case import RunSettings, Zoom
from twin.scenario.document import Map, Node, describe
from twin.scenario.faults import Faults
from twin.scenario.form import FAILED
from twin.scenario.forms import Run, fill

QUANTUM = 0.001
"""The clock counts whole milliseconds."""


def whole_steps(value: float, step: float) -> bool:
    """Whether a time is a whole number of steps, to the rounding of a float."""
    return abs(value / step - round(value / step)) < 1e-6


def lower(node: Node, settings: dict[str, int], faults: Faults) -> RunSettings | None:
    """The settings of the run, some of them as the caller wants; None where they cannot be made out."""
    form = fill(Run, node, faults)
    if form is None or not isinstance(node, Map):
        return None
    for key in ("tick", "record"):
        value = getattr(form, key)
        if key in node and value and not whole_steps(value, QUANTUM):
            faults.add(
                node[key].where,
                f"{describe(node[key])} is not whole milliseconds; a whole number of ms is wanted",
            )
    tick = form.tick or 1.0
    if form.record and form.tick and not whole_steps(form.record, tick):
        faults.add(
            node.where_of("record"),
            f"{describe(node['record'])} is not a whole number of ticks; a multiple of the tick is wanted",
        )
    if form.duration and form.tick and form.duration < tick:
        faults.add(node.where_of("duration"), "the run is shorter than its tick; a longer one is wanted")
    members = settings.get("members", form.members)
    seed = settings.get("seed", form.seed)
    zooms = _zooms(node, form, tick, faults)
    if not form.duration or form.members is FAILED:
        return None
    return RunSettings(form.duration, tick, zooms, seed or 0, members or 1, form.record or None)


def _zooms(node: Map, form: Run, tick: float, faults: Faults) -> list[Zoom]:
    """The zooms in order of time."""
    found: list[tuple[Zoom, Map]] = []
    listed = node.get("zoom", [])
    mappings: list[Map] = [item for item in listed if isinstance(item, Map)] if isinstance(listed, list) else []
    for zoom, item in zip(form.zoom or [], mappings, strict=False):
        if zoom.tick and not whole_steps(zoom.tick, QUANTUM):
            faults.add(
                item["tick"].where,
                f"{describe(item['tick'])} is not whole milliseconds; a whole number of ms is wanted",
            )
        if zoom.tick and form.tick and zoom.tick >= tick:
            faults.add(
                item["tick"].where,
                "the tick of a zoom is not shorter than that of the run; a shorter one is wanted",
            )
        if FAILED in (zoom.at, zoom.length, zoom.tick):
            continue
        if form.duration and zoom.at + zoom.length > form.duration * (1 + 1e-12):
            faults.add(item.where, "this zoom ends after the run; one within the run is wanted")
        found.append((Zoom(zoom.at, zoom.length, zoom.tick), item))
    found.sort(key=lambda pair: pair[0].at)
    for (first, _), (second, item) in pairwise(found):
        if second.at < first.at + first.length:
            faults.add(item.where, "this zoom overlaps another one; windows that follow each other are wanted")
    return [zoom for zoom, _ in found]
