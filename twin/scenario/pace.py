"""Whether a run ticks fast enough for what it wants to see: a fifth of the shortest time that matters."""

from __future__ import annotations

import math
from collections.abc import Iterator

from twin.declare import MODES
from twin.equipment import KINDS
from twin.physics.storing import EVENTS
from twin.plant import Plant
from twin.scenario.case import RunSettings
from twin.scenario.changes import Change
from twin.scenario.operations import Operations
from twin.scenario.sensors import is_reading

SHARE = 5.0
"""Ticks that a time constant must hold."""
CLEARED = 1.0
"""Seconds in which protection, or the one behind it, clears a short circuit that nobody else ends."""


def slow_ticks(plant: Plant, run: RunSettings, changes: list[Change]) -> list[str]:
    """One sentence for each upset with a time constant shorter than five ticks where it happens."""
    found = []
    for upset in ("power", "flow", "heat"):
        upsetting = [c for c in changes if stops(c) and upset in upsets(plant, c.unit)]
        found_shortest = shortest(plant, upset) if upsetting else None
        if found_shortest is None:
            continue
        seconds, unit, words = found_shortest
        for change in upsetting:
            tick = tick_after(run, change.time, seconds)
            if tick * SHARE > seconds * (1 + 1e-9):
                found.append(_sentence(change, unit, words, seconds, tick))
                break
    return found + _slow_protection(plant, run, changes)


def slow_hands(plant: Plant, run: RunSettings, operations: Operations) -> Iterator[str]:
    """A doubt for each procedure that may upset what the run's tick, outside of any zoom, is too long to see.

    Nobody knows beforehand when people act, so that no zoom can be asked for.
    """
    for procedure in operations.procedures.values():
        rows = [(step.verb, *row) for step in procedure.steps for row in step.rows]
        stopping = [Change(0.0, unit, name, value, verb=verb) for verb, unit, name, value in rows]
        for upset in ("power", "flow", "heat"):
            upsetting = [c for c in stopping if stops(c) and upset in upsets(plant, c.unit)]
            found = shortest(plant, upset) if upsetting else None
            if found is not None and run.tick * SHARE > found[0] * (1 + 1e-9):
                seconds, unit, words = found
                what = f"{upsetting[0].unit}.{upsetting[0].input}"
                yield (
                    f"a tick of {run.tick:g} s may be too long for what {what} sets off in procedure "
                    f"{procedure.name}: {unit} has a time constant of {seconds:.3g} s ({words}); "
                    f"a tick of at most {seconds / SHARE:.2g} s sees it"
                )
                break


def slow_checkpoints(plant: Plant, run: RunSettings) -> Iterator[str]:
    """A sentence where jobs on storage may work and save more often in a tick than is followed."""
    made = {name: plant.units[name].machine() for name in plant.stores if plant.units[name].kind == "job"}
    jobs = {name: job for name, job in made.items() if job.checkpoint_size > 0}
    often = sum(2.0 / job.checkpoint_interval for job in jobs.values())
    if run.tick * often > EVENTS * (1 + 1e-9):
        name = min(jobs, key=lambda each: (jobs[each].checkpoint_interval, each))
        yield (
            f"a tick of {run.tick:g} s is too long for the checkpoints of jobs on storage: {name} works "
            f"{jobs[name].checkpoint_interval:g} s between two, and all jobs together may begin and end "
            f"{run.tick * often:.3g} pieces of work in a tick, where {EVENTS} are followed; a tick of at most "
            f"{EVENTS / often:.2g} s, or a longer checkpoint_interval, is wanted"
        )


def _slow_protection(plant: Plant, run: RunSettings, changes: list[Change]) -> list[str]:
    """One sentence where a short circuit lasts through ticks that protection cannot tell apart."""
    found = shortest(plant, "fault")
    for change in changes if found is not None else ():
        if change.input != "short_circuit" or change.value == 0:
            continue
        assert found is not None
        seconds, unit, words = found
        ends = [c.time - change.time for c in changes if (c.unit, c.input, c.value) == (change.unit, change.input, 0.0)]
        lasts = min([each for each in ends if each > 0] + [CLEARED])
        tick = tick_after(run, change.time, lasts)
        if tick * SHARE > seconds * (1 + 1e-9):
            return [_sentence(change, unit, words, seconds, tick, max(lasts, seconds))]
    return []


def upsets(plant: Plant, name: str) -> tuple[str, ...]:
    """What the failure of a unit upsets; a pump of a loop without racks warms the water, and stops none of theirs."""
    kind = KINDS[plant.units[name].kind]
    if kind.disturbs != ("flow",):
        return kind.disturbs
    for loop in plant.loops.values():
        inside = [element.unit for branch in loop.branches() for element in branch]
        if name in inside and any(KINDS[plant.units[unit].kind].is_work for unit in inside if unit in plant.units):
            return ("flow",)
    return ("heat",)


def stops(change: Change) -> bool:
    """Whether a change takes something away: a failure, a unit out of service, a switch turned off.

    A sensor that only alarms and people read takes nothing away.
    """
    if is_reading(change.input):
        return False
    if change.verb in ("fail", "fault"):
        return True
    taken_out = change.input in ("in_service", "closed") and change.value == 0
    return taken_out or (change.input == "mode" and change.value in (MODES["off"], MODES["locked_out"]))


def shortest(plant: Plant, upset: str) -> tuple[float, str, str] | None:
    """The shortest time constant [s] that an upset meets, of which unit, and what it is; None where none does."""
    seen: dict[tuple[str, tuple[tuple[str, float], ...]], tuple[float, str, str]] = {}
    for unit in plant.units.values():
        key = (unit.kind, tuple(sorted(unit.parameters.items())))
        if key not in seen:
            seconds, words = unit.machine().pace().get(upset, (math.inf, ""))
            seen[key] = (seconds if seconds > 0 else math.inf, unit.name, words)
    return min(((s, n, w) for s, n, w in seen.values() if math.isfinite(s)), default=None)


def tick_after(run: RunSettings, moment: float, seconds: float) -> float:
    """The longest tick from a moment on for some seconds [s]."""
    for zoom in run.zooms:
        if zoom.at <= moment and min(moment + seconds, run.duration) <= zoom.at + zoom.length:
            return zoom.tick
    return run.tick


def _sentence(change: Change, unit: str, words: str, seconds: float, tick: float, lasts: float | None = None) -> str:
    return (
        f"a tick of {tick:g} s is too long for what {change.unit}.{change.input} sets off at {change.time:g} s: "
        f"{unit} has a time constant of {seconds:.3g} s ({words}); a tick of at most {seconds / SHARE:.2g} s is "
        f"wanted, or a zoom from {change.time:g} s for at least {lasts or seconds:.3g} s"
    )
