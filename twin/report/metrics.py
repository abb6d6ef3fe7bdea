"""The numbers of a run: seconds, extremes, losses, PUE and energy, for each member and across them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.report.accounts import accounts
from twin.report.energy import ledger, pue
from twin.report.extremes import Extreme, extremes
from twin.report.losses import lost
from twin.report.moments import batteries, every_first, fault_of, firsts
from twin.report.network import network
from twin.report.schedule import schedule
from twin.report.story import Story
from twin.report.tokens import tokens
from twin.report.training import training

PERCENTILES = (5, 50, 95)


def metrics(story: Story) -> list[dict[str, Any]]:
    """Everything measured, in SI: one record for each member."""
    found = extremes(story)
    return [_of_member(story, member, found[member]) for member in range(story.members)]


def _of_member(story: Story, member: int, reached: list[Extreme]) -> dict[str, Any]:
    return {
        "member": member,
        "fault": fault_of(story.faults[member]),
        "first": firsts(story, member),
        "flags": every_first(story, member),
        "batteries": batteries(story, member),
        "lost": lost(story, member),
        "pue": pue(story, member),
        "energy": ledger(story, member),
        "tokens": tokens(story, member),
        "accounts": accounts(story, member),
        "training": training(story, member),
        "network": network(story, member),
        "schedule": schedule(story, member),
        "extremes": [each.to_json() for each in reached],
    }


def ensemble(each: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every number across members: in how many it is known, its 5th, 50th and 95th percentile, all values.

    Percentiles are over the members in which the number is known (linear between neighbours).
    """
    flat = [flatten(one) for one in each]
    keys = list(dict.fromkeys(key for one in flat for key in one))
    rows = []
    for key in keys:
        values = [one.get(key) for one in flat]
        known = [value for value in values if value is not None]
        if known:
            spread = np.percentile(np.asarray(known, dtype=float), PERCENTILES)
            rows.append(
                {"metric": key, "known": len(known), "members": len(each)}
                | {f"p{p}": float(value) for p, value in zip(PERCENTILES, spread, strict=True)}
                | {"values": values}
            )
    return rows


def flatten(record: dict[str, Any]) -> dict[str, float | None]:
    """The numbers of one member's record by dotted name: "first.first_throttle.seconds"."""
    flat: dict[str, float | None] = {}
    for name, moment in record["first"].items():
        flat[f"first.{name}.seconds"] = None if moment is None else moment["seconds"]
    for part in ("batteries", "lost", "pue", "energy"):
        for name, value in (record[part] or {}).items():
            if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
                flat[f"{part}.{name}"] = value
    made = record["tokens"] or {"services": {}, "total": {}}
    for name, each in (made["services"] | {"all": made["total"]}).items():
        flat |= {f"tokens.{name}.{key}": value for key, value in each.items()}
    flat |= _accounted(record["accounts"])
    for name, each in (record["training"] or {}).items():
        flat |= {f"training.{name}.{key}": value for key, value in each.items()}
    for each_kind in (record["network"] or {}).values():
        for name, each in each_kind.items():
            flat |= {f"network.{name}.{key}": value for key, value in each.items()}
    for name, each in (record["schedule"] or {}).items():
        flat |= {f"schedule.{name}.{key}": value for key, value in each.items()}
    for row in record["extremes"]:
        flat[f"{row['kind']}.{row['name']}.{row['which']}"] = row["value"]
    return flat


def _accounted(record: dict[str, Any] | None) -> dict[str, float | None]:
    """What each service and job is charged with, the rest, all of it, and the event: "accounts.premium.it_energy"."""
    if record is None:
        return {}
    whom = {**record["services"], **record["jobs"]}
    whom |= {name: record[name] or {} for name in ("unallocated", "total", "event")}
    return {f"accounts.{name}.{key}": value for name, each in whom.items() for key, value in each.items()}


def plain(value: Any) -> Any:
    """A value in pure JSON types: numpy numbers as Python's, what is not finite as null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
