"""Reliability: what failures cost over the members - goodput, availability, time between interruptions, with bands."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from twin.equipment import KINDS
from twin.report.bands import band, per_event
from twin.report.known import INPUT
from twin.report.schedule import had_racks
from twin.report.story import Story
from twin.report.words import kinds, lasting, say, words
from twin.trace.layout import CAUSE

AWAY = ("unpowered", "shut_down", "soft_starting", "booting", "checking", "drained")
"""Flags under which a rack cannot work."""
MOST_CAUSES = 20
"""Causes that a table shows."""


def reliability(story: Story) -> dict[str, Any] | None:
    """What failures cost, over the members; None where nothing can fail or all worlds of a run are one.

    Each of "goodput", "availability" and the like is a band: mean over the members with its 95 % interval, 5th, 50th
    and 95th percentile, and the value of each member. Mean time between interruptions is that of all members
    together: their time over their interruptions. The time of a job that a scheduler starts is that in which it has
    racks; members in which it never has are left out, and its bands are None where that are all.
    """
    length = story.end - story.start
    if length <= 0 or (story.members < 2 and not story.causes):
        return None
    found = {
        "members": story.members,
        "seconds": length,
        "jobs": _jobs(story, length),
        "services": _services(story, length),
        "racks": _racks(story, length),
        "failures": _failures(story, length),
    }
    return found if any(found[key] for key in ("jobs", "services", "racks", "failures")) else None


def _jobs(story: Story, length: float) -> dict[str, Any]:
    """By job: how much of the time was useful, and how often it was interrupted, by which causes."""
    if not story.has("job", "steps"):
        return {}
    found = {}
    ran = had_racks(story)
    for place, name in enumerate(story.trace.units("job")):
        gained = {
            key: _gained(story, key, place)
            for key in ("steps", "lost_steps", "interruptions", "saving_time", "restarting_time", "stopped_time")
        }
        step = story.plant.units[name].machine().step_time
        time = ran.get(name, np.full(story.members, length))
        worked = time - gained["saving_time"] - gained["restarting_time"] - gained["stopped_time"]
        made = gained["steps"] + gained["lost_steps"]
        useful = np.where(made > 0, gained["steps"] / np.where(made > 0, made, 1.0), 0.0)
        found[name] = {
            "goodput": _share_of(time, gained["steps"] * step),
            "effective_training_time": _share_of(time, worked * useful, 1.0),
            "availability": _share_of(time, time - gained["stopped_time"], 1.0),
            "interruptions": band(gained["interruptions"]),
            "mean_time_between_interruptions": per_event(float(time.mean()), gained["interruptions"]),
            "causes": _causes(story, {name, *story.plant.pools.get(name, ())}),
        }
    return found


def _share_of(time: np.ndarray, part: np.ndarray, most: float = float("inf")) -> dict[str, Any] | None:
    """The band of a part of some time, over the members that have any; None without one."""
    some = time > 0
    return band(part[some] / time[some], most) if some.any() else None


def _gained(story: Story, name: str, place: int) -> np.ndarray:
    """By how much a counter of a job rose in each member."""
    values = story.values("job", name)
    return np.zeros(story.members) if values is None else np.asarray(values[-1, :, place] - values[0, :, place], float)


def _causes(story: Story, units: set[str]) -> dict[str, int]:
    """How often chance hit a job or one of its racks in all members, by cause, the commonest first."""
    counted = Counter(each.flag.removeprefix(CAUSE) for each in story.causes if each.unit in units)
    return dict(counted.most_common())


def _services(story: Story, length: float) -> dict[str, Any]:
    """By service: share of the time in which it kept its promise."""
    if "service" not in story.kinds:
        return {}
    late = {name: np.zeros(story.members) for name in story.trace.units("service")}
    for span in story.spans.get(("service", "late"), ()):
        late[span.unit][span.member] += span.until(story.end) - span.start
    return {name: {"availability": band(1.0 - seconds / length, 1.0)} for name, seconds in late.items()}


def _racks(story: Story, length: float) -> dict[str, Any]:
    """Share of the time in which racks could work, mean over the racks."""
    names = [unit.name for unit in story.plant.units.values() if KINDS[unit.kind].is_work]
    if not names:
        return {}
    away: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for flag in AWAY:
        for span in story.flagged(flag):
            away.setdefault((span.unit, span.member), []).append((span.start, span.until(story.end)))
    for unit, member, start, end in _out_of_service(story, set(names)):
        away.setdefault((unit, member), []).append((start, end))
    seconds = np.zeros(story.members)
    for (_, member), stretches in away.items():
        seconds[member] += covered(stretches)
    return {"count": len(names), "availability": band(1.0 - seconds / (length * len(names)), 1.0)}


def _out_of_service(story: Story, names: set[str]) -> list[tuple[str, int, float, float]]:
    """(unit, member, from, until) of racks that somebody or chance took out."""
    found: list[tuple[str, int, float, float]] = []
    since: dict[tuple[str, int], float] = {}
    for event in story.events:
        if event.flag != f"{INPUT}in_service" or event.unit not in names:
            continue
        key = (event.unit, event.member)
        if event.value < 0.5:
            since.setdefault(key, float(event.time))
        elif key in since:
            found.append((*key, since.pop(key), float(event.time)))
    return found + [(*key, start, story.end) for key, start in since.items()]


def covered(stretches: list[tuple[float, float]]) -> float:
    """Length of the union of some stretches [s]."""
    total, until = 0.0, -np.inf
    for start, end in sorted(stretches):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return float(total)


def _failures(story: Story, length: float) -> list[dict[str, Any]]:
    """By kind and cause: failures that chance drew, in all members, the units they could hit, and their repairs."""
    counted: Counter[tuple[str, str]] = Counter()
    repairs: dict[tuple[str, str], float] = {}
    for each in story.causes:
        key = (story.kind_of.get(each.unit, ""), each.flag.removeprefix(CAUSE))
        counted[key] += 1
        repairs[key] = repairs.get(key, 0.0) + each.value
    return [
        {
            "kind": kind,
            "cause": cause,
            "failures": number,
            "per_member": number / story.members,
            "seconds_between": length * story.members / number,
            "mean_repair": repairs[kind, cause] / number,
        }
        for (kind, cause), number in counted.most_common()
    ]


def band_rows(found: dict[str, Any] | None) -> list[list[str]]:
    """Quantity, mean, its 95 % interval, p5, p50, p95; for people."""
    if found is None:
        return []
    rows = []
    for name, job in found["jobs"].items():
        for key in ("goodput", "effective_training_time", "availability"):
            if job[key] is not None:
                rows.append(_row(f"{name}: {words(key)}", job[key], _share))
        rows.append(_row(f"{name}: interruptions", job["interruptions"], lambda value: f"{value:.4g}"))
        between = job["mean_time_between_interruptions"]
        if between is not None:
            said = (lasting(between["value"]), f"{lasting(between['low'])} to {lasting(between['high'])}")
            rows.append([f"{name}: mean time between interruptions", *said, "", "", ""])
    for name, service in found["services"].items():
        rows.append(_row(f"{name}: time in which it keeps its promise", service["availability"], _share))
    if found["racks"]:
        title = f"availability of {found['racks']['count']} {kinds('rack', found['racks']['count'])}"
        rows.append(_row(title, found["racks"]["availability"], _share))
    return rows


def _share(value: float) -> str:
    """A share in per cent, as fine as it is near to the whole."""
    return f"{100.0 * value:.2f} %" if 0.0 <= value < 0.999 else say(value, "1", share=True)


def _row(title: str, found: dict[str, Any], show: Any) -> list[str]:
    interval = f"{show(found['low'])} to {show(found['high'])}" if found["low"] is not None else ""
    return [title, show(found["mean"]), interval, *(show(found[key]) for key in ("p5", "p50", "p95"))]


def cause_rows(found: dict[str, Any] | None) -> list[list[str]]:
    """Kind, cause, failures in a member, time between two of them, mean repair; for people."""
    if found is None:
        return []
    rows = []
    for each in found["failures"][:MOST_CAUSES]:
        seconds = (each["seconds_between"], each["mean_repair"]) if each["mean_repair"] > 0 else ()
        said = [lasting(value) for value in seconds] or ["", ""]  # what fails on demand has no rate
        rows.append([words(each["kind"]), each["cause"], f"{each['per_member']:.3g}", *said])
    return rows
