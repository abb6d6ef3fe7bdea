"""The house stands: floors hold, every kind is listed, nothing is crowded, doors have signs."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from twin.equipment import KINDS

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "twin").rglob("*.py"))
MOST_LINES, LONGEST_FUNCTION = 400, 60


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno


def test_floors_and_doors_hold() -> None:
    words = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_has_one_file_and_one_row() -> None:
    files = {path.stem for path in (ROOT / "twin" / "equipment").glob("*.py")} - {"__init__"}
    assert files == set(KINDS)
    for kind, made in KINDS.items():
        assert made.__module__ == f"twin.equipment.{kind}"
        assert made.kind == kind


def test_networks_know_ports_never_kinds() -> None:
    for path in (ROOT / "twin" / "networks").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("twin.equipment."), f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_is_not_crowded_and_has_a_door_sign(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    sign = ast.get_docstring(ast.parse(text))
    assert sign
    assert text.startswith(('"""', 'r"""')), "the door sign is the first line"
    assert len(sign.splitlines()[0]) > 20


def test_functions_are_short() -> None:
    every = [each for path in FILES for each in functions(path)]
    assert [name for name, length in every if length > LONGEST_FUNCTION] == []
    lengths = sorted(length for _, length in every)
    assert lengths[len(lengths) // 2] <= 12, "most functions are about eight lines"


def test_nothing_executes_what_it_reads() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), f"{path}:{node.lineno}"
            if isinstance(node, ast.Import):
                assert not {"pickle", "marshal", "shelve"} & {each.name for each in node.names}, path


def test_pins_fit_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.removesuffix(" \\").split("==") for line in lines if "==" in line)
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    for said in project["dependencies"] + project["optional-dependencies"]["dev"]:
        wanted = Requirement(said)
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), said
    allowed = ("    --hash=sha256:",)
    odd = [line for line in lines if "==" not in line and not line.startswith(allowed)]
    assert odd == [], "names, versions and hashes only"


def test_the_version_is_said_once() -> None:
    import twin

    assert importlib.metadata.version("aifactory-twin") == twin.__version__


@pytest.mark.slow
def test_a_wheel_carries_its_data(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(tmp_path),
        ".",
    ]
    subprocess.run(words, cwd=ROOT, check=True)
    import zipfile

    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    for name in ("assets", "scenarios"):
        for path in (ROOT / name).rglob("*.yaml"):
            assert f"twin/_shipped/{path.relative_to(ROOT)}" in inside
    for path in (ROOT / "twin").rglob("*.*"):
        if path.is_file() and path.suffix != ".pyc":
            assert str(path.relative_to(ROOT)) in inside
