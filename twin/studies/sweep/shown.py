"""A sweep as tables for a terminal: what was swept, what loses work, and the rest counted."""

from __future__ import annotations

import math
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from twin.report.words import count, lasting, say
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.outcome import Outcome

TOP = 20
"""Rows of the ranked table where nobody says more."""
NARROW = 110
"""Columns of a terminal below which the table leaves out what can be read elsewhere."""


def whole(found: Sweep, width: int = 140, top: int = TOP) -> Any:
    """Everything that a terminal shows."""
    parts: list[Any] = [Text(f"\n{found.title}", style="bold"), Text(summary(found)), ranked(found, width, top)]
    if found.broken:
        parts.append(_broken(found))
    return Group(*parts)


def summary(found: Sweep) -> str:
    """The sweep in a few sentences."""
    cases = found.cases
    number = sum(each.stands_for for each in cases)
    lost = [each for each in cases if each.racks_lost > own_racks(each)]
    slow = [each for each in cases if each not in lost and each.throttled]
    failed = [each for each in cases if each.failed]
    folded = f", of which {len(cases)} were run and the others are alike" if number > len(cases) else ""
    lines = [f"{count(number, 'case')}{folded}."]
    lines.append(
        f"Racks stop in {_of(lost)} of them (but for racks that fail themselves), go slower in {_of(slow)} more; "
        f"a criterion fails in {_of(failed)}."
    )
    for base in found.baselines:
        if base.failed:
            where = f" ({base.case.partition(', ')[2]})" if ", " in base.case else ""
            lines.append(f"Where nothing fails{where} {count(base.failed, 'criterion', 'criteria')} fail already.")
    return "\n".join(lines)


def own_racks(each: Outcome) -> int:
    """Racks among the units that fail as a whole."""
    pairs = zip(each.kinds.split(" + "), each.modes.split(" + "), strict=True)
    return sum(kind == "rack" and mode == "in_service" for kind, mode in pairs)


def _of(rows: list[Outcome]) -> str:
    return str(sum(each.stands_for for each in rows) or "none")


def ranked(found: Sweep, width: int, top: int) -> Table:
    """The worst cases, one row each."""
    rows = [each for each in found.ranked() if _matters(each)]
    title = f"The worst {min(top, len(rows))} of {count(len(rows), 'case')} that something comes of"
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    wide = width >= NARROW
    tokens = any(each.tokens == each.tokens for each in rows)
    for name, sides in _columns(wide, tokens):
        made.add_column(name, justify=sides, overflow="fold")  # type: ignore[arg-type]
    for each in rows[:top]:
        made.add_row(*(Text(cell) for cell in _row(each, wide, tokens)))
    return made


def _columns(wide: bool, tokens: bool) -> list[tuple[str, str]]:
    columns = [("what fails", "left"), ("first", "left"), ("after", "right")]
    columns += [("throttle", "right"), ("dark rack", "right")] if wide else []
    columns += [("racks", "right"), ("at end", "right"), ("IT lost", "right")]
    columns += [("energy", "right")] if wide else []
    columns += [("tokens", "right"), ("money", "right")] if tokens else []
    return [*columns, ("criteria", "right")]


def _row(each: Outcome, wide: bool, tokens: bool) -> list[str]:
    times = f" x{each.stands_for}" if each.stands_for > 1 else ""
    first = f"{each.first_unit} {each.first}" if each.first else "-"
    cells = [each.case + times, first, _after(each.first_after)]
    cells += [_after(each.to_throttle), _after(each.to_unpowered)] if wide else []
    cells += [str(each.racks_lost or "-"), str(each.racks_lost_end or "-"), power(each.power_lost)]
    cells += [say(each.energy_lost, "J") if abs(each.energy_lost) >= 3.6e5 else "-"] if wide else []
    if tokens:
        cells += [quantity(each.tokens_lost, 1.0), quantity(each.revenue_lost, 0.01, "$")]
    failed = f"{each.failed} of {len(each.passed)} fail" if each.failed else "hold" if each.passed else "-"
    return [*cells, failed if not each.fault else "not run"]


def _matters(each: Outcome) -> bool:
    return bool(each.first or each.racks_lost or each.failed or each.throttled) and not each.fault


def _after(seconds: float) -> str:
    return "-" if math.isnan(seconds) else lasting(seconds)


def power(watts: float) -> str:
    """A power that is lost; what is under a kilowatt is none."""
    return "-" if not watts >= 1e3 else say(watts, "W")


def quantity(value: float, least: float, sign: str = "") -> str:
    """A number of something that was lost."""
    return "-" if not abs(value) >= least else f"{sign}{value:,.4g}"


def _broken(found: Sweep) -> Table:
    made = Table(title=Text("Could not be run"), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    made.add_column("case", overflow="fold")
    made.add_column("why", overflow="fold")
    for each in found.broken:
        made.add_row(Text(each.case), Text(each.fault))
    return made
