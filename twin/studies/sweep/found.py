"""What a sweep found: one outcome a case, ranked; as a table that is kept, as JSON, and for pandas."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from twin.studies.sweep.outcome import TYPES, Outcome, names_of, parted, world_of
from twin.trace.table import Table, read_table, require, write_table

UNITS = {
    "at": "s", "load": "1", "dry_bulb": "K", "first_after": "s", "harm_after": "s", "to_trip": "s", "to_throttle": "s",
    "to_shutdown": "s", "to_unpowered": "s", "to_dark": "s", "power_before": "W", "power_lost": "W",
    "power_lost_end": "W", "recovery": "s", "work_energy": "J", "tokens": "token", "revenue": "USD", "energy_lost": "J",
    "tokens_lost": "token", "revenue_lost": "USD", "net_revenue": "USD", "net_revenue_lost": "USD",
    "worst_margin": "1", "energy_residual": "1",
}  # fmt: skip
DOCS = {
    "case": "what fails, and what else sets the case apart", "units": "units that fail", "kinds": "their kinds",
    "modes": "Inputs by which they fail", "at": "moment of the failure", "load": "share of full work asked of racks",
    "dry_bulb": "outdoor air", "maintenance": "unit out of service from the start", "draw": "which draw",
    "first": "first consequence", "first_unit": "unit of the first consequence",
    "first_after": "from the failure to the first consequence", "chain": "what led to what, from the failure on",
    "harm": "what happened to the first rack that stood still; where none did, to the first that went slower",
    "harm_unit": "that rack; one that does not fail itself goes before", "harm_after": "from the failure to that",
    "harm_chain": "what led to that, from the failure on, with seconds after it",
    "to_trip": "from the failure to the first machine that its own protection stopped",
    "to_throttle": "from the failure to the first rack that throttles",
    "to_shutdown": "from the failure to the first rack that shuts down",
    "to_unpowered": "from the failure to the first rack without power",
    "to_dark": "from the failure to the first board without voltage",
    "racks_lost": "most racks that stood still at one time", "racks_lost_end": "racks that stand still at the end",
    "throttled": "racks that went slower", "throttled_peak": "most racks that went slower at one time",
    "power_before": "IT power before the failure", "power_lost": "most IT power missing",
    "power_lost_end": "and at the end",
    "recovery": "from the failure until all work was back; inf where it never was, 0 where none was lost",
    "work_energy": "energy of the work over the run", "tokens": "tokens of answers served over the run",
    "revenue": "money earned over the run", "energy_lost": "work_energy less than where nothing fails",
    "tokens_lost": "tokens less than where nothing fails", "revenue_lost": "revenue less than where nothing fails",
    "net_revenue": "revenue less credits, energy at its price and what lost GPU time is worth",
    "net_revenue_lost": "net_revenue less than where nothing fails: cost of the case",
    "failed": "criteria that failed", "worst_margin": "least margin of a compared criterion, of its limit",
    "energy_residual": "worst energy balance of any tick and of the run, of the throughput",
    "stands_for": "cases alike by symmetry, this one among them", "alike": "their names",
    "fault": "why the case could not be run", "fingerprint": "SHA-256 of the last State and Outputs",
    "passed": "1 the criterion held, 0 it failed, -1 it could not be judged",
    "margins": "margin of the criterion in SI, positive on the good side",
    "values": "value that the criterion compares in SI; of a no, the units whose flag rose",
}  # fmt: skip
LOST = (
    ("energy_lost", "work_energy"), ("tokens_lost", "tokens"), ("revenue_lost", "revenue"),
    ("net_revenue_lost", "net_revenue"),
)  # fmt: skip
"""What a case lost against the world in which nothing fails, and what counts it."""
LISTS = ("passed", "margins", "values")


@dataclass(frozen=True)
class Traced:
    """A case that was run again alone: its name, its trace (if there is one), and what went wrong, if anything did."""

    case: str
    trace: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Sweep:
    """All outcomes of a sweep in the order of its cases.

    `words` say what was swept, `path` where the table is, `traced` which of the worst were run again with a trace.
    """

    title: str
    outcomes: tuple[Outcome, ...]
    criteria: tuple[str, ...]
    words: dict[str, str | int | float] = field(default_factory=dict)
    path: Path | None = None
    wall_seconds: float = 0.0
    simulated_seconds: float = 0.0
    traced: tuple[Traced, ...] = ()

    @property
    def cases(self) -> list[Outcome]:
        """Outcomes of cases in which something fails."""
        return [each for each in self.outcomes if each.units]

    @property
    def baselines(self) -> list[Outcome]:
        """Outcomes of cases in which nothing fails."""
        return [each for each in self.outcomes if not each.units]

    @property
    def broken(self) -> list[Outcome]:
        """Cases that could not be run."""
        return [each for each in self.outcomes if each.fault]

    @property
    def failed(self) -> list[Outcome]:
        """Cases in which a criterion failed, the worst first."""
        return [each for each in self.ranked() if each.failed]

    def ranked(self) -> list[Outcome]:
        """Cases by what they cost, the worst first."""
        return sorted(self.cases, key=severity, reverse=True)

    def worst(self) -> list[Outcome]:
        """Cases by what they cost; where no failure is tried, the worlds of the scenario's draws."""
        return self.ranked() or sorted(self.outcomes, key=severity, reverse=True)

    def frame(self) -> Any:
        """The table as a pandas DataFrame, one row a case; of each criterion its margin under its own words.

        Raises:
            ImportError: pandas is not installed; the message says how to get it.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError(
                'pandas is not installed; install it with: pip install "aifactory-twin[tables]"'
            ) from None
        made = pandas.DataFrame({name: [getattr(each, name) for each in self.outcomes] for name in TYPES})
        for place, text in enumerate(self.criteria):
            made[text] = [each.margins[place] for each in self.outcomes]
        return made

    def to_json(self) -> dict[str, Any]:
        """Everything in pure JSON types, but for numbers that are not finite."""
        rows = [each.to_json() | {name: list(getattr(each, name)) for name in LISTS} for each in self.outcomes]
        traces = [asdict(each) for each in self.traced]
        return {"title": self.title, "criteria": list(self.criteria), **self.words, "cases": rows, "traces": traces}

    def table(self) -> Table:
        """The table as it is kept."""
        kinds: dict[type, Any] = {float: "f8", int: "i8", str: str}
        columns = {
            name: np.array([getattr(each, name) for each in self.outcomes], dtype=kinds[kind])
            for name, kind in TYPES.items()
        }
        shape = (len(self.outcomes), len(self.criteria))
        for name in LISTS:
            dtype = "i1" if name == "passed" else "f8"
            columns[name] = np.array([getattr(each, name) for each in self.outcomes], dtype=dtype).reshape(shape)
        words = {"title": self.title, **self.words}
        return Table(columns, UNITS, DOCS, {"criterion": list(self.criteria)}, words)

    def write(self, path: str | Path) -> Path:
        """Write the table as HDF5; the same sweep writes the same file, bit for bit.

        Raises:
            TraceWriteError: it cannot be written.
        """
        write_table(path, self.table(), "row")
        return Path(path)

    def write_csv(self, path: str | Path) -> Path:
        """Write the table as CSV, in SI, one column for the margin of each criterion."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow([*TYPES, *(f"margin of {text}" for text in self.criteria)])
            for each in self.outcomes:
                out.writerow([*(_plain(getattr(each, name)) for name in TYPES), *map(_plain, each.margins)])
        return Path(path)


def _plain(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value


def open_sweep(path: str | Path) -> Sweep:
    """Open the table of a sweep.

    Raises:
        BadTrace: it is none, or damaged.
    """
    table = read_table(path)
    require(table, [*TYPES, *LISTS], path)
    words = dict(table.words)
    title = str(words.pop("title", Path(path).stem))
    made = []
    for row in range(table.rows):
        plain = {name: kind(table.columns[name][row]) for name, kind in TYPES.items()}
        made.append(Outcome.from_json(plain | {name: table.columns[name][row].tolist() for name in LISTS}))
    return Sweep(title, tuple(made), tuple(table.along.get("criterion", ())), words, Path(path))


def severity(each: Outcome) -> tuple[float, ...]:
    """How bad a case is: what could not be run, racks, power and criteria lost, then how soon."""
    soonest = min((t for t in (each.to_unpowered, each.to_shutdown, each.to_throttle) if t == t), default=math.inf)
    return (
        float(bool(each.fault)),
        float(each.racks_lost_end),
        float(each.racks_lost),
        _known(each.power_lost_end) // 1e3,
        float(each.throttled),
        float(each.failed),
        _known(each.power_lost) // 1e3,
        _known(each.energy_lost) // 3.6e6,
        -soonest,
        float(bool(each.first)),
        -each.first_after if each.first_after == each.first_after else -math.inf,
    )


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def against_baselines(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What each case lost against the world of the same start, moment and draw in which nothing fails."""
    rows = list(outcomes)
    normal = normals(rows)
    made = []
    for each in rows:
        base = normal.get(world_of(each))
        lost: dict[str, Any] = {}
        for name, counter in LOST:
            lost[name] = math.nan if base is None else getattr(base, counter) - getattr(each, counter)
        made.append(replace(each, **lost))
    return made


def normals(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    """The outcome in which nothing fails, by the world that it is of."""
    return {parted(name)[1]: each for each in outcomes if not each.units for name in names_of(each)}
