"""Generators: the fabrics that people buy as one - rail-optimised SuperPOD, two-level fat tree - from a few counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twin.plant_fabric import Fabric, Link

NDR, XDR = 400e9, 800e9
"""Rate of one port and direction [bit/s]: Quantum-2 and ConnectX-7, Quantum-X800 and ConnectX-8."""
RACKS, RAILS, TRAYS = 8, 4, 18
"""A scalable unit of DGX GB200: racks; rails, one for each GPU of a tray; trays of a rack, each with a port a rail."""
LEAVES, SPINES, UPLINKS = 8, 6, 24
"""Of one rail of a scalable unit; ports of a spine to the cores."""
RADIX_NDR, RADIX_XDR = 64, 144
"""Ports of a QM9700 and of a Q3400."""
MOST_UNITS = 16


class BadFabric(ValueError):
    """A fabric cannot be made of this; each of `faults` is a key of it, "" for the whole, and a sentence."""

    def __init__(self, *faults: str | tuple[str, str]) -> None:
        self.faults = [("", each) if isinstance(each, str) else each for each in faults]
        super().__init__("; ".join(text for _, text in self.faults))


@dataclass(frozen=True)
class Wanted:
    """How many units of each sort a generator needs."""

    racks: int
    leaves: int
    spines: int
    cores: int = 0


def superpod_counts(racks: int) -> Wanted:
    """Switches of a rail-optimised SuperPOD of so many racks.

    A scalable unit of 8 racks (576 GPUs) has 32 leaves and 24 spines, 8 and 6 a rail. Above one unit, six groups of
    cores join all spines of the same place in their rail: 24 cores a group at 16 units, whose 64 ports are then full.
    Below 16 units a group has the fewest cores that give each spine the same number of links to each of them.

    Source: NVIDIA DGX SuperPOD reference architecture, DGX GB200, "Network Fabrics" (32 + 24 a unit; 512 leaf, 384
    spine, 144 core at 16 units); the counts of cores between are derived from ports.
    """
    units, left = divmod(racks, RACKS)
    if left or not 1 <= units <= MOST_UNITS:
        text = f"a SuperPOD is made of 1 to {MOST_UNITS} scalable units of {RACKS} racks; {racks} racks are"
        raise BadFabric(f"{text} {'too many' if units >= MOST_UNITS else 'no whole number of them'}")
    return Wanted(racks, units * RAILS * LEAVES, units * RAILS * SPINES, SPINES * _cores_of_a_group(units))


def _cores_of_a_group(units: int) -> int:
    if units == 1:
        return 0
    needed = units * RAILS * UPLINKS / RADIX_NDR
    return next(count for count in range(1, UPLINKS + 1) if UPLINKS % count == 0 and count >= needed)


def superpod(
    racks: Sequence[str], leaves: Sequence[str], spines: Sequence[str], cores: Sequence[str] = (), name: str = "compute"
) -> Fabric:
    """A rail-optimised SuperPOD; names in order of scalable unit, then of rail.

    Leaf j of a rail serves rack j of its scalable unit: 18 ports down, and 3 up to each of the rail's 6 spines.

    Raises:
        BadFabric: the names are not as many as `superpod_counts` says.
    """
    wanted = superpod_counts(len(racks))
    _all_there(wanted, leaves, spines, cores)
    units, group = len(racks) // RACKS, wanted.cores // SPINES
    links = []
    for unit in range(units):
        for rail in range(RAILS):
            row = unit * RAILS + rail
            under, above = leaves[row * LEAVES :][:LEAVES], spines[row * SPINES :][:SPINES]
            for j, leaf in enumerate(under):
                links.append(Link(racks[unit * RACKS + j], leaf, TRAYS, rail + 1))
                links += [Link(leaf, spine, TRAYS // SPINES, rail + 1) for spine in above]
            for k, spine in enumerate(above if group else ()):
                links += [Link(spine, core, UPLINKS // group, rail + 1) for core in cores[k * group :][:group]]
    return Fabric(name, list(racks), _tiers(leaves, spines, cores), links, NDR, generator="superpod")


def fat_tree_counts(racks: int, rails: int = RAILS, ports: int = TRAYS, radix: int = RADIX_XDR) -> Wanted:
    """Switches of a two-level fat tree of so many racks, each with so many ports a rail.

    A leaf carries one rail of as many racks as half its ports take, with as many ports up as down. Of spines there
    are the fewest that give each leaf the same number of links to each: 144 leaves and 72 spines at most, 10,368
    ports, with a radix of 144.

    Source: NVIDIA Quantum-X800 Q3400, 144 ports of 800 Gbit/s; two levels of it join 10,368 ports.
    """
    each = (radix // 2) // ports if ports else 0
    if each < 1 or racks < 1 or rails < 1:
        raise BadFabric(f"a leaf of {radix} ports has {radix // 2} for racks, and one rack brings {ports}")
    leaves = rails * -(-racks // each)
    up = each * ports
    fitting = [count for count in range(1, up + 1) if up % count == 0 and leaves * up <= count * radix]
    if not fitting:
        text = f"a two-level fat tree of switches with {radix} ports joins at most {radix} leaves"
        raise BadFabric(f"{text}; {racks} racks of {rails * ports} ports want {leaves}")
    return Wanted(racks, leaves, fitting[0])


def fat_tree(
    racks: Sequence[str], leaves: Sequence[str], spines: Sequence[str], rails: int = RAILS, ports: int = TRAYS,
    radix: int = RADIX_XDR, rate: float = XDR, name: str = "compute",
) -> Fabric:  # fmt: skip
    """A non-blocking two-level fat tree, rail-optimised; leaves named by group of racks, then by rail.

    Raises:
        BadFabric: the names are not as many as `fat_tree_counts` says.
    """
    wanted = fat_tree_counts(len(racks), rails, ports, radix)
    _all_there(wanted, leaves, spines, ())
    each = (radix // 2) // ports
    links = []
    for place, leaf in enumerate(leaves):
        group, rail = divmod(place, rails)
        links += [Link(rack, leaf, ports, rail + 1) for rack in racks[group * each :][:each]]
        links += [Link(leaf, spine, each * ports // len(spines), rail + 1) for spine in spines]
    told = {"rails": rails, "ports": ports, "radix": radix}
    tiers = _tiers(leaves, spines, ())
    return Fabric(name, list(racks), tiers, links, rate, generator="fat_tree", extra=told)


def _tiers(*names: Sequence[str]) -> dict[str, int]:
    return {name: tier for tier, each in enumerate(names, 1) for name in each}


def _all_there(wanted: Wanted, leaves: Sequence[str], spines: Sequence[str], cores: Sequence[str]) -> None:
    told = [("leaves", leaves), ("spines", spines), ("cores", cores)]
    wrong = [(what, names) for what, names in told if len(names) != getattr(wanted, what)]
    if wrong:
        raise BadFabric(
            *((what, f"{len(names) or 'no'} {what} are named; {wanted.racks} racks want {getattr(wanted, what)}")
              for what, names in wrong)
        )  # fmt: skip
