"""The chain: what led to what as a tree that is read at a glance, each line under the one that led to it."""

from __future__ import annotations

from dataclasses import replace

from twin.diagram.ink import DEAD, LIVE, LOST, SMALL, SOFT, STANDBY, STRAINED, Disc, Line, Sheet, Words, wrapped
from twin.equipment import KINDS
from twin.report.findings import Findings
from twin.report.fold import Line as Told
from twin.report.known import ANSWERS, FRESH
from twin.report.queued import STANDS
from twin.report.story import flags_of
from twin.report.words import lasting

ROW, STEP, SPLIT = 17.0, 20.0, 92.0
"""Pixels from line to line, from a cause to what it led to, and to the right of the times."""
WIDEST = 980.0
MOST = 60
"""Lines that a tree has at most."""
NEITHER = (
    "waits for racks", "still waits for racks", "is asked to save", "has finished", "is gone", "is to be drained",
    "starts from nothing", "is no longer held up by the fabric: nobody", *STANDS.values(), "raises alarm",
    "clears alarm",
)  # fmt: skip
"""How lines begin that take nothing away and give nothing back: a job that waits, an alarm."""
DEEPEST = 12
"""Causes so far from the first are drawn no further to the right."""


def chain(findings: Findings) -> Sheet:
    """The timeline of the member shown as trees of causes; empty where nothing led to anything."""
    sheet = Sheet("What led to what")
    told = joined(findings.lines)
    if not any(line.cause is not None for line in told):
        return sheet
    below: dict[int | None, list[int]] = {}
    for place, line in enumerate(told):
        below.setdefault(line.cause, []).append(place)
    zero = findings.measure["fault"]["time"] if findings.measure["fault"] else 0.0
    rows = [row for root in below.get(None, []) for row in _walk(root, 0, below)]
    shown = _that_matter(told, rows, findings.worst)
    at = {place: row for row, (place, _) in enumerate(shown)}
    for row, (place, depth) in enumerate(shown):
        line, y = told[place], ROW * row
        x = SPLIT + STEP * min(depth, DEEPEST)
        after = line.time - zero
        said = "before" if after < 0 else f"+{lasting(after)}" if findings.measure["fault"] else lasting(after)
        sheet.add(Words(SPLIT - 14, y + 4, said, SOFT, SMALL, "end"))
        if line.cause is not None and line.cause in at and depth:
            above = x - STEP
            sheet.add(Line(((above, ROW * at[line.cause] + 4), (above, y), (x - 4, y)), DEAD, 1.2))
        tone = _tone(line)
        sheet.add(Disc(x, y, 3.6, tone, tone))
        (text,) = wrapped(line.event(), WIDEST - x - 10, 9.5, 1)
        sheet.add(Words(x + 10, y + 4, text, LIVE if tone != LOST else LOST, 9.5, bold=line.is_asked))
    bottom = ROW * len(shown)
    if len(rows) > len(shown):
        sheet.add(
            Words(SPLIT, bottom + 4, f"... and {len(rows) - len(shown)} more lines; the table has all", SOFT, SMALL)
        )
        bottom += ROW
    _key(sheet, bottom + 14)
    return sheet


def joined(lines: list[Told]) -> list[Told]:
    """Lines in which machines of a kind do the same for the same cause within FRESH, as one: a row of transfers."""
    found: list[Told] = []
    place_of: list[int] = []
    newest: dict[tuple[str, str, int | None], int] = {}
    causes: list[tuple[str, str, int | None] | None] = []
    for line in lines:
        cause = None if line.cause is None else place_of[line.cause]
        key = (line.kind, line.what, cause)
        at = newest.get(key)
        if at is None or line.time - found[at].last > FRESH:
            at = newest[key] = len(found)
            found.append(replace(line, units=list(line.units), cause=cause))
            causes.append(key)
        else:
            found[at].units += line.units
            found[at].entries += line.entries
            found[at].last = max(found[at].last, line.last)
        place_of.append(at)
    return found


def _walk(place: int, depth: int, below: dict[int | None, list[int]]) -> list[tuple[int, int]]:
    rows = [(place, depth)]
    for each in below.get(place, []):
        rows += _walk(each, depth + 1, below)
    return rows


def _that_matter(told: list[Told], rows: list[tuple[int, int]], worst: float) -> list[tuple[int, int]]:
    """Of rows (place, depth) the MOST that matter, in their order, each with all that led to it.

    First faults, and what took away in the tree that led to the worst moment, the nearest to it before others; then
    what else took away, what stepped in or gave back there and elsewhere, and people, and at last what did neither.
    """
    if len(rows) <= MOST:
        return rows
    roots: dict[int, int] = {}
    for place, _ in sorted(rows):
        cause = told[place].cause
        roots[place] = place if cause is None else roots[cause]
    harm = [place for place, _ in sorted(rows) if _tone(told[place]) == STRAINED]
    led = [place for place in harm if told[place].time <= worst] or harm
    root = roots[led[-1]] if led else None

    def worth(place: int) -> tuple[int, float]:
        tone, time = _tone(told[place]), told[place].time
        if roots[place] == root and tone in (STRAINED, STANDBY):
            return (1 if tone == STRAINED else 3) + (time > worst), abs(worst - time)
        people = told[place].kind not in KINDS
        return 5 if people else {LOST: 0, STRAINED: 2, STANDBY: 5}.get(tone, 6), time

    kept: set[int] = set()
    for place in sorted(roots, key=worth):
        above: list[int] = []
        each: int | None = place
        while each is not None and each not in kept:
            above.append(each)
            each = told[each].cause
        if len(kept) + len(above) <= MOST:
            kept.update(above)
    return [row for row in rows if row[0] in kept]


def _tone(line: Told) -> str:
    """What a line does: it is asked for, it takes away, somebody steps in, or it gives back."""
    if line.is_asked or line.what.endswith("(fault)"):
        return LOST if line.what.endswith(("(fail)", "(fault)")) else SOFT
    if line.what.startswith(NEITHER) or line.what.endswith(("without power", "switched off")):
        return SOFT
    if " % of its bandwidth" in line.what or line.what.startswith("is cut off"):
        return STRAINED
    for name, flag in flags_of(line.kind).items():
        if line.what.startswith(flag.rises):
            return STANDBY if name in ANSWERS else STRAINED
    return STANDBY


def _key(sheet: Sheet, y: float) -> None:
    for place, (tone, said) in enumerate(
        (
            (LOST, "fault"),
            (STRAINED, "takes away"),
            (STANDBY, "steps in or gives back"),
            (SOFT, "asked for, or neither"),
        )
    ):
        x = SPLIT + (0, 70, 170, 320)[place]
        sheet.add(Disc(x, y, 3.6, tone, tone), Words(x + 9, y + 3.5, said, SOFT, SMALL))
