"""Ticks played from a tape: the plant's step is recorded once and played for as long as nothing branches otherwise."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import chain
from operator import is_
from typing import Any

import numpy as np

from twin.arrays import Device
from twin.model import Model, State
from twin.networks.tables import AllRows
from twin.step import step
from twin.tape import Tape, Taped

SINGLE = ("voltage", "pressure", "headers", "stored", "frequency")
"""What a State has beside its tables and flows that the next tick starts from."""
TOLD = (*SINGLE, "imbalance", "lost_between")
LARGEST = 20_000
"""Members times units above which numpy's own work outweighs what lies between its calls. Estimate."""
PATIENCE = 2
"""Ticks in a row that leave the tapes before another is recorded. Estimate."""
TAPES = 2
"""Ways of a tick that are kept: many a control goes to and fro between two. Estimate."""
PAYS, PRICE, DEAREST, PURSE = 10, 8, 96, 160
"""Uses by which a recording has paid; ticks that one which has not must be waited for at first and at most; the most
that are saved up. A recording takes as long as about eight ticks; the price rises with each one that has not paid, and
falls with each one that has. Estimates."""
FORGOTTEN = 30
"""Ticks in a row that leave a tape which is then forgotten: a try takes half as long as a tick. Estimate."""


@dataclass(repr=False, eq=False)
class Replay:
    """Steps of one plant, by the law or by a tape of it; the same bits either way.

    A tape is proven before it is trusted: on the tick it was recorded in, and on the next one.
    """

    model: Model
    played: int = 0
    recorded: int = 0
    _keys: list[str] = field(default_factory=list)
    _tapes: list[_Recorded] = field(default_factory=list)
    _before: list[Any] = field(default_factory=list)
    _vary: set[int] = field(default_factory=set)
    _missed: int = 0
    _saved: float = PURSE
    _price: float = PRICE
    _last: _Recorded | None = None

    def step(self, state: State, inputs: AllRows, now: float, dt: float) -> State:
        """The state at the end of a tick; see `twin.step.step`."""
        if self.model.device.is_gpu or state.voltage.size > LARGEST:
            return step(self.model, state, inputs, now, dt)
        flat = self._flat(state, inputs)
        tape, found = self._play(flat, now, dt) or (None, state)
        if tape is not None and tape.proven:
            self.played, self._missed, self._before = self.played + 1, 0, flat
            return found
        new = step(self.model, state, inputs, now, dt)
        if tape is not None:
            tape.proven = self._alike(new, found)
            self._tapes = [kept for kept in self._tapes if kept is not tape or tape.proven]
        else:
            self._missed += 1
            self._saved = min(self._saved + 1, PURSE)
            if self._missed >= PATIENCE and self._saved >= 0 and len(flat) == len(self._before):
                self._record(state, inputs, now, dt, flat, new)
        self._before = flat
        return new

    def _play(self, flat: list[Any], now: float, dt: float) -> tuple[_Recorded, State] | None:
        """The tape that this tick follows, and the state at its end."""
        for tape in self._tapes:
            if tape.dt == dt and tape.knows(flat):
                if (found := tape.play(flat, now)) is not None:
                    if tape is not self._tapes[0]:
                        self._tapes = [tape, *(other for other in self._tapes if other is not tape)]
                    return tape, found
                tape.missed += 1
        self._tapes = [tape for tape in self._tapes if tape.missed < FORGOTTEN]
        return None

    def _flat(self, state: State, inputs: AllRows) -> list[Any]:
        """All that a tick starts from, in one list; what has not changed is the same object as before."""
        rows, outputs, keys = state.rows, state.outputs, self._keys or self._sorted(inputs)
        found: list[Any] = [state.voltage, state.pressure, state.headers, state.stored, state.frequency]
        for key in keys:
            found += inputs[key].__dict__.values()
            found += rows[key].__dict__.values()
            found += outputs[key].__dict__.values()
        found += chain.from_iterable(state.flows.values())
        return found

    def _sorted(self, inputs: AllRows) -> list[str]:
        self._keys = list(inputs)
        return self._keys

    def _alike(self, one: State, other: State) -> bool:
        """Whether two states are the same to the bit."""
        pairs = zip(self._ends(one), self._ends(other), strict=True)
        return all(_same(x, y) for x, y in pairs)

    def _ends(self, state: State) -> list[Any]:
        rows = [value for key in self._keys for value in state.rows[key].__dict__.values()]
        outputs = [value for key in self._keys for value in state.outputs[key].__dict__.values()]
        loops = [closes for _, closes in state.loops]
        single = [getattr(state, name) for name in TOLD]
        return [*rows, *outputs, *single, *loops, *chain.from_iterable(state.flows.values())]

    def _record(self, state: State, inputs: AllRows, now: float, dt: float, flat: list[Any], new: State) -> None:
        """Record this tick again, and keep its tape where it says the same."""
        paid = self._last is not None and self._last.uses >= PAYS
        self._price = max(self._price / 2.0, PRICE) if paid else min(1.5 * self._price, DEAREST)
        self._saved -= 0 if paid else self._price
        self._tapes, self._missed, self._last = [tape for tape in self._tapes if tape.knows(flat)][: TAPES - 1], 0, None
        self._vary |= {k for k, (x, y) in enumerate(zip(flat, self._before)) if x is not y and type(x) is np.ndarray}
        kept = [(t.machine, dict(t.machine._found)) for t in self.model.tables]
        try:
            tape = _Recorded(self.model, self._keys, state, inputs, now, dt, flat, self._vary)
        except Exception:  # noqa: BLE001 - whatever a law cannot do while it is recorded, it can do by itself
            return
        finally:
            for machine, found in kept:
                machine._found.clear()
                machine._found.update(found)
        self.recorded += 1
        again = tape.play(flat, now)
        if again is not None and self._alike(new, again):
            self._tapes.insert(0, tape)
            self._last = tape


def _same(x: Any, y: Any) -> bool:
    if x is y:
        return True
    if type(x) is not type(y):
        return False
    if isinstance(x, np.ndarray):
        return bool(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes())
    return bool(x == y)


class _Recorded:
    """A tape of one tick, and how its results make up a State."""

    def __init__(
        self,
        model: Model,
        keys: list[str],
        state: State,
        inputs: AllRows,
        now: float,
        dt: float,
        flat: list[Any],
        vary: set[int],
    ) -> None:
        self.dt, self.keys, self.proven, self.uses, self.missed = dt, keys, False, 0, 0
        self.tape = tape = Tape()
        when, self.vary = tape.leaf(np.asarray(now)), sorted(k for k in vary if type(flat[k]) is np.ndarray)
        leaves = {k: tape.leaf(flat[k]) for k in self.vary}
        self.steady = [k for k in range(len(flat)) if k not in leaves]
        self.known, self.length = [flat[k] for k in self.steady], len(flat)
        begins, asked = _laid_out(keys, state, inputs, [leaves.get(k, x) for k, x in enumerate(flat)])
        recorder = dataclasses.replace(model, device=Device(tape.library, model.device.name))
        with tape.recording():
            new = step(recorder, begins, asked, when, dt)
        self._note(new, {id(leaf): k for k, leaf in leaves.items()})

    def _note(self, new: State, places: dict[int, int]) -> None:
        """Where each part of the new State comes from: a result, a leaf that went through, or what stays."""
        self.parts: list[tuple[str, str, type, tuple[str, ...], int, int]] = []
        values: list[Any] = []
        for part in ("rows", "outputs"):
            for key in self.keys:
                row = getattr(new, part)[key]
                first = len(values)
                values += row.__dict__.values()
                self.parts.append((part, key, type(row), tuple(row.__dict__), first, len(values)))
        self.single = len(values)
        values += [getattr(new, name) for name in TOLD]
        self.loops, self.looped = [names for names, _ in new.loops], len(values)
        values += [closes for _, closes in new.loops]
        self.flows, self.flowing = list(new.flows), len(values)
        values += chain.from_iterable(new.flows.values())
        self.passed = [(k, places[id(x)]) for k, x in enumerate(values) if id(x) in places]
        through = {k for k, _ in self.passed}
        self.found = [(k, x.value) for k, x in enumerate(values) if type(x) is Taped and k not in through]
        self.stays = [None if type(x) is Taped else x for x in values]
        self.tape.finish([value for _, value in self.found])

    def knows(self, flat: list[Any]) -> bool:
        """Whether all that it takes to be fixed is as it was."""
        return len(flat) == self.length and all(map(is_, self.known, [flat[k] for k in self.steady]))

    def play(self, flat: list[Any], now: float) -> State | None:
        """The state at the end of a tick; None where it has to be worked out."""
        if not self.tape.play([now, *(flat[k] for k in self.vary)]):
            return None
        self.uses, self.missed = self.uses + 1, 0
        values = self.stays.copy()
        for k, place in self.passed:
            values[k] = flat[place]
        for k, value in self.found:
            values[k] = value.copy()
        sides: dict[str, AllRows] = {"rows": {}, "outputs": {}}
        for part, key, kind, names, first, last in self.parts:
            sides[part][key] = _row(kind, dict(zip(names, values[first:last])))
        single = dict(zip(TOLD, values[self.single : self.looped]))
        pairs = values[self.flowing :]
        flows = dict(zip(self.flows, zip(pairs[::2], pairs[1::2])))
        loops = list(zip(self.loops, values[self.looped : self.flowing]))
        return State(sides["rows"], sides["outputs"], **single, loops=loops, flows=flows)


def _row(kind: type, values: dict[str, Any]) -> Any:
    row: Any = object.__new__(kind)
    row.__dict__ = values
    return row


def _laid_out(keys: list[str], state: State, inputs: AllRows, flat: list[Any]) -> tuple[State, AllRows]:
    """A State and Inputs of other values, in the order of `Replay._flat`."""
    values = iter(flat)
    single = {name: next(values) for name in SINGLE}
    sides: tuple[AllRows, AllRows, AllRows] = ({}, {}, {})
    for key in keys:
        for side, rows in zip(sides, (inputs, state.rows, state.outputs)):
            side[key] = _row(type(rows[key]), {name: next(values) for name in rows[key].__dict__})
    flows = {name: (next(values), next(values)) for name in state.flows}
    return State(sides[1], sides[2], **single, flows=flows), sides[0]
