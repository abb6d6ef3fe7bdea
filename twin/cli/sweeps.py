"""The verb `sweep`: what comes of every failure of a plant, or of every two."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.asked import asked, listed
from twin.cli.documents import Json, alone, put
from twin.cli.drills import Device
from twin.cli.progress import Bar
from twin.cli.words import (
    BROKEN,
    FAILED,
    GOOD,
    INTERRUPTED,
    UsageFault,
    drawn,
    emit,
    ended_like_interrupted,
    guarded,
    say,
)  # fmt: skip

if TYPE_CHECKING:
    from twin.scenario.rates import RateSet
    from twin.studies.audit import Audit
    from twin.studies.sweep import Sweep
    from twin.studies.sweep.agreement import Agreement


Given = Annotated[
    str, typer.Argument(metavar="PLANT", help="Shipped plant, plant file or scenario file.", show_default=False)
]


def _told(metavar: str, said: str, *names: str) -> Any:
    """An option whose words say what holds without it."""
    return typer.Option(*names, metavar=metavar, help=said, show_default=False)


Order = Annotated[str | None, _told("1|2|UNITS", "Failures at once, 1 if absent; units make pairs of these.", "--n")]
At = Annotated[str | None, _told("TIMES", "When they strike; at 60 s, if absent.", "--fault-at")]
After = Annotated[str | None, _told("TIME", "Watched from there: 30 min, or to the end of a scenario.")]
Units = Annotated[str | None, _told("UNITS", "Only these fail; all, if absent.")]
Kinds = Annotated[str | None, _told("KINDS", "Only units of these kinds fail.")]
Modes = Annotated[str | None, _told("INPUTS", "Only by these, e.g. in_service.")]
Upkeep = Annotated[str | None, _told("UNITS|all", "Out of service from the start, in turn.")]
Loads = Annotated[str | None, _told("SHARES", "Work asked of all racks.")]
Air = Annotated[str | None, _told("AIR", 'Outdoors: "25 degC, 38 degC/15 %".')]
Draws = Annotated[int | None, typer.Option(min=0, help="Worlds of the scenario's draws.", show_default=False)]
Restore = Annotated[str | None, _told("TIME", "Mend it after so long; never, if absent.", "--restore-after")]
Keep = Annotated[
    int | None,
    typer.Option(min=0, max=1000, metavar="N", help="Run the N worst again, each with a trace.", show_default=False),
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="OUT.h5", help="Table, if not PLANT-sweep.h5; or a folder.")
]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="OUT.csv", help="Write the table as CSV, too.")]
Picture = Annotated[Path | None, typer.Option("--picture", metavar="OUT.png", help="Draw pairs as a heat map.")]
Page = Annotated[Path | None, typer.Option("--page", metavar="OUT.html", help="Write a page with everything.")]
Audited = Annotated[bool, typer.Option("--audit", help="Say where twin audit finds otherwise, and why.")]
Rated = Annotated[
    str | None, typer.Option("--rates", metavar="SET", help="Expect a year by published rates, e.g. ieee-493.")
]
Top = Annotated[int, typer.Option(min=1, help="Rows of the ranked table.")]
Unfolded = Annotated[bool, typer.Option("--unfolded", help="Run cases that are alike by symmetry, too.")]
Chunk = Annotated[int | None, typer.Option(min=1, help="Cases side by side.", show_default=False)]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes, if not one a core.", show_default=False)]
Memory = Annotated[str, typer.Option(metavar="SIZE", help="All of them take about so much at most.")]
Resume = Annotated[
    bool | None, typer.Option("--resume/--afresh", help="Go on with a sweep that broke off, or begin anew.")
]
On = Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU that works.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where a case fails a criterion.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]


@guarded
def sweep(
    given: Given, order: Order = None, at: At = None, after: After = None, units: Units = None, kinds: Kinds = None,
    modes: Modes = None, maintenance: Upkeep = None, loads: Loads = None, weather: Air = None, draws: Draws = None,
    restore: Restore = None, keep: Keep = None, output: Output = None, csv: Csv = None, picture: Picture = None,
    page: Page = None, audit: Audited = False, rates: Rated = None, as_json: Json = None, top: Top = 20,
    unfolded: Unfolded = False, chunk: Chunk = None, jobs: Jobs = None, memory: Memory = "4 GB",
    resume: Resume = None, device: On = Device.cpu, strict: Strict = False, quiet: Quiet = False,
) -> int:  # fmt: skip
    """Sweep the failures of a plant: each unit, by each of its failures, in a world of its own; the worst first.

    \b
    Examples:
      twin sweep hall
      twin sweep pod --n 2 --kinds ups,pdu,breaker,cdu
      twin sweep my-site/my-site.yaml --maintenance ups-1 --loads 50%,100% --strict
      twin sweep pod --n 2 --kinds ups,pdu,cdu --rates ieee-493
      twin sweep hall --keep 3 --audit --page hall.html
    """
    from twin.studies.sweep import Interrupted
    from twin.studies.sweep import sweep as swept
    from twin.studies.sweep.agreement import agreement
    from twin.studies.sweep.base import wished
    from twin.studies.sweep.risk import rate_set

    only = alone(as_json)
    instead = _instead(order, at, after, units, kinds, modes, maintenance, loads, weather, draws, restore, keep)
    target, most = _target(given, output), _bytes(memory)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wish = wished(given, instead if rates is None else instead | {"rates": rates})
    known = rate_set(wish.rates) if wish.rates else None
    silent = quiet or only
    held = _audit(given, silent=silent) if audit else None
    try:
        with ended_like_interrupted(), Bar(f"sweep of {given}", silent=silent) as bar:
            found = swept(
                given, wish, output=target, fold=not unfolded, chunk=chunk, jobs=jobs or cores, memory=most,
                resume=resume, device=device.value, progress=bar,
            )  # fmt: skip
    except KeyboardInterrupt:
        say(f"twin: interrupted; {target}.part holds what was finished, --resume goes on with it")
        return INTERRUPTED
    except Interrupted as error:
        raise UsageFault(str(error)) from None
    agreed = None if held is None else agreement(found, held)
    _show(found, target, top, known, agreed, as_json)
    _files(found, csv, picture, page, agreed)
    if all(each.fault for each in found.outcomes):
        return BROKEN
    return FAILED if strict and (found.failed or found.broken) else GOOD


def _show(
    found: Sweep, target: Path, top: int, rates: RateSet | None, agreed: Agreement | None, as_json: str | None
) -> None:
    """Print what was found, and what of it is to be expected."""
    from twin.studies.sweep.risk import risks
    from twin.studies.sweep.shown import expected, whole

    rows = risks(found, rates) if rates is not None else []
    if as_json is not None:
        more: dict[str, Any] = {"risks": [each.to_json() for each in rows]} if rates is not None else {}
        put(as_json, found.to_json() | more | ({} if agreed is None else {"audit": agreed.to_json()}))
    if alone(as_json):
        return
    emit(drawn(lambda width: whole(found, width, top)))
    if rates is not None:
        emit(drawn(lambda width: expected(rows, rates.name, top)))
    pace = found.simulated_seconds / max(found.wall_seconds, 1e-9)
    say(f"{found.simulated_seconds / 3600:,.1f} h simulated in {found.wall_seconds:.1f} s, {pace:,.0f} x real time")
    say(f"table: {target}")
    for sentence in agreed.sentences() if agreed is not None else ():
        say(sentence)


def _audit(given: str, *, silent: bool) -> Audit:
    """Audit the same plant: before the sweep, so that what is wrong with it is known at once."""
    from twin.assets import scenario_file
    from twin.studies.audit import audit as audited

    with Bar(f"audit of {given}", silent=silent) as bar:
        return audited(scenario_file(given) if scenario_file(given).is_file() else given, progress=bar)


def _files(found: Sweep, csv: Path | None, picture: Path | None, page: Path | None, agreed: Agreement | None) -> None:
    """Write what else is asked for."""
    if csv is not None:
        say(f"csv: {found.write_csv(csv)}")
    if picture is not None:
        from twin.studies.sweep.heat import picture as draw

        drawn_to = draw(found, picture)
        say(f"picture: {drawn_to}" if drawn_to else "no picture: no two failures were tried at once (--n 2)")
    if page is not None:
        from twin.studies.sweep.page import page as write

        say(f"page: {write(found, page, agreed)}")


def _target(given: str, output: Path | None) -> Path:
    """Where the table goes."""
    name = f"{Path(given).stem}-sweep.h5"
    if output is None:
        return Path(name)
    return output / name if output.is_dir() else output


def _instead(
    order: str | None, at: str | None, after: str | None, units: str | None, kinds: str | None, modes: str | None,
    maintenance: str | None, loads: str | None, weather: str | None, draws: int | None, restore: str | None,
    keep: int | None,
) -> dict[str, Any]:  # fmt: skip
    """What the options ask for, by the fields of `Sweeping`; what is not asked for is left to the scenario.

    Raises:
        UsageFault: one of them cannot be read.
    """
    found: dict[str, Any] = {} if order is None else _order(order)
    lists = {"at": at, "loads": loads, "weather": weather, "units": units, "kinds": kinds, "modes": modes,
             "maintenance": maintenance}  # fmt: skip
    read: dict[str, Callable[[str], Any]] = {
        "at": lambda each: asked("--fault-at", each, "s"), "loads": lambda each: asked("--loads", each, "1"),
        "weather": _air,
    }  # fmt: skip
    for name, text in lists.items():
        if text is not None:
            option, wanted = LISTS[name]
            found[name] = tuple(map(read.get(name, str), listed(option, text, wanted)))
    for name, option, said in (("after", "--after", after), ("restore_after", "--restore-after", restore)):
        if said is not None:
            found[name] = asked(option, said, "s")
    return found | {name: each for name, each in (("draws", draws), ("keep", keep)) if each is not None}


LISTS = {
    "at": ("--fault-at", 'a time, e.g. "60 s",'), "units": ("--units", 'a unit, e.g. "ups-1,cdu-2",'),
    "kinds": ("--kinds", 'a kind, e.g. "ups,cdu",'), "modes": ("--modes", 'an input, e.g. "in_service",'),
    "maintenance": ("--maintenance", 'a unit, e.g. "ups-1", or "all"'), "loads": ("--loads", 'a share, e.g. "50%",'),
    "weather": ("--weather", 'a temperature, e.g. "38 degC/15 %",'),
}  # fmt: skip
"""Field of `Sweeping` -> the option that lists it, and what such an option wants."""


def _order(text: str) -> dict[str, Any]:
    """How many fail at once, or which units make the pairs.

    Raises:
        UsageFault: it is neither.
    """
    from twin.studies.sweep.base import FEW, ORDERS

    if re.fullmatch(r"\s*[+-]?[\d.]+\s*", text):
        if text.strip() not in map(str, ORDERS):
            raise UsageFault(f"--n: {text.strip()} was found; {FEW}")
        return {"order": int(text), "of": ()}
    return {"order": 2, "of": listed("--n", text, '1, 2 or names of units, e.g. "ups-1,cdu-2",')}


def _air(text: str) -> tuple[float, float | None]:
    """Outdoor air: "38 degC" or "38 degC/15 %"."""
    dry, slash, humidity = text.partition("/")
    T = asked("--weather", dry.strip(), "K")
    return T, asked("humidity of --weather", humidity.strip(), "1") if slash else None


SIZES = {"GB": 1e9, "MB": 1e6, "GiB": 2.0**30, "MiB": 2.0**20}


def _bytes(text: str) -> float:
    number, _, unit = text.strip().partition(" ")
    try:
        size = float(number) * SIZES[unit.strip()]
    except (KeyError, ValueError):
        size = 0.0
    if not size >= 1e8:
        raise UsageFault(f'--memory: "{text}" was found; a size of at least 100 MB is wanted, e.g. "4 GB"')
    return size
