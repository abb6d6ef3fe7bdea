"""Ticks played from a tape: the plant's step is recorded once and played for as long as nothing branches otherwise."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import chain
from operator import is_
from typing import Any, ClassVar

import numpy as np

from twin.arrays import Device, served_by
from twin.model import Model, State
from twin.networks.tables import AllRows
from twin.step import step
from twin.tape import Library, Recording, Taped

SINGLE = ("voltage", "pressure", "headers", "stored", "frequency")
"""What a State has beside its tables and flows that the next tick starts from."""
TOLD = (*SINGLE, "imbalance", "lost_between")
LARGEST = 20_000
"""Members times units above which numpy's own work outweighs what lies between its calls. Estimate."""
TAPES = 2
"""Ways of a tick that are kept: many a control goes to and fro between two. Estimate."""
FORGOTTEN = 30
"""Ticks in a row that leave a tape which is then forgotten: a try takes half as long as a tick. Estimate."""


@dataclass
class Purse:
    """When a recording is worth its price: it takes as long as about eight ticks. In ticks; all of it is estimated.

    missed: ticks in a row without a tape. saved: what is left for recordings that do not pay; each tick that is worked
    out adds one, up to `most`. A recording has paid when it was played `enough` times; the price of those which have
    not rises with each of them, up to `dearest`, and falls with each that has.
    """

    missed: int = 0
    saved: float = 160.0
    price: float = 8.0
    patience: ClassVar[int] = 2
    enough: ClassVar[int] = 10
    least: ClassVar[float] = 8.0
    dearest: ClassVar[float] = 96.0
    most: ClassVar[float] = 160.0

    def miss(self) -> bool:
        """A tick was worked out; whether one should be recorded."""
        self.missed, self.saved = self.missed + 1, min(self.saved + 1.0, self.most)
        return self.missed >= self.patience and self.saved >= 0.0

    def record(self, uses: int) -> None:
        """Another recording, after one that was played so often."""
        self.missed = 0
        if uses >= self.enough:
            self.price = max(0.5 * self.price, self.least)
        else:
            self.price = min(1.5 * self.price, self.dearest)
            self.saved -= self.price


@dataclass(repr=False, eq=False)
class Replay:
    """Steps of one plant, by the law or by a tape of it; the same bits either way.

    A tape is proven before it is trusted: on the tick it was recorded in, and on the next one.
    """

    model: Model
    played: int = 0
    recorded: int = 0
    refusal: Exception | None = None
    _keys: list[str] = field(default_factory=list)
    _tapes: list[_Recorded] = field(default_factory=list)
    _last: _Recorded | None = None
    _before: list[Any] = field(default_factory=list)
    _vary: set[int] = field(default_factory=set)
    _purse: Purse = field(default_factory=Purse)

    def step(self, state: State, inputs: AllRows, now: float, dt: float) -> State:
        """The state at the end of a tick; see `twin.step.step`."""
        if self.model.device.is_gpu or state.voltage.size > LARGEST:
            return step(self.model, state, inputs, now, dt)
        flat = self._flat(state, inputs)
        followed = self._play(flat, now, dt)
        if followed is not None and followed[0].proven:
            self.played, self._purse.missed, self._before = self.played + 1, 0, flat
            return followed[1]
        new = step(self.model, state, inputs, now, dt)
        if followed is not None:
            tape, found = followed
            tape.proven = self._alike(new, found)
            self._tapes = [kept for kept in self._tapes if kept is not tape or tape.proven]
        elif self._purse.miss() and len(flat) == len(self._before):
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
        self._purse.record(0 if self._last is None else self._last.uses)
        self._tapes, self._last = [tape for tape in self._tapes if tape.knows(flat)][: TAPES - 1], None
        self._vary |= {k for k, (x, y) in enumerate(zip(flat, self._before)) if x is not y and type(x) is np.ndarray}
        kept = [(t.machine, dict(t.machine._found)) for t in self.model.tables]
        try:
            tape = _Recorded(self.model, self._keys, state, inputs, now, dt, flat, self._vary)
            again = tape.play(flat, now)
        except Exception as error:  # noqa: BLE001 - whatever a law cannot do while it is recorded, it can do by itself
            self.refusal = error.with_traceback(None)
            return
        finally:
            for machine, found in kept:
                machine._found.clear()
                machine._found.update(found)
        self.recorded += 1
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
        recording = Recording()
        library: Any = Library(recording)
        when, self.vary = recording.leaf(float(now)), sorted(k for k in vary if type(flat[k]) is np.ndarray)
        leaves = {k: recording.leaf(flat[k]) for k in self.vary}
        self.forms = [_form(flat[k]) for k in self.vary]
        self.steady = [k for k in range(len(flat)) if k not in leaves]
        self.known, self.length = [flat[k] for k in self.steady], len(flat)
        begins, asked = _laid_out(keys, state, inputs, [leaves.get(k, x) for k, x in enumerate(flat)])
        recorder = dataclasses.replace(model, device=Device(library, model.device.name))
        with served_by(library):
            new = step(recorder, begins, asked, when, dt)
        self._note(new, {id(leaf): k for k, leaf in leaves.items()})
        self.tape = recording.finish([value for _, value in self.found])

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

    def knows(self, flat: list[Any]) -> bool:
        """Whether all that it takes to be fixed is as it was."""
        return (
            len(flat) == self.length
            and all(map(is_, self.known, [flat[k] for k in self.steady]))
            and self.forms == [_form(flat[k]) for k in self.vary]
        )

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


def _form(x: Any) -> tuple[Any, Any]:
    """Type of the elements and shape of an array."""
    return (x.dtype, x.shape) if type(x) is np.ndarray else (type(x), None)


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
