"""Recording: ticks gathered in blocks, checked for broken balances, and handed to the trace with their events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter, is_
from typing import Any

import numpy as np

from twin.arrays import Array, library_of, to_host
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.ledger import LIMIT, BrokenBalance, ClosedLoop, loop_of, looped_in, run_residual
from twin.model import Model, State
from twin.networks.tables import AllRows, Table
from twin.trace import Column, Event, Recorder

PARTS = ("Inputs", "State", "Outputs")
MEDIA = ("power", "coolant", "air")


def companion(name: str, said: dict[str, Quantity]) -> bool:
    """Whether a quantity is the moment that goes with a flag; moments stand in the events."""
    return name.endswith("_at") and name[:-3] in said and said[name[:-3]].flag is not None


def columns(model: Model) -> list[Column]:
    """Every recorded quantity of the kinds that the plant has, and of the parts of units that are followed."""
    found = []
    for kind in {t.kind: None for t in model.tables}:
        for part in PARTS:
            said = quantities(getattr(KINDS[kind], part))
            dtype = "f8" if KINDS[kind].counts else "f4"  # what is counted is added up again by those who read it
            for name, q in said.items():
                if not (q.each or companion(name, said)):
                    found.append(Column(kind, name, q.unit, q.doc, dtype))
    known = {(of, _plain(q)): Column(of, _plain(q), q.unit, q.doc) for _, of, q, _ in parts(model)}
    return found + list(known.values())


def parts(model: Model) -> list[tuple[Table, str, Quantity, list[str]]]:
    """What parts of units have each: table, part ("die"), quantity, and the parts' names ("rack-01/die-07").

    In a trace the parts of a name stand together as units of a kind of their own.
    """
    found = []
    for t in model.tables:
        for said in quantities(t.machine.State).values():
            counts = np.ravel(to_host(t.machine.parts(said.each))).astype(int) if said.each else np.zeros(1)
            if counts.any():
                found.append((t, said.each, said, _part_names(t.names, counts, said.each)))
    return found


def _plain(said: Quantity) -> str:
    """What a quantity that each part has is called in a trace: each_die_temperature is a die's die_temperature."""
    return said.name.removeprefix("each_")


def _part_names(units: list[str], counts: np.ndarray, part: str) -> list[str]:
    digits = len(str(counts.max()))
    return [f"{name}/{part}-{k + 1:0{digits}}" for name, count in zip(units, counts) for k in range(count)]


def recorded_units(model: Model) -> dict[str, list[str]]:
    """Kind -> names of its units, and likewise of the parts that are followed, in canonical order."""
    units: dict[str, list[str]] = {}
    for t in model.tables:
        units.setdefault(t.kind, []).extend(t.names)
    for _, part, said, names in parts(model):
        if said.name == next(q.name for _, of, q, _ in parts(model) if of == part):
            units.setdefault(part, []).extend(names)
    return units


@dataclass
class Tick:
    """One tick that was run: when it ended, what came of it, and whether it is to be recorded."""

    number: int
    start: float
    end: float
    state: State
    inputs: AllRows
    kept: bool


class Gatherer:
    """Holds the ticks of a block by reference; nothing is copied or leaves the device until the block is told.

    `kept` are the columns that the recorder takes; all of them, if absent.
    """

    def __init__(
        self, model: Model, recorder: Recorder, first: State, inputs: AllRows, kept: list[Column] | None = None
    ) -> None:
        self.model, self.recorder = model, recorder
        self.first = self.before = first
        self.ticks: list[Tick] = []
        self.events: list[Event] = []
        self.worst = 0.0
        flags = [(t, [n for n, q in quantities(t.machine.State).items() if q.flag is not None]) for t in model.tables]
        self.flags = [(t, names) for t, names in flags if names]
        self.tables: dict[str, list[Table]] = {}
        for t in model.tables:
            self.tables.setdefault(t.kind, []).append(t)
        self.sheets: dict[tuple[str, str], list[str]] = {}
        wanted = {column.kind for column in kept or ()}
        for c in columns(model) if kept is None else kept:
            if c.kind in self.tables:
                self.sheets.setdefault((c.kind, self._part(c)), []).append(c.name)
        followed = [(t, of, said) for t, of, said, _ in parts(model) if kept is None or of in wanted]
        self.parts = [(t, of, said, _seats(t, of)) for t, of, said in followed]
        self._write([Tick(0, 0.0, 0.0, first, inputs, True)])

    @staticmethod
    def _part(column: Column) -> str:
        return next(part for part in PARTS if column.name in quantities(getattr(KINDS[column.kind], part)))

    def add(self, tick: Tick) -> None:
        self.ticks.append(tick)

    def note(self, event: Event) -> None:
        """An event of the scenario (an Input that changed)."""
        self.events.append(event)

    def tell(self) -> None:
        """Check the block, find its events, write it.

        Raises:
            BrokenBalance: a tick's books did not close; what went before it is written.
            ClosedLoop: switches closed a loop in a tick; likewise.
        """
        bad, looped = self._first_broken(), next((tick for tick in self.ticks if loop_of(self.model, tick.state)), None)
        if looped is not None and (bad is None or looped.number <= bad.number):
            bad = looped
        sound = self.ticks if bad is None else self.ticks[: self.ticks.index(bad)]
        if sound:
            self._find_events(sound)
            self.before = sound[-1].state
        kept = [tick for tick in sound if tick.kept]
        if kept:
            self._write(kept)
        self.ticks = []
        if bad is not None and bad is looped:
            text = f"{loop_of(self.model, bad.state)} in tick {bad.number} ({bad.start:g} s)"
            raise ClosedLoop(text, bad.start, looped_in(bad.state) or 0)
        if bad is not None:
            raise BrokenBalance(self._blame(bad))

    def close(self) -> None:
        """Tell what is left and close the books of the whole run.

        Raises:
            BrokenBalance: they do not close.
        """
        self.tell()
        over_the_run = float(to_host(run_residual(self.first, self.before)).max())
        self.worst = max(self.worst, over_the_run)
        if not over_the_run <= LIMIT:
            text = f"the energy balance of the whole run does not close: its residual is {over_the_run:.2g}"
            raise BrokenBalance(f"{text} of what came in, at most {LIMIT:g} is sound")

    def _first_broken(self) -> Tick | None:
        if not self.ticks:
            return None
        residuals = np.array([to_host(tick.state.outputs["site"].energy_residual).max() for tick in self.ticks])
        sound = residuals <= LIMIT
        self.worst = max(self.worst, float(residuals.max(where=sound, initial=0.0)))
        return None if sound.all() else self.ticks[int(np.argmin(sound))]

    def _blame(self, tick: Tick) -> str:
        """Which unit broke the balance, or between which units of a medium it broke."""
        share = np.nan_to_num(to_host(tick.state.imbalance), nan=np.inf)
        between = np.nan_to_num(to_host(tick.state.lost_between)[..., 0], nan=np.inf)
        if share.max() > LIMIT:
            member, column = np.unravel_index(int(np.argmax(share)), share.shape)
            who = next(t.names[column - t.first] for t in self.model.tables if t.first <= column < t.last)
            size = share[member, column]
        else:
            medium, member = np.unravel_index(int(np.argmax(between)), between.shape)
            who, size = f"the {MEDIA[medium]} between units", between[medium, member]
        found = f"is {size:.2g} of throughput" if np.isfinite(size) else "is not a number"
        return (
            f"the energy balance of {who} broke in tick {tick.number} ({tick.start:g} s, member {member}): "
            f"its residual {found}, at most {LIMIT:g} is sound; the trace holds what went before"
        )

    def _find_events(self, ticks: list[Tick]) -> None:
        found = []
        states = [self.before.rows, *(tick.state.rows for tick in ticks)]
        for t, names in self.flags:
            for name, series in _series([rows[t.key] for rows in states], names):
                if not _stays(series):
                    found += self._changes(t, name, to_host(_stack(series)))
        self.events += found
        self.events.sort(key=lambda event: (event.time, event.member, event.unit, event.flag))

    def _changes(self, t: Table, name: str, values: np.ndarray) -> list[Event]:
        """Events of one flag, from its values at the start of the block and after each tick (tick, member, unit)."""
        moments: dict[int, np.ndarray] = {}
        found = []
        for tick, member, row in zip(*np.nonzero(values[1:] != values[:-1]), strict=True):
            if tick not in moments:
                moments[tick] = to_host(getattr(self.ticks[tick].state.rows[t.key], f"{name}_at"))
            moment, value = moments[tick][member, row], values[tick + 1, member, row]
            found.append(Event(float(moment), int(member), t.names[row], name, float(value)))
        return found

    def _write(self, kept: list[Tick]) -> None:
        rows: dict[str, list[dict[str, Any]]] = {
            "Inputs": [tick.inputs for tick in kept],
            "State": [tick.state.rows for tick in kept],
            "Outputs": [tick.state.outputs for tick in kept],
        }
        blocks = {}
        for (kind, part), names in self.sheets.items():
            pieces = [dict(_series([row[t.key] for row in rows[part]], names)) for t in self.tables[kind]]
            for name in names:
                laid = [_laid(piece[name]) for piece in pieces]
                blocks[kind, name] = laid[0] if len(laid) == 1 else _joined(laid)
        for (of, name), laid in self._of_parts(rows["State"]).items():
            blocks[of, name] = laid[0] if len(laid) == 1 else _joined(laid)
        self.recorder.append(np.array([tick.end for tick in kept]), blocks, self.events)
        self.events = []

    def _of_parts(self, rows: list[AllRows]) -> dict[tuple[str, str], list[np.ndarray]]:
        """What parts of units have each, (tick, member, part), by table."""
        found: dict[tuple[str, str], list[np.ndarray]] = {}
        for t, of, said, (unit, part) in self.parts:
            laid = _laid([getattr(row[t.key], said.name) for row in rows])
            found.setdefault((of, _plain(said)), []).append(laid[:, :, unit, part])
        return found


def _seats(t: Table, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Row and place of each part that is followed, in the order of their names."""
    counts = np.ravel(to_host(t.machine.parts(part))).astype(int)
    unit = np.repeat(np.arange(len(counts)), counts)
    return unit, np.concatenate([np.arange(count) for count in counts])


Series = Sequence[Array]
"""One quantity of a table in some ticks, one array (member, unit) each; a single one where it stayed throughout."""


def _series(rows: list[Any], names: list[str]) -> Iterator[tuple[str, Series]]:
    """Some quantities of a table's rows."""
    read = attrgetter(*names, names[0])  # one more, so that a single one comes as a tuple too
    return zip(names, zip(*map(read, rows[:1] if _stays(rows) else rows)))


def _stays(series: Sequence[Any]) -> bool:
    """Whether all are the same thing; whatever changes is replaced."""
    return all(map(is_, series, repeat(series[0])))


def _laid(series: Series) -> np.ndarray:
    """A quantity in a block, (tick, member, unit); a single tick where it stayed."""
    return to_host(series[0])[None] if _stays(series) else to_host(_stack(series))


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    """A quantity of all tables of a kind."""
    ticks = max(map(len, pieces))
    return np.concatenate([np.broadcast_to(each, (ticks, *each.shape[1:])) for each in pieces], axis=2)


def _stack(series: Series) -> Array:
    """Arrays of one shape on a new first axis, on their own device."""
    return library_of(series[0]).concatenate(series).reshape(len(series), *series[0].shape)
