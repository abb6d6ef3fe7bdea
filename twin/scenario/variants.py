"""Variants: a plant that is another plant but for what it says itself."""

from __future__ import annotations

from typing import Any

from twin.faults import Where
from twin.scenario.document import Map, Node, Seq, Text
from twin.scenario.faults import Faults
from twin.scenario.layout import layout
from twin.scenario.names import BadName, expand

KEY = "variant_of"
UNITS = "units"
POINTERS = ("feeds", "joins", "zone")
"""Keys of a unit that name others; a range as long as the unit's own goes one to one."""


def merged(base: Map, variant: Map) -> Map:
    """A plant document with what a variant of it says.

    Entries of the same name (of units, coolant, blocks, ...) take the variant's keys on top of their own, other
    entries come to them, lists such as signals are lengthened, and all else is replaced. An entry that names some
    members of a range changes those alone. What stands in the base keeps its own place for messages.
    """
    made = _over(base, variant)
    for key, value in variant.items():
        old = base.get(key)
        if key == UNITS and isinstance(old, Map) and isinstance(value, Map):
            old, value = _apart(old, value)
        made[key] = _section(old, value) if key in base else value
    made.pop(KEY, None)
    return made


def _section(base: Any, variant: Node) -> Node:
    if isinstance(base, Seq) and isinstance(variant, Seq):
        longer = Seq([*base, *variant])
        longer.where = variant.where
        return longer
    if not (isinstance(base, Map) and isinstance(variant, Map)):
        return variant
    made = _over(base, variant)
    for key, value in variant.items():
        both = isinstance(value, Map) and isinstance(base.get(key), Map)
        made[key] = _over(base[key], value) if both else value
    return made


def _over(base: Map, variant: Map) -> Map:
    made = Map({**base, **variant})
    made.where, made.keys_at, made.partial = variant.where, variant.keys_at, base.partial or variant.partial
    made.elsewhere = {key: base.where_of(key) for key in base if key not in variant} | (variant.elsewhere or {})
    return made


def _apart(base: Map, variant: Map) -> tuple[Map, Map]:
    """Both with ranges as single units, as far as the variant names some of a range's members or of several entries."""
    owners = {name: key for key in base for name in _names(key)}
    some = {
        key: names
        for key in variant
        if key not in base and (names := _names(key)) and all(name in owners for name in names)
    }
    broken = {owners[name] for names in some.values() for name in names}
    return _singles(base, {key: _names(key) for key in broken}), _singles(variant, some)


def _singles(listed: Map, broken: dict[str, list[str]]) -> Map:
    """Entries, some of them taken apart into their members."""
    made: Map = Map()
    made.where, made.keys_at, made.partial = listed.where, listed.keys_at, listed.partial
    made.elsewhere = dict(listed.elsewhere or {})
    for key, body in listed.items():
        names = broken.get(key, [])
        if len(names) < 2 or not isinstance(body, Map):
            made[key] = body
            continue
        for index, name in enumerate(names):
            made[name] = _member(body, index, len(names))
            made.elsewhere[name] = listed.where_of(key)
    return made


def _member(body: Map, index: int, count: int) -> Map:
    """What the entry of a range says of one of its units."""
    made = Map(body)
    made.where, made.keys_at, made.partial, made.elsewhere = body.where, body.keys_at, body.partial, body.elsewhere
    places: list[Any] = layout(body["at"], count, Faults()) if isinstance(body.get("at"), Map) else []
    for key, value in body.items():
        if key in POINTERS:
            made[key] = _pointer(value, index, count)
        elif key == "at":
            told = places[index] if places else None
            made[key] = value if told is None else _seq([_text(f"{x:.9g} m", value.where) for x in told], value.where)
        elif isinstance(value, Seq) and len(value) == count:
            made[key] = value[index]
    return made


def _pointer(value: Node, index: int, count: int) -> Node:
    if isinstance(value, Seq):
        return _seq([_pointer(each, index, count) for each in value], value.where)
    names = _names(value) if isinstance(value, Text) else []
    return _text(names[index], value.where) if len(names) == count else value


def _text(said: str, where: Where) -> Text:
    made = Text(said)
    made.where, made.plain = where, True
    return made


def _seq(nodes: list[Node], where: Where) -> Seq:
    made = Seq(nodes)
    made.where = where
    return made


def _names(text: str) -> list[str]:
    """The names of a range or of one unit; none where it is neither."""
    try:
        return expand(str(text))
    except BadName:
        return []
