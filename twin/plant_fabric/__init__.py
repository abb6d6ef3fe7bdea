"""Fabrics as described: racks, switches in tiers and the links between them; `generators` and `graphs` make them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from twin.faults import Where

DETECTION = 1.0
"""Time between two looks of whoever finds new routes after a loss [s]. Estimate: about a second."""

SENDERS = ("all", "jobs")
"""Who sends at once when shares of bandwidth are worked out: all racks of the fabric, or those of each job alone."""


@dataclass(frozen=True)
class Link:
    """Ports in parallel between a rack or switch and a switch one tier above it; `rail` 0 is none."""

    lower: str
    upper: str
    ports: int
    rail: int = 0


@dataclass
class Fabric:
    """One scale-out network: racks at the bottom, switches in tiers (1 leaf, 2 spine, 3 core).

    rate: of one port and direction [bit/s]; detection: time between two looks for new routes [s]; senders: who sends
    at once, of SENDERS.
    """

    name: str
    racks: list[str]
    switches: dict[str, int]
    links: list[Link]
    rate: float
    detection: float = DETECTION
    senders: str = SENDERS[0]
    generator: str = "links"
    where: Where | None = None
    extra: dict[str, int] = field(default_factory=dict)
    """What the generator was told, for people."""
    whole: bool = True
    """Whether its links are known; where a fault of it is told they are not."""

    @cached_property
    def rails(self) -> int:
        """Rails that its racks have; 1 where none are told apart."""
        return max((link.rail for link in self.links), default=0) or 1

    @cached_property
    def rail_of(self) -> dict[str, int]:
        """Switch -> the one rail that it carries; those of several rails are left out."""
        carried: dict[str, set[int]] = {}
        for link in self.links:
            carried.setdefault(link.upper, set()).add(link.rail)
            carried.setdefault(link.lower, set()).add(link.rail)
        return {name: next(iter(found)) for name, found in carried.items() if len(found) == 1 and found != {0}}

    def tier(self, number: int) -> list[str]:
        """The switches of one tier, in the order told."""
        return [name for name, tier in self.switches.items() if tier == number]

    @cached_property
    def tiers(self) -> int:
        """Tiers of switches."""
        return max(self.switches.values(), default=0)

    def cables(self) -> list[int]:
        """Ports in use between neighbouring tiers, from the racks up (a cable may carry two)."""
        found: Counter[int] = Counter()
        for link in self.links:
            found[self.switches.get(link.lower, 0)] += link.ports
        return [found[tier] for tier in range(self.tiers)]

    def ports_used(self) -> Counter[str]:
        """Ports in use at each rack and switch."""
        used: Counter[str] = Counter()
        for link in self.links:
            used[link.lower] += link.ports
            used[link.upper] += link.ports
        return used

    def renamed(self, name: str, named: Any) -> Fabric:
        """A copy under another name, with each unit's name passed through `named`."""
        return replace(
            self,
            name=name,
            racks=[named(rack) for rack in self.racks],
            switches={named(each): tier for each, tier in self.switches.items()},
            links=[replace(link, lower=named(link.lower), upper=named(link.upper)) for link in self.links],
        )

    def to_json(self) -> dict[str, Any]:
        """What JSON can hold of it; links as rows."""
        rows = [[link.lower, link.upper, link.ports, link.rail] for link in self.links]
        where = None if self.where is None else asdict(self.where)
        return {**{key: getattr(self, key) for key in PLAIN}, "links": rows, "where": where}

    @staticmethod
    def from_json(said: dict[str, Any]) -> Fabric:
        """The fabric that `to_json` wrote."""
        where = None if said["where"] is None else Where(**said["where"])
        return Fabric(
            links=[Link(*row) for row in said["links"]], where=where, **{key: said[key] for key in PLAIN if key in said}
        )


PLAIN = ("name", "racks", "switches", "rate", "detection", "senders", "generator", "extra")
