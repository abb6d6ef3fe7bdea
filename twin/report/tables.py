"""Tables for the terminal: verdict, seconds, extremes, losses, energy and timeline, by rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from twin.report import account_rows as accounts
from twin.report import network_rows as network
from twin.report.findings import Findings
from twin.report.rows import Rows
from twin.report.sections import priced
from twin.report.verdict import FAILED, GOOD

QUEUE = ("job", "came", "started", "finished", "waited", "had racks", "gave way", "lost its racks", "grew")
NARROW = 96
"""Below this many columns a table leaves out what can be spared."""
STYLE = {GOOD: "bold green", FAILED: "bold red"}
MOST_LINES = 40


def show(findings: Findings, console: Console) -> None:
    """Print the whole report."""
    console.print(whole(findings, console.width))


def whole(findings: Findings, width: int) -> RenderableType:
    """Verdict first, then what it rests on."""
    rows = Rows(findings)
    narrow = width < NARROW
    parts: list[RenderableType] = [headline(findings), verdict_table(rows, narrow)]
    parts.append(_table(rows.seconds_title(), ("", "seconds", "at", "unit"), rows.seconds(), right=(1,)))
    parts.append(
        _table("Highest and lowest", *_spare(("", "value", "limit", "unit", "at"), rows.extremes(), narrow, (2,)))
    )
    stores = ("store", "holds", "load", "limit", "lasts once cut off", "used", "what came of its unit that binds")
    parts.append(_table("Seconds left of each store", *_spare(stores, rows.ladder(), narrow, (1, 2, 3)), right=(4, 5)))
    parts += _alarms(rows, narrow)
    columns = ("feed", "at", "voltage", "for", "ITIC limit", "the ITIC curve says")
    parts.append(_table("Sags of the grid", *_spare(columns, rows.sags(), narrow, (4,)), right=(2, 3)))
    told = _spare(("at", "opened", "in place of", "what it says"), rows.selectivity(), narrow, (0, 1, 2))
    parts.append(_table("Breakers that opened out of turn", *told))
    parts.append(
        _table(
            "Lost, PUE and energy",
            ("", ""),
            rows.losses() + rows.pue() + rows.energy(),
            head=False,
            right=(1,),
        )
    )
    served = (
        "service",
        "answers asked for",
        "written",
        "given up",
        "most waiting, with prompts",
        "until",
        "in time",
        "earned",
        "lost",
    )
    parts.append(_table("Tokens", *_spare(*priced(served, rows.tokens()), narrow, (4, 5, 7)), right=(1, 2, 3)))
    parts.append(_table("What a token took", ("", ""), rows.tokens_total(), head=False, right=(1,)))
    trained = (
        "job",
        "useful steps",
        "rolled back",
        "goodput",
        "stops",
        "saving",
        "restarting",
        "waiting",
        "stopped for",
    )
    parts.append(_table("Training", trained, rows.training(), right=(1, 2, 3, 4)))
    parts += _network(findings.measure["network"])
    parts += _accounts(findings.measure["accounts"], narrow)
    parts.append(_table("Jobs in the queue", QUEUE, rows.schedule(), right=(1, 2, 3, 4, 5, 6, 7, 8)))
    parts += _reliability(rows, findings.story.members, narrow)
    if findings.story.members > 1:
        title = f"Across {findings.story.members} members"
        parts.append(_table(title, ("", "p5", "p50", "p95", "in"), rows.across(), right=(1, 2, 3, 4)))
    parts.append(timeline_table(rows, narrow))
    return Group(*parts)


def _network(found: dict[str, Any] | None) -> list[RenderableType]:
    """What went between racks."""
    return [
        _table("KV caches between racks", network.SERVICES, network.service_lines(found), right=range(1, 5)),
        _table("Training over the network", network.JOBS, network.job_lines(found), right=range(1, 4)),
        _table("Experts over the network", network.EXPERTS, network.expert_lines(found), right=range(1, 5)),
    ]


def _accounts(found: dict[str, Any] | None, narrow: bool) -> list[RenderableType]:
    """Who is charged with what energy and money."""
    numbers = range(1, 8)
    charged = _spare(*priced(accounts.CHARGED, accounts.charged(found)), narrow, (2, 5, 7))
    tiers = _spare(*priced(accounts.TIERS, accounts.tiers(found)), narrow, (2, 5))
    jobs = _spare(*priced(accounts.JOBS, accounts.jobs(found)), narrow, (2, 6))
    return [
        _table("Energy, by whom it is charged to", *charged, right=numbers),
        _table("Tiers: energy per token of answer, and money", *tiers, right=numbers),
        _table("Jobs: what a useful step took, and what was lost", *jobs, right=numbers),
        _table("Cost from the first fault on", ("", ""), accounts.event(found), head=False, right=(1,)),
    ]


def _reliability(rows: Rows, members: int, narrow: bool) -> list[RenderableType]:
    """What failures cost over the members, and by what causes."""
    bands = ("", "mean", "95 % interval", "p5", "p50", "p95")
    over = f"Reliability over {members} members" if members > 1 else "Reliability"
    causes = ("kind", "cause", "in a member", "one every", "lasts")
    return [
        _table(over, *_spare(bands, rows.reliability(), narrow, (3, 5)), right=(1, 2, 3, 4, 5)),
        _table("Random failures", causes, rows.causes(), right=(2, 3, 4)),
    ]


def headline(findings: Findings) -> RenderableType:
    """The scenario's title and the verdict in one line."""
    verdict = findings.verdict
    text = Text(f"\n{findings.trace.title}\n", style="bold")
    text.append(verdict.outcome.upper(), style=STYLE.get(verdict.outcome, "bold"))
    text.append(f"  {verdict.sentence()}", style="not bold")
    if findings.story.members > 1:
        text.append(f"\n{findings.shown_because()}", style="not bold")
    return text


def verdict_table(rows: Rows, narrow: bool = False) -> RenderableType:
    """Each criterion with what was reached and how near the limit it came."""
    columns = ("criterion", "", "reached", "limit", "margin", "where", "at")
    criteria = _table("Verdict", *_spare(columns, rows.criteria(), narrow, (3, 5, 6)), right=(2,))
    if not rows.expected():
        return criteria
    columns = ("expected step", "", "took", "had", "spare", "where", "at")
    steps = _table("Expected sequence", *_spare(columns, rows.expected(), narrow, (3, 5)), right=(2,))
    return Group(criteria, steps) if rows.criteria() else steps


def timeline_table(rows: Rows, narrow: bool = False, most: int = MOST_LINES) -> RenderableType:
    """What happened, folded; the last lines are counted where there are too many."""
    lines = rows.timeline()
    if narrow:
        columns: tuple[str, ...] = ("", "time", "event, why, and which line led to it")
        told = [[number, time.split(" ")[0], "\n".join(filter(None, both))] for number, time, _, *both in lines]
    else:
        columns, told = ("", "time", f"after {rows.zero}", "event", "why, and which line led to it"), lines
    table = _table("What happened", columns, told[:most], right=(0,))
    if len(lines) <= most:
        return table
    more = f"  ... and {len(lines) - most} more lines; twin report TRACE -o page.html has all, and its --json"
    return Group(table, Text(more, style="dim"))


def _spare(
    columns: Sequence[str], rows: Iterable[Sequence[str]], narrow: bool, spared: Sequence[int]
) -> tuple[list[str], list[list[str]]]:
    """Columns and rows without those that a narrow terminal can spare."""
    keep = [index for index in range(len(columns)) if not (narrow and index in spared)]
    return [columns[index] for index in keep], [[row[index] for index in keep] for row in rows]


def _alarms(rows: Rows, narrow: bool) -> list[RenderableType]:
    """Alarms as they were raised, and those that their sensors misled."""
    heads: tuple[str, ...] = ("alarm", "", "unit", "so since", "raised", "acknowledged", "after", "by", "cleared")
    told = _table("Alarms", *_spare(heads, rows.alarms(), narrow, (3, 6)), right=(6,) if not narrow else ())
    heads = ("alarm", "unit", "was", "so since", "until", "its sensor")
    return [told, _table("Alarms misled by their sensors", *_spare(heads, rows.misled(), narrow, (1,)))]


def _table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    head: bool = True,
) -> RenderableType:
    if not rows:
        return Group()
    table = Table(box=box.SIMPLE_HEAD, show_header=head)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(text) for text in row))
    return Group(Text(title, style="bold"), table)


def _cell(text: str) -> Text:
    """A cell; names in a trace are text and never markup."""
    style = {"held": "green", "FAILED": "bold red"}.get(text, "")
    return Text(text, style=style)
