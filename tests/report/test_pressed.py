"""Why pools are full and services cannot keep up: what changed, not what stood before; worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from twin.report.balance import Balance
from twin.report.findings import Findings
from twin.studies.drill import run
from twin.trace import open_trace

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
run: {{duration: {seconds} s, tick: 1 s, record: 1 s}}
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
Told = list[tuple[str, str, str]]
"""Unit and what it does, why, and what led to it."""


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    def ran(units: str, demand: str, events: str, seconds: int) -> Told:
        case = tmp_path / "pressed.yaml"
        case.write_text(SITE.format(units=units, demand=demand, events=events, seconds=seconds))
        run(case, output=tmp_path / "pressed.h5", device="cpu").trace.close()
        with open_trace(tmp_path / "pressed.h5") as trace:
            entries = Findings(trace).entries
        said = [f"{each.unit} {each.what}" for each in entries]
        return [
            (what, each.why, "" if each.cause is None else said[each.cause])
            for what, each in zip(said, entries, strict=True)
        ]

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
