"""A tape: the array operations of one call, recorded once and played again for as long as nothing branches otherwise.

With small arrays most of a tick is spent in Python, between numpy's calls. Laws are written once, as functions of
arrays; while one is recorded its arrays are `Taped`: they compute as numpy's do, and write down each operation with the
place of its result. Playing the tape does those operations again on the same memory, so that every bit is what the law
says. What the law decided on its way (`worth_doing`, `same_bits`) is a guard: where it would decide otherwise now, the
tape says so and the law itself has to be asked. What no tape can hold raises `Untapeable`.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from twin import arrays

Array = Any
Operation = tuple[Callable[..., Any], tuple[Any, ...]]
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

    __slots__ = ("tape", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tape: Tape, value: np.ndarray) -> None:
        self.tape, self.value = tape, value

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    T = property(lambda self: Taped(self.tape, self.value.T))

    @property
    def real(self) -> Taped:
        return Taped(self.tape, self.value.real)

    @real.setter
    def real(self, part: Any) -> None:
        self.tape.write(self.value.real, ..., part)

    @property
    def imag(self) -> Taped:
        if self.value.dtype.kind != "c":
            raise Untapeable("the imaginary part of a real array")
        return Taped(self.tape, self.value.imag)

    @imag.setter
    def imag(self, part: Any) -> None:
        self.tape.write(self.value.imag, ..., part)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Taped]:
        return (self[row] for row in range(len(self.value)))

    def __getitem__(self, key: Any) -> Any:
        if _is_basic(key):
            found = self.value[key]
            if type(found) is np.ndarray:
                return Taped(self.tape, found)
        if any(x.dtype == bool for x in _arrays([_within(key)])):
            raise Untapeable("as many elements as a mask picks")
        return self.tape.again(operator.getitem, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tape.write(self.value, key, value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **how: Any) -> Any:
        if method == "reduce" and "out" not in how:
            return self.tape.reduce(ufunc, *given, **how)
        if method == "__call__" and how.keys() == {"out"}:
            return self.tape.in_place(ufunc, given, *how["out"])
        if method != "__call__" or how:
            raise Untapeable(f"{ufunc.__name__}.{method} with {sorted(how)}")
        return self.tape.call(ufunc, *given)

    def __array_function__(self, function: Any, types: Any, given: Any, how: Any) -> Any:
        if function not in OF_ONE_SHAPE:
            raise Untapeable(f"{function.__name__} of a recorded array")
        return self.tape.again(function, *given, **how)

    def __array__(self, *given: Any, **how: Any) -> np.ndarray:
        raise Untapeable("a recorded array was asked for its numbers")

    def _never(self, *given: Any) -> Any:
        raise Untapeable("a recorded array was asked for a plain number")

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _never

    def __pow__(self, exponent: Any) -> Any:
        known = POWERS.get(exponent) if type(exponent) in (int, float) else None
        return self.tape.call(np.power, self, exponent) if known is None else self.tape.call(known, self)

    def __getattr__(self, name: str) -> Any:
        """Methods of numpy's arrays, sum and reshape say."""
        if name not in METHODS:
            raise AttributeError(f"a recorded array has no {name}")
        method = getattr(np.ndarray, name)
        return lambda *given, **how: self.tape.again(method, self, *given, **how)

    def worth_doing(self) -> bool:
        """What `arrays.worth_doing` says of it, as a guard."""
        return self.tape.guard(self.value)

    def same_bits(self, other: Any) -> bool:
        """What `arrays.same_bits` says of it and another array, as a guard."""
        return self.tape.guard_bits(self.value, _plain(other))

    def take(self, index: Any, axis: int | None = None) -> Any:
        """Elements by their numbers along an axis."""
        length = self.size if axis is None else self.shape[axis]
        if type(index) is not np.ndarray or index.size == 0 or index.min() < 0 or index.max() >= length:
            return self.tape.again(np.take, self, index, axis=axis)
        out = self.value.take(index, axis)
        self.tape.note(self.value.take, index, axis, out, "clip")  # "raise" would copy once more
        return Taped(self.tape, out)


def _is_basic(key: Any) -> bool:
    return all(isinstance(part, BASIC) for part in key) if type(key) is tuple else isinstance(key, BASIC)


class Library:
    """numpy, but for what makes new arrays to be written into: those are recorded."""

    def __init__(self, tape: Tape) -> None:
        self._tape, self._thread = tape, threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def _new(self, make: Callable[..., np.ndarray], *given: Any, **how: Any) -> Any:
        made = make(*given, **how)
        return self._tape.fresh(made) if threading.get_ident() == self._thread else made

    def zeros(self, *given: Any, **how: Any) -> Any:
        return self._new(np.zeros, *given, **how)

    def ones(self, *given: Any, **how: Any) -> Any:
        return self._new(np.ones, *given, **how)

    def full(self, *given: Any, **how: Any) -> Any:
        return self._new(np.full, *given, **how)

    def empty(self, *given: Any, **how: Any) -> Any:
        return self._new(np.zeros, *given, **how)

    def asarray(self, x: Any, *given: Any, **how: Any) -> Any:
        return x if type(x) is Taped else np.asarray(x, *given, **how)

    def take(self, x: Any, index: Any, axis: int) -> Any:
        return self._tape.again(np.take, x, index, axis=axis)

    def ascontiguousarray(self, x: Any) -> Any:
        return x.copy() if type(x) is Taped else np.ascontiguousarray(x)


class Tape:
    """What one call did with its arrays, to be played again on other ones.

    Use: `leaf` for each array that will be another one, the call under `recording()`, `finish` with what came of it;
    then `play` with the new arrays.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.leaves: list[np.ndarray] = []
        self.some: list[np.ndarray] = []
        self.none: list[np.ndarray] = []
        self.pairs: list[tuple[np.ndarray, np.ndarray, bool]] = []
        self._written: set[int] = set()
        self.library: Any = Library(self)

    def recording(self) -> Any:
        """While it lasts, the laws' library is the one that records."""
        return arrays.served_by(self.library)

    def leaf(self, x: Array) -> Taped:
        """An array that is another one whenever the tape is played."""
        self.leaves.append(np.array(x))
        return Taped(self, self.leaves[-1])

    # ------------------------------------------------------------------ what the arrays tell

    def note(self, function: Callable[..., Any], *given: Any) -> None:
        self.operations.append((function, given))

    def fresh(self, made: np.ndarray) -> Taped:
        """A new array that is going to be written into."""
        self.note(operator.setitem, made, ..., made.copy() if made.any() else np.zeros((), made.dtype))
        return Taped(self, made)

    def call(self, ufunc: np.ufunc, *given: Any) -> Any:
        """A function of the elements."""
        plain = [_plain(x) for x in given]
        out = ufunc(*plain)
        if type(out) is tuple:
            raise Untapeable(f"{ufunc.__name__} gives several arrays")
        out = np.asarray(out)
        if ufunc in EXTREMES:
            self.note(partial(ufunc, out=out), *_for_numpy(plain))
        else:
            self.note(ufunc, *_for_numpy(plain), out)
        return Taped(self, out)

    def reduce(self, ufunc: np.ufunc, x: Taped, axis: Any = 0, keepdims: bool = False) -> Taped:
        """A sum, or another function of all elements along an axis."""
        out = np.asarray(ufunc.reduce(x.value, axis=axis, keepdims=keepdims))
        self.note(ufunc.reduce, x.value, axis, None, out, keepdims)
        return Taped(self, out)

    def in_place(self, ufunc: np.ufunc, given: Sequence[Any], target: Any) -> Any:
        """A function of the elements whose result takes the place of an array."""
        if type(target) is not Taped:
            raise Untapeable("a recorded array was written into another")
        plain = [_plain(x) for x in given]
        self._changes(target.value)
        ufunc(*plain, out=target.value)
        self.note(partial(ufunc, out=target.value), *plain)
        return target

    def write(self, target: np.ndarray, key: Any, value: Any) -> None:
        key = tuple(map(_plain, key)) if type(key) is tuple else _plain(key)
        self._changes(target)
        target[key] = _plain(value)
        if _is_basic(key) and type(target[key]) is np.ndarray:
            target, key = target[key], ...
        self.note(operator.setitem, target, key, _plain(value))

    def again(self, function: Callable[..., Any], *given: Any, **how: Any) -> Any:
        """Any other function of arrays: its result is copied to where it lay."""
        args, named = [_within(x) for x in given], {name: _within(x) for name, x in how.items()}
        out = function(*args, **named)
        if type(out) is np.ndarray and any(_base(out) is _base(x) for x in _arrays(args)):
            return Taped(self, out)
        if not isinstance(out, np.ndarray | np.generic):
            raise Untapeable(f"{getattr(function, '__name__', function)} gives {type(out).__name__}")
        out = np.array(out)
        self.note(_again, out, function, args, named)
        return Taped(self, out)

    def guard(self, mask: np.ndarray) -> bool:
        if id(_base(mask)) in self._written:
            mask, live = mask.copy(), mask
            self.note(operator.setitem, mask, ..., live)
        worth = bool(np.count_nonzero(mask))
        (self.some if worth else self.none).append(mask)
        return worth

    def guard_bits(self, x: np.ndarray, y: np.ndarray) -> bool:
        if type(x) is not np.ndarray or type(y) is not np.ndarray:
            return False
        same = x.tobytes() == y.tobytes()
        self.pairs.append((x, y, same))
        return same

    def _changes(self, target: np.ndarray) -> None:
        base = _base(target)
        if any(base is leaf for leaf in self.leaves):
            raise Untapeable("a law wrote into what it was given")
        self._written.add(id(base))

    # ------------------------------------------------------------------ playing

    def finish(self, wanted: Sequence[Any]) -> None:
        """Nothing more is recorded; what no result or guard needs is left out."""
        needed = {id(_base(x)) for x in (*wanted, *self.some, *self.none)}
        needed |= {id(_base(x)) for x, y, _ in self.pairs} | {id(_base(y)) for _, y, _ in self.pairs}
        kept: list[Operation] = []
        for function, given in reversed(self.operations):
            target = _target(function, given)
            if id(_base(target)) in needed:
                kept.append((function, given))
                used = [*given, getattr(function, "__self__", None)]
                if function is _again:
                    used = [*given[2], *given[3].values()]
                needed |= {id(_base(x)) for x in _arrays(used)}
        self.operations = kept[::-1]
        self._filled = [(place, leaf) for place, leaf in enumerate(self.leaves) if id(leaf) in needed]

    def play(self, leaves: Sequence[Array]) -> bool:
        """Do it again with other leaves, of the same shapes; False where the law would have branched otherwise."""
        for place, leaf in self._filled:
            leaf[...] = leaves[place]
        try:
            with np.errstate(all="ignore"):
                for function, given in self.operations:
                    function(*given)
        except IndexError:  # a place that is not there; what is not the law's way may divide by zero, too
            return False
        count = arrays.count_nonzero
        return (
            not any(map(count, self.none))
            and all(map(count, self.some))
            and all((x.tobytes() == y.tobytes()) is same for x, y, same in self.pairs)
        )


def _target(function: Any, given: tuple[Any, ...]) -> np.ndarray:
    """Where an operation writes."""
    if isinstance(function, partial):
        return function.keywords["out"]  # type: ignore[no-any-return]
    if function in (_again, operator.setitem):
        return given[0]  # type: ignore[no-any-return]
    if isinstance(function, np.ufunc):
        return given[-1]  # type: ignore[no-any-return]
    return given[2] if function.__name__ == "take" else given[3]  # type: ignore[no-any-return]


def _arrays(given: Any) -> Iterator[np.ndarray]:
    for x in given:
        if isinstance(x, np.ndarray):
            yield x
        elif isinstance(x, list | tuple):
            yield from _arrays(x)


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
