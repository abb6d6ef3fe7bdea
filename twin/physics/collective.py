"""Collectives: the alpha-beta cost of all-reduce and all-to-all over NVLink and the fabric, and what a step pays."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of

Real = Any

NVLINK_CHIPS = 18
"""NVLink switch chips of an NVL72 rack: nine trays of two; each GPU has one link to each of them.

Source: NVIDIA DGX SuperPOD reference architecture, DGX GB200, "Network Fabrics".
"""
NVLINK_RATE = 50e9
"""Of one NVLink 5 link and direction [byte/s]: 18 of them make the published 1.8 TB/s both ways."""


class Links(NamedTuple):
    """What GPUs of alike racks talk over; rates in any unit of data, the same for both.

    gpus: of a rack; domain: those that NVLink joins; inside, outside: bandwidth of a GPU in one direction, over NVLink
    and over its ports.
    """

    gpus: Real
    domain: Real
    inside: Real
    outside: Real


def split(ranks: Real, near: Real) -> tuple[Real, Real]:
    """Domains that a group of ranks spans, and ranks in each, where at most so many of it are near each other [1].

        g = min(max(near, 1), n),   m = n/g

    Args:
        ranks: of the group, n; at least one is taken.
        near: ranks of it that NVLink could join.
    """
    xp = library_of(ranks + near)
    n = xp.maximum(ranks, 1.0)
    g = xp.minimum(xp.maximum(near, 1.0), n)
    return n / g, g


def nvlink_bandwidth(chips_lost: Real, rate: Real = NVLINK_RATE) -> Real:
    """Bandwidth of a GPU to the others of its rack, in one direction [byte/s].

        B = (18 - lost) rate

    Args:
        chips_lost: NVLink switch chips lost, two with each tray [1].
        rate: of one link and direction [byte/s].
    """
    return (NVLINK_CHIPS - chips_lost) * rate


def ring_all_reduce(size: Real, ranks: Real, bandwidth: Real, latency: Real) -> Real:
    """Time of an all-reduce round a ring [s].

        t = 2 (n - 1) alpha + 2 (n - 1)/n S/B

    Args:
        size: of the buffer of each rank [data].
        ranks: ranks in the ring [1].
        bandwidth: of each rank to the outside, in one direction [data/s], same unit of data.
        latency: of one step [s].

    Source: Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH" (2005);
    the second term is the bound that NCCL tests derive in doc/PERFORMANCE.md.
    """
    return 2.0 * (ranks - 1) * latency + 2.0 * (ranks - 1) / ranks * size / bandwidth


def tree_all_reduce(size: Real, ranks: Real, bandwidth: Real, latency: Real) -> Real:
    """Time of an all-reduce over two binary trees, each of half the buffer, in a pipeline [s].

        t = 2 ceil(log2 n) alpha + 2 S/B     (0 for one rank)

    Arguments are those of `ring_all_reduce`.

    Source: Sanders, Speck and Traeff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan" (2009).
    """
    xp = library_of(ranks)
    depth = xp.ceil(xp.log2(ranks))
    return (ranks > 1) * (2.0 * depth * latency + 2.0 * size / bandwidth)


def reduce_scatter(size: Real, ranks: Real, bandwidth: Real, latency: Real) -> Real:
    """Time of a reduce-scatter or all-gather round a ring, or of an all-to-all of equal parts [s].

        t = (n - 1) alpha + (n - 1)/n S/B

    Arguments are those of `ring_all_reduce`.
    """
    return (ranks - 1) * latency + (ranks - 1) / ranks * size / bandwidth


def hierarchical_all_reduce(
    size: Real, racks: Real, gpus: Real, inside: tuple[Real, Real], outside: tuple[Real, Real], share: Real = 1.0
) -> Real:
    """Time of an all-reduce that reduces within each rack first, then among racks, each GPU on its own rail [s].

        t = t_rs(S, g, NVLink) + t_ring(S/g, m, B_port share) + t_ag(S, g, NVLink)

    Of the two algorithms among racks the quicker one is taken, as NCCL does.

    Args:
        size: of the buffer of each GPU [data].
        racks, gpus: m racks, g GPUs in each [1].
        inside, outside: bandwidth of a GPU in one direction [data/s], same unit of data, and latency of a step [s],
            over NVLink and port.
        share: of the bandwidth among racks that losses leave (that of the slowest rack of the group) [1].
    """
    near = 2.0 * reduce_scatter(size, gpus, *inside)
    part, rate, xp = size / gpus, outside[0] * share, library_of(share)
    ring, tree = (law(part, racks, rate, outside[1]) for law in (ring_all_reduce, tree_all_reduce))
    return near + xp.minimum(ring, tree)


def hierarchical_all_to_all(
    size: Real, racks: Real, gpus: Real, inside: tuple[Real, Real], outside: tuple[Real, Real], share: Real = 1.0
) -> Real:
    """Time of an all-to-all over racks: what stays within goes over NVLink while the rest goes over the ports [s].

        t = max((g - 1) alpha_i + (g - 1)/n S/B_i,  (n - g) alpha_o + (n - g)/n S/(B_o share)),   n = m g

    Arguments are those of `hierarchical_all_reduce`.
    """
    n, xp = racks * gpus, library_of(share)
    near = (gpus - 1) * inside[1] + (gpus - 1) / n * size / inside[0]
    far = (n - gpus) * outside[1] + (n - gpus) / n * size / (outside[0] * share)
    return xp.maximum(near, far)


def bus_bandwidth(size: Real, time: Real, ranks: Real, collective: str = "all_reduce") -> Real:
    """Bandwidth by which NCCL tests compare a collective with its hardware [data/s].

        busbw = S/t * factor,   factor = 2 (n - 1)/n for all-reduce, (n - 1)/n for the others, 1 for broadcast

    Source: NVIDIA nccl-tests, doc/PERFORMANCE.md.
    """
    ring = (ranks - 1) / ranks
    factors = {"all_reduce": 2.0 * ring, "broadcast": 1.0, "reduce": 1.0}
    factors |= dict.fromkeys(("reduce_scatter", "all_gather", "all_to_all"), ring)
    return size / time * factors[collective]


def exposed(communication: Real, compute: Real, overlap: Real) -> Real:
    """Communication that computing does not hide [s].

        t_x = max(t_comm - phi t_comp, 0)

    Args:
        communication, compute: of a step, each by itself [s].
        overlap: share of computing beside which communication can run [1].
    """
    return library_of(communication).maximum(communication - overlap * compute, 0.0)
