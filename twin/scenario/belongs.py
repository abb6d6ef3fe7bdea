"""Where a key belongs that was written elsewhere: by the sections, the forms and the kinds of equipment."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache

from twin import units
from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import a_kind
from twin.scenario.document import Map, Node, Text
from twin.scenario.faults import advice, nearest
from twin.scenario.form import Form, keys_of

SCENARIO_KEYS = {
    "title": True, "description": False, "plant": True, "run": True, "weather": True, "workload": False,
    "initial": False, "maintenance": False, "start": False, "events": False, "draws": False, "failures": False,
    "grid": False, "scheduler": False, "controllers": False, "alarms": False, "crews": False, "procedures": False,
    "repairs": False, "expected": False, "criteria": False, "sweep": False,
}  # fmt: skip
"""Section of a scenario -> whether it must be there."""
PLANT_KEYS = ("title", "description", "units", "coolant", "signals", "fabric", "redundancy", "blocks", "place")
SURE = 0.75
"""From so near a known word on, a slip of the pen is likelier than a key of another place."""
MOST = 3
"""A key that belongs in more places than this says nothing about which is meant."""
LONGEST = 40
"""Characters of a value that is shown in its place."""


def cure(key: str, node: Node, known: Iterable[str]) -> str:
    """How to mend a key that is not known here: where it belongs, the nearest known one, or all of them.

    Args:
        key: as written.
        node: what it says.
        known: the keys that are known here.
    """
    words = list(known)
    near = nearest(key, words)
    if near and difflib.SequenceMatcher(None, key, near).ratio() >= SURE:
        return advice(key, words)
    return belongs(key, node, kinds=not near) or advice(key, words)


def belongs(key: str, node: Node, kinds: bool = True) -> str:
    """Where a key belongs, as the end of a sentence; "" where it is known nowhere, or in too many places.

    Args:
        key: as written.
        node: what it says.
        kinds: ask for quantities of kinds of equipment, too.
    """
    if key in KINDS and isinstance(node, Map):
        sets = [f"{key}.{each}: {_said(node[each])}" for each in node if each in quantities(KINDS[key].Inputs)]
        shown = f"initial: {{{', '.join(sets)}}}"
        return f'what is set of units belongs under initial, e.g. "{shown}"' if sets else ""
    if key in SCENARIO_KEYS:
        return f'it is a section of the scenario, e.g. "{key}: {_said(node)}", and stands at its top'
    if key in PLANT_KEYS:
        return _one("plant", key, _said(node))
    found = _forms().get(key, ())
    if len(found) == 1:
        return _one(found[0], key, _said(node))
    if found:
        places = [_words(each) for each in found]
        return f"it belongs under {', '.join(places[:-1])} or {places[-1]}" if len(found) <= MOST else ""
    return _of_a_kind(key, _said(node)) if kinds else ""


def of_site(body: Node) -> str:
    """What to do with a unit that is named site: what is said of it is set, or it wants another name."""
    sets = [key for key in body if key in quantities(KINDS["site"].Inputs)] if isinstance(body, Map) else []
    if not sets or not isinstance(body, Map):
        return "another name is wanted"
    shown = ", ".join(f"site.{key}: {_said(body[key])}" for key in sets)
    return f'what is set of it belongs under initial, e.g. "initial: {{{shown}}}"'


def _of_a_kind(key: str, said: str) -> str:
    """The same of a quantity of a kind of equipment."""
    sets = [name for name, kind in KINDS.items() if key in quantities(kind.Inputs)]
    rates = [name for name, kind in KINDS.items() if key in quantities(kind)]
    if len(sets) == 1:
        return _one("initial", f"{sets[0]}.{key}", said)
    if rates and len(rates) <= MOST:
        unit = f"{{NAME: {{kind: {rates[0]}, {key}: {said}}}}}"
        return f'it belongs to {" or ".join(map(a_kind, rates))}, e.g. "units: {unit}"'
    if sets or rates:
        place = "a unit, under plant.units" if rates else "initial, after the name of a unit and a point"
        return f"it belongs to {place}"
    return ""


def _one(path: str, key: str, said: str) -> str:
    """The one place, and how it looks there."""
    shown = f"{{{key}: {said}}}"
    steps = path.split(".")
    for step in reversed(steps[1:]):
        shown = f"{{{step.removesuffix('[]')}: {f'[{shown}]' if step.endswith('[]') else shown}}}"
    top = steps[0].removesuffix("[]")
    shown = f"[{shown}]" if steps[0].endswith("[]") else shown
    return f'it belongs under {_words(path)}, e.g. "{top}: {shown}"'


def _words(path: str) -> str:
    return path.replace("[]", "")


def _said(node: Node) -> str:
    """What a key says, if it is short."""
    said = isinstance(node, Text) and not node.empty and len(node) <= LONGEST and not set(node) & set('"\n,:{}[]#')
    return units.quoted(node)[1:-1] if said and isinstance(node, Text) else "..."


@cache
def _forms() -> dict[str, tuple[str, ...]]:
    """Key -> where the forms that hold it stand."""
    found: dict[str, list[str]] = {}
    for form in Form.__subclasses__():
        for key in keys_of(form) if form.stands else ():
            found.setdefault(key, []).append(form.stands)
    return {key: tuple(places) for key, places in found.items()}
