"""The energy ledger of a run and its PUE before, during and after the fault."""

from __future__ import annotations

import numpy as np

from twin.equipment import KINDS
from twin.report.known import INPUT
from twin.report.moments import EARLY, it_power, since
from twin.report.story import Story

COUNTERS = {"utility": "imported_energy", "generator": "delivered_energy"}
"""What the sources of a kind count since the start [J]."""


def ledger(story: Story, member: int) -> dict[str, float | None]:
    """Energy in, out and stored over the run [J], from the site's own counters; by source from recorded rows.

    residual = in - out - stored; `worst_residual` is the largest that the run itself found in any tick.
    """
    sources = {kind: _from(story, kind, member) for kind in story.kinds if _is_source(kind)}
    supplied = _counted(story, "supplied_energy", "power", member)
    if supplied is None:
        supplied = sum((each for each in sources.values() if each is not None), start=0.0) if sources else None
    rejected = _counted(story, "rejected_energy", "heat_rejected", member)
    stored = _counted(story, "stored_energy", "stored_power", member)
    record: dict[str, float | None] = {f"from_{kind}": each for kind, each in sources.items()}
    record |= {"supplied": supplied, "rejected": rejected, "stored": stored, "it": energy_of_work(story, member)}
    residual = relative = None
    if supplied is not None and rejected is not None and stored is not None:
        residual = supplied - rejected - stored
        through = max(abs(supplied), abs(rejected))
        relative = residual / through if through > 0 else 0.0
    worst = story.values("site", "energy_residual")
    known = None if worst is None or not np.isfinite(worst[:, member]).any() else worst[:, member]
    return record | {
        "residual": residual,
        "relative_residual": relative,
        "worst_residual": None if known is None else float(np.nanmax(np.abs(known))),
    }


def _counted(story: Story, counter: str, power: str, member: int) -> float | None:
    """What a counter of the site gained over the run; the sum of recorded rows where a trace has no counter."""
    values = story.values("site", counter)
    if values is None:
        return _energy(story, "site", power, member)
    return float(values[-1, member, 0] - values[0, member, 0])


def _from(story: Story, kind: str, member: int) -> float | None:
    """What the sources of a kind gave: by their own counters, else by recorded rows."""
    values = story.values(kind, COUNTERS.get(kind, ""))
    if values is None or not len(values):
        return _energy(story, kind, "power", member)
    return float(np.sum(values[-1, member].astype(float) - values[0, member]))


def spent(story: Story, counter: str, power: np.ndarray, member: int) -> np.ndarray:
    """Energy of each recorded row [J]: by a counter of the site, which knows what lies between rows, else by power."""
    values = story.values("site", counter)
    if values is None or not story.steps.sum() > 0:
        return np.asarray(power[:, member] * story.weights)
    return np.diff(values[:, member, 0], prepend=values[:1, member, 0])


def _is_source(kind: str) -> bool:
    return kind in KINDS and KINDS[kind].source and not KINDS[kind].stores_power


def _energy(story: Story, kind: str, name: str, member: int) -> float | None:
    power = story.total(kind, name)
    return None if power is None else float(np.sum(power[:, member] * story.steps))


def energy_of_work(story: Story, member: int) -> float | None:
    power = it_power(story)
    return None if power is None else float(np.sum(spent(story, "work_energy", power, member)))


def pue(story: Story, member: int) -> dict[str, float | None]:
    """Energy of the site over that of its work: before the fault, during it, after the repair, at the end.

    What batteries give counts as energy of the site, and what they take does not: a site on its
    batteries still has a PUE. `during` runs from the fault to the last thing that was put right (a
    restore, a fault mended, a switch back in its normal position), or to the end where nothing was;
    then `after` is unknown.
    """
    power, work = story.total("site", "power"), it_power(story)
    if power is None or work is None:
        return dict.fromkeys(("before", "during", "after", "end"))
    used = spent(story, "supplied_energy", power, member) - _charged(story, member)
    done = spent(story, "work_energy", work, member)
    start = since(story, member) if story.faults[member] is not None else story.end
    repaired = _last_repair(story, member, start)
    before = story.time <= start + EARLY
    after = story.time > repaired + EARLY if repaired is not None else np.zeros_like(before)
    parts = {"before": before, "during": ~before & ~after, "after": after, "end": story.time >= story.end}
    return {name: _ratio(float(used[rows].sum()), float(done[rows].sum())) for name, rows in parts.items()}


def _ratio(used: float, done: float) -> float | None:
    """None where no work was done."""
    return used / done if done > 0 else None


def _charged(story: Story, member: int) -> np.ndarray:
    """Energy that all batteries took up since the row before [J]; negative where they gave."""
    taken = np.zeros(len(story.time))
    for kind in _batteries(story):
        energy = story.total(kind, "energy")
        if energy is not None:
            taken += np.diff(energy[:, member], prepend=energy[:1, member])
    return taken


def _batteries(story: Story) -> list[str]:
    return [kind for kind in story.kinds if story.has(kind, "state_of_charge") and story.has(kind, "energy")]


def has_batteries(story: Story) -> bool:
    """Whether the PUE of a table differs from that of a moment: by what batteries took and gave."""
    return bool(_batteries(story))


def _last_repair(story: Story, member: int, start: float) -> float | None:
    times = [
        event.time
        for event in story.events_of[member]
        if event.time > start and event.flag.startswith(INPUT) and story.asked(event)[1] < 0
    ]
    return max(times, default=None)
