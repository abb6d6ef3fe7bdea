"""The numbers that a run counts, for comparing: every one by its dotted name, and the unit that it has."""

from __future__ import annotations

from twin.report.findings import Findings
from twin.report.metrics import ensemble, flatten
from twin.report.rows import WORTH_TELLING


def numbers_of(found: Findings) -> dict[str, float | None]:
    """Every number of a run in SI, by its dotted name; of an ensemble its median."""
    if found.story.members == 1:
        return _worth_telling(flatten(found.measures[0]))
    return _worth_telling({row["metric"]: row["p50"] for row in ensemble(found.measures)})


def _worth_telling(numbers: dict[str, float | None]) -> dict[str, float | None]:
    """The same; IT power lost that the report calls "none" is none, and has no moment."""
    least = WORTH_TELLING * abs(numbers.get("lost.power_before") or 0.0)
    made = dict(numbers)
    for key in ("lost.power_lost_peak", "lost.power_lost_end"):
        value = made.get(key)
        if value is not None and value <= least:
            made[key] = 0.0
            if f"{key}_time" in made:
                made[f"{key}_time"] = None
    return made


PARTS = {"energy": "J"}
AMOUNTS = {
    "tokens": {
        "answers": "token", "prompts": "token", "queued_end": "token", "deferred": "token", "revenue": "USD",
        "cost": "USD", "caught_up": "s", "energy_per_token": "J/token",
    },
    "accounts": {
        "energy_per_token": "J/token", "energy_per_step": "J", "cost": "USD", "energy": "J", "gpu_time": "s",
        "revenue": "USD", "credits": "USD", "margin": "USD", "value": "USD", "token_rate": "token/s",
    },
    "network": {"rate": "bit/s", "longest_handover": "s"},
    "schedule": {"arrived": "s", "started": "s", "finished": "s", "waited": "s", "had_racks": "s"},
}  # fmt: skip
"""Part of the numbers -> what a name holds, and the unit that it then has."""


def unit_of(found: Findings, key: str) -> str:
    """The SI unit of a number by its dotted name."""
    first, _, rest = key.partition(".")
    quantity, _, which = rest.rpartition(".")
    if which in ("highest", "lowest") and first in found.story.kinds:
        column = found.trace.columns(first).get(quantity)
        return column.unit if column is not None else "1"
    if which.endswith(("seconds", "_time")) or which.startswith(("seconds", "longest")):
        return "s"
    if "power" in rest and first == "lost":
        return "W"
    amounts = AMOUNTS.get(first, {})
    return next((unit for word, unit in amounts.items() if word in which), PARTS.get(first, "1"))
