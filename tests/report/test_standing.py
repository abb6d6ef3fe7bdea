"""Racks that stand because their replica is not whole: what they no longer draw is lost, and they are harmed."""

from pathlib import Path

import pytest

from twin.report.findings import Findings
from twin.report.story import Story
from twin.report.worst import _harm
from twin.studies.drill import run
from twin.trace import open_trace

SITE = """\
title: Four racks, of which two hold a model together
plant:
  variant_of: starter
  units:
    chat: {kind: pool, racks: rack-1..4, replica_racks: 2}
    api: {kind: service, pools: chat, prefill_rate: 7000 token/s, decode_rate: 1500 token/s, batch: 64,
      least_token_time: 15 ms}
run: {duration: 30 s, tick: 1 s, record: 1 s}
weather: {dry_bulb: 20 degC, relative_humidity: 40 %}
workload:
  demand: {api: {requests: 60 request/s, prompt_length: 2000 token, answer_length: 400 token}}
events:
  - {at: 20 s, fail: rack-1}
  - {at: 23 s, set: api.request_rate, to: 0 request/s}
"""


def test_who_stands_with_a_lost_rack_has_lost_its_power_and_is_harmed(tmp_path: Path) -> None:
    """What the other replica no longer draws, nobody asks for."""
    case = tmp_path / "standing.yaml"
    case.write_text(SITE)
    run(case, output=tmp_path / "standing.h5", device="cpu").trace.close()
    with open_trace(tmp_path / "standing.h5") as trace:
        story = Story(trace)
        power = story.values(story.kind_of["rack-1"], "power")[:, 0]
        lost = Findings(trace).measure["lost"]
        harm = list(_harm(story, 0))
    usual, ends = power[19], power[-1]
    assert ends[0] == 0.0 < ends[1] < 0.9 * usual[1]
    at_feeds = lost["power_before"] / usual.sum()
    assert lost["power_lost_end"] == pytest.approx((usual - ends)[:2].sum() * at_feeds, rel=0.01)
    assert sum(weight for span, weight in harm if span.unit == "rack-2" and span.start == 20.0) == 1.0
    assert {span.unit for span, _ in harm} == {"rack-1", "rack-2"}
