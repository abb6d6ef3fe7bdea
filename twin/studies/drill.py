"""A drill: read a scenario, run it, judge its trace; what `twin run` and `twin.run` do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.report.findings import Findings
from twin.report.frames import criteria_frame, dataset, timeline_frame
from twin.report.verdict import FAILED, Verdict
from twin.scenario import Scenario, read
from twin.simulation import RunResult, simulate
from twin.trace import Trace, TraceWriteError, open_trace

Progress = Callable[[float, float], None]
"""Told the seconds simulated so far and the seconds to simulate in all."""

HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class DrillResult:
    """What came of a drill: what was read, how the run went, and what its trace says."""

    scenario: Scenario
    run: RunResult
    findings: Findings

    @property
    def trace(self) -> Trace:
        """The trace, open for reading."""
        return self.findings.trace

    @property
    def verdict(self) -> Verdict:
        """Each criterion of the scenario, judged."""
        return self.findings.verdict

    @property
    def passed(self) -> bool:
        """Whether no criterion failed, in any member."""
        return self.verdict.outcome != FAILED

    @property
    def timeline(self) -> Any:
        """Every change with its cause, as a pandas DataFrame: time, since_fault, unit, what, why, led_by."""
        return timeline_frame(self.findings)

    @property
    def criteria(self) -> Any:
        """Every criterion, judged, as a pandas DataFrame; values in SI."""
        return criteria_frame(self.findings)

    def dataset(self, kind: str) -> Any:
        """What was recorded of a kind, as an xarray Dataset (time, member, unit): `drill.dataset("rack")`.

        Raises:
            NotRecorded: nothing of the kind was recorded.
        """
        return dataset(self.trace, kind)

    def to_json(self) -> dict[str, Any]:
        """The run and all that a report tells of it, in pure JSON types, as `twin run --json` prints them.

        Of many members the numbers and the timeline are those of `member_shown`; `ensemble` has the spread of all.
        """
        run = self.run
        return self.findings.summary(all_members=False) | {
            "trace": str(run.trace),
            "simulated_seconds": run.simulated_seconds,
            "wall_seconds": run.wall_seconds,
            "ticks": run.ticks,
            "members": run.members,
            "unit_count": run.unit_count,
            "energy_residual": run.energy_residual,
            "device": run.device,
            "note": run.note,
        }


def run(
    path: str | Path,
    *,
    output: str | Path | None = None,
    device: str = "auto",
    members: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> DrillResult:
    """Run the drill of one scenario file and judge it.

    Args:
        path: the scenario.
        output: the trace to write; the scenario's name with .h5 in the working folder, if absent.
        device: auto, cpu or gpu.
        members: worlds to run side by side, instead of what the scenario says.
        seed: seed of all draws, instead of what the scenario says.
        progress: told now and then how far the run is.

    Raises:
        BadInput: the scenario has faults; it holds them all.
        DeviceUnavailable: a GPU is wanted and none works.
        TraceWriteError: the trace cannot be written.
        BrokenBalance: energy was made or lost; nothing the trace says after that can be trusted.
    """
    scenario = read(path, members=members, seed=seed)
    target = trace_path(path, output)
    duration = scenario.run.duration

    def told(simulated: float) -> None:
        if progress is not None:
            progress(simulated, duration)

    told(0.0)
    result = simulate(scenario, trace=target, device=device, progress=told)
    return DrillResult(scenario, result, Findings(open_trace(result.trace)))


def trace_path(path: str | Path, output: str | Path | None) -> Path:
    """Where the trace goes.

    Raises:
        TraceWriteError: something that is no trace stands there and would be lost.
    """
    target = Path(output) if output is not None else Path(Path(path).stem + ".h5")
    if target.is_dir():
        raise TraceWriteError(f"{target} is a folder; a file is wanted, e.g. {target / 'drill.h5'}")
    if target.is_file() and not _replaceable(target):
        raise TraceWriteError(f"{target} is there and is no trace, so it is left alone; give another name")
    return target


def _replaceable(file: Path) -> bool:
    with file.open("rb") as opened:
        start = opened.read(len(HDF5))
    return start in (b"", HDF5)
