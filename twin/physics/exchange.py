"""Exchange: what GPUs that hold a model together send each other for a token, and what waiting for it costs."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.physics.collective import Links, exposed, hierarchical_all_to_all, split

Real = Any
LEAST = 1e-6
"""Bandwidth and speed below this share of nominal are taken for so much: times stay numbers."""


class Exchange(NamedTuple):
    """All-to-alls of a step in which each GPU takes so many tokens through the model.

    size: that a GPU exchanges for a token, all all-to-alls together, its own part too [data]; times: all-to-alls in a
    step; experts: GPUs that exchange, 0 for all that hold the model; overlap: share of computing beside which they
    run; latency: of one between racks [s]; tokens: of a step on a GPU; rate: of a GPU at full clock with all bandwidth
    [tokens/s].
    """

    size: Real
    times: Real
    experts: Real
    overlap: Real
    latency: Real
    tokens: Real
    rate: Real

    def groups(self, links: Links, gpus: Real) -> tuple[Real, Real]:
        """NVLink domains that a group of GPUs which exchange spans, and its GPUs in each; gpus: that hold the model."""
        ranks = library_of(gpus).where(self.experts > 0, library_of(gpus).minimum(self.experts, gpus), gpus)
        return split(ranks, links.domain)

    def communication(self, links: Links, gpus: Real, ports: Real = 1.0, nvlink: Real = 1.0) -> Real:
        """Communication for a token by itself [s].

            t = k/N (alpha + max((g - 1)/n S/B_nvlink, (n - g)/n S/B_port)),   S = N D/k,   alpha only between racks

        The parts of an all-to-all go out side by side, so that its latency comes once.

        Args:
            links: of a GPU, rates in the data's unit over s.
            gpus: that hold the model together [1].
            ports, nvlink: share of the bandwidth of its slowest rack that losses leave, between racks and within [1].

        Source: DeepSeek, DeepEP, README (kernels for inference); tests hold the law to its figures.
        """
        xp = library_of(gpus + ports)
        racks, near = self.groups(links, gpus)
        inside, outside = (links.inside * xp.maximum(nvlink, LEAST), 0.0), (links.outside, 0.0)
        part = self.size * self.tokens / self.times
        each = hierarchical_all_to_all(part, racks, near, inside, outside, xp.maximum(ports, LEAST))
        return (self.size > 0) * (each + (racks > 1) * self.latency) * self.times / self.tokens

    def computing(self, communication: Real) -> Real:
        """Computing for a token at full clock, of which the communication with all bandwidth is known [s]."""
        return computing(1.0 / self.rate, communication, self.overlap)

    def waits(self, computes: Real, communication: Real) -> Real:
        """What a token waits beyond its computing [s]."""
        return exposed(communication, computes, self.overlap)


def computing(step: Real, communication: Real, overlap: Real) -> Real:
    """Computing of a step of which the communication with all bandwidth is known [s].

        t = t_comp + max(t_comm - phi t_comp, 0), solved for t_comp

    Args:
        step, communication: with all bandwidth, the latter by itself [s].
        overlap: share of computing beside which communication can run, phi [1].
    """
    xp = library_of(communication)
    rest = (step - communication) / library_of(overlap).maximum(1.0 - overlap, LEAST)
    return xp.where(communication <= overlap * step, step, rest)
