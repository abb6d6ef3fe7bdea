"""Where the shipped files lie: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    checkout = PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    inside = PACKAGE / "_shipped" / name
    if inside.is_dir():
        return inside
    raise FileNotFoundError(f"the shipped {name} are missing: no folder {checkout / name}, no {inside}")


def assets_folder() -> Path:
    """The folder of catalogue records, weather and traces."""
    return _shipped("assets")


def scenarios_folder() -> Path:
    """The folder of what is shipped as YAML: under `drills` the drills, under `plants` the plants."""
    return _shipped("scenarios")


def drills_folder() -> Path:
    """The folder of the shipped drills."""
    return scenarios_folder() / "drills"


def scenario_file(named: str | Path) -> Path:
    """The scenario that a name means: a file as it is given, else the shipped one of that bare name."""
    path = Path(named)
    shipped = drills_folder() / f"{path.name}.yaml"
    return shipped if path.name == str(named) and not path.exists() and shipped.is_file() else path


def display(path: Path) -> str:
    """A shipped file as people know it: "assets/catalog/gb300-nvl72.yaml"; others as they are given."""
    for name in ("assets", "scenarios"):
        try:
            folder = _shipped(name)
        except FileNotFoundError:
            continue
        if path.is_relative_to(folder):
            return str(Path(name) / path.relative_to(folder))
    return str(path)
