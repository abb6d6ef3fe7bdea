"""Exchanging: what GPUs that hold a service's model together send each other, and the part of it that it waits for."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of
from twin.declare import Equipment, Real, flag, quantity, replace, table
from twin.physics.exchange import Exchange
from twin.physics.supply import latched

MUCH, LITTLE = 0.05, 0.03
"""Time that a token waits beyond what it waits at full clock with all bandwidth, of its whole time then [1].

Told from the first on, until the last.
"""


@table
class Exchanging(Equipment):
    """All-to-alls of the experts of a model by their alpha-beta cost, in place of a share of time that is said to wait.

    The GPUs of a replica (`replica_racks` of a pool) hold the model together: each sends the tokens that it computes to
    the experts and gets them back, layer by layer. What computing does not hide makes a token take longer. Rates of a
    GPU are those with all bandwidth; slow GPUs hide more.
    """

    expert_exchange: Real = quantity(
        "bit/token", "data that each GPU exchanges with others for a token, all of its all-to-alls together, also what "
        "stays its own", default=0.0, at_least=0, at_most=1e12,
    )  # fmt: skip
    exchanges: Real = quantity("1", "all-to-alls in a step, two for each layer of experts", default=1.0, at_least=1,
                               at_most=1e6)  # fmt: skip
    expert_parallel: Real = quantity(
        "1", "GPUs that exchange with each other; 0: all that hold a replica", default=0.0, at_least=0, at_most=1e6
    )
    overlap: Real = quantity(
        "1", "share of computing beside which its communication runs", default=0.0, at_least=0, at_most=1
    )
    fabric_latency: Real = quantity(
        "s", "of one step of a collective between racks: an all-to-all whose parts go side by side; usual: NCCL's",
        default=14e-6, at_least=0, at_most=1,
    )  # fmt: skip
    prefill_chunk: Real = quantity(
        "token", "tokens of prompts that a GPU reads in one step", default=4096.0, at_least=1, at_most=1e7
    )

    @table
    class State:
        slow: Real = flag(
            "goes slower", "goes at its pace again", because=(
                "its tokens wait longer for the network between experts",
                "bandwidth_share: the GPUs that hold its model have less bandwidth",
            ), via="work",
        )  # fmt: skip

    @table
    class Outputs:
        network_share: Real = quantity(
            "1", "share of the time of a token of its answers that waits for the network between its experts",
            default=0.0,
        )  # fmt: skip
        prompt_network_share: Real = quantity("1", "the same of a token of its prompts", default=0.0)

    def exchange(self, phase: str) -> Exchange:
        """What a step of prefill or decode sends."""
        tokens, rate = (self.prefill_chunk, self.prefill_rate) if phase == "prefill" else (self.batch, self.decode_rate)  # type: ignore[attr-defined]
        return Exchange(
            self.expert_exchange, self.exchanges, self.expert_parallel, self.overlap, self.fabric_latency, tokens, rate
        )

    def waited(self, s: Any, after: Any, met: tuple[Real, Real, Real], now: Real) -> tuple[Any, dict[str, Real]]:
        """State one tick on and Outputs.

        Args:
            met: share of a token's time that waits, of prompts and of answers, and what either waits beyond what it
                does at full clock with all bandwidth, of its time then [1]; now: the start of the tick [s].
        """
        prompts, answers, more = met
        drags = library_of(more).where(s.slow > 0, more > LITTLE, more > MUCH) * 1.0
        slow, slow_at = latched(drags, s.slow, s.slow_at, now)
        return replace(after, slow=slow, slow_at=slow_at), {"network_share": answers, "prompt_network_share": prompts}
