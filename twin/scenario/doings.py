"""What units do, in words: "throttles", "lose power", "trip" -> the flags of a kind that say so."""

from __future__ import annotations

import re

from twin.declare import quantities
from twin.equipment import KINDS
from twin.scenario.faults import nearest

MEANT = {
    "trip": ("tripped", "shut_down", "overload_tripped"),
    "lose power": ("unpowered", "dead", "lost", "tripped"),
    "run empty": ("empty", "depleted", "exhausted", "vessel_empty", "out_of_fuel"),
    "overheat": ("overheated", "too_hot", "overloaded"),
}
"""What people say -> the flags that may stand for it; a kind has some of them."""
FIRST_OF = ("lose power", "run empty", "overheat")
"""Of these, a kind's first flag alone is meant."""
SAME = {"are": "is", "have": "has", "goes": "go", "does": "do"}


def singular(word: str) -> str:
    """A kind of which somebody wrote the plural: "racks" -> "rack", "UPSs" -> "ups"."""
    plain = re.sub(r"[\s-]", "_", word.lower())
    for kind in KINDS:
        if plain in (kind, f"{kind}s", f"{kind}es", f"{kind[:-1]}ies" if kind.endswith("y") else kind):
            return kind
    return word


def plain(phrase: str) -> str:
    """A phrase as one and as many say it: "loses its flow", "lose their flow" -> "lose its flow"."""
    first, space, rest = " ".join(phrase.lower().replace("_", " ").split()).partition(" ")
    first = first.rstrip(":,")
    if first in SAME:
        first = SAME[first]
    elif re.search(r"(sses|shes|ches|xes)$", first):
        first = first[:-2]
    elif first.endswith("s") and first not in SAME.values():
        first = first[:-1]
    return first + space + re.sub(r"\btheir\b", "its", rest)


def flags_meant(kind: str, does: str) -> tuple[str, ...]:
    """The flags of a kind that say that it does something; empty where none does.

    Args:
        kind: the kind.
        does: its verb in words, in singular or plural, or the name of a flag: "throttle", "goes to battery".
    """
    flags = {name: said.flag for name, said in quantities(KINDS[kind].State).items() if said.flag is not None}
    wanted = plain(does)
    named = tuple(name for name in flags if plain(name) in (wanted, wanted.removeprefix("is ")))
    if named:
        return named
    said = tuple(name for name, flag in flags.items() if plain(flag.rises).partition(":")[0] == wanted)
    common = tuple(name for name in MEANT.get(wanted, ()) if name in flags)
    if wanted == "trip":
        common += tuple(name for name in flags if name.startswith("tripped_"))
    found = tuple(dict.fromkeys(common + said))
    return found[:1] if wanted in FIRST_OF else found


def known_doings(kind: str, does: str) -> str:
    """What is wanted where a kind does no such thing, as the end of a sentence."""
    flags = {name: said.flag for name, said in quantities(KINDS[kind].State).items() if said.flag is not None}
    if not flags:
        return "it has no flags; compare a quantity of it"
    phrases = [flag.rises.partition(":")[0].partition(",")[0] for flag in flags.values()]
    near = nearest(does, [*phrases, *flags])
    if near:
        return f'did you mean "{near}"?'
    more = f" and {len(phrases) - 12} more" if len(phrases) > 12 else ""
    return f"one of {', '.join(phrases[:12])}{more} is wanted"
