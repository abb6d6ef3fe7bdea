"""What a report says of energy does not depend on how often a run was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.report.energy import ledger, pue
from twin.report.moments import lost
from twin.report.story import Story
from twin.studies.drill import run
from twin.trace import open_trace

BODY = """title: steps of four seconds
plant:
  variant_of: pod
  units:
    pretrain: {{kind: job, racks: rack-01..08, step_time: 4 s, exposed_communication: 30 %}}
run: {{duration: 2 min, tick: 1 s, record: {record}, zoom: [{{at: 60 s, for: 5 s, tick: 0.5 s}}]}}
weather: {{dry_bulb: 25 degC, relative_humidity: 40 %}}
events:
  - {{at: 1 min, fail: rack-03}}
"""


def story(folder: Path, record: str) -> Story:
    path = folder / f"every-{record[0]}.yaml"
    path.write_text(BODY.format(record=record), encoding="utf-8")
    run(path, output=folder / f"{record[0]}.h5", device="cpu")
    return Story(open_trace(folder / f"{record[0]}.h5"))


def test_energy_and_pue_are_those_of_all_ticks(tmp_path: Path) -> None:
    fine, coarse = story(tmp_path, "1 s"), story(tmp_path, "4 s")
    one, other = ledger(fine, 0), ledger(coarse, 0)
    for key in ("from_utility", "supplied", "it", "rejected"):
        assert other[key] == pytest.approx(one[key], rel=1e-6), key
    assert one["from_utility"] == pytest.approx(one["supplied"], rel=1e-6)
    assert pue(coarse, 0)["before"] == pytest.approx(pue(fine, 0)["before"], rel=2e-3)


def test_a_rack_out_of_service_is_a_rack_lost(tmp_path: Path) -> None:
    found = lost(story(tmp_path, "4 s"), 0)
    assert (found["units_peak"], found["units_end"]) == (1, 1)
