"""The section `draws`: random inputs, drawn at read time, so that a run itself is deterministic."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from twin import units
from twin.declare import Quantity
from twin.faults import Where
from twin.scenario import values
from twin.scenario.changes import Change, Targets
from twin.scenario.document import Broken, Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.forms import entries, items

Draw = Callable[[np.random.Generator], float | None]
SHARE = Quantity("", "1", "a probability", at_least=0, at_most=1)
MOST_ROWS = 2_000_000
MOST_TRIES = 10_000
ALONE = "by itself"
"""Cause of a failure that was not that of its group."""


def generator(seed: int, member: int, unit: str, name: str) -> np.random.Generator:
    """The stream of one input of one unit in one member; no other draw can disturb it.

    Philox keyed by (seed, member, CRC-32 of the unit, CRC-32 of the input).
    """
    key = (seed, member, zlib.crc32(unit.encode()), zlib.crc32(name.encode()))
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@dataclass(frozen=True)
class Probability:
    """A draw that is 1 so often, and else leaves things as they are."""

    share: float

    def __call__(self, random: np.random.Generator) -> float | None:
        return 1.0 if random.random() < self.share else None


@dataclass
class Group:
    """Units that one draw takes together: beta is the share of their failures that is common.

    `used` gathers what is drawn for its units, by the place of the key that says it.
    """

    target: str
    input: str
    units: tuple[str, ...]
    beta: float
    why: str
    where: Where
    used: dict[str, object] = field(default_factory=dict)

    def stream(self, seed: int, member: int) -> np.random.Generator:
        """Its own stream, apart from those of its units."""
        return generator(seed, member, f"common:{self.target}", self.input)


Groups = dict[tuple[str, str], Group]
"""(unit, Input) -> the group it stands in."""


def lower(
    node: Node,
    targets: Targets,
    seed: int,
    members: int,
    groups: Groups | None = None,
    drawn: dict[tuple[str, str], str] | None = None,
) -> list[Change]:
    """One Change at the start for each member, unit and input; where nothing is drawn, none.

    Args:
        groups: units that one draw takes together; theirs come from `common_rows`.
        drawn: gets (unit, Input) -> the key that draws it.
    """
    groups = {} if groups is None else groups
    drawn = {} if drawn is None else drawn
    faults = targets.faults
    listed = entries(node, faults)
    found: list[Change] = []
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
                group = groups.get((unit, said.name))
                why = ""
                if group is not None and isinstance(draw, Probability):
                    group.used[unit] = draw.share
                    draw, why = Probability((1.0 - group.beta) * draw.share), ALONE
                found.extend(rows_of(draw, unit, said.name, seed, members, why))
    return found


def rows_of(draw: Draw, unit: str, name: str, seed: int, members: int, why: str = "") -> list[Change]:
    """What a draw gives an Input of a unit in each member, at the start."""
    rows = []
    for member in range(members):
        value = draw(generator(seed, member, unit, name))
        if value is not None:
            rows.append(Change(0.0, unit, name, value, member=member, verb="draw", why=why))
    return rows


def common_rows(groups: Groups, found: list[Change], seed: int, members: int) -> list[Change]:
    """Where one draw takes all of a group: rows of those that did not fail by themselves."""
    alone = {(change.unit, change.input, change.member) for change in found}
    rows = []
    for group in {id(each): each for each in groups.values()}.values():
        share = next(iter(group.used.values()), None)
        if not isinstance(share, float):
            continue
        draw = Probability(group.beta * share)
        for member in range(members):
            if draw(group.stream(seed, member)) is not None:
                hit = [unit for unit in group.units if (unit, group.input, member) not in alone]
                rows += [Change(0.0, u, group.input, 1.0, None, member, "draw", group.why) for u in hit]
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
    return None if share is None else Probability(share)


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


def _lognormal(node: Node, said: Quantity, faults: Faults) -> Draw | None:
    """Median and spread: two of three lie between median/spread and median x spread."""
    spread = Quantity("", "1", "a spread, as a factor", above=1, at_most=100)
    ends = _numbers(node, ("median", "spread"), [said, spread], faults)
    if ends is None:
        return None
    median, factor = ends
    if median <= 0:
        faults.add(node.where, f"{units.quoted(str(node))} has no median above 0; [median, spread] is wanted")
        return None
    return _within(lambda random: median * math.exp(math.log(factor) * float(random.standard_normal())), said)


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
    "lognormal": _lognormal,
    "choice": _choice,
}
