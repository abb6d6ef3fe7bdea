"""The one door to cupy: which array library serves, and the sums that have one order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

Array = Any
"""A numpy or cupy array; the last axis counts units, the one before it members."""


class DeviceUnavailable(RuntimeError):
    """The wanted device cannot be used; the message says why and how to mend it."""


@dataclass(frozen=True)
class Device:
    """Where the arrays live: the library that serves them and, in words, the machine."""

    library: ModuleType
    name: str
    note: str = ""

    @property
    def is_gpu(self) -> bool:
        return not on_host(self.library)


def open_device(wish: str = "auto") -> Device:
    """Choose the device for a run.

    Args:
        wish: "cpu", "gpu", or "auto" (a GPU that works, else the CPU with a note saying why).

    Raises:
        DeviceUnavailable: "gpu" was asked for and none works.
        ValueError: any other word.
    """
    if wish not in ("auto", "cpu", "gpu"):
        raise ValueError(f'device "{wish}" is not known; one of auto, cpu, gpu is wanted')
    if wish == "cpu":
        return Device(np, "cpu (numpy)")
    reason = ""
    try:
        return Device(_working_cupy(), f"gpu (cupy, {_gpu_name()})")
    except DeviceUnavailable as error:
        reason = str(error)
    if wish == "gpu":
        raise DeviceUnavailable(f"no GPU can be used: {reason}")
    return Device(np, "cpu (numpy)", note=f"running on the CPU: {reason}")


def _working_cupy() -> ModuleType:
    """Import cupy and prove it with one compiled kernel; it imports silently without CUDA."""
    try:
        import cupy  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        raise DeviceUnavailable('cupy is not installed; install it with: pip install -e ".[gpu]"') from None
    try:
        if not cupy.is_available():
            raise DeviceUnavailable("cupy is installed but finds no CUDA device or driver")
        probe = cupy.ElementwiseKernel("float64 x", "float64 y", "y = 2 * x", "twin_probe")
        if float(probe(cupy.ones(1))[0]) != 2.0:
            raise DeviceUnavailable("the GPU computed a wrong answer to a trial kernel")
    except DeviceUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - cupy raises many unrelated types for a broken driver
        raise DeviceUnavailable(f"cupy cannot run a kernel: {type(error).__name__}: {error}") from None
    return cupy  # type: ignore[no-any-return]


def _gpu_name() -> str:
    import cupy

    return str(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())


class _Serving(threading.local):
    """What serves, in each thread, arrays that are not on a device: numpy, or what records its operations."""

    library: Any = np


_serving = _Serving()


@contextmanager
def served_by(library: Any) -> Iterator[None]:
    """While it lasts, this is the library of this thread's arrays that are not on a device; see `twin.tape`."""
    try:
        _serving.library = library
        yield
    finally:
        _serving.library = np


def library_of(x: Array) -> ModuleType:
    """The library that `x` belongs to: cupy for a device array, numpy for all else."""
    if type(x) is np.ndarray:
        return _serving.library  # type: ignore[no-any-return]
    if type(x).__module__.partition(".")[0] == "cupy":
        import cupy

        return cupy  # type: ignore[no-any-return]
    return _serving.library  # type: ignore[no-any-return]


def on_host(xp: ModuleType) -> bool:
    """Whether a library keeps its arrays in the memory of the host, where looking at one costs nothing."""
    return xp is np or xp is _serving.library


def to_host(x: Array) -> np.ndarray:
    """Copy `x` to host memory as a numpy array; numpy arrays pass unchanged."""
    return x.get() if hasattr(x, "get") else np.asarray(x)


def worth_doing(mask: Array) -> bool:
    """Whether work that only touches elements where `mask` is true can be skipped.

    On the CPU an all-false mask skips the work, which changes no bit; on a device the answer is
    always true, so that nothing leaves the device inside a tick.
    """
    if type(mask) is np.ndarray:
        return count_nonzero(mask) > 0  # type: ignore[no-any-return]
    if hasattr(mask, "worth_doing"):
        return mask.worth_doing()  # type: ignore[no-any-return]
    return bool(mask) if on_host(library_of(mask)) else True


def same_bits(x: Array, y: Array) -> bool:
    """Whether two arrays of one shape are the same to the bit; said on the CPU alone, on a device never."""
    if type(x) is type(y) is np.ndarray:
        return x.tobytes() == y.tobytes()
    if hasattr(x, "same_bits"):
        return x.same_bits(y)  # type: ignore[no-any-return]
    return hasattr(y, "same_bits") and y.same_bits(x)


def nothing(x: Array) -> bool:
    """Whether `x` is the plain number 0, so that there is nothing to write into zeros."""
    return type(x) is float and x == 0.0


def complex_of(real: Array, imaginary: Array) -> Array:
    """Real + j imaginary; twice as fast as the sum of an array of each type at small sizes."""
    if isinstance(real, float):
        return real + 1j * imaginary
    out = library_of(real).empty(real.shape, dtype=complex)
    out.real, out.imag = real, imaginary
    return out


def stacked(*parts: Array) -> Array:
    """Arrays of one shape on a new first axis; several times faster than numpy's own at small sizes."""
    if isinstance(parts[0], float):  # one machine in plain numbers
        return np.array(parts)
    out = library_of(parts[0]).empty((len(parts), *parts[0].shape), dtype=parts[0].dtype)
    for row, part in enumerate(parts):
        out[row] = part
    return out


def stacked_with_spare(*parts: Array) -> Array:
    """Arrays of one shape on a new first axis, with one more column that holds zero; see `neighbours`."""
    members, columns = parts[0].shape
    out = library_of(parts[0]).zeros((len(parts), members, columns + 1), dtype=parts[0].dtype)
    for row, part in zip(out, parts):
        row[:, :columns] = part
    return out


def mean_part(x: Array, there: Array) -> Array:
    """Mean over the parts of each unit (member, n, parts), of those that are there (1, n, parts); in one order."""
    terms = library_of(x).ascontiguousarray(x * there)
    return terms.sum(axis=-1) / there.sum(axis=-1).clip(1.0)


def hottest_part(x: Array, there: Array) -> Array:
    """Largest over the parts of each unit (member, n, parts), of those that are there (1, n, parts)."""
    xp = library_of(x)
    return xp.where(there > 0, x, -xp.inf).max(axis=-1)


def columns_of(numbers: list[int], xp: ModuleType) -> slice | Array:
    """The columns of some units: a slice where they follow each other, which costs no copy, else an index."""
    if numbers and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return slice(numbers[0], numbers[-1] + 1)
    return xp.asarray(np.array(numbers, dtype=np.int64))


def taken(x: Array, columns: slice | Array) -> Array:
    """Some columns of an array, as `columns_of` names them."""
    return x[..., columns] if type(columns) is slice else x.take(columns, axis=-1)


def _bare(counter: Any) -> Any:
    """The library's own count behind its wrappers, where it is to be found: a third of the time at small sizes."""
    within = getattr(counter, "__wrapped__", counter)
    return getattr(getattr(within, "__globals__", {}).get("multiarray"), "count_nonzero", within)


count_nonzero = _bare(np.count_nonzero)

MOST_FOLDED = 4
"""Terms up to which numpy adds halves faster than its own sum does. Beyond, its sum runs over the last axis of a
fresh table: contiguous and of a length that the table alone says, so its order too depends on the table alone."""


@dataclass(frozen=True)
class Neighbours:
    """For each of m units, up to K others: a padded index table of shape (m, K).

    K is zero or a power of two, so that sums fold by halves in one order for every layout.
    """

    index: Array
    valid: Array
    full: bool

    @cached_property
    def width(self) -> int:
        return int(self.index.shape[1])

    @cached_property
    def terms(self) -> Array:
        """The index by term (K, m): sums of few terms then add rows that lie whole in memory."""
        return library_of(self.index).ascontiguousarray(self.index.T)


def neighbours(lists: list[list[int]], xp: ModuleType, spare: int | None = None) -> Neighbours:
    """Build the padded table from one list of indices per unit, kept in the order given.

    Args:
        lists: indices of each unit's neighbours.
        xp: the library of the tables.
        spare: a column that holds zero in every array to be summed; short rows are filled up with it, which
            spares the sums their masks.
    """
    longest = max((len(row) for row in lists), default=0)
    width = 0 if longest == 0 else 1 << (longest - 1).bit_length()
    index = np.full((len(lists), width), spare or 0, dtype=np.int64)
    valid = np.full((len(lists), width), spare is not None)
    for row, members in enumerate(lists):
        index[row, : len(members)] = members
        valid[row, : len(members)] = True
    return Neighbours(xp.asarray(index), xp.asarray(valid), bool(valid.all()))


def gather_sum(x: Array, table: Neighbours) -> Array:
    """Add, for each unit, the values of its neighbours.

    Args:
        x: values, shape (..., n).
        table: neighbours of m units.

    Returns:
        Sums, shape (..., m). The order of addition depends on the table alone, never on the number
        of members, so any member equals the same member run by itself, bit for bit.
    """
    xp = library_of(x)
    if table.width == 0:
        return xp.zeros((*x.shape[:-1], table.index.shape[0]), dtype=x.dtype)
    if table.width == 1 and table.full:
        return x.take(table.index[:, 0], axis=-1)
    if on_host(xp) and table.width > MOST_FOLDED:
        terms = x.take(table.index, axis=-1)
        return np.add.reduce(terms if table.full else np.where(table.valid, terms, 0), axis=-1)
    terms, half = x.take(table.terms, axis=-1), table.width
    if not table.full:
        terms = xp.where(table.valid.T, terms, 0)
    while half > 1:
        half //= 2
        terms = terms[..., :half, :] + terms[..., half:, :]
    return terms[..., 0, :]


def gather_sum_where(x: Array, table: Neighbours, mask: Array) -> Array:
    """As `gather_sum`, of those neighbours alone where `mask` (member, m, K) is true; (member, m)."""
    terms = library_of(x).where(mask, x.take(table.index, axis=-1), 0.0)
    return terms.sum(axis=-1)


def running(x: Array, law: Callable[[Array, Array], Array], none: float) -> Array:
    """A sum or an extreme of each column and all before it (..., n), in one order: by doubling steps.

    Args:
        law: adds, or takes the larger of, two arrays.
        none: what changes nothing: 0 in a sum, -inf among largest.
    """
    xp, step, found = library_of(x), 1, x
    while step < x.shape[-1]:
        before = xp.zeros(x.shape) + none
        before[..., step:] = found[..., :-step]
        found, step = law(found, before), 2 * step
    return found
