"""The page: one HTML file that tells a whole run, offline, without scripts, on paper as on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twin.diagram import cooling, moment_of, power
from twin.report import assumptions
from twin.report.account_rows import accounts_section
from twin.report.chain import chain
from twin.report.findings import Findings
from twin.report.network_rows import network_section
from twin.report.pictures import Picture, of_hall, of_ladder, of_members, of_plots
from twin.report.rows import Rows
from twin.report.sections import Drawing, Section, TablePart, columns_of, holds_something, priced
from twin.report.verdict import FAILED, GOOD
from twin.report.words import count, glued, lasting, names, words

LARGEST = 5_000_000
"""Bytes of a page: what any mail lets through."""
MOST_ROWS = 20
"""Drawn rows that the page repeats; the trace has all."""
LONGEST_TEXT = 200_000
"""Letters of the scenario that the page repeats; the trace has all."""


def page(
    findings: Findings, picture: Path | None = None, at: float | None = None, stills: Sequence[Picture] = ()
) -> str:
    """The whole page as text.

    Args:
        at: moment of the diagrams [s]; the worst one where none is given.
        stills: pictures of the hall at key moments.

    Raises:
        BadWish: the moment lies outside the trace.
        OSError: the picture cannot be read.
        ValueError: it is none.
    """
    hall = hall_of(picture, stills)
    sections = [section for section in sections_of(findings, hall, at) if holds_something(section)]
    text = _rendered(findings, sections)
    if len(text.encode()) <= LARGEST:
        return text
    for section in sections:
        section.pictures = [each.without_dark() for each in section.pictures]
    return _rendered(findings, sections)


def _rendered(findings: Findings, sections: list[Section]) -> str:
    verdict, title = findings.verdict, findings.trace.title or "A run"
    told = findings.story.told.description
    return render(title, subtitle(findings), verdict.outcome, verdict.sentence(), told, sections)


def render(
    title: str, under_it: str, outcome: str, sentence: str, description: str, sections: Sequence[Section]
) -> str:
    """A page of sections under a verdict, as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("twin.report", ""), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html.j2").render(
        title=title,
        subtitle=under_it,
        outcome=outcome,
        verdict_class={GOOD: "good", FAILED: "failed"}.get(outcome, "none"),
        sentence=sentence,
        description=description,
        sections=sections,
    )


def write_page(
    findings: Findings,
    path: Path,
    picture: Path | None = None,
    at: float | None = None,
    stills: Sequence[Picture] = (),
) -> Path:
    """Write the page, whole or not at all; that it can be written is seen before anything is drawn.

    Raises:
        OSError: it cannot be written, or the picture cannot be read.
        ValueError: the picture is none.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory; a file is wanted, e.g. {path / 'report.html'}")
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(page(findings, picture, at, stills))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def subtitle(findings: Findings) -> str:
    """How much was simulated, in one line."""
    story = findings.story
    units = count(max(len(story.plant.units) - 1, 0), "unit")
    said = [f"{lasting(story.end - story.start)} simulated", units, count(story.members, "member")]
    return " · ".join(said)


def sections_of(findings: Findings, hall: Section, at: float | None = None, *, dark: bool = True) -> list[Section]:
    """The parts of a report in their order, also those that hold nothing; pictures for dark screens too, or not."""
    rows = Rows(findings)
    return [
        _verdict(rows),
        _timeline(findings, rows),
        _alarms(rows),
        _seconds(findings, rows),
        _ladder(findings, rows, dark),
        _diagrams(findings, at),
        _tokens(rows),
        _training(rows),
        network_section(findings.measure["network"]),
        accounts_section(findings.measure["accounts"]),
        _selectivity(rows),
        _extremes(rows),
        _schedule(rows),
        _reliability(findings, rows, dark),
        _across(findings, rows),
        _plots(findings, dark),
        hall,
        _energy(rows),
        _assumptions(findings),
        _provenance(findings),
    ]


def _verdict(rows: Rows) -> Section:
    columns = columns_of("criterion", "result", "reached", "limit", "margin", "closest at", "time", n=(2, 3, 4), t=(6,))
    notes = [rows.findings.shown_because()] if rows.story.members > 1 else []
    heads = ("expected step", "result", "took", "had", "spare", "where", "time")
    steps = TablePart(columns_of(*heads, n=(2, 3, 4), t=(6,)), rows.expected(), "Expected sequence of operations")
    tables = [TablePart(columns, rows.criteria()), steps]
    return Section("verdict", "Verdict", notes, tables=[part for part in tables if part.rows])


def _timeline(findings: Findings, rows: Rows) -> Section:
    heads = ("", "time", f"after the {rows.zero}", "event", "why, and which line led to it")
    told = rows.timeline()
    entries = len(findings.own)
    notes = []
    if len(told) < entries:
        notes.append(f"{entries} changes, equal ones that follow each other closely in one line; --json has each.")
    table = TablePart(columns_of(*heads, n=(0,), t=(1,), k=(2,)), told)
    sheet = chain(findings)
    tree = [Drawing(sheet, large=False)] if sheet.marks else []
    return Section("timeline", "What happened", notes, [table], drawings=tree, soft=True)


def _alarms(rows: Rows) -> Section:
    heads = ("alarm", "", "unit", "so since", "raised", "acknowledged", "after", "by", "cleared")
    told = columns_of(*heads, n=(6,), t=(3, 4, 5, 8), k=(1,))
    notes = ["First-out is the first of its group to be active while none of the group stood."] if rows.alarms() else []
    tables = [TablePart(told, rows.alarms())]
    if misled := rows.misled():
        notes.append("The second table has those that their sensors misled: silent though it was so, or false.")
        tables.append(TablePart(columns_of("alarm", "unit", "was", "so since", "until", "its sensor", t=(3,)), misled))
    return Section("alarms", "Alarms", notes, tables)


def _seconds(findings: Findings, rows: Rows) -> Section:
    columns = columns_of("", "after", "time", "unit", n=(1,), t=(2,))
    notes = [f"{rows.seconds_title()}."]
    tables = [TablePart(columns, rows.seconds()), TablePart([], rows.losses() + rows.pue())]
    if sags := rows.sags():
        told = columns_of("feed", "time", "voltage", "for", "ITIC limit", "the ITIC curve says", n=(2, 3, 4), t=(1,))
        tables.append(TablePart(told, sags))
    return Section("seconds", "Seconds left, and what was lost", notes, tables, beside=True)


def _ladder(findings: Findings, rows: Rows, dark: bool) -> Section:
    heads = (
        "store",
        "holds",
        "load on it",
        "its limit",
        "lasts once cut off",
        "used",
        "what came of its unit that binds",
    )
    told = [[glued(cell) for cell in row] for row in rows.ladder()]
    section = Section("ladder", "Ride-through: seconds left of each store", soft=True)
    if told:
        section.notes = [
            rows.ladder_told(),
            f"Lasts: were its supply cut at the {rows.zero} and nothing done, by a balance of energy, heat or water.",
            "Each line is of one unit: the first at its limit; else who used most; else who would last least. Seconds"
            " to a limit count from when that unit was itself cut off or drawn on.",
        ]
        if any(rung.burdened is not None for rung in findings.ladder):
            said = f"As loaded after: at the greatest load that a battery had to bear from the {rows.zero} on"
            section.notes.append(f"{said}; where feeds are lost, what is left carries both cords.")
    laws = list(dict.fromkeys((rung.law, rung.source) for rung in findings.ladder))
    section.tables = [
        TablePart(columns_of(*heads, n=(2, 4, 5)), told),
        TablePart(columns_of("balance", "for"), [list(each) for each in laws]),
    ]
    section.pictures = of_ladder(findings, dark)
    return section


def _diagrams(findings: Findings, at: float | None) -> Section:
    """Both sides of the plant at the worst moment, or at the one that is asked for."""
    moment = moment_of(findings.trace, findings.worst_row if at is None else at, findings.shown)
    why = "the worst moment of the run" if at is None else "the moment asked for"
    sheets = [sheet for sheet in (power(moment), cooling(moment)) if sheet.marks]
    notes = [f"As everything stood {moment.when}, {why}. Alike machines are drawn as one, with their number."]
    return Section("diagrams", "One-line diagrams", notes, drawings=[Drawing(sheet) for sheet in sheets])


def _tokens(rows: Rows) -> Section:
    heads = (
        "service",
        "asked for",
        "written",
        "given up",
        "most waiting, with prompts",
        "until",
        "in time",
        "earned",
        "lost",
    )
    shown, lines = priced(heads, rows.tokens())
    told = columns_of(*shown, n=(1, 2, 3, 4, 6, 7, 8), t=(5,))
    notes = ["Tokens of answers; what waits counts prompts too."]
    if "lost" in shown:
        notes[0] += " Lost is what the tokens given up would have brought."
    tables = [TablePart(told, lines), TablePart([], rows.tokens_total())]
    return Section("tokens", "Tokens: made, late and lost", notes if lines else [], tables)


def _training(rows: Rows) -> Section:
    heads = ("job", "useful steps", "rolled back", "goodput", "stops", "saving", "restarting", "waiting", "stopped for")
    notes = [
        "Goodput is useful steps over those of a run without pause, loss or slower clock.",
        "Waiting for storage while it saves or restarts is in both.",
    ]
    notes = notes if rows.training() else []
    return Section("training", "Training", notes, [TablePart(columns_of(*heads, n=range(1, 9)), rows.training())])


def _selectivity(rows: Rows) -> Section:
    columns = columns_of("time", "opened", "in place of", "what it says", t=(0,), k=(1, 2))
    return Section("selectivity", "Breakers that opened out of turn", tables=[TablePart(columns, rows.selectivity())])


def _extremes(rows: Rows) -> Section:
    columns = columns_of("", "value", "limit", "unit", "time", n=(1,), t=(4,))
    return Section("extremes", "Highest and lowest", tables=[TablePart(columns, rows.extremes())])


def _schedule(rows: Rows) -> Section:
    heads = ("job", "came", "started", "finished", "waited", "had racks", "gave way", "lost its racks", "grew")
    notes = ["Gave way: it saved and gave its racks back, to a job of higher priority or to maintenance."]
    notes.append("Grew: it had shrunk, saved, and began again with all its racks.")
    table = TablePart(columns_of(*heads, n=range(1, 9)), rows.schedule())
    return Section("schedule", "Jobs in the queue", notes if table.rows else [], [table])


def _reliability(findings: Findings, rows: Rows, dark: bool) -> Section:
    heads = ("", "mean", "95 % interval of the mean", "5th percentile", "median", "95th percentile")
    causes = columns_of("kind", "cause", "failures in a member", "one every", "lasts", n=(2, 3, 4))
    tables = [
        TablePart(columns_of(*heads, n=range(1, 6)), rows.reliability()),
        TablePart(causes, rows.causes(), "Random failures, by cause"),
    ]
    notes = [
        "Goodput is useful steps over those of a run without pause, loss or slower clock; effective training time is "
        "the share of the time in which steps were made that lasted. Time between interruptions is that of all "
        "members together."
    ]
    shown = of_members(findings, dark)
    return Section("reliability", "Reliability", notes, [part for part in tables if part.rows], shown, soft=True)


def _across(findings: Findings, rows: Rows) -> Section:
    columns = columns_of("", "5th percentile", "median", "95th percentile", "happened in", n=(1, 2, 3))
    notes = ["Percentiles are over the members in which it happened."]
    title = f"Across {count(findings.story.members, 'member')}"
    return Section("members", title, notes, [TablePart(columns, rows.across())], soft=True)


def _plots(findings: Findings, dark: bool) -> Section:
    return Section("plots", "Plots", pictures=of_plots(findings, dark))


def hall_of(path: Path | None, stills: Sequence[Picture] = ()) -> Section:
    """The section of pictures of the hall: one from a file, and stills of key moments.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a picture.
    """
    return Section("hall", "The hall", pictures=[*([] if path is None else [of_hall(path)]), *stills])


def _energy(rows: Rows) -> Section:
    notes = ["Over the run, by the counters of the site: in = out + stored + unaccounted for."]
    return Section("energy", "Energy ledger", notes, [TablePart([], rows.energy())], soft=True)


def _assumptions(findings: Findings) -> Section:
    story = findings.story
    section = Section("assumptions", "Assumptions and estimates", soft=True)
    section.notes = ["What the numbers above rest on. Every one of these can be replaced in the plant's file."]
    tables = [
        TablePart(
            columns_of("quantity", "value", "known as", "source", n=(1,)),
            each.rows,
            f"Estimates of the catalogue: {each.record} ({names(each.units)})",
        )
        for each in assumptions.estimates(story)
    ]
    tables += [
        TablePart(
            columns_of("kind", "taken as the kind's default"),
            assumptions.defaults(story),
            "Ratings that the plant does not state",
        ),
        TablePart(columns_of("kind", "not in the model"), assumptions.left_out(story), "Physics left out"),
    ]
    section.tables = [part for part in tables if part.rows]
    return section


def _provenance(findings: Findings) -> Section:
    trace = findings.trace
    rows = [["trace", Path(trace.path).name]]
    for key, value in trace.provenance.items():
        lines = str(value).splitlines()
        more = f" ... and {len(lines) - MOST_ROWS} more; the trace has all" if len(lines) > MOST_ROWS else ""
        if key != "title" and lines:
            rows.append([words(str(key)), "; ".join(lines[:MOST_ROWS]) + more])
    section = Section("provenance", "Provenance", tables=[TablePart(columns_of("", ""), rows)])
    section.text, section.text_title = trace.scenario_text, "The scenario as it was run"
    if len(section.text) > LONGEST_TEXT:
        section.text, section.text_title = section.text[:LONGEST_TEXT], f"{section.text_title}, its beginning"
    return section
