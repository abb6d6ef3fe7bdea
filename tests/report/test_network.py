"""What a report says of the network: KV caches by service, iterations that wait by job; numbers by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twin import report
from twin.diagram import moment_of
from twin.report.account_rows import TIERS, accounts_section, tiers
from twin.report.metrics import flatten
from twin.report.moments import standing_with
from twin.report.network_rows import expert_lines, job_lines, network_section, service_lines
from twin.report.rows import Rows
from twin.report.sections import NO_PRICE, priced
from twin.report.story import Span
from twin.studies import drill
from twin.trace import Trace, open_trace

CACHE = 80 * 2 * 8 * 128 * 2 * 8 * 4000
"""Bits of a prompt of 4,000 tokens: 80 layers, keys and values, 8 heads of 128, two bytes."""


def test_caches_of_a_drill_by_hand(drilled: Callable[[str], tuple[Path, float]]) -> None:
    """Two ports of 100 Gbit/s for 8 GPUs, then one; 30 prompts a second and 65, of which 46.3 are left."""
    with open_trace(drilled("leaf-lost-in-serving")[0]) as trace:
        found = report.Findings(trace).measure["network"]
    premium, free = found["services"]["premium"], found["services"]["free"]
    assert found["jobs"] == {}
    assert premium["mean_rate"] == premium["highest_rate"] == pytest.approx(30 * CACHE, rel=1e-6)
    takes = premium["longest_handover"], free["longest_handover"]
    assert takes == pytest.approx((CACHE / 12.5e9, CACHE / 12.5e9), rel=1e-9)
    ports = 64 * 12.5e9
    burst = ports * 2 - 30 * CACHE
    steady = (65 * CACHE * (121 + 166) + (ports - 30 * CACHE) * 899 + burst * 14) / 1200
    assert free["mean_rate"] == pytest.approx(steady, rel=0.01)
    assert (premium["held_up_time"], free["held_up_time"]) == (0.0, pytest.approx(899.0))
    assert service_lines(found)[1][0] == "free"
    assert [part.rows for part in network_section(found).tables] == [service_lines(found)]


def test_a_cache_that_nobody_can_send_is_cut_off() -> None:
    said = {"mean_rate": 1e9, "highest_rate": 2e9, "longest_handover": 86400.0, "held_up_time": 60.0}
    assert service_lines({"services": {"a": said}})[0][3] == "cut off"
    assert service_lines({"services": {"a": {**said, "longest_handover": 8.0}}})[0][3] == "8 s"


def test_a_job_of_a_drill_by_hand(drilled: Callable[[str], tuple[Path, float]]) -> None:
    """0.525 s of an iteration that is 0.131 s longer, its computing 2.5 % at most by the cap."""
    with open_trace(drilled("leaf-loses-power")[0]) as trace:
        measure = report.Findings(trace).measure
    found = measure["network"]
    ring = 2 * 7 / 8 * 1.62e12 / 72 / 100e9
    slow = ring * 4 / 3
    assert found["services"] == {}
    share = found["jobs"]["pretrain"]["highest_share"]
    assert share == pytest.approx(slow / (2.0 - ring + slow), rel=1e-3)
    assert ring / 2.05 < found["jobs"]["pretrain"]["mean_share"] < share
    assert job_lines(found)[0][:1] == ["pretrain"]
    assert flatten(measure)["network.pretrain.highest_share"] == share


QUEUED = """\
title: A job of a queue, over racks that do not stand in a row, one of which is lost for a minute
plant: pod-fabric
run: {duration: 6 min, tick: 5 s, zoom: [{at: 3 min, for: 5 s, tick: 1 s}]}
weather: {dry_bulb: 25 degC, relative_humidity: 40 %}
workload:
  jobs: {a: {racks: 4, work: 1 h, step_time: 2 s, gradient_size: 1.62 TB, model_parallel: 72, resume_time: 30 s}}
scheduler: {racks: [rack-01..03, rack-07]}
events: [{at: 3 min, fail: rack-02}, {at: 4 min, restore: rack-02}]
"""


def test_starts_and_stands_are_no_slow_pace(tmp_path: Path) -> None:
    """It starts in 30 s, runs, stands for a minute without a rack, and starts again; while it works nothing is slow."""
    (tmp_path / "queued.yaml").write_text(QUEUED, encoding="utf-8")
    found = drill.run(tmp_path / "queued.yaml").findings
    job = found.measure["network"]["jobs"]["a"]
    ring = 2 * 3 / 4 * 1.62e12 / 72 / 100e9
    assert job["lowest_pace"] == pytest.approx(1.0, abs=1e-9)
    assert [job["mean_share"], job["highest_share"]] == pytest.approx([ring / 2.0] * 2, rel=1e-3)
    assert found.measure["training"]["a"]["mean_pace"] == pytest.approx(1.0, abs=1e-9)
    assert found.measure["accounts"]["jobs"]["a"]["lost_value"] is None
    charged, jobs = accounts_section(found.measure["accounts"]).tables
    heads = [column.name for part in (charged, jobs) for column in part.columns]
    assert {"idle GPU-hours", "GPU-hours"} < set(heads)
    assert not {"worth", "cost of energy"} & set(heads)
    assert "on 4 racks: rack-01..rack-03, rack-07" in [entry.why for entry in found.entries]


def test_a_service_without_a_price_earns_nothing_that_is_told() -> None:
    said = {"energy_per_token_rack": 1.0, "energy_per_token_it": 1.1, "energy_per_token_facility": 1.3,
            "rate_per_mw": 7e5}  # fmt: skip
    money = {"revenue": 2.0, "credits": 0.5, "margin": 1.25}
    services = {"paid": said | money, "free": said | dict.fromkeys(money)}
    told = tiers({"services": services})
    assert [row[5:] for row in told] == [["2.00 USD", "0.50 USD", "1.25 USD"], [NO_PRICE] * 3]
    assert priced(TIERS, told)[0] == list(TIERS)
    assert priced(TIERS, told[1:]) == (list(TIERS[:5]), [told[1][:5]])


def test_experts_of_a_drill_by_hand(drilled: Callable[[str], tuple[Path, float]]) -> None:
    """10 MB a token, half of it over ports of 100 GB/s: 0.7 of a token's time, hidden up to 0.95; half of them: 1.4.

    One leaf of four is hidden, two are not: from the second one on (a second to find out) until both have booted.
    """
    with open_trace(drilled("experts-over-racks")[0]) as trace:
        findings = report.Findings(trace)
        measure = findings.measure
        assert standing_with(findings.story, 0) == [Span("rack-04", 0, 1200.0, None)]
        seen = [moment_of(trace, time).word("rack-04") for time in (1190.0, 1300.0)]
        assert seen == ["", "its replica is not whole"]
        assert moment_of(trace, 1300.0).word("rack-02") == ""
    found = measure["network"]
    takes, latency = 0.5 * 9.978e6 / 100e9, 116 * 14e-6 / 768
    token = 1 / 13386
    assert takes / 0.75 + latency < 0.95 * token, "with one leaf lost it is hidden"
    waits = takes / 0.5 + latency - 0.95 * token
    for name in ("premium", "standard"):
        said = found["experts"][name]
        assert said["highest_share"] == pytest.approx(waits / (token + waits), rel=1e-6)
        assert said["slow_time"] == pytest.approx(10 * 60, abs=10.0)
        assert said["mean_share"] == pytest.approx(said["highest_share"] * said["slow_time"] / 1440, rel=0.02)
        assert said["highest_prompt_share"] == 0.0
    assert [line[0] for line in expert_lines(found)] == ["premium", "standard"]
    assert expert_lines(found) in [part.rows for part in network_section(found).tables]
    assert flatten(measure)["network.premium.slow_time"] == found["experts"]["premium"]["slow_time"]


class Older:
    """A trace from before energy was charged to services: the same, without those columns."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __getattr__(self, name: str) -> Any:
        return getattr(self.trace, name)

    def __getitem__(self, name: str) -> Any:
        return self.trace[name]

    def columns(self, kind: str) -> dict[str, Any]:
        told = self.trace.columns(kind)
        return {name: told[name] for name in told if kind not in ("service", "pool") or not name.endswith("_energy")}


def test_an_older_trace_says_whose_energy_a_token_took(drilled: Callable[[str], tuple[Path, float]]) -> None:
    """Nobody was charged then, so the numbers are of all IT and of all the site, and are called so."""
    with open_trace(drilled("leaf-lost-in-serving")[0]) as trace:
        older: Any = Older(trace)
        told = [
            [row[0].partition(", ")[2] for row in Rows(report.Findings(each)).tokens_total() if "per token" in row[0]]
            for each in (trace, older)
        ]
    assert told[0][1:] == ["racks of pools with their part of IT", "racks of pools with their part of the site"]
    assert told[1][-2:] == ["all IT of the site", "all of the site"]


def test_who_sends_nothing_is_not_told(drilled: Callable[[str], tuple[Path, float]]) -> None:
    with open_trace(drilled("training-rack-lost")[0]) as trace:
        found = report.Findings(trace).measure["network"]
    assert found is None
    assert network_section(found).tables == []
