"""The verb `compare`: two runs, two sweeps, or two plants by what their failures do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.asked import asked, listed
from twin.cli.documents import Json, alone, put
from twin.cli.drills import Device
from twin.cli.progress import Bar
from twin.cli.words import FAILED, GOOD, drawn, emit, guarded, say

if TYPE_CHECKING:
    from twin.report.findings import Findings
    from twin.report.pictures import Picture
    from twin.studies.compare import Sweeps, Traces

One = Annotated[
    str, typer.Argument(metavar="A", help="Trace, scenario, table of a sweep, or plant.", show_default=False)
]
Other = Annotated[str, typer.Argument(metavar="B", help="The same, changed.", show_default=False)]
Within = Annotated[
    str | None, typer.Option(metavar="SHARE", help="Exit with 1 where anything differs by more.", show_default=False)
]
Criteria = Annotated[bool, typer.Option("--criteria", help="Exit with 1 where B fails a criterion that A holds.")]
Swept = Annotated[bool, typer.Option("--sweep", help="Sweep both, and exit with 1 where a failure does new harm.")]
Kinds = Annotated[str | None, typer.Option(metavar="KINDS", help="Only these fail in a sweep.", show_default=False)]
After = Annotated[
    str | None, typer.Option(metavar="TIME", help="How long a sweep watches each failure.", show_default=False)
]
Page = Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT.html", help="Write a page with plots.")]
Top = Annotated[int, typer.Option(min=1, help="Rows of a table.")]
On = Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU that works.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]


@guarded
def compare(
    a: One, b: Other, within: Within = None, criteria: Criteria = False, sweep: Swept = False, kinds: Kinds = None,
    after: After = None, output: Page = None, as_json: Json = None, top: Top = 12, device: On = Device.cpu,
    quiet: Quiet = False,
) -> int:  # fmt: skip
    """Compare two runs: where they part, what differs most, and whether it is too much.

    \b
    Examples:
      twin compare before.h5 after.h5 --within 1%
      twin compare old.yaml new.yaml --criteria -o difference.html
      twin compare plants/main.yaml plants/changed.yaml --sweep
    """
    from twin.studies.compare import Traces
    from twin.studies.compare import compare as compared
    from twin.studies.compare.plots import picture

    only = alone(as_json)
    limit = None if within is None else asked("--within", within, "1")
    instead = _instead(kinds, after)
    pictures: list[Picture] = []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def keep(found: Traces, one: Findings, other: Findings) -> None:
        if output is not None:
            pictures.extend(picture(found, one, other))

    with Bar(f"{a} and {b}", silent=quiet or only) as bar:
        found = compared(a, b, swept=sweep, instead=instead, jobs=cores, device=device.value, progress=bar, keep=keep)
    beyond = found.beyond(limit, criteria) if isinstance(found, Traces) else found.beyond(limit)
    _show(found, beyond, output, pictures, top, as_json)
    return FAILED if beyond else GOOD


def _show(
    found: Traces | Sweeps,
    beyond: list[str],
    output: Path | None,
    pictures: list[Picture],
    top: int,
    as_json: str | None,
) -> None:  # fmt: skip
    from twin.studies.compare.shown import sections, sentence, whole
    from twin.studies.pages import write_page

    if not alone(as_json):
        emit(drawn(lambda width: whole(found, beyond, top)))
    if as_json is not None:
        put(as_json, found.to_json() | {"beyond": beyond})
    if output is not None:
        outcome = "beyond" if beyond else "same" if found.same else "different"
        good = False if beyond else True if found.same else None
        told = " ".join([sentence(found), *beyond[:4]])
        parts = sections(found, 4 * top, pictures)
        say(f"page: {write_page(output, f'{found.a} and {found.b}', 'comparison', outcome, good, told, parts)}")


def _instead(kinds: str | None, after: str | None) -> dict[str, Any]:
    """What the options say of both sweeps; the rest is left to each scenario."""
    found: dict[str, Any] = {} if kinds is None else {"kinds": listed("--kinds", kinds, 'a kind, e.g. "ups,cdu",')}
    return found if after is None else found | {"after": asked("--after", after, "s")}
