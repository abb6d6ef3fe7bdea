"""What all tests share: those marked `gpu` are skipped, saying why, where no CUDA device works; drills run once."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from twin.arrays import DeviceUnavailable, open_device
from twin.assets import drills_folder

Drilled = Callable[[str], tuple[Path, float]]


@pytest.fixture(scope="session")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    """Runs a shipped drill, once for all tests and workers: its trace, and its worst energy residual."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "drills"
    folder.mkdir(exist_ok=True)

    def drill(name: str) -> tuple[Path, float]:
        from twin.studies.drill import run

        trace, done = folder / f"{name}.h5", folder / f"{name}.json"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                result = run(drills_folder() / f"{name}.yaml", output=trace, device="cpu")
                result.trace.close()
                done.write_text(json.dumps(result.run.energy_residual))
        return trace, float(json.loads(done.read_text()))

    return drill


LONG = ("test_readme.py", "test_notebooks.py")
"""Those that take a minute in one piece begin first, so that no worker waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)
    wanting = [item for item in items if item.get_closest_marker("gpu")]
    if not wanting:
        return
    try:
        open_device("gpu")
    except DeviceUnavailable as error:
        for item in wanting:
            item.add_marker(pytest.mark.skip(reason=str(error)))
