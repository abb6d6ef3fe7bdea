"""The corpus of broken files: each has its exact messages beside it, all of them from one pass.

After a wording has been changed on purpose, `UPDATE_EXPECTED=1 pytest tests/scenario/test_broken.py`
writes the messages anew; read the difference before keeping it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twin.scenario import BadInput, check, read, read_plant

FOLDER = Path(__file__).parent / "broken"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def test_there_are_plenty() -> None:
    assert len(NAMES) >= 200
    assert {path.name.removesuffix(".expected.txt") for path in FOLDER.glob("*.expected.txt")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_file_has_its_exact_messages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    told = "".join(f"{fault}\n" for fault in check(f"{name}.yaml"))
    beside = FOLDER / f"{name}.expected.txt"
    if os.environ.get("UPDATE_EXPECTED"):
        beside.write_text(told, encoding="utf-8")
    assert told == beside.read_text(encoding="utf-8")
    assert told.strip()


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_file_is_not_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    open_it = read_plant if name == "plant-document" else read
    with pytest.raises(BadInput) as told:
        open_it(f"{name}.yaml")
    assert all(not fault.warning for fault in told.value.faults)
    for fault in told.value.faults:
        assert fault.where is None or fault.where.line >= 1
        assert "Traceback" not in str(fault)
        assert str(fault).isprintable()
