"""The section `grid`: requests for less power, tables of sags and recorded voltage, lowered to Changes."""

from __future__ import annotations

from typing import Any

from twin import units
from twin.assets import assets_folder
from twin.scenario import sags, values
from twin.scenario.changes import Change, Targets, ToldSag
from twin.scenario.document import Documents, Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults
from twin.scenario.forms import Grid, Length, Request, Residual, Time, fill, items
from twin.scenario.shelf import Shelf, inside


def lower(node: Node, duration: float, faults: Faults) -> list[Change]:
    """Ramps of site.power_request: down over `ramp`, held `for` a while, and up again over `ramp`."""
    if fill(Grid, node, faults) is None or not isinstance(node, Map):
        return []
    if not {"requests", "sags", "file"} & set(node) and not node.partial:
        faults.add(node.where, "the grid asks for nothing and does nothing; one of requests, sags and file is wanted")
    if "requests" not in node:
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


COLUMNS: tuple[tuple[str, Any], ...] = (("moment", Time), ("residual", Residual), ("length", Length))
"""What a row of a table of sags says."""


class Disturbances:
    """What the voltage of a feed does: a table of sags, or a recording that is played back."""

    def __init__(self, targets: Targets, documents: Documents, shelf: Shelf, duration: float) -> None:
        self.targets = targets
        self.faults = documents.faults
        self.documents = documents
        self.shelf = shelf
        self.duration = duration

    def lower(self, node: Node) -> tuple[list[ToldSag], list[Change]]:
        """The sags of a table and the Changes of a recording; `lower` tells what is wrong with the keys."""
        form = fill(Grid, node, Faults())
        if form is None or not isinstance(node, Map) or not {"sags", "file", "utility", "at"} & set(node):
            return [], []
        if {"sags", "file"} <= set(node) or not {"sags", "file"} & set(node):
            found = "sags and file stand together" if "sags" in node else "neither sags nor file was found"
            self.faults.add(node.where, f"{found}; one of them is wanted beside utility")
            return [], []
        if "utility" not in node:
            text = 'the key is missing; the feed that they speak of is wanted, e.g. "utility: utility-a"'
            self.faults.add(node.where_of("utility"), text)
            return [], []
        feeds = self.targets.utilities(form.utility, node["utility"].where) if form.utility else []
        start = form.at or 0.0
        if "sags" in node:
            return [sag for row in items(node["sags"], self.faults) for sag in self._sags(row, feeds, start)], []
        return [], self._recorded(node["file"], feeds, start)

    def _sags(self, row: Node, feeds: list[str], start: float) -> list[ToldSag]:
        if not isinstance(row, Seq) or len(row) != len(COLUMNS):
            found = f"a list of {len(row)}" if isinstance(row, Seq) else describe(row)
            self.faults.add(
                row.where, f"{found} was found; [moment, residual, length] is wanted, e.g. [0 s, 30 %, 60 ms]"
            )
            return []
        moment, residual, length = (
            values.read(node, hint.__metadata__[0], self.faults) for node, (_, hint) in zip(row, COLUMNS, strict=True)
        )
        if moment is None or residual is None or length is None:
            return []
        if start + moment + length > self.duration:
            self.faults.add(row.where, f"this sag ends after the run ({units.show(self.duration, 's')})")
        return [ToldSag(feed, start + moment, residual, length, row.where) for feed in feeds]

    def _recorded(self, node: Node, feeds: list[str], start: float) -> list[Change]:
        if not isinstance(node, Text):
            return []
        path = inside(str(node), self.shelf)
        if path is None:
            self.faults.add(node.where, f"{units.quoted(node)} leaves the folder of this file; a file in it is wanted")
            return []
        name = self.shelf.called(str(node))
        shipped = assets_folder() / "traces" / str(node)
        if not path.exists() and shipped.name == str(node) and shipped.is_file():
            path, name = shipped, f"assets/traces/{node}"
        raw = self.documents.bytes_of(path, name, node.where, sags.LARGEST)
        rows = sags.read_rms(raw, name, self.faults) if raw is not None else None
        if rows is None:
            return []
        why = f"recorded in {name}"
        return [change for feed in feeds for change in sags.replayed(rows, feed, start, self.duration, why)]
