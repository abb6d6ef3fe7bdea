"""Energy per token of a modelled GB300 and GB200 service, within the span of the published figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twin.scenario.catalog import records
from twin.studies.drill import run

ALL_IN = {"gb200-nvl72": 1.87e3}
"""Power of a GPU with its part of rack, network and cooling [W]; inferencex.semianalysis.com/chips/gb200-nvl72."""
PUBLISHED = {
    "GB300, agents, SGLang": 1 / 28.5,
    "GB300, agents, TRT-LLM": 1 / 21.1,
    "GB200, DeepSeek-V4-Pro 8K/1K, 15.3 tokens/s a user": 1.87e3 / 8933,
    "GB200, DeepSeek-V4-Pro 8K/1K, 27 tokens/s a user": 1.87e3 / 2189,
}
"""J for a token read or written; AgentX says tokens/s a MW with cached input, InferenceX tokens/s a GPU. Of 2025-26."""

SCENARIO = """
title: A saturated service
plant: pod-serving
run: {duration: 2 min, tick: 2 s}
weather: {dry_bulb: 25 degC, relative_humidity: 40 %}
workload:
  demand:
    batch: {requests: 4000 request/s, prompt_length: 8000 token, answer_length: 1000 token}
criteria:
  - no rack.throttled
"""


def test_a_modelled_service_takes_what_published_ones_take(tmp_path: Path) -> None:
    """Eight GB300 racks read 8,000 and write 1,000 tokens a request, as much as they can; by racks, IT and the site."""
    path = tmp_path / "saturated.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    drill = run(path, output=tmp_path / "saturated.h5", device="cpu")
    total = drill.findings.measure["tokens"]["total"]
    batch = drill.findings.measure["tokens"]["services"]["batch"]
    every = (batch["served_prompts"] + batch["served_answers"]) / batch["served_answers"]
    joules = [total[f"energy_per_token_{who}"] / every for who in ("racks", "it", "facility")]
    assert joules == sorted(joules)
    least, most = min(PUBLISHED.values()), max(PUBLISHED.values())
    for each in joules:
        assert least < each < most
    assert joules[2] / joules[1] == pytest.approx(drill.trace["site.pue"].values.mean(), rel=0.01)


@pytest.mark.parametrize(("rate", "share"), [("prefill_rate", "prefill_share"), ("decode_rate", "decode_share")])
def test_a_phase_takes_no_more_than_its_all_in_power_and_no_less_than_half(rate: str, share: str) -> None:
    """Published rates of a GB200 over 1.87 kW bound it from above: that is a budget, of which decode leaves a part."""
    from twin.equipment.rack import Rack

    known = {each.name: each.parameters for each in records()}
    rack = Rack(**known["gb200-nvl72"])
    work = {"prefill_share": (1.0, 0.0), "decode_share": (0.0, 1.0)}[share]
    ones = np.ones((1, 1))
    asked = rack._asked(ones, ones, 3 * ones, 0 * ones, work[0] * ones, work[1] * ones)
    power = float((asked.capped + asked.other)[0, 0]) / 72
    tokens = known["deepseek-r1-gb200"][rate]
    assert 0.45 * ALL_IN["gb200-nvl72"] / tokens < power / tokens < ALL_IN["gb200-nvl72"] / tokens
