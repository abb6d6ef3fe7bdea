"""Traces that were cut off, altered, made by strangers or met a full disk: nothing wrong is ever read from one."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests import trace_samples as samples
from twin.trace import BadTrace, TraceWriteError, disk, open_trace

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write(tmp_path_factory.mktemp("trace") / "hall.h5", steps=20)


@pytest.fixture
def copy(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sample, tmp_path / "copy.h5"))


def external_link(file: Any, secret: Path) -> None:
    del file["plant"]
    file["plant"] = h5py.ExternalLink(str(secret), "/x")


def soft_link(file: Any, secret: Path) -> None:
    file["rack/more"] = h5py.SoftLink("/rack/power")


def external_storage(file: Any, secret: Path) -> None:
    del file["plant"]
    file.create_dataset("plant", shape=(8,), dtype="S1", external=[(str(secret), 0, 8)])


def virtual(file: Any, secret: Path) -> None:
    shape = file["rack/power"].shape
    mapping = h5py.VirtualLayout(shape=shape, dtype="f4")
    mapping[:] = h5py.VirtualSource(str(secret), "x", shape=shape)
    del file["rack/power"]
    file.create_virtual_dataset("rack/power", mapping)


def loop(file: Any, secret: Path) -> None:
    file["rack/again"] = file["/"]


def named_type(file: Any, secret: Path) -> None:
    file["kind"] = np.dtype("f8")


def text_of_varying_length(file: Any, secret: Path) -> None:
    del file["plant"]
    file["plant"] = "{}"


def no_checksum(file: Any, secret: Path) -> None:
    data = file["rack/power"][:]
    del file["rack/power"]
    file.create_dataset("rack/power", data=data, chunks=data.shape)


def compressed(file: Any, secret: Path) -> None:
    del file["scenario"]
    file.create_dataset("scenario", shape=(10**12,), dtype="S1", chunks=(10**6,), compression="gzip", fletcher32=True)


def claims_more_than_it_holds(file: Any, secret: Path) -> None:
    for name in ("time", "rack/power", "rack/die_temperature", "cdu/energy"):
        file[name].resize(10**12, axis=0)
    file["committed_steps"][0] = 10**12


def counts_backwards(file: Any, secret: Path) -> None:
    file["committed_steps"][0] = -5


def another_unit(file: Any, secret: Path) -> None:
    file["rack/power"].attrs.modify("units", np.bytes_(b"K"))


def another_seed(file: Any, secret: Path) -> None:
    file["provenance"].attrs["seed"] = 8


def a_column_more(file: Any, secret: Path) -> None:
    file["rack/load"] = file["rack/power"]


def a_column_less(file: Any, secret: Path) -> None:
    del file["rack/power"]


def another_shape(file: Any, secret: Path) -> None:
    del file["cdu/energy"]
    file["cdu/energy"] = file["rack/power"]


def newer(file: Any, secret: Path) -> None:
    file.attrs["format_version"] = 2


def foreign(file: Any, secret: Path) -> None:
    del file.attrs["format"]


def summary_is_no_json(file: Any, secret: Path) -> None:
    file["summary"][0] = b"x"


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (external_link, "/plant is a link to another place"),
        (soft_link, "/rack/more is a link to another place"),
        (external_storage, "/plant takes its data from another file"),
        (virtual, "/rack/power takes its data from another file"),
        (loop, "/rack/again is not what a trace holds"),
        (named_type, "/kind is not what a trace holds"),
        (text_of_varying_length, "/plant is neither numbers nor plain text"),
        (no_checksum, "/rack/power carries no checksum"),
        (compressed, "/scenario carries no checksum"),
        (claims_more_than_it_holds, "rows of it are missing"),
        (counts_backwards, "counts -5 rows"),
        (another_unit, "altered after it was written"),
        (another_seed, "altered after it was written"),
        (a_column_more, "altered after it was written"),
        (a_column_less, "altered after it was written"),
        (another_shape, "which does not fit the others"),
        (newer, "a trace of format 2"),
        (foreign, "HDF5, but not a trace"),
        (summary_is_no_json, "/summary cannot be read"),
    ],
)
def test_a_file_that_is_not_to_be_trusted_is_refused(copy: Path, deed: Callable[[Any, Path], None], said: str) -> None:
    secret = copy.with_name("secret.h5")
    with h5py.File(secret, "w") as file:
        file["x"] = np.zeros((50, 2, 3), "f4")
    with h5py.File(copy, "r+") as file:
        deed(file, secret)
    secret.chmod(0)
    with pytest.raises(BadTrace) as caught, open_trace(copy) as trace:
        samples.everything(trace)
    assert str(caught.value).startswith(f"{copy}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_trace_is_said_in_one_sentence(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "hall.yaml").write_text("title: x")
    (tmp_path / "half.h5").write_bytes(sample.read_bytes()[:-2000])
    (tmp_path / "head.h5").write_bytes(sample.read_bytes()[:8] + b"\xff" * 3000)
    for name, said in (
        ("none.h5", "there is no such file"),
        ("", "this is not a file; a trace (.h5) is wanted"),
        ("hall.yaml", "this is not an HDF5 file"),
        ("half.h5", "its end is missing; copy it again"),
        ("head.h5", "its head cannot be read"),
    ):
        with pytest.raises(BadTrace) as caught:
            open_trace(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: {said}")


FLIPS = """
import random, sys
from pathlib import Path
from tests import trace_samples as samples
from twin.trace import BadTrace, open_trace
whole = Path(sys.argv[1]).read_bytes()
with open_trace(sys.argv[1]) as trace:
    good = samples.everything(trace)
dice, found = random.Random(int(sys.argv[2])), {"same": 0, "refused": 0}
for place in dice.sample(range(8 * len(whole)), int(sys.argv[3])):
    torn = bytearray(whole)
    torn[place // 8] ^= 1 << place % 8
    Path(sys.argv[4]).write_bytes(torn)
    try:
        with open_trace(sys.argv[4]) as trace:
            assert samples.everything(trace) == good, f"bit {place} changed what is read"
        found["same"] += 1
    except BadTrace:
        found["refused"] += 1
print(found["same"], found["refused"])
"""


@pytest.mark.parametrize(("seed", "count"), [(1, 300), pytest.param(2, 5000, marks=pytest.mark.slow, id="slow")])
def test_a_flipped_bit_is_refused_or_harmless(sample: Path, tmp_path: Path, seed: int, count: int) -> None:
    words = [sys.executable, "-c", FLIPS, str(sample), str(seed), str(count), str(tmp_path / "torn.h5")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    same, refused = (int(word) for word in done.stdout.split())
    assert same + refused == count
    assert refused > count / 10


def test_a_flipped_bit_of_data_names_its_dataset(copy: Path) -> None:
    with h5py.File(copy) as file:
        where = file["rack/power"].id.get_chunk_info(0).byte_offset
    torn = bytearray(copy.read_bytes())
    torn[where + 30] ^= 4
    copy.write_bytes(torn)
    with open_trace(copy) as trace:
        assert trace["rack.die_temperature"].values.shape == (50, 2, 3)
        with pytest.raises(BadTrace, match=r"/rack/power is damaged, its checksum is wrong; copy or run it again"):
            trace["rack.power"]


def killed_writer(path: Path, after: float) -> int:
    """Kill a program that writes; the rows it said were committed."""
    words = [sys.executable, "-m", "tests.trace_samples", str(path)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        while not path.exists() and writer.poll() is None:
            time.sleep(0.001)
        time.sleep(after)
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.stdout is not None
        said = writer.stdout.read().splitlines()
    assert writer.returncode == -signal.SIGKILL
    whole = [line for line in said if line]
    return int(whole[-2]) if len(whole) > 1 else 0  # the last line may be cut off


@pytest.mark.parametrize(("seed", "times"), [(1, 10), pytest.param(2, 100, marks=pytest.mark.slow, id="slow")])
def test_a_killed_writer_leaves_all_that_it_committed(tmp_path: Path, seed: int, times: int) -> None:
    dice, kept = random.Random(seed), 0
    for i in range(times):
        after = dice.uniform(0, 0.4)
        path = tmp_path / f"{i}.h5"
        said = killed_writer(path, after)
        with open_trace(path) as trace:
            count = len(trace.time)
            assert count >= said, f"killed after {after} s"
            assert trace.summary == {}
            np.testing.assert_array_equal(trace.time, samples.rows(0, count))
            for column in samples.COLUMNS:
                exact = samples.values(column, trace.time, 2).astype(column.dtype)
                np.testing.assert_array_equal(trace[f"{column.kind}.{column.name}"].values, exact)
            logged = samples.events(0, count)
            assert trace.events[: len(logged)] == logged
        kept += count
        path.unlink()
    assert kept > 0


class Diary:
    """Every write to the file under HDF5, in order, while they are also done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[int, bytes | None]] = []
        pwrite, ftruncate = os.pwrite, os.ftruncate

        def noted_pwrite(file: int, piece: Any, place: int) -> int:
            self.done.append((place, bytes(piece)))
            return pwrite(file, piece, place)

        def noted_ftruncate(file: int, size: int) -> None:
            self.done.append((size, None))
            ftruncate(file, size)

        monkeypatch.setattr(disk.os, "pwrite", noted_pwrite)
        monkeypatch.setattr(disk.os, "ftruncate", noted_ftruncate)

    def files(self, first: int) -> Iterator[bytes]:
        """The file after each write from the first on, and as a kill at each page within a write leaves it."""
        now = bytearray()
        for i, (place, piece) in enumerate(self.done):
            if piece is None:
                now = now[:place] + bytes(max(0, place - len(now)))
            else:
                now.extend(bytes(max(0, place - len(now))))
                for cut in range(4096 - place % 4096, len(piece), 4096):
                    if i >= first:
                        yield bytes(now[:place] + piece[:cut] + now[place + cut :])
                now[place : place + len(piece)] = piece
            if i >= first:
                yield bytes(now)


@pytest.mark.parametrize("share", [0.1, pytest.param(1.0, marks=pytest.mark.slow, id="slow")])
def test_a_kill_within_any_write_leaves_all_that_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    diary = Diary(monkeypatch)
    sink = samples.recorder(tmp_path / "run.h5", steps=5)
    laid_out = len(diary.done)
    samples.fill(sink, 345, 5)  # 69 blocks: an index node splits at the 65th
    sink.close({"finished": True})
    monkeypatch.undo()
    last, dice, torn = 0, random.Random(1), tmp_path / "torn.h5"
    for whole in diary.files(laid_out - 1):
        if dice.random() > share:
            continue
        torn.write_bytes(whole)
        with open_trace(torn) as trace:
            count = len(trace.time)
            assert count >= last
            for column in samples.COLUMNS:
                exact = samples.values(column, trace.time, 2).astype(column.dtype)
                np.testing.assert_array_equal(trace[f"{column.kind}.{column.name}"].values, exact)
            assert trace.events == samples.events(0, count)
            assert trace.summary in ({}, {"finished": True})
            assert trace.scenario_text == samples.SCENARIO
        last = count
    assert last >= 340
    assert torn.read_bytes() == (tmp_path / "run.h5").read_bytes() or share < 1


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill_up(path: Path) -> TraceWriteError:
    """Write a trace until the disk is full."""
    units = {"rack": [f"h1/räck-{i:02d}" for i in range(64)], "cdu": ["cdu-1"]}
    sink = samples.recorder(path, 1, units=units, steps=300)
    block = {(c.kind, c.name): np.ones((300, 1, len(units[c.kind]))) for c in samples.COLUMNS}
    for first in range(0, 30_000, 300):
        try:
            sink.append(samples.rows(first, 300), block, samples.events(first, 1, 1))
        except TraceWriteError as error:
            with pytest.raises(TraceWriteError, match="cannot write"):
                sink.close({})
            return error
    raise AssertionError("the disk was never full")


def holds_whole_blocks(path: Path) -> int:
    with open_trace(path) as trace:
        count = len(trace.time)
        assert count % 300 == 0
        assert (trace["rack.power"].values == 1).all()
    return count


def test_a_full_disk_is_seen_before_it_is_met(tiny_disk: Path) -> None:
    error = fill_up(tiny_disk / "run.h5")
    count = holds_whole_blocks(tiny_disk / "run.h5")
    assert count >= 600
    assert f"({count} rows are safe in it): the disk has" in str(error)
    assert "make room, or record less often" in str(error)
    (tiny_disk / "junk").write_bytes(bytes(shutil.disk_usage(tiny_disk).free))
    with pytest.raises(TraceWriteError, match=r"the disk has 0\.0 MB left"):
        samples.recorder(tiny_disk / "more.h5")
    assert not (tiny_disk / "more.h5").exists()


def test_a_disk_that_fills_between_looking_and_writing_crashes_nothing(
    tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "room_fault", lambda path, size: "")
    error = fill_up(tiny_disk / "run.h5")
    assert "no space left on device" in str(error)
    assert holds_whole_blocks(tiny_disk / "run.h5") >= 600


FULL = """
import os, resource, sys
from pathlib import Path
from tests.test_trace_damage import fill_up
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
error = fill_up(Path(sys.argv[1]))
print(error, flush=True)
os._exit(74)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on file sizes here")
def test_a_write_that_fails_is_one_sentence_and_leaves_what_was_good(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    words = [sys.executable, "-c", FULL, str(path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (74, "")
    assert "file too large" in done.stdout
    assert done.stdout.count("\n") == 1
    assert f"({holds_whole_blocks(path)} rows are safe in it)" in done.stdout


def test_a_disk_too_full_for_the_layout_leaves_nothing(tiny_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "room_fault", lambda path, size: "")
    (tiny_disk / "junk").write_bytes(bytes(shutil.disk_usage(tiny_disk).free - 20_000))
    with pytest.raises(TraceWriteError, match="no space left on device"):
        samples.recorder(tiny_disk / "run.h5")
    assert [path.name for path in tiny_disk.iterdir()] == ["junk"]
