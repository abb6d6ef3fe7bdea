"""Naming: how many units are listed in few words, as ranges, and in the order that people count in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def names(each: Iterable[str], most: int = 4) -> str:
    """Many names, short: "rack-01..rack-32, rack-40"; "h001..h116 / rack-01..rack-64" for placed blocks.

    Past `most` items the rest is counted.
    """
    locals_of: dict[str, list[str]] = {}
    for name in sorted(dict.fromkeys(each), key=natural):
        prefix, _, local = name.rpartition("/")
        locals_of.setdefault(prefix, []).append(local)
    prefixes_of: dict[tuple[str, ...], list[str]] = {}
    for prefix, within_it in locals_of.items():
        prefixes_of.setdefault(tuple(within_it), []).append(prefix)
    items: list[tuple[str, int]] = []
    for within, blocks in prefixes_of.items():
        for outer, times in _runs(blocks):
            items += [(f"{outer} / {said}" if outer else said, times * size) for said, size in _runs(within)]
    if len(items) > most + 1:
        items = [*items[:most], (f"and {sum(size for _, size in items[most:])} more", 0)]
    return ", ".join(said for said, _ in items)


def _runs(sorted_names: Sequence[str]) -> list[tuple[str, int]]:
    """Names in order as ranges of three and more, each with the number of names it stands for."""
    runs: list[list[str]] = []
    for name in sorted_names:
        if runs and _follows(runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    said: list[tuple[str, int]] = []
    for run in runs:
        said += [(f"{run[0]}..{run[-1]}", len(run))] if len(run) > 2 else [(name, 1) for name in run]
    return said


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which rack-2 stands before rack-10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _follows(one: str, other: str) -> bool:
    """Whether two names differ only in their last number, and that by one."""
    left, right = _last_number(one), _last_number(other)
    return bool(left and right and left[0] == right[0] and left[2] == right[2] and left[1] + 1 == right[1])


def _last_number(name: str) -> tuple[str, int, str] | None:
    found = re.fullmatch(r"(.*?)(\d+)(\D*)", name, re.DOTALL)
    return (found[1], int(found[2]), found[3]) if found else None
