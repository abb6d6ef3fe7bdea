"""The README tells the truth: its commands and its Python run, its files are what the commands make."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from twin.assets import drills_folder

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
DRILLS = {path.stem for path in drills_folder().glob("*.yaml")}
"""Run, each of them, by other tests."""
BLOCKS = re.findall(r"^```(bash|python|yaml)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reader")


@pytest.fixture(scope="module")
def played(folder: Path) -> Path:
    """A folder in which the README was followed from top to bottom, but for what installs or takes long."""
    (folder / "bin").mkdir()
    (folder / "bin" / "twin").symlink_to(Path(sys.executable).parent / "twin")
    surroundings = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    for language, text in BLOCKS:
        if language == "yaml" or "pip install" in text or text.removeprefix("twin run ").strip() in DRILLS:
            continue
        shell = ["bash", "-euo", "pipefail"] if language == "bash" else [sys.executable]
        done = subprocess.run(
            [*shell, "-c", text],
            cwd=folder,
            env=surroundings,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return folder


def test_what_it_promises_is_made(played: Path) -> None:
    for name in ("my-site.h5", "my-site.html", "my-site.png", "twenty.h5", "my-site/twin.schema.json"):
        assert (played / name).stat().st_size > 0


def test_the_drill_it_shows_is_the_one_that_new_makes(played: Path) -> None:
    shown = next(text for language, text in BLOCKS if language == "yaml")
    assert shown == (played / "my-site" / "my-site.yaml").read_text(encoding="utf-8")


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_it_names_every_verb_and_no_other() -> None:
    from twin.cli import VERBS

    table = set(re.findall(r"^\| `twin (\w+)", TEXT, re.MULTILINE))
    assert table == {verb.__name__ for verb in VERBS}


def test_ci_runs_the_line_it_gives() -> None:
    line = 'pip install -e ".[dev]" && pytest'
    assert line in TEXT
    assert line in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
