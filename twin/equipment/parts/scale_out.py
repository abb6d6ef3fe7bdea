"""Scale-out of a rack: its ports on the fabric and its NVLink switches, as its fabric, jobs and services see them."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Real, quantity, table
from twin.equipment.parts.gpus import Gpus


@table
class ScaleOut(Gpus):
    """What losses leave of the bandwidth between racks, and within one; what that costs is for the jobs and services.

    Each GPU of a rack has a link to each chip of each NVLink switch tray: a tray takes its part of all of them.
    """

    nvlink_trays: Real = quantity(
        "1", "NVLink switch trays; 0: none that fail one by one", default=0.0, at_least=0, at_most=1000
    )

    nvlink_rate: Real = quantity(
        "bit/s", "bandwidth of a GPU over NVLink in one direction; 0: not told", default=0.0, at_least=0, at_most=1e15
    )
    nvlink_domain: Real = quantity(
        "1", "GPUs that NVLink joins; 0: all of the rack", default=0.0, at_least=0, at_most=1e4
    )
    port_rate: Real = quantity(
        "bit/s", "bandwidth of a GPU to other racks in one direction; 0: that of its ports in the fabric", default=0.0,
        at_least=0, at_most=1e15,
    )  # fmt: skip

    @table
    class Inputs(Gpus.Inputs):
        bandwidth_share: Real = quantity(
            "1", "share of its bandwidth to other racks that is left; its fabric writes it", default=1.0, at_least=0,
            at_most=1, writer="fabric",
        )  # fmt: skip
        job_number: Real = quantity(
            "1", "the job of the scheduler that it trains, counted from 1; 0 is none; the scheduler writes it",
            default=0.0, at_least=0, at_most=1e5, writer="scheduler",
        )  # fmt: skip
        ports_lost: Real = quantity(
            "1", "share of its network ports without a link", default=0.0, at_least=0, at_most=1
        )
        trays_lost: Real = quantity("1", "NVLink switch trays lost", default=0.0, at_least=0, at_most=1000)

    def nvlink_left(self, u: Any) -> Real:
        """Share of the bandwidth within the rack that is left [1]."""
        xp = library_of(u.trays_lost)
        return xp.maximum(1.0 - (self.nvlink_trays > 0) * u.trays_lost / xp.maximum(self.nvlink_trays, 1.0), 0.0)

    def linked(self, u: Any) -> Real:
        """Share of its bandwidth that is left to other racks, or within it where that is less [1]."""
        if not worth_doing(u.trays_lost):
            return u.bandwidth_share
        return library_of(u.trays_lost).minimum(u.bandwidth_share, self.nvlink_left(u))
