"""Contingencies: one member for each failure, side by side from the steady state, watched tick by tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin import model as compiled
from twin.arrays import Device, to_host
from twin.declare import quantities, replace
from twin.ledger import LIMIT, BrokenBalance
from twin.members import widened, widened_inputs
from twin.model import Model, State
from twin.networks.tables import AllRows, Table
from twin.plant import Plant
from twin.scenario import Change
from twin.simulation import settle
from twin.step import step

Told = Callable[[float], None]
"""Told the member-seconds done."""
Setting = tuple[str, str, float]
"""Unit, Input and value."""

GROWTH = 8.0
"""A tick is at most this share (one over it) of the time since the failure, so that what is quick is seen fine."""
MOST = 40_000
"""Members times units of one batch: beyond it arrays leave the caches."""


@dataclass(frozen=True)
class Pace:
    """First and longest tick of the window, and the longest of the hold [s]."""

    first: float
    longest: float
    of_hold: float = 30.0


@dataclass
class Watched:
    """What one table of units did, arrays (member, unit).

    normal, highest, settled: load over rating at the start, at most over two ticks, and at the end [1]; highest_at:
    when that stood [s]; rose: flag -> moment of its first rise in the window [s], nan where it did not rise; late: the
    same in the hold; lowest_charge: of batteries [1]; live, live_in_window: voltage at the end and at the end of the
    window [pu]; flags: flag -> value at the end.
    """

    table: Table
    normal: np.ndarray
    highest: np.ndarray
    highest_at: np.ndarray
    settled: np.ndarray
    rose: dict[str, np.ndarray]
    late: dict[str, np.ndarray]
    lowest_charge: np.ndarray | None
    live: np.ndarray
    live_in_window: np.ndarray
    flags: dict[str, np.ndarray]


class Bench:
    """A plant in its steady state, on which failures are tried."""

    def __init__(self, plant: Plant, initial: list[Change], device: Device | None = None) -> None:
        self.model: Model = compiled.compile(plant, device)
        self.asked = compiled.inputs(self.model)
        for change in initial:
            put(self.model, self.asked, 0, (change.unit, change.input, change.value))
        self.steady = settle(self.model, self.asked)
        self.flags = {t.key: [n for n, q in quantities(t.machine.State).items() if q.flag] for t in self.model.tables}

    def batch(self) -> int:
        """Members that run side by side at best."""
        return max(2, min(128, MOST // self.model.unit_count))

    def run(self, cases: list[list[Setting]], window: float, hold: float, pace: Pace, told: Told) -> list[Watched]:
        """Put each case into a member of its own at time zero and watch what comes of it.

        Raises:
            BrokenBalance: energy was made or lost.
        """
        members = len(cases)
        asked, now = self._members(members)
        for member, settings in enumerate(cases):
            for setting in settings:
                put(self.model, asked, member, setting)
        watch = _Watch(self, now)
        time, worst = 0.0, 0.0
        for tick in _ticks(window, hold, pace):
            now = step(self.model, now, asked, time, tick)
            time += tick
            watch.look(now, time, in_hold=time > window * (1 + 1e-12))
            worst = max(worst, float(now.outputs["site"].energy_residual.max()))
            told(members * tick)
        if not worst <= LIMIT:
            raise BrokenBalance(f"the audit's energy balance broke: a residual of {worst:.2g} of the throughput")
        return watch.told(now)

    def _members(self, members: int) -> tuple[AllRows, State]:
        """The steady state and its Inputs, as often as there are members."""
        return widened_inputs(self.asked, members), widened(self.model, self.steady, members)


def put(model: Model, asked: AllRows, member: int, setting: Setting) -> None:
    """Write one Input of one unit of one member; the array is replaced."""
    unit, name, value = setting
    key, row = model.seats[unit]
    array = getattr(asked[key], name).copy()
    array[member, row] = value
    asked[key] = replace(asked[key], **{name: array})


def _ticks(window: float, hold: float, pace: Pace) -> Iterator[float]:
    """Ticks that grow with the time since the failure, up to the end of the window, and longer ones in the hold."""
    time = 0.0
    for end, longest in ((window, pace.longest), (window + hold, pace.of_hold)):
        while time < end * (1 - 1e-12):
            tick = min(max(pace.first, time / GROWTH), longest)
            tick = max(round(tick, 3), 1e-3)
            tick = min(tick, end - time)
            yield tick
            time += tick


class _Watch:
    """Keeps the extremes of a run, so that no tick needs to be held."""

    def __init__(self, bench: Bench, start: State) -> None:
        self.bench = bench
        self.before = {key: vars(row) for key, row in start.rows.items()}
        self.normal = {t.key: load_of(t, start.outputs[t.key]) for t in bench.model.tables}
        self.last: dict[str, Any] = dict(self.normal)
        self.highest: dict[str, Any] = dict(self.normal)
        self.highest_at: dict[str, Any] = {}
        self.lowest: dict[str, Any] = {}
        self.rose: dict[tuple[str, str, bool], Any] = {}
        self.voltage = start.voltage

    def look(self, now: State, time: float, *, in_hold: bool) -> None:
        xp = self.bench.model.xp
        if not in_hold:
            self.voltage = now.voltage
        for t in self.bench.model.tables:
            row, out = vars(now.rows[t.key]), now.outputs[t.key]
            load = load_of(t, out)
            if load is not None:
                # a load that stands for one tick alone may be the mean of a tick cut in two
                held, most = xp.minimum(load, self.last[t.key]), self.highest[t.key]
                self.highest_at[t.key] = xp.where(held > most, time, self.highest_at.get(t.key, 0.0 * most))
                self.highest[t.key] = xp.maximum(most, held)
                self.last[t.key] = load
            if hasattr(out, "state_of_charge"):
                self.lowest[t.key] = xp.minimum(self.lowest.get(t.key, out.state_of_charge), out.state_of_charge)
            for name in self.bench.flags[t.key]:
                new = row[name] > self.before[t.key][name]
                if not new.any():
                    continue
                place = (t.key, name, in_hold)
                first = self.rose.get(place)
                first = xp.full(new.shape, xp.nan) if first is None else first
                self.rose[place] = xp.where(new & xp.isnan(first), row[f"{name}_at"], first)

    def told(self, now: State) -> list[Watched]:
        return [self._of(t, now) for t in self.bench.model.tables]

    def _of(self, t: Table, now: State) -> Watched:
        settled = load_of(t, now.outputs[t.key])
        rated = settled is not None
        none = np.zeros((now.voltage.shape[0], t.size))
        risen = {(name, hold): to_host(moments) for (key, name, hold), moments in self.rose.items() if key == t.key}
        rose, late = ({name: m for (name, when), m in risen.items() if when == hold} for hold in (False, True))
        return Watched(
            t,
            to_host(self.normal[t.key]) if rated else none,
            to_host(self.highest[t.key]) if rated else none,
            to_host(self.highest_at[t.key]) if t.key in self.highest_at else none,
            to_host(settled) if rated else none,
            rose,
            late,
            to_host(self.lowest[t.key]) if t.key in self.lowest else None,
            to_host(abs(now.voltage[:, t.columns])),
            to_host(abs(self.voltage[:, t.columns])),
            {name: to_host(getattr(now.rows[t.key], name)) for name in self.bench.flags[t.key]},
        )


def load_of(t: Table, out: Any) -> Any:
    """Load over rating of units that feed others, or join those that do [1]; None where a kind has none."""
    if not (t.machine.serves or t.machine.source or t.machine.joins):
        return None
    return getattr(out, "load_fraction", None)
