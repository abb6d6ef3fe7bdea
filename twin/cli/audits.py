"""The verb `audit`: what stops the work of a plant, and how near its ratings each unit stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.asked import asked
from twin.cli.documents import Json, alone, put
from twin.cli.drills import Device
from twin.cli.progress import Bar
from twin.cli.words import FAILED, GOOD, drawn, emit, guarded, say


@guarded
def audit(
    plant: Annotated[
        str, typer.Argument(metavar="PLANT", help="Shipped plant, plant file or scenario file.", show_default=False)
    ],
    picture: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT.png", help="Draw the loading of every unit.")
    ] = None,
    as_json: Json = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where a single point of failure is.")] = False,
    dry_bulb: Annotated[str, typer.Option(metavar="TEMPERATURE", help="Outdoor air of a plant's audit.")] = "44 degC",
    humidity: Annotated[str, typer.Option(metavar="SHARE", help="Its relative humidity.")] = "10 %",
    utilisation: Annotated[str, typer.Option(metavar="SHARE", help="Work asked of its racks.")] = "100 %",
    window: Annotated[str, typer.Option(metavar="TIME", help="Watched after each failure.")] = "60 s",
    hold: Annotated[str, typer.Option(metavar="TIME", help="How long a unit stays out.")] = "15 min",
    device: Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU that works.")] = Device.cpu,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> int:
    """Audit the power side of a plant: single points of failure, loading, maintenance and redundancy.

    Every unit fails in a world of its own, with the grid there and with the grid away.

    \b
    Examples:
      twin audit hall
      twin audit my-site/plants/my-site.yaml -o loading.png --strict
    """
    from twin.studies.audit import audit as audited
    from twin.studies.audit import conditions
    from twin.studies.audit.picture import picture as draw
    from twin.studies.audit.tables import whole

    only = alone(as_json)
    at = conditions(
        asked("--dry-bulb", dry_bulb, "K"),
        asked("--humidity", humidity, "1"),
        asked("--utilisation", utilisation, "1"),
        asked("--window", window, "s"),
        asked("--hold", hold, "s"),
    )
    with Bar(f"audit of {plant}", silent=quiet or only) as bar:
        found = audited(plant, at, device=device.value, progress=bar)
    if not only:
        emit(drawn(lambda width: whole(found, width)))
    if as_json is not None:
        put(as_json, found.to_json())
    if picture is not None:
        say(f"picture: {draw(found, picture)}")
    return FAILED if strict and (found.single_points or not found.works) else GOOD
