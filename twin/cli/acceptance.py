"""The verb `ist`: the integrated systems test of a plant, written, run and scored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.asked import asked, listed
from twin.cli.documents import Json, alone, put
from twin.cli.drills import Device
from twin.cli.progress import Bar
from twin.cli.words import FAILED, GOOD, UsageFault, emit, guarded, say, table

SORTS = (".md", ".html")


@guarded
def ist(
    plant: Annotated[str, typer.Argument(metavar="PLANT", help="Shipped plant, or plant file.", show_default=False)],
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", metavar="OUT.md", help="Write it as OUT.md or OUT.html; may be repeated."),
    ] = None,
    steps: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help='Only these steps, e.g. "1,4,13".', show_default=False)
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS", help='Only these units or kinds, each for itself: "pump-2,cdu".', show_default=False
        ),
    ] = None,
    dry_bulb: Annotated[str, typer.Option(metavar="TEMPERATURE", help="Outdoor air.")] = "44 degC",
    humidity: Annotated[str, typer.Option(metavar="SHARE", help="Its relative humidity.")] = "10 %",
    utilisation: Annotated[str, typer.Option(metavar="SHARE", help="Work asked of its racks.")] = "100 %",
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep each step's scenario and trace there.", show_default=False)
    ] = None,
    script_only: Annotated[bool, typer.Option("--script-only", help="Write the script, run nothing.")] = False,
    as_json: Json = None,
    device: Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU that works.")] = Device.cpu,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> int:
    """Write the L5 script of a plant from its own ratings, run it step by step, and score every gate.

    \b
    Examples:
      twin ist pod -o ist.md -o ist.html
      twin ist hall --only pump-3,ups --script-only
    """
    from twin.studies.ist import Conditions
    from twin.studies.ist import ist as tested

    bare = alone(as_json)
    for path in output or ():
        if path.suffix not in SORTS:
            raise UsageFault(f"{path} ends in neither of {', '.join(SORTS)}; e.g. {path.with_suffix('.md')} is wanted")
    at = Conditions(
        asked("--dry-bulb", dry_bulb, "K"),
        asked("--humidity", humidity, "1"),
        asked("--utilisation", utilisation, "1"),
    )
    chosen = None if steps is None else numbers(steps)
    units = None if only is None else listed("--only", only, 'a unit or kind, e.g. "pump-2,cdu",')
    with Bar(f"test of {plant}", silent=quiet or bare or script_only, of="steps") as bar:
        made = tested(
            plant, at, only=units, steps=chosen, run=not script_only, keep=keep, device=device.value, progress=bar
        )
    for path in output or ():
        path.write_text(made.html() if path.suffix == ".html" else made.markdown(), encoding="utf-8")
        say(f"test: {path}")
    if not bare:
        emit(table(made.sentence(), ["", "step", "result", "what did not hold"], made.summary()))
    if as_json is not None:
        put(as_json, made.to_json())
    return GOOD if made.passed else FAILED


def numbers(text: str) -> list[int]:
    """Numbers of steps as people write them: "1,4,13".

    Raises:
        UsageFault: they are none.
    """
    try:
        return sorted({int(each) for each in text.replace(" ", "").split(",")})
    except ValueError:
        raise UsageFault(f'--steps: "{text}" was found; numbers such as "1,4,13" are wanted') from None
