"""Communicating: what the GPUs of a job send each other in an iteration, and the part of it that it waits for."""

from __future__ import annotations

from twin.arrays import library_of
from twin.declare import Equipment, Real, quantity, table
from twin.physics.collective import Links, exposed, hierarchical_all_reduce, hierarchical_all_to_all, split
from twin.physics.exchange import LEAST, computing
from twin.physics.training import Gang


@table
class Communicating(Equipment):
    """Collectives of an iteration by their alpha-beta cost, in place of a share of it that is said to wait.

    The copies of a model add up their gradients (an all-reduce: within NVLink first, then beyond it, each GPU over its
    own port), and GPUs that share experts exchange tokens (all-to-all). What computing does not hide makes the
    iteration longer. GPUs of one copy, and of one group of experts, are neighbours. Both collectives run one after
    the other; pipelines, and collisions of flows, are left out.
    """

    gradient_size: Real = quantity(
        "bit", "gradients of one copy of the model, parameters times their size, added up over all copies in each "
        "iteration", default=0.0, at_least=0, at_most=1e18,
    )  # fmt: skip
    model_parallel: Real = quantity(
        "1", "GPUs that hold one copy of the model, each its part", default=1.0, at_least=1, at_most=1e6
    )
    exchange_size: Real = quantity(
        "bit", "data that each GPU exchanges with others in an iteration, all of its all-to-alls together", default=0.0,
        at_least=0, at_most=1e18,
    )  # fmt: skip
    exchanges: Real = quantity("1", "all-to-alls in an iteration", default=1.0, at_least=1, at_most=1e6)
    expert_parallel: Real = quantity(
        "1", "GPUs that exchange with each other; 0: all of its gang", default=0.0, at_least=0, at_most=1e6
    )
    overlap: Real = quantity(
        "1", "share of computing beside which its communication runs", default=0.0, at_least=0, at_most=1
    )
    fabric_latency: Real = quantity(
        "s", "of one step of a collective between racks; the usual is NCCL's for a ring over a network", default=14e-6,
        at_least=0, at_most=1,
    )  # fmt: skip
    nvlink_latency: Real = quantity(
        "s", "of one step of a collective within NVLink; the usual is NCCL's for a ring", default=3.4e-6, at_least=0,
        at_most=1,
    )  # fmt: skip

    def communicating(self, racks: Real, links: Links, ports: Real = 1.0, nvlink: Real = 1.0) -> Real:
        """Communication of an iteration by itself [s].

        Args:
            racks: that work for it [1].
            links: of its GPUs.
            ports, nvlink: share of the bandwidth between racks, and within NVLink, that losses leave [1].
        """
        xp = library_of(racks + links.gpus)
        gpus = xp.maximum(racks * links.gpus, 1.0)
        inside = links.inside * xp.maximum(nvlink, LEAST), self.nvlink_latency
        outside, share = (links.outside, self.fabric_latency), xp.maximum(ports, LEAST)
        size = self.gradient_size / self.model_parallel
        copies = split(gpus / self.model_parallel, links.domain / self.model_parallel)
        adds = hierarchical_all_reduce(size, *copies, inside, outside, share)
        experts = xp.where(self.expert_parallel > 0, xp.minimum(self.expert_parallel, gpus), gpus)
        part = self.exchange_size / self.exchanges
        each = hierarchical_all_to_all(part, *split(experts, links.domain), inside, outside, share)
        return (self.gradient_size > 0) * adds + (self.exchange_size > 0) * self.exchanges * each

    def computing(self, step: Real, communication: Real) -> Real:
        """Computing of an iteration of which the communication with all bandwidth is known [s]; both by themselves."""
        return computing(step, communication, self.overlap)

    def paced(self, step: Real, gang: Gang, rack_share: Real, said: tuple[Real, Real]) -> tuple[Real, Real]:
        """Iterations a second, and the share of one that waits for the network, where communication is worked out.

        Communication does not go with the clock: slow GPUs hide more of it.

        Args:
            step: an iteration at nominal clock with all bandwidth [s].
            gang: the racks that it finds.
            rack_share: racks that it has of those that it asks for [1].
            said: both by the share that waits, for jobs that tell it.
        """
        xp = library_of(gang.speed)
        whole = self.communicating(gang.wanted / rack_share, gang.links)
        computing = self.computing(step, whole) / (xp.maximum(gang.speed, LEAST) * rack_share)
        waits = exposed(self.communicating(gang.able, gang.links, gang.ports, gang.nvlink), computing, self.overlap)
        rate = xp.where(gang.speed > 0, 1.0 / (computing + waits), 0.0)
        mine = self.gradient_size + self.exchange_size > 0
        return xp.where(mine, rate, said[0]), xp.where(mine, waits / (computing + waits), said[1])
