"""Scale-out of a rack: its ports on the fabric, as its fabric and its jobs see them."""

from __future__ import annotations

from twin.declare import Real, quantity, table
from twin.equipment.parts.gpus import Gpus


@table
class ScaleOut(Gpus):
    """What losses leave of the bandwidth between racks; what that costs is for the jobs and services on them."""

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
