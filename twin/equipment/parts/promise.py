"""Promise: what a tier promises, and what it gives back of its revenue where it does not keep it."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of
from twin.declare import Real, quantity, table
from twin.equipment.parts.account import Account

STEPS = (1, 2, 3)
"""Steps of a table of credits, from the first one missed."""


@table
class Promise(Account):
    """Times that are promised, and credits for missing them.

    Either each request beyond its promise gets a share of its price back (`credit`), or the revenue of the whole run is
    credited by the share of requests within it, as agreements on service levels have it: the lowest step that this
    share falls below counts (`credits: [[99.9 %, 10 %], [99 %, 25 %], [95 %, 100 %]]`).
    """

    first_token_limit: Real = quantity("s", "promised: time to first token", default=2.0, above=0, at_most=1e6)
    token_limit: Real = quantity("s", "promised: time per token of an answer", default=0.1, above=0, at_most=1e3)
    credit: Real = quantity(
        "1", "share of what they pay given back for requests served beyond the promise", default=0.0, at_least=0,
        at_most=1,
    )  # fmt: skip
    credit_below_1: Real = quantity(
        "1", "share of requests within the promise below which credit_share_1 of all revenue is given back; 0: never",
        default=0.0, at_least=0, at_most=1,
    )  # fmt: skip
    credit_share_1: Real = quantity("1", "given back below credit_below_1", default=0.0, at_least=0, at_most=1)
    credit_below_2: Real = quantity("1", "the next step, below the first", default=0.0, at_least=0, at_most=1)
    credit_share_2: Real = quantity("1", "given back below credit_below_2", default=0.0, at_least=0, at_most=1)
    credit_below_3: Real = quantity("1", "the last step, below the second", default=0.0, at_least=0, at_most=1)
    credit_share_3: Real = quantity("1", "given back below credit_below_3", default=0.0, at_least=0, at_most=1)

    @table
    class State(Account.State):
        credited: Real = quantity("USD", "given back for requests beyond the promise since the start", default=0.0)

    def steps(self) -> list[tuple[Real, Real]]:
        """Steps of the table: share of requests within the promise [1], and what is given back below it [1]."""
        return [(getattr(self, f"credit_below_{k}"), getattr(self, f"credit_share_{k}")) for k in STEPS]

    def agreed(self, kept: Real) -> Real:
        """Share of the revenue of a run that its table of credits gives back [1], by the share of requests kept [1]."""
        xp = library_of(kept)
        found = 0.0 * kept
        for below, share in self.steps():
            found = xp.where(kept < below, share, found)
        return found

    def faults(self, feeds: int) -> list[str]:
        found = Account.faults(self, feeds)
        steps = [step for step in self.steps() if step != (0.0, 0.0)]
        for below, share in steps:
            if below == 0.0 or share == 0.0:
                told = f"its credits have {100 * share:.4g} % below {100 * below:.6g} %, which gives nothing back"
                found.append(f"{told}; both above 0 are wanted")
                return found
        if steps and self.credit > 0:
            found.append("credit pays back by request, its table of credits by the share of all; one of them is wanted")
        falls = all(one[0] > other[0] and one[1] < other[1] for one, other in zip(self.steps(), self.steps()[1:])
                    if other != (0.0, 0.0))  # fmt: skip
        if not falls:
            told = ", ".join(f"{100 * share:.4g} % below {100 * below:.6g} %" for below, share in steps)
            found.append(f"its credits are {told}; steps are wanted that fall, with credits that rise")
        return found

    def given_back(self, s: Any, earned: Real, keeps: Real) -> Real:
        """What it has credited, one tick on [USD]; earned: in the tick, keeps: whether it kept its promise then."""
        return s.credited + self.credit * earned * (1.0 - keeps)
