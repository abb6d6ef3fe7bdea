"""What a report says of energy does not depend on how often a run was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from twin.report.accounts import accounts, net_revenue
from twin.report.energy import ledger, pue
from twin.report.losses import lost
from twin.report.measured import energy_per_token
from twin.report.story import Story
from twin.report.tokens import tokens
from twin.scenario.criteria import Criterion
from twin.studies.drill import run
from twin.trace import open_trace

BODY = """title: steps of four seconds
plant:
  variant_of: pod
  units:
    pretrain: {{kind: job, racks: rack-01..06, step_time: 4 s, exposed_communication: 30 %, gpu_price: 2.5 USD/h,
      resume_time: 10 s}}
    chat: {{kind: pool, racks: rack-07..08}}
    fast: {{like: deepseek-r1-gb200, pools: chat, price: 4 USD, credit: 50 %, token_limit: 1 ms}}
    free: {{like: deepseek-r1-gb200, pools: chat, priority: 2, price: 1 USD, credits: [[100 %, 10 %], [50 %, 30 %]],
      token_limit: 1 ms}}
run: {{duration: 2 min, tick: 1 s, record: {record}, zoom: [{{at: 60 s, for: 5 s, tick: 0.5 s}}]}}
weather: {{dry_bulb: 25 degC, relative_humidity: 40 %}}
workload: {{demand: {{fast: {{requests: 900 request/s}}, free: {{requests: 800 request/s}}}}}}
initial: {{site.energy_price: 60 USD/MWh}}
events:
  - {{at: 1 min, fail: rack-03}}
  - {{at: 80 s, restore: rack-03}}
  - {{at: 90.5 s, set: site.energy_price, to: 200 USD/MWh}}
"""


def story(folder: Path, record: str) -> Story:
    path = folder / f"every-{record[0]}.yaml"
    path.write_text(BODY.format(record=record), encoding="utf-8")
    run(path, output=folder / f"{record[0]}.h5", device="cpu")
    return Story(open_trace(folder / f"{record[0]}.h5"))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, Story]:
    folder = tmp_path_factory.mktemp("rows")
    return story(folder, "1 s"), story(folder, "4 s")


def test_energy_and_pue_are_those_of_all_ticks(both: tuple[Story, Story]) -> None:
    fine, coarse = both
    one, other = ledger(fine, 0), ledger(coarse, 0)
    for key in ("from_utility", "supplied", "it", "rejected"):
        assert other[key] == pytest.approx(one[key], rel=1e-6), key
    assert one["from_utility"] == pytest.approx(one["supplied"], rel=1e-6)
    assert pue(coarse, 0)["before"] == pytest.approx(pue(fine, 0)["before"], rel=2e-3)


def leaves(record: Any, name: str = "") -> Iterator[tuple[str, float | None]]:
    """Every number of a record of accounts, by its dotted name."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{name}{key}.")
        else:
            yield f"{name}{key}", value


def test_accounts_are_those_of_all_ticks_and_leave_nothing_over(both: tuple[Story, Story]) -> None:
    one, other = (accounts(each, 0) for each in both)
    assert one is not None
    assert other is not None
    told = dict(leaves(other))
    for name, value in leaves(one):
        assert told[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
    for level in ("rack", "it", "facility"):
        whom = [*one["services"].values(), *one["jobs"].values(), one["unallocated"]]
        whole = one["total"][f"{level}_energy"]
        assert sum(each[f"{level}_energy"] for each in whom) == pytest.approx(whole, rel=1e-9), level
    assert sum(each["energy_cost"] for each in whom) == pytest.approx(one["total"]["energy_cost"], rel=1e-9)
    assert one["total"]["facility_energy"] == pytest.approx(ledger(both[0], 0)["supplied"], rel=1e-9)


def test_credits_by_request_and_by_the_share_of_all(both: tuple[Story, Story]) -> None:
    """No token comes within 1 ms: half of all is given back, and by the table the step below 50 %."""
    found = accounts(both[0], 0)
    assert found is not None
    fast, free = found["services"]["fast"], found["services"]["free"]
    assert fast["credits"] == pytest.approx(0.5 * fast["revenue"], rel=1e-9)
    assert free["credits"] == pytest.approx(0.3 * free["revenue"], rel=1e-9)
    assert free["margin"] == pytest.approx(0.7 * free["revenue"] - free["energy_cost"], rel=1e-9)
    assert found["event"]["credits"] == pytest.approx((fast["credits"] + free["credits"]) / 2, rel=0.02)


def test_what_an_event_costs_by_hand(both: tuple[Story, Story]) -> None:
    """15 steps rolled back, 20 s without a rack and 10 s of restart, of six racks of 72 GPUs at 2.50 USD an hour."""
    found = accounts(both[0], 0)
    assert found is not None
    job, event = found["jobs"]["pretrain"], found["event"]
    gpus = 6 * 72
    assert job["lost_gpu_time"] == pytest.approx(60 * gpus, rel=1e-6)
    assert job["idle_gpu_time"] == pytest.approx(30 * gpus, rel=1e-6)
    assert job["gpu_time"] == pytest.approx(120 * gpus, rel=1e-6)
    assert job["lost_value"] == event["lost_value"] == pytest.approx(90 * gpus * 2.5 / 3600, rel=1e-6)
    usual = ledger(both[0], 0)["supplied"] - event["extra_energy"]
    price = (30.5 * 60 + 29.5 * 200) / 3.6e9
    assert event["extra_energy"] < 0
    total = found["total"]
    assert event["extra_energy_cost"] == pytest.approx(
        total["energy_cost"] - usual / 2 * 60 / 3.6e9 - usual / 120 * price, rel=1e-9
    )
    left = total["revenue"] - total["credits"] - total["energy_cost"] - job["lost_value"]
    assert net_revenue(both[0], 0) == pytest.approx(left, rel=1e-9)
    parts = ("lost_revenue", "credits", "extra_energy_cost", "lost_value")
    assert event["cost"] == pytest.approx(sum(event[key] for key in parts))


def test_energy_per_token_leaves_training_out(both: tuple[Story, Story]) -> None:
    total, charged = tokens(both[0], 0)["total"], accounts(both[0], 0)["services"].values()
    served = sum(each["facility_energy"] for each in charged) / total["served_answers"]
    assert served < total["energy_per_token_facility"] < 1.5 * served
    everything = ledger(both[0], 0)["supplied"] / total["served_answers"]
    assert total["energy_per_token_facility"] < 0.5 * everything


def test_energy_per_token_means_one_thing_wherever_it_is_told(both: tuple[Story, Story]) -> None:
    """Of all with what pools take idle, by tables and criterion alike; of a tier that is named its own alone."""
    total, found = tokens(both[0], 0)["total"], accounts(both[0], 0)
    for one, other in (("racks", "rack"), ("it", "it"), ("facility", "facility")):
        assert found["total"][f"energy_per_token_{other}"] == total[f"energy_per_token_{one}"], one
    said = Criterion("", "energy per token", "service", "", "<", 1.0)
    assert energy_per_token(both[0], said, 0).value == pytest.approx(total["energy_per_token_facility"], rel=1e-9)
    for name, each in found["services"].items():
        named = energy_per_token(both[0], replace(said, units=(name,)), 0)
        assert named.value == pytest.approx(each["energy_per_token_facility"], rel=1e-9)
        assert named.where == name


def test_a_rack_out_of_service_is_a_rack_lost(both: tuple[Story, Story]) -> None:
    found = lost(both[1], 0)
    assert (found["units_peak"], found["units_end"]) == (1, 0)
