"""Names: many units as people write them, and values as they stand beside a symbol."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from twin import units
from twin.diagram.ink import wrapped
from twin.view.words import pretty


def short(names: Iterable[str], most: int = 3) -> str:
    """Names as ranges: "rack-04..06, 13..15", or "of rack-04..60" where they are scattered.

    What block they lie in is left out where it is one.
    """
    given = list(dict.fromkeys(names))
    blocks = {name.rpartition("/")[0] for name in given}
    if len(blocks) > 1 and "" not in blocks:
        return f"{short([name.rpartition('/')[2] for name in given], most)} in {len(blocks)} blocks"
    local = [name.rpartition("/")[2] if len(blocks) == 1 else name for name in given]
    cut = [re.fullmatch(r"(.*?)([0-9]+|(?<=-)[a-z])", name) for name in local]
    heads: dict[str, list[tuple[int, str]]] = {}
    for name, match in zip(local, cut, strict=True):
        if match is None:
            heads.setdefault(name, [])
        else:
            tail = match[2]
            heads.setdefault(match[1], []).append((int(tail) if tail.isdigit() else ord(tail), tail))
    items = [said for head, tails in heads.items() for said in _ranges(head, sorted(tails))]
    if len(items) > most and len(heads) == 1 and given:
        head, tails = next(iter(heads.items()))
        return f"of {head}{min(tails)[1]}..{max(tails)[1]}"
    if len(items) > most:
        items = [*items[: most - 1], f"and {len(items) - most + 1} more"]
    return ", ".join(items)


def _ranges(head: str, tails: Sequence[tuple[int, str]]) -> list[str]:
    runs: list[list[tuple[int, str]]] = []
    for tail in tails:
        if runs and tail[0] == runs[-1][-1][0] + 1:
            runs[-1].append(tail)
        else:
            runs.append([tail])
    said = [run[0][1] if len(run) == 1 else f"{run[0][1]}..{run[-1][1]}" for run in runs]
    return [head + said[0], *said[1:]] if said else [head]


def counted(names: Sequence[str], most: int = 3) -> str:
    """The same, and how many they are: "rack-01..32 (32)"."""
    said = short(names, most)
    if said.startswith("of "):
        return f"{len(names)} {said}"
    return f"{said} ({len(names)})" if len(names) > 1 else said


def fitted(names: Sequence[str], room: float, size: float, most: int = 3) -> list[str]:
    """The same in two lines no wider than `room` [px]; one name for all where even that is too long."""
    lines = wrapped(counted(names, most), room, size, 2)
    if len(names) > 1 and any(line.endswith("...") for line in lines):
        lines = wrapped(f"{len(names)} like {names[0]}", room, size, 2)
    return lines


def stem(name: str) -> str:
    """A name without its number: what alike machines share."""
    return re.sub(r"([0-9]+|(?<=-)[a-z])(?=/|-|$)", "#", name)


def say(value: float, unit: str, digits: int = 3) -> str:
    """A value in people's units with few digits: "1.53 MW", "43.1 °C"."""
    number, _, named = units.show(value, unit).partition(" ")
    size = float(number.replace(",", ""))
    if abs(size) >= 10**digits:
        shown = f"{size:.0f}"
    elif named == "degC":
        shown = f"{size:.1f}"
    else:
        shown = f"{size:.{digits}g}"
    return pretty(f"{shown} {named}".strip())


def percent(value: float) -> str:
    """A share: "62 %"; never 100 where it is not."""
    shown = value * 100
    return f"{shown:.0f} %" if abs(shown - round(shown)) < 0.05 or not 99 < shown < 101 else f"{shown:.1f} %"


def between(low: float, high: float, unit: str) -> str:
    """One value, or from the least to the greatest where they differ to be seen."""
    one, other = say(low, unit), say(high, unit)
    if one == other:
        return one
    number, _, named = one.partition(" ")
    last, _, same = other.partition(" ")
    return f"{number} to {other}" if named == same else f"{one} to {last} {same}"
