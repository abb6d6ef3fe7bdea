"""Traces come back as they were written, for us and for strangers' tools, byte for byte the same each time."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests import trace_samples as samples
from twin.trace import BadTrace, Column, Event, NotRecorded, Recorder, TraceWriteError, open_trace
from twin.trace.layout import BLOCK_ROWS, cut
from twin.units import BadValue


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write(tmp_path_factory.mktemp("trace") / "hall.h5", count=700, steps=700)


def every_dataset(path: Path) -> list[Any]:
    found: list[Any] = []
    with h5py.File(path) as file:
        file.visititems(lambda name, it: found.append((name, it)) if isinstance(it, h5py.Dataset) else None)
        return [
            (name, it.fletcher32, it.chunks, dict(it.attrs), it.shape, it.id.get_create_plist()) for name, it in found
        ]


def test_what_was_written_is_read(sample: Path) -> None:
    with open_trace(sample) as trace:
        assert (trace.path, trace.members, trace.title) == (sample, 2, "A hall at 45 °C")
        assert sorted(trace.kinds) == ["cdu", "rack"]
        np.testing.assert_array_equal(trace.time, samples.rows(0, 700))
        for column in samples.COLUMNS:
            series = trace[f"{column.kind}.{column.name}"]
            exact = samples.values(column, trace.time, 2)
            assert series.values.dtype == np.dtype(column.dtype)
            np.testing.assert_array_equal(series.values, exact.astype(column.dtype))
            assert (series.unit, series.doc) == (column.unit, column.doc)
            assert series.unit_names == trace.units(column.kind) == samples.UNITS[column.kind]
            assert trace.columns(column.kind)[column.name] == column
        assert trace.events == samples.events(0, 700)
        assert trace.scenario_text == samples.SCENARIO
        assert trace.provenance == samples.PROVENANCE
        assert trace.summary == {"finished": True, "worst": 1e-12}
        assert set(trace.plant.units) == {"site"}
        assert trace.sha256() == hashlib.sha256(sample.read_bytes()).hexdigest()


def test_units_members_and_rows_are_picked(sample: Path) -> None:
    with open_trace(sample) as trace:
        every, one = trace["rack.power"], trace["h1/räck-02.power"]
        assert one.values.shape == (700, 2, 1)
        np.testing.assert_array_equal(one.values[:, :, 0], every.of("h1/räck-02"))
        np.testing.assert_array_equal(np.asarray(every), every.values)
        np.testing.assert_array_equal(np.array(every, dtype=float), every.values.astype(float))
        part = trace.read("rack.power", 290, 310)
        np.testing.assert_array_equal(part.values, every.values[290:310])
        np.testing.assert_array_equal(part.time, trace.time[290:310])
        assert trace.read("rack.power", -1).values.shape == (1, 2, 3)
        assert trace.read("rack.power", 5, 2).values.shape == (0, 2, 3)
        assert "rack.power" in trace
        assert "cdu-1.energy" in trace
        assert "rack.energy" not in trace


def test_a_series_turns_into_another_unit(sample: Path) -> None:
    with open_trace(sample) as trace:
        hot = trace["rack.die_temperature"]
        warm = hot.to("degC")
        np.testing.assert_array_equal(warm.values, hot.values.astype(float) - 273.15)
        assert (warm.unit, warm.values.dtype) == ("degC", np.float64)
        np.testing.assert_allclose(trace["cdu.energy"].to("kWh").values, trace["cdu.energy"].values / 3.6e6)
        with pytest.raises(BadValue, match="temperature"):
            hot.to("kW")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rack.dye_temperature", "did you mean die_temperature?"),
        ("rak.power", "did you mean rack?"),
        ("h1/rack-1.power", "did you mean h1/rack-01?"),
        ("power", "its kind or unit is not recorded"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest(sample: Path, name: str, said: str) -> None:
    with open_trace(sample) as trace:
        with pytest.raises(NotRecorded) as caught:
            trace[name]
        assert said in str(caught.value)
        with pytest.raises(NotRecorded, match="not recorded"):
            trace.units("pump")
        with pytest.raises(NotRecorded, match="cdu-1"):
            trace["rack.power"].of("cdu-1")


def test_only_what_is_committed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    sink = samples.recorder(path, steps=300)
    assert sink.committed == 0
    samples.fill(sink, 299, 50)
    assert sink.committed == 0
    sink.append(samples.rows(299, 2), samples.blocks(samples.rows(299, 2)), [])
    assert sink.committed == 300
    sink.abandon()
    with h5py.File(path) as file:
        assert (file["committed_steps"][0], file["rack/power"].shape[0]) == (300, 300)
    with open_trace(path) as trace:
        assert (len(trace.time), trace.summary) == (300, {})
        assert trace.events == samples.events(0, 299)
    with h5py.File(path, "r+") as file:  # as a kill between the rows and the count would leave it
        file["committed_steps"][0] = 120
    with open_trace(path) as trace:
        assert trace["rack.power"].values.shape[0] == len(trace.time) == 120
        assert trace.events == samples.events(0, 120)


def test_a_run_killed_before_its_first_block_is_an_empty_trace(tmp_path: Path) -> None:
    samples.recorder(tmp_path / "run.h5").abandon()
    with open_trace(tmp_path / "run.h5") as trace:
        assert trace["rack.power"].values.shape == (0, 2, 3)
        assert (trace.events, trace.summary) == ([], {})


def test_events_come_by_time_and_none_is_lost(tmp_path: Path) -> None:
    sink = samples.recorder(tmp_path / "run.h5")
    late, early = Event(400.0, 0, "cdu-1", "tripped", 1), Event(0.25, 1, "cdu-1", "tripped", 1)
    sink.append(np.zeros(0), {}, [late, early])
    samples.fill(sink, 310, 310)
    with pytest.raises(ValueError, match="longer than the names"):
        sink.append(np.zeros(0), {}, [Event(1.0, 0, "x" * 100, "tripped", 1)])
    with pytest.raises(ValueError, match="a finite time"):
        sink.append(np.zeros(0), {}, [Event(float("nan"), 0, "cdu-1", "tripped", 1)])
    with pytest.raises(ValueError, match="one of 2 members"):
        sink.append(np.zeros(0), {}, [Event(1.0, 2, "cdu-1", "tripped", 1)])
    sink.close({})
    with open_trace(tmp_path / "run.h5") as trace:
        assert len(trace.events) == len(samples.events(0, 310)) + 2
        assert trace.events[-1] == late
        assert [e.time for e in trace.events] == sorted(e.time for e in trace.events)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_shows_names_units_and_time(sample: Path, engine: Any) -> None:
    import xarray

    with xarray.open_dataset(sample, group="rack", engine=engine) as data:
        die = data["die_temperature"]
        assert die.dims == ("time", "member", "unit")
        assert (die.attrs["units"], die.attrs["long_name"]) == ("K", "hottest die")
        assert data["unit"].values.tolist() == samples.UNITS["rack"]
        assert data["member"].values.tolist() == [0, 1]
        np.testing.assert_array_equal(data["time"].values, samples.rows(0, 700))
        assert data["time"].attrs["units"] == "s"
        with open_trace(sample) as trace:
            np.testing.assert_array_equal(die.values, trace["rack.die_temperature"].values)
        one = die.sel(unit="h1/räck-02", time=100.0, member=1)
        assert float(one) == 300 + 15 + 25 + 11 / 8
    with xarray.open_dataset(sample, group="events", engine=engine) as log:
        assert log["time"].dims == ("row",)
        assert log["unit"].values[:2].tolist() == ["h1/räck-02", "cdu-1"]
        assert log["flag"].values[1] == "input:supply_setpoint"
    with xarray.open_dataset(sample, engine=engine) as root:
        assert str(root["scenario"].values) == samples.SCENARIO
        assert root.attrs["title"] == "A hall at 45 °C"


@pytest.mark.skipif(shutil.which("ncdump") is None, reason="ncdump is not installed (apt install netcdf-bin)")
def test_ncdump_reads_it(sample: Path) -> None:
    told = subprocess.run(["ncdump", str(sample)], capture_output=True, text=True, check=True).stdout
    assert "float die_temperature(time, member, unit) ;" in told
    assert 'die_temperature:long_name = "hottest die" ;' in told
    assert "time = UNLIMITED ; // (700 currently)" in told
    assert '"h1/rack-03"' in told


def test_every_dataset_has_a_checksum(sample: Path) -> None:
    for name, checked, chunks, attributes, shape, made in every_dataset(sample):
        assert checked, name
        assert made.get_nfilters() == 1, name
        if len(shape) == 3:
            assert {"units", "long_name", "DIMENSION_LIST"} <= attributes.keys(), name
            assert chunks[1:] == shape[1:], name


def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    first = samples.write(tmp_path / "a.h5", count=700, at_once=700).read_bytes()
    time.sleep(1.1)  # HDF5's own time stamps count seconds
    for at_once in (1, 64, 299):
        assert samples.write(tmp_path / f"b{at_once}.h5", count=700, at_once=at_once).read_bytes() == first
    assert samples.write(tmp_path / "c.h5", count=701).read_bytes() != first


def test_writing_takes_what_it_was_told_and_nothing_else(tmp_path: Path) -> None:
    sink = samples.recorder(tmp_path / "run.h5")
    times, good = samples.rows(0, 3), samples.blocks(samples.rows(0, 3))
    with pytest.raises(ValueError, match=r"no other: cdu\.energy"):
        sink.append(times, {k: v for k, v in good.items() if k[0] != "cdu"}, [])
    with pytest.raises(ValueError, match=r"rack\.power has shape \(3, 1, 3\); \(3, 2, 3\) is wanted"):
        sink.append(times, {**good, ("rack", "power"): np.zeros((3, 1, 3))}, [])
    sink.append(times, good, [])
    with pytest.raises(ValueError, match="times must rise"):
        sink.append(times, good, [])
    sink.close({"a": float("nan"), "b": [np.float64(1.5), np.int64(2)], "c": np.arange(2)})
    with pytest.raises(TraceWriteError, match="is closed"):
        sink.append(samples.rows(3, 3), good, [])
    with open_trace(tmp_path / "run.h5") as trace:
        assert trace.summary == {"a": None, "b": [1.5, 2], "c": [0, 1]}


@pytest.mark.parametrize(
    ("column", "units", "said"),
    [
        (Column("rack", "time", "s", ""), {"rack": ["a"]}, "taken by the trace"),
        (Column("events", "x", "s", ""), {"events": ["a"]}, "taken by the trace"),
        (Column("rack", "x", "s", "", dtype="f2"), {"rack": ["a"]}, "f2 is not f4 or f8"),
        (Column("rack", "a/b", "s", ""), {"rack": ["a"]}, "is not a name"),
        (Column("rack", "x", "s", ""), {"rack": []}, "has no units"),
    ],
)
def test_columns_that_cannot_be_are_refused(
    tmp_path: Path, column: Column, units: dict[str, list[str]], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        samples.recorder(tmp_path / "run.h5", columns=[column], units=units)
    assert list(tmp_path.iterdir()) == []


def test_only_a_trace_is_written_over(tmp_path: Path) -> None:
    scenario, foreign = tmp_path / "hall.yaml", tmp_path / "other.h5"
    scenario.write_text("title: x")
    with h5py.File(foreign, "w") as file:
        file["x"] = 1
    for path in (scenario, foreign, tmp_path):
        with pytest.raises(TraceWriteError, match="is not a trace; choose another name"):
            samples.recorder(path)
    assert scenario.read_text() == "title: x"
    with pytest.raises(TraceWriteError, match="there is no folder"):
        samples.recorder(tmp_path / "none" / "run.h5")
    old = samples.write(tmp_path / "run.h5", count=10)
    with open_trace(old) as before:
        samples.write(old, count=20)
        assert len(before["rack.power"].values) == 10
    with open_trace(old) as after:
        assert len(after["rack.power"].values) == 20
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hall.yaml", "other.h5", "run.h5"]


def test_a_trace_being_written_is_not_read(tmp_path: Path) -> None:
    sink = samples.recorder(tmp_path / "run.h5")
    program = "import sys, twin.trace; twin.trace.open_trace(sys.argv[1])"
    words = [sys.executable, "-c", program, str(tmp_path / "run.h5")]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stderr
    assert "a run is still writing it; wait until it has ended" in told
    sink.abandon()


def test_blocks_fit_memory_and_short_runs() -> None:
    racks = {"rack": [f"rack-{i}" for i in range(7424)]}
    many = [Column("rack", f"q{i}", "1", "") for i in range(120)]
    shape = cut(many, racks, 1, None)
    assert 120 * 7424 * 4 * shape.rows <= 64 * 2**20
    assert shape.chunks["rack"] == (shape.rows, 1, 928)
    assert cut(samples.COLUMNS, samples.UNITS, 2, 60).rows == 60
    assert cut(samples.COLUMNS, samples.UNITS, 2, BLOCK_ROWS + 1).rows == 901
    assert cut(samples.COLUMNS, samples.UNITS, 2, None).rows == BLOCK_ROWS
    wide = cut(samples.COLUMNS, samples.UNITS, 10_000, None)
    assert wide.rows * np.prod(wide.chunks["rack"][1:]) * 8 <= 4 * 2**20


def test_a_wide_and_long_trace_comes_back(tmp_path: Path) -> None:
    units = {"rack": [f"rack-{i}" for i in range(2500)]}
    column = Column("rack", "power", "W", "power drawn", dtype="f8")
    sink = samples.recorder(tmp_path / "wide.h5", 5, columns=[column], units=units)
    exact = np.random.default_rng(1).random((310, 5, 2500))
    sink.append(np.arange(310.0), {("rack", "power"): exact}, [])
    sink.close({})
    with open_trace(tmp_path / "wide.h5") as trace:
        np.testing.assert_array_equal(trace["rack.power"].values, exact)
        np.testing.assert_array_equal(trace["rack-1700.power"].values[:, :, 0], exact[:, :, 1700])


@pytest.mark.bench
def test_the_hall_is_written_in_60_us_a_tick(tmp_path: Path) -> None:
    kinds = [f"kind{i}" for i in range(15)]
    columns = [Column(kinds[i % 15], f"q{i}", "K", "") for i in range(120)]
    units = {kind: [f"{kind}-{j}" for j in range(64)] for kind in kinds}
    block = {(c.kind, c.name): np.random.default_rng(0).random((60, 1, 64)) for c in columns}
    spent = []
    for _ in range(4):  # the best of them: other programs share the machine
        sink = samples.recorder(tmp_path / "hall.h5", 1, columns=columns, units=units)
        began = time.process_time()
        for first in range(0, 3600, 60):
            sink.append(np.arange(first, first + 60.0), block, [])
        sink.close({})
        spent.append((time.process_time() - began) / 3600)
    size = sink.path.stat().st_size
    print(json.dumps({"us_per_tick": [round(each * 1e6, 1) for each in spent], "megabytes": size / 1e6}))
    assert min(spent) < 60e-6
    assert size < 1.02 * 120 * 64 * 4 * 3600


def test_a_broken_layout_is_never_a_trace(tmp_path: Path) -> None:
    (tmp_path / "nothing.h5").touch()
    with pytest.raises(BadTrace, match="not an HDF5 file"):
        open_trace(tmp_path / "nothing.h5")
    sink = Recorder(
        tmp_path / "nothing.h5",
        columns=[],
        units={},
        members=1,
        plant_json="{}",
        scenario_text="",
        provenance={},
    )
    sink.close({})
    with open_trace(tmp_path / "nothing.h5") as trace:
        assert (trace.kinds, trace.title, trace.scenario_text) == ([], "nothing", "")
