"""Times that people take: a length of time, or a distribution of it that is drawn for each occasion."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from twin import units
from twin.declare import Quantity
from twin.scenario import values
from twin.scenario.document import Broken, Map, Node, Seq, describe
from twin.scenario.faults import Faults, advice

TIME = Quantity("", "s", "a length of time", at_least=0, at_most=3.2e8)
SPREAD = Quantity("", "1", "a factor", above=1, at_most=100)
SHAPES = {
    "uniform": ("lowest", "highest"),
    "normal": ("mean", "standard deviation"),
    "lognormal": ("median", "factor"),
    "exponential": ("mean",),
}
"""Distribution -> its numbers."""


@dataclass(frozen=True)
class Duration:
    """A time [s] that is always the same (`shape` empty) or drawn; never negative.

    uniform: lowest, highest; normal: mean, standard deviation, cut off at zero; exponential: mean; lognormal:
    median and geometric standard deviation g, so that two in three lie between median/g and median g.
    """

    shape: str = ""
    numbers: tuple[float, ...] = (0.0,)

    def draw(self, seed: int, member: int, who: str, what: str) -> float:
        """The time of one occasion [s]: the same for the same seed, member and words, whatever else is drawn."""
        if not self.shape:
            return self.numbers[0]
        random = stream(seed, member, who, what)
        one, two = (*self.numbers, 0.0)[:2]
        if self.shape == "uniform":
            return float(one + (two - one) * random.random())
        if self.shape == "exponential":
            return float(one * random.standard_exponential())
        deviate = float(random.standard_normal())
        return float(one * two**deviate) if self.shape == "lognormal" else max(one + two * deviate, 0.0)

    @property
    def middle(self) -> float:
        """The mean, of a lognormal the median [s]."""
        return sum(self.numbers) / 2 if self.shape == "uniform" else self.numbers[0]


def stream(seed: int, member: int, who: str, what: str) -> np.random.Generator:
    """Random numbers of one occasion that no other occasion disturbs: Philox keyed by seed, member and words."""
    key = (seed, member, zlib.crc32(who.encode()), zlib.crc32(what.encode()))
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def read(node: Node, faults: Faults) -> Duration | None:
    """Read a time or a distribution of it; None after a fault."""
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Map):
        value = values.read(node, TIME, faults)
        return None if value is None else Duration("", (value,))
    if len(node) != 1:
        text = f"a mapping of {len(node)} was found; one of {', '.join(SHAPES)} is wanted, with its numbers"
        faults.add(node.where, text)
        return None
    ((word, body),) = node.items()
    if word not in SHAPES:
        faults.add(node.where_of(word), f"there is no such distribution of times; {advice(word, SHAPES)}")
        return None
    numbers = _numbers(word, body, faults)
    return None if numbers is None else Duration(word, numbers)


def _numbers(word: str, body: Node, faults: Faults) -> tuple[float, ...] | None:
    names = SHAPES[word]
    nodes = body if isinstance(body, Seq) else [body]
    if isinstance(body, Broken):
        return None
    if len(nodes) != len(names) or (len(names) > 1 and not isinstance(body, Seq)):
        found = f"a list of {len(nodes)}" if isinstance(body, Seq) else describe(body)
        faults.add(body.where, f"{found} was found; [{', '.join(names)}] is wanted")
        return None
    said = [SPREAD if name == "factor" else TIME for name in names]
    read = [values.read(node, each, faults) for node, each in zip(nodes, said, strict=True)]
    known = tuple(value for value in read if value is not None)
    if len(known) < len(names):
        return None
    if word == "uniform" and not known[0] < known[1]:
        faults.add(body.where, "the lowest time is not below the highest; [lowest, highest] is wanted")
        return None
    if word in ("lognormal", "exponential") and not known[0] > 0:
        faults.add(body.where, f"a {names[0]} of {units.show(known[0], 's')} was found; one above 0 s is wanted")
        return None
    return known
