"""A tape: the array operations of one call, recorded once and played again for as long as nothing branches otherwise.

With small arrays most of a tick is spent in Python, between numpy's calls. Laws are written once, as functions of
arrays; while one is recorded its arrays are `Taped`: they compute as numpy's do, and write down each operation with the
place of its result. Playing the tape does those operations again on the same memory, so that every bit is what the law
says. What the law decided on its way (`worth_doing`, `same_bits`) is a guard: where it would decide otherwise now, the
tape says so and the law itself has to be asked. What no tape can hold raises `Untapeable`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from twin.arrays import count_nonzero

Array = Any
Operation = tuple[Callable[..., Any], tuple[Any, ...]]
"""What is called, and with what; one of the arrays given is written into."""
BASIC = (int, slice, type(None), type(Ellipsis), np.integer)
EXTREMES = (np.maximum, np.minimum)
"""Those that want to be told by name where their result goes."""
POWERS = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}


OF_ONE_SHAPE = {
    np.all, np.any, np.argsort, np.broadcast_to, np.clip, np.concatenate, np.copy, np.count_nonzero, np.cumsum, np.diff,
    np.max, np.mean, np.min, np.moveaxis, np.ones_like, np.ravel, np.reshape, np.sort, np.stack, np.sum, np.swapaxes,
    np.take, np.take_along_axis, np.transpose, np.where, np.zeros_like,
}  # fmt: skip
"""Functions whose result has a shape that follows from those of what they are given, not from the numbers."""
METHODS = {
    "all", "any", "argmax", "argmin", "argsort", "astype", "clip", "conj", "conjugate", "copy", "cumsum", "max", "mean",
    "min", "prod", "ravel", "reshape", "round", "sum", "swapaxes", "transpose",
}  # fmt: skip


class Untapeable(TypeError):
    """A law did something with a recorded array that a tape cannot play again."""


class Taped(NDArrayOperatorsMixin):
    """An array that is being recorded; `value` is where it lies, now and whenever the tape is played."""

    __slots__ = ("recording", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, recording: Recording, value: np.ndarray) -> None:
        self.recording, self.value = recording, value

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    T = property(lambda self: Taped(self.recording, self.value.T))

    @property
    def real(self) -> Taped:
        return Taped(self.recording, self.value.real)

    @real.setter
    def real(self, part: Any) -> None:
        self.recording.write(self.value.real, ..., part)

    @property
    def imag(self) -> Taped:
        if self.value.dtype.kind != "c":
            raise Untapeable("the imaginary part of a real array")
        return Taped(self.recording, self.value.imag)

    @imag.setter
    def imag(self, part: Any) -> None:
        self.recording.write(self.value.imag, ..., part)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Taped]:
        return (self[row] for row in range(len(self.value)))

    def __getitem__(self, key: Any) -> Any:
        if _is_basic(key):
            found = self.value[key]
            if type(found) is np.ndarray:
                return Taped(self.recording, found)
        if any(x.dtype == bool for x in _arrays([_within(key)])):
            raise Untapeable("as many elements as a mask picks")
        return self.recording.again(operator.getitem, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.recording.write(self.value, key, value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **how: Any) -> Any:
        if method == "reduce" and "out" not in how:
            return self.recording.reduce(ufunc, *given, **how)
        if method == "__call__" and how.keys() == {"out"}:
            return self.recording.in_place(ufunc, given, *how["out"])
        if method != "__call__" or how:
            raise Untapeable(f"{ufunc.__name__}.{method} with {sorted(how)}")
        return self.recording.call(ufunc, *given)

    def __array_function__(self, function: Any, types: Any, given: Any, how: Any) -> Any:
        if function not in OF_ONE_SHAPE:
            raise Untapeable(f"{function.__name__} of a recorded array")
        return self.recording.again(function, *given, **how)

    def __array__(self, *given: Any, **how: Any) -> np.ndarray:
        raise Untapeable("a recorded array was asked for its numbers")

    def _never(self, *given: Any) -> Any:
        raise Untapeable("a recorded array was asked for a plain number")

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _never

    def __pow__(self, exponent: Any) -> Any:
        known = POWERS.get(exponent) if type(exponent) in (int, float) else None
        return self.recording.call(np.power, self, exponent) if known is None else self.recording.call(known, self)

    def __getattr__(self, name: str) -> Any:
        """Methods of numpy's arrays, sum and reshape say."""
        if name not in METHODS:
            raise AttributeError(f"a recorded array has no {name}")
        method = getattr(np.ndarray, name)
        return lambda *given, **how: self.recording.again(method, self, *given, **how)

    def worth_doing(self) -> bool:
        """What `arrays.worth_doing` says of it, as a guard."""
        return self.recording.guard(self.value)

    def same_bits(self, other: Any) -> bool:
        """What `arrays.same_bits` says of it and another array, as a guard."""
        return self.recording.guard_bits(self.value, _plain(other))

    def take(self, index: Any, axis: int | None = None) -> Any:
        """Elements by their numbers along an axis."""
        length = self.size if axis is None else self.shape[axis]
        if type(index) is not np.ndarray or index.size == 0 or index.min() < 0 or index.max() >= length:
            return self.recording.again(np.take, self, index, axis=axis)
        out = self.value.take(index, axis)
        self.recording.note(out, self.value.take, index, axis, out, "clip")  # "raise" would copy once more
        return Taped(self.recording, out)


def _is_basic(key: Any) -> bool:
    return all(isinstance(part, BASIC) for part in key) if type(key) is tuple else isinstance(key, BASIC)


class Library:
    """numpy, but for what makes new arrays to be written into, and for what numpy does not leave to others."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, *given: Any, **how: Any) -> Taped:
        return self._recording.fresh(np.zeros(*given, **how))

    empty = zeros  # what is not written into is the same in each playing

    def ones(self, *given: Any, **how: Any) -> Taped:
        return self._recording.fresh(np.ones(*given, **how))

    def full(self, *given: Any, **how: Any) -> Taped:
        return self._recording.fresh(np.full(*given, **how))

    def asarray(self, x: Any, *given: Any, **how: Any) -> Any:
        return x if type(x) is Taped else np.asarray(x, *given, **how)

    def take(self, x: Any, index: Any, axis: int) -> Any:
        return self._recording.again(np.take, x, index, axis=axis)

    def ascontiguousarray(self, x: Any) -> Any:
        return x.copy() if type(x) is Taped else np.ascontiguousarray(x)


class Recording:
    """What one call does with its arrays.

    Use: `leaf` for each array that will be another one; the call, with its `Library` serving; `finish` with results.
    """

    def __init__(self) -> None:
        self.operations: list[tuple[Operation, np.ndarray]] = []
        self.tape = Tape()
        self._written: set[int] = set()
        self._guarded: set[int] = set()

    def leaf(self, x: Array) -> Taped:
        """An array that is another one, of the same type and shape, whenever the tape is played."""
        self.tape.leaves.append(np.array(x))
        return Taped(self, self.tape.leaves[-1])

    def note(self, target: np.ndarray, function: Callable[..., Any], *given: Any) -> None:
        """An operation, and the array it writes into."""
        self.operations.append(((function, given), target))

    def fresh(self, made: np.ndarray) -> Taped:
        """A new array that is going to be written into."""
        self.note(made, operator.setitem, made, ..., made.copy())
        return Taped(self, made)

    def call(self, ufunc: np.ufunc, *given: Any) -> Taped:
        """A function of the elements."""
        plain = [_plain(x) for x in given]
        out = ufunc(*plain)
        if type(out) is tuple:
            raise Untapeable(f"{ufunc.__name__} gives several arrays")
        out = np.asarray(out)
        if ufunc in EXTREMES:
            self.note(out, partial(ufunc, out=out), *_for_numpy(plain))
        else:
            self.note(out, ufunc, *_for_numpy(plain), out)
        return Taped(self, out)

    def reduce(self, ufunc: np.ufunc, x: Taped, axis: Any = 0, keepdims: bool = False) -> Taped:
        """A sum, or another function of all elements along an axis."""
        out = np.asarray(ufunc.reduce(x.value, axis=axis, keepdims=keepdims))
        self.note(out, ufunc.reduce, x.value, axis, None, out, keepdims)
        return Taped(self, out)

    def in_place(self, ufunc: np.ufunc, given: Sequence[Any], target: Any) -> Taped:
        """A function of the elements whose result takes the place of an array."""
        if type(target) is not Taped:
            raise Untapeable("a recorded array was written into another")
        plain = [_plain(x) for x in given]
        self._changes(target.value)
        ufunc(*plain, out=target.value)
        self.note(target.value, partial(ufunc, out=target.value), *plain)
        return target

    def write(self, target: np.ndarray, key: Any, value: Any) -> None:
        """Some elements of an array that is there."""
        key, value = _within(key), _plain(value)
        self._changes(target)
        target[key] = value
        if _is_basic(key) and type(target[key]) is np.ndarray:
            target, key = target[key], ...
        self.note(target, operator.setitem, target, key, value)

    def again(self, function: Callable[..., Any], *given: Any, **how: Any) -> Taped:
        """Any other function of arrays: its result is copied to where it lay."""
        if "out" in how:
            raise Untapeable("a recorded array was written into another")
        args, named = [_within(x) for x in given], {name: _within(x) for name, x in how.items()}
        out = function(*args, **named)
        if type(out) is np.ndarray and any(_base(out) is _base(x) for x in _arrays(args)):
            return Taped(self, out)
        if not isinstance(out, np.ndarray | np.generic):
            raise Untapeable(f"{getattr(function, '__name__', function)} gives {type(out).__name__}")
        out = np.array(out)
        self.note(out, _again, out, function, args, named)
        return Taped(self, out)

    def guard(self, mask: np.ndarray) -> bool:
        """Whether anything in it is true now; it has to be so whenever the tape is played."""
        mask, worth = self._as_now(mask), bool(np.count_nonzero(mask))
        (self.tape.some if worth else self.tape.none).append(mask)
        return worth

    def guard_bits(self, x: Any, y: Any) -> bool:
        """Whether two arrays are the same to the bit now, likewise."""
        if type(x) is not np.ndarray or type(y) is not np.ndarray:
            return False
        x, y = self._as_now(x), self._as_now(y)
        same = x.tobytes() == y.tobytes()
        self.tape.pairs.append((x, y, same))
        return bool(same)

    def _as_now(self, x: np.ndarray) -> np.ndarray:
        """An array that stays as it is now until the end, when guards are judged."""
        if id(_base(x)) in self._written:
            now = x.copy()
            self.note(now, operator.setitem, now, ..., x)
            return now
        self._guarded.add(id(_base(x)))
        return x

    def _changes(self, target: np.ndarray) -> None:
        base = _base(target)
        if any(base is leaf for leaf in self.tape.leaves):
            raise Untapeable("a law wrote into what it was given")
        if id(base) in self._guarded:
            raise Untapeable("a law wrote into what it had judged")
        self._written.add(id(base))

    def finish(self, wanted: Sequence[np.ndarray]) -> Tape:
        """The tape, without what neither these results nor a guard need; nothing more is recorded."""
        tape = self.tape
        needed = {id(_base(x)) for x in (*wanted, *tape.some, *tape.none)}
        needed |= {id(_base(x)) for pair in tape.pairs for x in pair[:2]}
        for (function, given), target in reversed(self.operations):
            if id(_base(target)) in needed:
                tape.operations.append((function, given))
                needed |= {id(_base(x)) for x in _arrays([*given, getattr(function, "__self__", None)])}
        tape.operations.reverse()
        tape.filled = [(place, leaf) for place, leaf in enumerate(tape.leaves) if id(leaf) in needed]
        self.operations, self.tape = [], Tape()
        return tape


@dataclass
class Tape:
    """Operations to be done again; `some`, `none` and `pairs` are guards: what has to hold at the end."""

    operations: list[Operation] = field(default_factory=list)
    leaves: list[np.ndarray] = field(default_factory=list)
    filled: list[tuple[int, np.ndarray]] = field(default_factory=list)
    some: list[np.ndarray] = field(default_factory=list)
    none: list[np.ndarray] = field(default_factory=list)
    pairs: list[tuple[np.ndarray, np.ndarray, bool]] = field(default_factory=list)

    def play(self, leaves: Sequence[Array]) -> bool:
        """Do it again with other leaves, of the same types and shapes; False where the law would branch otherwise."""
        for place, leaf in self.filled:
            leaf[...] = leaves[place]
        try:
            with np.errstate(all="ignore"):
                for function, given in self.operations:
                    function(*given)
        except (IndexError, ValueError):  # what is not the law's way may reach for what is not there
            return False
        return bool(
            not any(map(count_nonzero, self.none))
            and all(map(count_nonzero, self.some))
            and all((x.tobytes() == y.tobytes()) is same for x, y, same in self.pairs)
        )


def _arrays(given: Any) -> Iterator[np.ndarray]:
    for x in given:
        if isinstance(x, np.ndarray):
            yield x
        elif isinstance(x, list | tuple):
            yield from _arrays(x)
        elif isinstance(x, dict):
            yield from _arrays(x.values())


def _base(x: np.ndarray) -> np.ndarray:
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def _plain(x: Any) -> Any:
    return x.value if type(x) is Taped else x


def _within(x: Any) -> Any:
    if type(x) in (list, tuple):
        return type(x)(map(_within, x))
    return _plain(x)


def _for_numpy(given: list[Any]) -> list[Any]:
    """Plain numbers beside float arrays as arrays of no dimension: numpy takes those in half the time."""
    if any(isinstance(x, np.ndarray | np.generic) and x.dtype != np.float64 for x in given):
        return given
    return [np.asarray(float(x)) if type(x) in (int, float) else x for x in given]


def _again(out: np.ndarray, function: Callable[..., Any], given: list[Any], named: dict[str, Any]) -> None:
    out[...] = function(*given, **named)
