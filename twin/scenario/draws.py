"""The section `draws`: random inputs, drawn at read time, so that a run itself is deterministic."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from twin import units
from twin.declare import Quantity
from twin.scenario import values
from twin.scenario.changes import Change, Targets
from twin.scenario.document import Broken, Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.forms import entries, items

Draw = Callable[[np.random.Generator], float | None]
SHARE = Quantity("", "1", "a probability", at_least=0, at_most=1)
MOST_ROWS = 2_000_000
MOST_TRIES = 10_000


def generator(seed: int, member: int, unit: str, name: str) -> np.random.Generator:
    """The stream of one input of one unit in one member; no other draw can disturb it.

    Philox keyed by (seed, member, CRC-32 of the unit, CRC-32 of the input).
    """
    key = (seed, member, zlib.crc32(unit.encode()), zlib.crc32(name.encode()))
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def lower(node: Node, targets: Targets, seed: int, members: int) -> list[Change]:
    """One Change at the start for each member, unit and input; where nothing is drawn, none."""
    faults = targets.faults
    listed = entries(node, faults)
    found: list[Change] = []
    drawn: dict[tuple[str, str], str] = {}
    for key, body in listed.items():
        where = listed.where_of(key)
        by_kind: dict[str, Draw | None] = {}
        pairs = targets.inputs(key, where)
        if len(found) + len(pairs) * members > MOST_ROWS:
            text = f"{len(pairs)} inputs in {members} members pass {MOST_ROWS} draws; fewer of them are wanted"
            faults.add(where, text)
            continue
        for unit, said in pairs:
            first = drawn.setdefault((unit, said.name), key)
            if first != key:
                faults.add(where, f'{unit}.{said.name} is drawn by "{first}" too; one draw is wanted')
                break
            kind = targets.directory.kind_of[unit]
            if kind not in by_kind:
                by_kind[kind] = distribution(body, said, faults)
            draw = by_kind[kind]
            if draw is not None:
                found.extend(_rows(draw, unit, said.name, seed, members))
    return found


def _rows(draw: Draw, unit: str, name: str, seed: int, members: int) -> list[Change]:
    rows = []
    for member in range(members):
        value = draw(generator(seed, member, unit, name))
        if value is not None:
            rows.append(Change(0.0, unit, name, value, member=member, verb="draw"))
    return rows


def distribution(node: Node, said: Quantity, faults: Faults) -> Draw | None:
    """What a section like `{uniform: [8 s, 12 s]}` draws; None after a fault."""
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Map) or len(node) != 1:
        found = f"a mapping of {len(node)}" if isinstance(node, Map) else describe(node)
        faults.add(node.where, f"{found} was found; one of {', '.join(DISTRIBUTIONS)} is wanted, with its numbers")
        return None
    ((word, body),) = node.items()
    if word not in DISTRIBUTIONS:
        faults.add(node.where_of(word), f"there is no such distribution; {advice(word, DISTRIBUTIONS)}")
        return None
    if word != "choice" and word != "probability" and (said.choices is not None or said.failure):
        cure = "probability" if said.failure else "choice"
        faults.add(node.where_of(word), f"{said.name} has no values between; {cure} is wanted, not {word}")
        return None
    return DISTRIBUTIONS[word](body, said, faults)


def _probability(node: Node, said: Quantity, faults: Faults) -> Draw | None:
    share = values.read(node, SHARE, faults)
    if not said.failure:
        faults.add(node.where, f"{said.name} is not a failure; choice is wanted, not probability")
        return None
    return None if share is None else lambda random: 1.0 if random.random() < share else None


def _numbers(node: Node, names: tuple[str, str], said: list[Quantity], faults: Faults) -> list[float] | None:
    """Two numbers of a list."""
    listed = items(node, faults)
    if len(listed) != 2:
        if isinstance(node, Seq):
            faults.add(node.where, f"a list of {len(listed)} was found; [{names[0]}, {names[1]}] is wanted")
        return None
    read = [values.read(each, quantity, faults) for each, quantity in zip(listed, said, strict=True)]
    known = [value for value in read if value is not None]
    return known if len(known) == 2 else None


def _uniform(node: Node, said: Quantity, faults: Faults) -> Draw | None:
    ends = _numbers(node, ("lowest", "highest"), [said, said], faults)
    if ends is None:
        return None
    low, high = ends
    if not low < high:
        faults.add(node.where, "the lowest value is not below the highest; [lowest, highest] is wanted")
        return None
    return lambda random: float(low + (high - low) * random.random())


def _normal(node: Node, said: Quantity, faults: Faults) -> Draw | None:
    spread = Quantity("", said.unit, "a spread", above=0, at_most=100.0 if said.unit == "K" else None)
    ends = _numbers(node, ("mean", "standard deviation"), [said, spread], faults)
    if ends is None:
        return None
    mean, deviation = ends
    return _within(lambda random: mean + deviation * float(random.standard_normal()), said)


def _exponential(node: Node, said: Quantity, faults: Faults) -> Draw | None:
    mean = values.read(node, said, faults)
    if mean is None or mean <= 0:
        if mean is not None:
            faults.add(node.where, f"{units.quoted(str(node))} is no mean of an exponential; one above 0 is wanted")
        return None
    return _within(lambda random: mean * float(random.standard_exponential()), said)


def _within(draw: Callable[[np.random.Generator], float], said: Quantity) -> Draw:
    """Draw again until the value is within the declared bounds: the truncated distribution."""

    def bounded(random: np.random.Generator) -> float | None:
        for _ in range(MOST_TRIES):
            value = draw(random)
            if said.fault(value) is None:
                return value
        raise ArithmeticError(f"no draw of {said.name} falls within its bounds")  # the mean lies within them

    return bounded


def _choice(node: Node, said: Quantity, faults: Faults) -> Draw | None:
    """Values of equal chance, or value -> probability."""
    if isinstance(node, Map):
        return _weighted(node, said, faults)
    read = [values.read(each, said, faults) for each in items(node, faults)]
    known = [value for value in read if value is not None]
    if isinstance(node, Seq) and not read:
        faults.add(node.where, "an empty list was found; values to choose from are wanted")
    if not known or len(known) < len(read):
        return None
    return lambda random: known[int(random.integers(len(known)))]


def _weighted(node: Map, said: Quantity, faults: Faults) -> Draw | None:
    known, shares = [], []
    for key, share in node.items():
        text = Text(key)
        text.where, text.plain = node.where_of(key), True
        known.append(values.read(text, said, faults))
        shares.append(values.read(share, SHARE, faults))
    if any(value is None for value in (*known, *shares)):
        return None
    total = sum(share or 0.0 for share in shares)
    if not 0.999999 < total < 1.000001:
        faults.add(node.where, f"the probabilities add up to {total:g}; 1 is wanted")
        return None
    edges = np.cumsum([share or 0.0 for share in shares]) / total
    return lambda random: known[int(np.searchsorted(edges, random.random(), side="right"))]


DISTRIBUTIONS: dict[str, Callable[[Node, Quantity, Faults], Draw | None]] = {
    "probability": _probability,
    "uniform": _uniform,
    "normal": _normal,
    "exponential": _exponential,
    "choice": _choice,
}
