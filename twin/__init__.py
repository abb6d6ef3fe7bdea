"""A digital twin of an AI factory: drill its failures, read the traces, see the hall.

`twin.run(path)` reads a scenario, simulates and judges it; `twin.open_trace(path)` opens what was
recorded; `twin.read(path)` is the scenario alone, checked; `twin.audit(plant)` fails every unit of its
power side in turn; `twin.sweep(plant)` runs every failure of a plant or scenario as a drill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["__version__", "audit", "compare", "open_trace", "read", "run", "sweep"]

_DOORS = {
    "audit": "twin.studies.audit",
    "compare": "twin.studies.compare",
    "open_trace": "twin.trace",
    "read": "twin.scenario",
    "run": "twin.studies.drill",
    "sweep": "twin.studies.sweep",
}

if TYPE_CHECKING:
    from twin.scenario import read as read
    from twin.studies.audit import audit as audit
    from twin.studies.compare import compare as compare
    from twin.studies.drill import run as run
    from twin.studies.sweep import sweep as sweep
    from twin.trace import open_trace as open_trace


def __getattr__(name: str) -> Any:
    """Fetch a door only when somebody knocks, so that `import twin` and `twin --help` stay quick."""
    if name not in _DOORS:
        raise AttributeError(f"module 'twin' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_DOORS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
