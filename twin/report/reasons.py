"""Reasons: why a flag rose, in the words its kind declares, chosen by what led to it."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

import numpy as np

from twin.declare import Flag
from twin.report.known import GAIN, INPUT, LOSS, Row
from twin.report.moments import EARLY
from twin.report.story import Story, flags_of, said_of
from twin.report.words import pretty, say, sentence, words

if TYPE_CHECKING:
    from twin.report.upstream import Upstream


def reasons(flag: Flag) -> dict[str, str]:
    """What a flag may follow from -> why it rises then; "" is the reason where nothing else is known."""
    if isinstance(flag.because, str):
        return {"": flag.because}
    keyed = (text.partition(": ") for text in flag.because[1:])
    return {"": flag.because[0]} | {key: text for key, _, text in keyed}


def why(story: Story, upstream: Upstream, row: Row, cause: Row | None) -> str:
    """Why a row came: in the scenario's words, or by its flag's reason for what led to it."""
    event = row.event
    flag = flags_of(story.kind_of.get(event.unit, "")).get(event.flag)
    if row.why or flag is None or event.value < 0.5:
        return row.why
    known = reasons(flag)
    chosen = known[""] if cause is None else _chosen(story, known, upstream, row, cause)
    chosen = _broken(story, row, chosen)
    return because(story, event.unit, story.kind_of[event.unit], chosen, event.member, event.time)


def _chosen(story: Story, known: dict[str, str], upstream: Upstream, row: Row, cause: Row) -> str:
    """The reason for a cause: by its own name, by the line that told of it, by its sense."""
    name = cause.event.flag.removeprefix(INPUT)
    heard = cause.event.unit in upstream.sources.get("signal", {}).get(row.event.unit, ())
    kind = story.kind_of.get(cause.event.unit, "")
    keys = [
        f"{kind}.{name}",
        name,
        *(["told"] if heard else []),
        *([{GAIN: "gain", LOSS: "loss"}.get(cause.sense, "set")]),
    ]
    for key in keys:
        for pattern, text in known.items():
            if pattern and fnmatch.fnmatchcase(key, pattern):
                return text
    return known[""]


def _broken(story: Story, row: Row, reason: str) -> str:
    """Of limits that a reason names with "or", those that were broken when it came; all, where no row shows it."""
    event, kind = row.event, story.kind_of[row.event.unit]
    parts = reason.split(" or ")
    named = [re.findall(r"\{(\w+_limit)\}", part) for part in parts]
    if len(parts) < 2 or not all(len(each) == 1 for each in named):
        return reason
    place = int(np.searchsorted(story.time, event.time - EARLY))
    kept = []
    for part, (limit,) in zip(parts, named, strict=True):
        values, units = story.values(kind, limit.replace("_limit", "_time")), story.trace.units(kind)
        allowed = story.plant.units[event.unit].parameters.get(limit, said_of(kind, "parameters")[limit].default)
        if values is None or allowed is None or place >= len(story.time):
            return reason
        if values[place, event.member, units.index(event.unit)] > allowed:
            kept.append(part)
    return " or ".join(kept or parts)


def because(story: Story, unit: str, kind: str, template: str, member: int, time: float) -> str:
    """A flag's reason with the unit's own ratings and settings filled in: "a die reached 88 °C"."""
    known = story.plant.units[unit].parameters if unit in story.plant.units else {}
    ratings, settings = said_of(kind, "parameters"), said_of(kind, "Inputs")

    def show(name: str) -> str:
        said = ratings.get(name) or settings.get(name)
        if said is None:
            return words(name)
        value = known.get(name, said.default) if name in ratings else story.setting(kind, unit, name, member, time)
        return words(name) if value is None else say(value, said.unit)

    return pretty(sentence(template, show))
