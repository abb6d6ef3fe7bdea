"""Service: one tier of inference - what is asked of it, what waits, what it earns; its racks stand in pools."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.declare import Ports, Real, flag, quantity, replace, table
from twin.equipment.parts.exchanging import Exchanging
from twin.equipment.parts.promise import Promise
from twin.physics.serving import Queued, counted, grains, grains_below, queue, token_time
from twin.physics.supply import latched

LONGEST = 86400.0
"""Longest waiting time that is told [s]: where nothing is served, none is known."""
MILLION = 1e6
NEVER, ENDLESS = 9.4e8, 1e30
"""From this patience on [s] nobody leaves, and what stands for it then."""


class Asked(NamedTuple):
    """What came in a tick: tokens of prompts and of the answers to them; `turned` where the door is shut [tokens]."""

    prompts: Real
    answers: Real
    turned_prompts: Real
    turned_answers: Real


class Prefilled(NamedTuple):
    """What became of the prompts, and of the answers that wait for theirs [tokens]."""

    prompts: Queued
    released: Real
    dropped: Real
    unanswered: Real


@table
class Service(Promise, Exchanging):
    """Requests as two flows of tokens: prompts, which wait their turn and may be given up, then answers.

    A prompt is read (prefill) and releases its answer, which is written token by token (decode). Both take time
    of GPUs, at the rates of one GPU at full clock and with full batches. Services of a lower `priority` number are
    served first; those of one number share what there is in proportion to what they need. Where other racks write
    than read, the KV cache of each prompt goes to them over the fabric (`kv_cache`). GPUs that hold the model together
    send each other what its experts need (`expert_exchange`). Single requests and their lengths are left out:
    `request_rate` and mean lengths say what comes.
    Tokens are counted exactly: offered = served + dropped + waiting.
    """

    kind = "service"
    counts = True

    priority: Real = quantity("1", "who is served first: 1, then 2 and so on", default=1.0, at_least=1, at_most=100)
    prefill_rate: Real = quantity("token/s", "prompts that a GPU reads at full clock", above=0, at_most=1e7)
    decode_rate: Real = quantity(
        "token/s", "answers that a GPU writes at full clock, in full batches", above=0, at_most=1e7
    )
    batch: Real = quantity("1", "answers that a GPU writes side by side at its full rate", above=0, at_most=1e5)
    least_token_time: Real = quantity(
        "s", "between two tokens of an answer that has its GPU to itself", above=0, at_most=10
    )
    least_first_token_time: Real = quantity(
        "s", "from a request to its first token where nobody waits", default=0.2, above=0, at_most=600
    )
    exposed_communication: Real = quantity(
        "1", "share of a token's time that waits for the network within its rack, at full bandwidth; where no "
        "expert_exchange is told", default=0.0,
        at_least=0, at_most=0.9,
    )  # fmt: skip
    kv_cache: Real = quantity(
        "bit/token", "KV cache of a token of a prompt, sent from the pool that reads to another that writes; 0: none",
        default=0.0, at_least=0, at_most=1e9,
    )  # fmt: skip
    kv_ports: Real = quantity(
        "1", "GPUs on either side over whose ports the KV cache of one prompt goes side by side", default=1.0,
        at_least=1, at_most=1e4,
    )  # fmt: skip
    patience: Real = quantity(
        "s",
        "mean time after which one who waits gives up; from 30 years on nobody does",
        default=60.0,
        above=0,
        at_most=1e9,
    )
    price: Real = quantity("USD", "for a million tokens of answers", default=0.0, at_least=0, at_most=1e5)
    prompt_price: Real = quantity("USD", "for a million tokens of prompts", default=0.0, at_least=0, at_most=1e5)

    @table
    class Inputs:
        admission: Real = quantity("1", "1 takes requests, 0 turns them away", default=1.0, at_least=0, at_most=1)
        request_rate: Real = quantity("request/s", "requests that come", default=0.0, at_least=0, at_most=1e9)
        prompt_length: Real = quantity("token", "mean length of a prompt", default=1000.0, at_least=0, at_most=1e8)
        answer_length: Real = quantity("token", "mean length of an answer", default=250.0, at_least=0, at_most=1e8)

    @table
    class State(Promise.State, Exchanging.State):
        prompt_queue: Real = quantity("token", "prompts that wait", default=0.0)
        unanswered: Real = quantity("token", "answers whose prompts wait", default=0.0)
        answer_queue: Real = quantity("token", "answers begun and not yet written", default=0.0)
        offered_prompts: Real = quantity("token", "prompts that came since the start", default=0.0)
        served_prompts: Real = quantity("token", "prompts read since the start", default=0.0)
        dropped_prompts: Real = quantity("token", "prompts given up or turned away since the start", default=0.0)
        offered_answers: Real = quantity("token", "answers asked for since the start", default=0.0)
        served_answers: Real = quantity("token", "answers written since the start", default=0.0)
        dropped_answers: Real = quantity("token", "answers given up or turned away since the start", default=0.0)
        requests: Real = quantity("request", "requests begun since the start", default=0.0)
        requests_in_time: Real = quantity("request", "of them, those within the promised times", default=0.0)
        revenue: Real = quantity("USD", "earned since the start", default=0.0)
        held_up: Real = flag(
            "is held up by the fabric", "is no longer held up by the fabric", because=(
                "its KV caches take longer to send than its prompts to read",
                "bandwidth_share: its racks have less bandwidth", "waiting: those of requests that have waited go over",
            ), via="work",
        )  # fmt: skip
        waiting: Real = flag(
            "cannot keep up: requests wait", "has caught up", because="its pools serve less than is asked", via="work"
        )
        late: Real = flag(
            "breaks its promise", "keeps its promise again",
            because="a first token takes over {first_token_limit} or a further token takes over {token_limit}",
            via="work",
        )  # fmt: skip

    @table
    class Outputs(Exchanging.Outputs):
        offered_rate: Real = quantity("token/s", "tokens asked for: prompts and answers", default=0.0)
        prompt_rate: Real = quantity("token/s", "prompts read", default=0.0)
        answer_rate: Real = quantity("token/s", "tokens of answers written", default=0.0)
        dropped_rate: Real = quantity("token/s", "tokens given up or turned away", default=0.0)
        queued: Real = quantity("token", "tokens that wait: prompts, and answers not yet written", default=0.0)
        first_token_time: Real = quantity("s", "from a request to its first token; a day at most is told", default=0.0)
        token_time: Real = quantity("s", "between two tokens of an answer", default=0.0)
        revenue_rate: Real = quantity("USD/s", "earned", default=0.0)
        handover_time: Real = quantity(
            "s", "KV cache of a prompt, from readers to those that answer, a day at most; in first_token_time",
            default=0.0,
        )  # fmt: skip
        handover_rate: Real = quantity("bit/s", "KV caches sent to other racks", default=0.0)

    def asks(self, u: Any, now: Real, dt: Real) -> Asked:
        """Tokens that come in a tick, in whole grains: of a steady rate no grain is lost between ticks."""
        per_second = u.request_rate * u.prompt_length, u.request_rate * u.answer_length
        prompts, answers = (grains(rate * (now + dt)) - grains(rate * now) for rate in per_second)
        prompts_in, answers_in = prompts * u.admission, answers * u.admission
        return Asked(prompts_in, answers_in, prompts - prompts_in, answers - answers_in)

    @cached_property
    def _waits(self) -> Real:
        """Patience [s], without end where nobody leaves."""
        return library_of(self.patience).where(self.patience >= NEVER, ENDLESS, self.patience)

    def prefilled(self, s: Any, asked: Asked, capacity: Real, dt: Real) -> Prefilled:
        """What becomes of prompts when so many tokens of them could be read in the tick."""
        xp = library_of(capacity)
        there = s.prompt_queue + asked.prompts
        prompts = counted(queue(s.prompt_queue, asked.prompts, capacity, self._waits, dt), there)
        answers, over = s.unanswered + asked.answers, xp.maximum(there, 1e-300)
        dropped = grains_below(answers * (prompts.dropped / over))
        kept = xp.minimum(grains(answers * (prompts.left / over)), answers - dropped)
        return Prefilled(prompts, answers - dropped - kept, dropped, kept)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp, done = library_of(s.requests), port.work
        asked, read, written = done.asked, done.read, done.written
        prompts = read.prompts
        answers_left = s.answer_queue + read.released - written
        dropped = (prompts.dropped + asked.turned_prompts, read.dropped + asked.turned_answers)
        offered = (asked.prompts + asked.turned_prompts, asked.answers + asked.turned_answers)
        earned = (self.price * written + self.prompt_price * prompts.served) / MILLION
        first, each = self._times(s, u, done, answers_left, dt)
        keeps = (first <= self.first_token_limit) & (each <= self.token_limit)
        begun = prompts.served / xp.maximum(u.prompt_length, 1.0)
        waits = (prompts.left + answers_left > 0.0) * 1.0
        caught_up = prompts.idle + 0.0 * waits
        waiting, waiting_at = latched(
            waits, s.waiting, s.waiting_at, lambda: port.now + xp.where(waits > 0, 0.0, dt - caught_up)
        )
        late, late_at = latched((~keeps) * 1.0, s.late, s.late_at, lambda: port.now + dt + 0.0 * waits)
        after = replace(
            s,
            prompt_queue=prompts.left,
            unanswered=read.unanswered,
            answer_queue=answers_left,
            offered_prompts=s.offered_prompts + offered[0],
            served_prompts=s.served_prompts + prompts.served,
            dropped_prompts=s.dropped_prompts + dropped[0],
            offered_answers=s.offered_answers + offered[1],
            served_answers=s.served_answers + written,
            dropped_answers=s.dropped_answers + dropped[1],
            requests=s.requests + begun,
            requests_in_time=s.requests_in_time + begun * keeps,
            revenue=s.revenue + earned,
            credited=self.given_back(s, earned, keeps),
            waiting=waiting,
            waiting_at=waiting_at,
            late=late,
            late_at=late_at,
        )
        still = ("handover_time", "handover_rate", "network_share", "prompt_network_share")
        told = dict.fromkeys(still, self.once(_none, u.admission))
        if done.met is not None:
            after, waits = self.waited(s, after, done.met, port.now)
            told |= waits
        if done.handing is not None:
            each_token, sent, bound = done.handing
            after.held_up, after.held_up_at = latched((prompts.left > 0) * bound, s.held_up, s.held_up_at, port.now)
            takes = xp.minimum(u.prompt_length * each_token, LONGEST)
            told |= {"handover_time": takes, "handover_rate": sent / dt}
        return after, self.Outputs(
            offered_rate=(offered[0] + offered[1]) / dt,
            prompt_rate=prompts.served / dt,
            answer_rate=written / dt,
            dropped_rate=(dropped[0] + dropped[1]) / dt,
            queued=prompts.left + read.unanswered + answers_left,
            first_token_time=first,
            token_time=each,
            revenue_rate=earned / dt,
            **told,
        )

    def _times(self, s: Any, u: Any, done: Any, answers_left: Real, dt: Real) -> tuple[Real, Real]:
        """Time to first token of who comes at the end of the tick, and time per token [s].

        Who comes waits for all who are there, by what could be read, and for its KV cache to go over; the rest goes
        with the clock. Answers that are behind share what is written.
        """
        xp = library_of(answers_left)
        ahead = done.read.prompts.left
        wait = xp.where(ahead > 0, ahead * dt / xp.maximum(done.capacity, 1e-9), 0.0)
        first = wait + self.least_first_token_time / xp.maximum(done.prefill_speed, 1e-9)
        if done.handing is not None:
            first = first + u.prompt_length * done.handing[0]
        each = token_time(done.busy, self.least_token_time, self.batch, self.decode_rate)
        each = each / xp.maximum(done.decode_speed, 1e-9)
        open_answers = answers_left / xp.maximum(u.answer_length, 1.0)
        shared = open_answers * dt / xp.maximum(done.written, 1e-9)
        each = xp.where(answers_left > 0, xp.maximum(each, shared), each)
        return xp.minimum(first, LONGEST), xp.minimum(each, LONGEST)


def _none(of: Real) -> Real:
    """Nothing, for each service."""
    return 0.0 * of
