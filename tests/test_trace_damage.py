"""Traces that were cut off, altered or made by strangers: nothing wrong is ever read from one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests import trace_samples as samples
from twin.trace import BadTrace, open_trace

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
