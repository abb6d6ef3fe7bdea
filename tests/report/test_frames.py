"""Frames: the timeline, the criteria and the trace as pandas and xarray have them."""

from __future__ import annotations

import numpy as np
import pytest

from twin.report.findings import Findings
from twin.report.frames import criteria_frame, dataset, timeline_frame
from twin.trace import NotRecorded, Trace


def test_the_timeline_is_a_table_of_the_same_lines(findings: Findings) -> None:
    found = timeline_frame(findings)
    assert len(found) == len(findings.entries)
    lost = found[(found.unit == "utility-a") & (found.what == "is lost")].iloc[0]
    assert (lost.time, lost.since_fault, lost.kind) == (60.0, 0.0, "utility")
    assert found.what[lost.cause].startswith("is taken out of service")
    assert lost.led_by == "utility-a is taken out of service (fail)"
    first = found[found.cause < 0].iloc[0]
    assert (first.led_by, first.why) == ("", "a digger found the cable")


def test_the_criteria_are_a_table_in_si(findings: Findings) -> None:
    found = criteria_frame(findings)
    assert list(found.passed) == [False, False, True]
    assert found.value[0] == pytest.approx(370.15)
    assert found["where"][1] == "rack-3"
    assert found.margin[0] == pytest.approx(-9.0)


def test_a_kind_is_a_data_set_with_units(trace: Trace) -> None:
    racks = dataset(trace, "rack")
    assert dict(racks.sizes) == {"time": 601, "member": 1, "unit": 8}
    assert racks.die_temperature.attrs["units"] == "K"
    assert float(racks.die_temperature.sel(unit="rack-1", time=202.0).max()) == pytest.approx(370.15)
    assert float(racks.die_temperature.max()) == np.max(trace["rack.die_temperature"].values)
    with pytest.raises(NotRecorded, match="kind rak"):
        dataset(trace, "rak")
