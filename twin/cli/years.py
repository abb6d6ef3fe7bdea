"""The verb `year`: a plant through the hours of a weather file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.asked import asked
from twin.cli.documents import Json, alone, put
from twin.cli.drills import Device
from twin.cli.progress import Bar
from twin.cli.words import GOOD, UsageFault, drawn, emit, guarded, say


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
    as_json: Json = None,
    utilisation: Annotated[str, typer.Option(metavar="SHARE", help="Work asked of a plant's racks.")] = "85 %",
    in_time: Annotated[
        bool, typer.Option("--in-time", help="Run the hours one after the other, with all that the plant remembers.")
    ] = False,
    tick: Annotated[str, typer.Option(metavar="TIME", help="Tick of --in-time; it goes into an hour.")] = "5 min",
    start: Annotated[str, typer.Option("--from", metavar="MM-DD", help="First day, instead of that of the file.")] = "",
    days: Annotated[int, typer.Option(metavar="N", min=1, max=366, help="So many days, not the whole year.")] = 366,
    device: Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU that works.")] = Device.cpu,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> int:
    """Run a plant through a year of weather: PUE, water, modes of cooling, months.

    Each hour is a world of its own in its steady state; what lasts longer than an hour is left out, and said. In time
    the hours run one after the other.

    \b
    Examples:
      twin year esif-like --weather golden -o year.png
      twin year my-site/plants/my-site.yaml --weather phoenix.epw --in-time --from 07-15 --days 7
    """
    from twin.studies.year import beginning
    from twin.studies.year import year as at_rest
    from twin.studies.year.in_time import year_in_time
    from twin.studies.year.picture import picture as draw
    from twin.studies.year.tables import whole

    only = alone(as_json)
    share, first, hours = asked("--utilisation", utilisation, "1"), beginning(weather, start), 24 * days
    length, on = asked("--tick", tick, "s"), device.value
    if abs(round(3600.0 / length) * length - 3600.0) > 1e-6:
        raise UsageFault(f"--tick: {tick} was found; a tick that goes into an hour is wanted, e.g. 5 min")
    with Bar(
        f"year of {plant}", silent=quiet or only, of="s to simulate" if in_time else "steady states to find"
    ) as bar:
        if in_time:
            found = year_in_time(
                plant, weather, utilisation=share, device=on, progress=bar, first=first, hours=hours, tick=length
            )
        else:
            found = at_rest(plant, weather, utilisation=share, device=on, progress=bar, first=first, hours=hours)
    if not only:
        emit(drawn(lambda width: whole(found)))
    if as_json is not None:
        put(as_json, found.to_json())
    if picture is not None:
        say(f"picture: {draw(found, picture)}")
    return GOOD
