"""The verb `year`: a plant through the hours of a weather file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from twin.cli.audits import asked
from twin.cli.drills import Device
from twin.cli.progress import Bar
from twin.cli.words import GOOD, drawn, emit, guarded, plain, say


@guarded
def year(
    plant: Annotated[
        str, typer.Argument(metavar="PLANT", help="Shipped plant, plant file or scenario file.", show_default=False)
    ],
    weather: Annotated[
        Path,
        typer.Option(metavar="FILE.epw", help="Weather of a year: EPW, or golden or oak-ridge.", show_default=False),
    ],
    picture: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT.png", help="Draw load duration, PUE and months.")
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write everything as one JSON document.")
    ] = None,
    utilisation: Annotated[str, typer.Option(metavar="SHARE", help="Work asked of a plant's racks.")] = "85 %",
    device: Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU that works.")] = Device.cpu,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> int:
    """Run a plant through a year of weather: PUE, water, modes of cooling, months.

    Each hour is a world of its own in its steady state; what lasts longer than an hour is left out, and said.

    \b
    Examples:
      twin year esif-like --weather golden -o year.png
      twin year my-site/plants/my-site.yaml --weather phoenix.epw -o year.png --json year.json
    """
    from twin.studies.year import year as through
    from twin.studies.year.picture import picture as draw
    from twin.studies.year.tables import whole

    share = asked("--utilisation", utilisation, "1")
    with Bar(f"year of {plant}", silent=quiet) as bar:
        found = through(plant, weather, utilisation=share, device=device.value, progress=bar)
    emit(drawn(lambda width: whole(found)))
    if as_json is not None:
        as_json.write_text(json.dumps(plain(found.to_json()), indent=2) + "\n", encoding="utf-8")
        say(f"json: {as_json}")
    if picture is not None:
        say(f"picture: {draw(found, picture)}")
    return GOOD
