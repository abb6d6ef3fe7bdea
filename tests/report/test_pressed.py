"""Why pools are full and services cannot keep up: what changed, not what stood before; worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from told_lines import Told, told_of

from twin.report.balance import Balance
from twin.report.known import Change
from twin.trace import Event

RATES = (
    "prefill_rate: 7000 token/s, decode_rate: 1500 token/s, batch: 64, least_token_time: 15 ms, first_token_limit: 5 s,"
    " least_first_token_time: 600 ms, patience: 30 years"
)
SITE = """\
title: Four racks and those they serve
plant:
  variant_of: starter
  units:
{units}
run: {{duration: {seconds} s, tick: 1 s, record: {record} s}}
weather: {{dry_bulb: 20 degC, relative_humidity: 40 %}}
workload: {{demand: {{{demand}}}}}
events:
{events}
"""
ONE = f"""\
    chat: {{kind: pool, racks: rack-1..4}}
    api: {{kind: service, pools: chat, {RATES}}}"""
TWO = f"""\
    leaf-1: {{like: qm9700, feeds: [pdu-a, pdu-b], zone: room, rated_power: 750 W, ports: 32}}
    readers: {{kind: pool, racks: rack-1..2}}
    writers: {{kind: pool, racks: rack-3..4}}
    api: {{kind: service, prefill: readers, decode: writers, kv_cache: 327.68 kB/token, {RATES}}}
  fabric:
    fabric-1:
      generator: links
      racks: rack-1..4
      links: [{{from: rack-1..4, to: leaf-1, ports: 8}}]
      rate: 100 Gbit/s"""
SPILL = f"""\
    p1: {{kind: pool, racks: rack-1..2}}
    p2: {{kind: pool, racks: rack-3..4}}
    api: {{kind: service, pools: [p1, p2], {RATES}}}
    bat: {{kind: service, pools: p2, {RATES}}}"""
MODEL = f"""\
    leaf-1..2: {{like: qm9700, feeds: [pdu-a, pdu-b], zone: room, rated_power: 750 W, ports: 32}}
    chat: {{kind: pool, racks: rack-1..4, replica_racks: 2}}
    api: {{kind: service, pools: chat, expert_exchange: 400 kB/token, {RATES}}}
  fabric:
    fabric-1:
      generator: links
      racks: rack-1..4
      links: [{{from: rack-1..4, to: leaf-1, ports: 4}}, {{from: rack-1..4, to: leaf-2, ports: 4}}]
      rate: 100 Gbit/s"""


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    def ran(units: str, demand: str, events: str, seconds: int, record: int = 1) -> Told:
        text = SITE.format(units=units, demand=demand, events=events, seconds=seconds, record=record)
        return told_of(text, tmp_path)

    return ran


def of(told: Told, *units: str) -> Told:
    return [each for each in told if each[0].split()[0] in units]


REQUESTS = "requests: {rate} request/s, prompt_length: 2000 token, answer_length: 400 token"
"""A GPU works 2000/7000 + 400/1500 = 0.552 s for each; the four racks have 128: they do 231.7 of them a second."""
NOTHING = ("api breaks its promise", "a first token takes over 5 s or a further token takes over 100 ms")
PROMISE = ("api breaks its promise", "a first token takes over 5 s")


GROWN = [
    (300, "its racks serve less than is asked of them", "api gets request rate 300 request/s (set)"),
    (238, "demand has risen: 571.2 ktoken/s are asked f", ""),
]
"""Requests a second from 20 s on; why the pool is full then, and what led to it: 19 % more is no step."""


def test_what_only_hastens_is_not_the_cause(told: Callable[..., Told]) -> None:
    """260 of 231.7 requests a second: who comes waits 0.122 s longer each second, and 4.4 s, the promise, at 36 s.

    The cap is set a second before; nothing else had to come.
    """
    events = "  - {at: 35 s, set: rack-1.power_limit, to: 80 %}"
    found = told(ONE, f"api: {{{REQUESTS.format(rate=260)}}}", events, 40)
    waits = ("api cannot keep up: requests wait", "its pools serve less than is asked")
    _, why, cause = of(found, "chat")[0]
    assert (why[:43], cause) == ("from the beginning: 624 ktoken/s are asked ", "")
    assert of(found, "api") == [(*waits, "chat is full"), (*PROMISE, "chat is full")]


@pytest.mark.parametrize(("rate", "why", "cause"), GROWN)
def test_demand_that_grows_is_told_by_its_line_or_in_words(
    told: Callable[..., Told], tmp_path: Path, rate: int, why: str, cause: str
) -> None:
    """A trace brings 200 requests a second, and from 20 s on more than there is room for; a step has a line.

    The cap at 10 s, which takes a few in a hundred of what four racks do, would have left room for 200.
    """
    times = [*(k / 20 for k in range(400)), *(20 + 10 * k / rate for k in range(2 * rate))]
    lines = [f"2026-01-01 00:00:{each:09.6f},2000,400" for each in times]
    (tmp_path / "asked.csv").write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *lines]) + "\n")
    events = "  - {at: 10 s, set: rack-1.power_limit, to: 90 %}"
    found = told(ONE, "api: {trace: asked.csv, every: 10 s, scale: 10}", events, 38)
    full = next(each for each in of(found, "chat") if each[0] == "chat is full")
    assert (full[1][: len(why)], full[2]) == (why, cause)
    waits = next(each for each in of(found, "api") if each[0].startswith("api cannot keep up"))
    assert waits[2] == "chat is full"


def test_no_racks_to_answer_is_not_the_fabric(told: Callable[..., Told]) -> None:
    """One of two writers lost leaves half of the ports that take caches in; both lost leave nobody to take them."""
    events = "  - {at: 20 s, fail: rack-3}\n  - {at: 40 s, fail: rack-4}"
    asked = "api: {requests: 90 request/s, prompt_length: 4000 token, answer_length: 200 token}"
    found = told(TWO, asked, events, 50)
    lost = [f"rack-{k} is taken out of service (fail)" for k in (3, 4)]
    none, full = "writers has no racks ready", "its racks serve less than is asked of them"
    assert of(found, "readers", "writers", "api") == [
        ("api is held up by the fabric", "its KV caches take longer to send than its prompts to read", lost[0]),
        ("api cannot keep up: requests wait", "its pools serve less than is asked", lost[0]),
        (none, "all of them are off, lost, drained or still starting", lost[1]),
        ("writers is full", full, none),
        ("api is no longer held up by the fabric: nobody is there to answer", "", none),
        (*NOTHING, "writers is full"),
    ]


def test_a_trace_that_has_no_row_near_does_not_tell() -> None:
    """A rack that goes at 70 s and is back at 100 s shows in no row of a trace that has one each minute."""
    balance = Balance(SimpleNamespace(time=np.array([0.0, 60.0, 120.0])))  # type: ignore[arg-type]
    looked = [balance.blind(since, now) for since, now in ((70, 80), (70, 112), (60, 80), (50, 80), (130, 140))]
    assert looked == [True, False, False, False, True]


SHORT = "its racks serve less than is asked of them"
LOST = "rack-{} is taken out of service (fail)"
CAUSES = [
    # 120 requests a second go to 240 and back, then to 200, for which there is room; three racks do 174
    (ONE, 120,
     ["at: 4 s, set: api.request_rate, to: 240 request/s", "at: 6 s, set: api.request_rate, to: 120 request/s",
      "at: 12 s, set: api.request_rate, to: 200 request/s", "at: 16 s, fail: rack-3"], 18,
     {"chat is full": (SHORT, LOST.format(3))}),
    # 220 go down to 180: that fills nothing; the caps do
    (ONE, 100,
     ["at: 3 s, set: api.request_rate, to: 220 request/s", "at: 6 s, set: api.request_rate, to: 180 request/s",
      "at: 9 s, set: rack-1.power_limit, to: 30 %", "at: 10 s, set: rack-2.power_limit, to: 30 %"], 12,
     {"chat is full": (SHORT, "rack-2 gets power limit 30 % (set)")}),
    # the one reader left does 56 requests and is asked for 30; then nothing goes from readers to writers
    (TWO, 30, ["at: 3 s, fail: rack-1", "at: 3 s, fail: leaf-1"], 6,
     {"api is held up by the fabric": ("its racks have less bandwidth", "rack-2 is cut off from other racks"),
      "readers is full": (SHORT, "rack-2 is cut off from other racks")}),
    # two pools do 116 each and are asked for 100 and 100; one rack of the first, 58, leaves 42 to the second
    (SPILL, 100, ["at: 3 s, fail: rack-1"], 5,
     {"p1 is full": (SHORT, LOST.format(1)), "p2 is full": (SHORT, "p1 is full")}),
    # ln(240/150) = 0.47 against ln(4/3) = 0.29, at one moment. 66 wait each second, 0.38 s at 174: 5 s less 0.6 after
    # 12 s; 10 % of a rack less at 13 s only hastens it
    (ONE, 150,
     ["at: 3 s, fail: rack-1", "at: 3 s, set: api.request_rate, to: 240 request/s",
      "at: 13 s, set: rack-2.power_limit, to: 90 %"], 16,
     {"chat is full": (f"{SHORT}; {LOST.format(1)} beside it", "api gets request rate 240 request/s (set)"),
      PROMISE[0]: (PROMISE[1], "chat is full")}),
    # rack-2 holds a model with rack-1 and stands; the others go on with half of their ports
    (MODEL, 30, ["at: 3 s, fail: rack-1", "at: 6 s, fail: leaf-1"], 8,
     {"api goes slower": ("the GPUs that hold its model have less bandwidth",
                          "rack-3 has 50 % of its bandwidth to other racks")}),
]  # fmt: skip
"""A plant, requests a second, events, seconds; what is told then, last, why, and what led to it."""


@pytest.mark.parametrize(("units", "rate", "events", "seconds", "wanted"), CAUSES)
def test_the_cause_is_the_last_change_that_tips_the_balance(
    told: Callable[..., Told],
    units: str,
    rate: int,
    events: list[str],
    seconds: int,
    wanted: dict[str, tuple[str, str]],
) -> None:
    asked = f"api: {{{REQUESTS.format(rate=rate)}}}"
    asked += f", bat: {{{REQUESTS.format(rate=rate)}}}" if units == SPILL else ""
    found = told(units, asked, "\n".join(f"  - {{{each}}}" for each in events), seconds)
    assert {what: (why, cause) for what, why, cause in found if what in wanted} == wanted


def test_a_step_before_the_fault_is_no_cause_though_no_row_lies_between(told: Callable[..., Told]) -> None:
    """A row each 10 s: 120 requests a second go to 200 at 3 s, four racks do 231; three of them do 174 from 6 s on."""
    events = "  - {at: 3 s, set: api.request_rate, to: 200 request/s}\n  - {at: 6 s, fail: rack-1}"
    found = told(ONE, f"api: {{{REQUESTS.format(rate=120)}}}", events, 20, 10)
    assert of(found, "chat") == [("chat is full", SHORT, LOST.format(1))]


def test_what_was_not_so_from_the_first_tick_is_not_told_as_from_the_beginning() -> None:
    """Nothing has tipped the balance of a pool of which nothing is recorded, and its words stand as they are."""
    plant = SimpleNamespace(served={}, pools={})
    story = SimpleNamespace(time=np.array([0.0, 1.0]), start=0.0, plant=plant, kinds=(), values=lambda *_: None)
    balance = Balance(story)  # type: ignore[arg-type]
    assert [balance.why("chat", 0, now, "so") for now in (0.0, 20.0)] == ["from the beginning: so", "so"]


@pytest.mark.parametrize(("before", "rises"), [([], True), ([(10.0, 220.0)], False), ([(10.0, 150.0)], True)])
def test_less_that_is_asked_presses_nobody(before: list[tuple[float, float]], rises: bool) -> None:
    """180 request/s at 30 s, after 100 in the last row of the trace and what was set since then."""
    flag = "input:request_rate"
    events = [Event(at, 0, "api", flag, value) for at, value in before]
    said = SimpleNamespace(
        time=np.array([0.0, 60.0]), start=0.0, kinds=("service",), values=lambda *_: np.array([[[100.0]], [[180.0]]]),
        trace=SimpleNamespace(units=lambda _: ("api",)), events_of=[events],
    )  # fmt: skip
    change = Change("api", 3, 30.0, 0, flag, fades=False, value=180.0)
    assert Balance(said).raised(change, 0) is rises  # type: ignore[arg-type]
