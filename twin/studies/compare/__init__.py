"""Comparing: two traces, two scenarios run on the spot, two sweeps, or two plants by what their failures do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twin.assets import scenario_file
from twin.faults import Fault
from twin.report.findings import Findings
from twin.scenario import BadInput
from twin.scenario.sweeping import Sweeping
from twin.studies import drill
from twin.studies.audit import Conditions
from twin.studies.audit.subject import subject
from twin.studies.compare import sweeps, traces
from twin.studies.compare.sweeps import Sweeps
from twin.studies.compare.traces import Traces
from twin.studies.sweep import open_sweep, sweep
from twin.studies.sweep.base import is_scenario, wished
from twin.trace import BadTrace, open_trace
from twin.trace.table import holds_table

__all__ = ["Sweeps", "Traces", "compare"]

Progress = Callable[[float, float], None]
TRACE, SCENARIO, TABLE, PLANT = "a trace", "a scenario", "a table of a sweep", "a plant"


def compare(
    a: str | Path,
    b: str | Path,
    *,
    swept: bool = False,
    wish: Sweeping | None = None,
    instead: Mapping[str, Any] | None = None,
    jobs: int = 1,
    device: str = "cpu",
    progress: Progress | None = None,
    keep: Callable[[Traces, Findings, Findings], None] | None = None,
) -> Traces | Sweeps:
    """Hold two things against each other.

    Traces as they are; scenarios are run on the spot, into a folder that goes again; tables of sweeps as they are; with
    `swept`, plants and scenarios by a sweep of each.

    Args:
        a, b: a file of any of these, or the name of a shipped scenario or plant.
        swept: sweep what is no table yet.
        wish: what such a sweep tries; what each scenario says of it, or N-1 of everything, if absent.
        instead: what of that is said otherwise for both, by the fields of `Sweeping`; unused beside `wish`.
        jobs: its processes.
        device: cpu, gpu or auto.
        progress: told now and then how far each run is.
        keep: shown what was found, and both traces while they are open, to draw them.

    Raises:
        BadInput: what is given is of two sorts, or has faults.
        BadTrace: a file is damaged.
    """
    sorts = [sort_of(each) for each in (a, b)]
    if swept or TABLE in sorts:
        _want_sweeps((a, b), sorts, swept)
        asked = dict(instead or {})
        found = [
            open_sweep(each)
            if sort == TABLE
            else sweep(each, wish or wished(each, asked), jobs=jobs, device=device, progress=progress)
            for each, sort in zip((a, b), sorts, strict=True)
        ]
        return sweeps.compare(found[0], found[1], str(a), str(b))
    if PLANT in sorts:
        plants = [str(each) for each, sort in zip((a, b), sorts, strict=True) if sort == PLANT]
        for named in plants:
            subject(named, Conditions())
        text = f"{' and '.join(plants)}: a plant does nothing by itself; --sweep compares what its failures do"
        raise BadInput([Fault(None, text)])
    with tempfile.TemporaryDirectory() as folder:
        both = [
            _trace(each, sort, Path(folder) / f"{place}.h5", device, progress)
            for place, (each, sort) in enumerate(zip((a, b), sorts, strict=True))
        ]
        try:
            made = traces.compare(both[0], both[1], str(a), str(b))
            if keep is not None:
                keep(made, both[0], both[1])
        finally:
            for each in both:
                each.trace.close()
    return made


def _want_sweeps(given: tuple[str | Path, ...], sorts: list[str], swept: bool) -> None:
    """See that two sweeps can be compared.

    Raises:
        BadInput: they cannot.
    """
    told = [(f"{each} is {sort}", sort) for each, sort in zip(given, sorts, strict=True)]
    wrong = [text for text, sort in told if sort == TRACE]
    if not wrong and not swept and sorts != [TABLE, TABLE]:
        wrong = [text for text, _ in told]
    if wrong:
        cure = "two tables, or --sweep with plants, scenarios or tables, are wanted"
        raise BadInput([Fault(None, f"{' and '.join(wrong)}; {cure}")])


def sort_of(given: str | Path) -> str:
    """What somebody gives: a trace, a scenario, a table or a plant."""
    path = Path(given)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(drill.HDF5)) == drill.HDF5:
                return TABLE if holds_table(path) else TRACE
    elif path.suffix == ".h5":
        raise BadTrace(f"{given}: there is no such file")
    return SCENARIO if is_scenario(scenario_file(given)) else PLANT


def _trace(given: str | Path, sort: str, into: Path, device: str, progress: Any) -> Findings:
    if sort == TRACE:
        return Findings(open_trace(given))
    return drill.run(scenario_file(given), output=into, device=device, progress=progress).findings
