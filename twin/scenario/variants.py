"""Variants: a plant that is another plant but for what it says itself."""

from __future__ import annotations

from twin.scenario.document import Map, Node, Seq

KEY = "variant_of"


def merged(base: Map, variant: Map) -> Map:
    """A plant document with what a variant of it says.

    Entries of the same name (of units, coolant, blocks, ...) take the variant's keys on top of their own, other
    entries come to them, lists such as signals are lengthened, and all else is replaced. What stands in the base
    keeps its own place for messages.
    """
    made = _over(base, variant)
    for key, value in variant.items():
        made[key] = _section(base[key], value) if key in base else value
    made.pop(KEY, None)
    return made


def _section(base: Node, variant: Node) -> Node:
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
    return made
