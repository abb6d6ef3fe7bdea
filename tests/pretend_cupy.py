"""A device that is none: numpy arrays that behave as a GPU's would, for machines without one.

They refuse what a GPU's arrays refuse or what would stall it inside a tick: to become a Python number, to meet
a numpy array, to be indexed by one. Arithmetic is numpy's own, so a tick on them differs from the CPU's by the
order of its sums at most.
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class LeftTheDevice(AssertionError):
    """A number was read back to the host, or host data met the device's, inside a tick."""


def _reads(what: str) -> Any:
    def refuse(self: Any, *args: Any) -> Any:
        raise LeftTheDevice(f"{what} of a device array of shape {self.shape}")

    return refuse


def _host(value: Any) -> bool:
    return isinstance(value, np.ndarray) and not isinstance(value, Array)


class Array(np.ndarray):
    """An array on the pretended device."""

    __bool__, __float__, __int__, __complex__ = (_reads(w) for w in ("the truth", "a float", "an int", "a complex"))
    __index__, item, tolist = _reads("an index"), _reads("an item"), _reads("a list")

    def get(self) -> np.ndarray:
        return np.array(self.view(np.ndarray))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **rest: Any) -> Any:
        if any(_host(x) for x in (*inputs, *out)):
            raise LeftTheDevice(f"numpy.{ufunc.__name__} of a device array and a numpy array")
        if out:
            rest["out"] = tuple(x.view(np.ndarray) for x in out)
        answer = getattr(ufunc, method)(*(_bare(x) for x in inputs), **rest)
        return _on_device(answer)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise LeftTheDevice(f"numpy.{function.__name__} was called; the library of the array is wanted")

    def __getitem__(self, key: Any) -> Any:
        _refuse_host_index(key)
        return _on_device(self.view(np.ndarray)[_bare(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        _refuse_host_index(key)
        if _host(value) and value.ndim:
            raise LeftTheDevice("a numpy array was written into a device array")
        self.view(np.ndarray)[_bare(key)] = _bare(value)

    def take(self, indices: Any, axis: Any = None, **rest: Any) -> Any:
        _refuse_host_index(indices)
        return _on_device(self.view(np.ndarray).take(_bare(indices), axis=axis, **rest))


for _name in ("all", "any", "max", "min", "sum", "cumsum", "copy", "swapaxes", "reshape", "astype", "conjugate"):

    def _method(self: Array, *args: Any, _name: str = _name, **rest: Any) -> Any:
        return _on_device(getattr(self.view(np.ndarray), _name)(*(_bare(x) for x in args), **rest))

    setattr(Array, _name, _method)
Array.__module__ = "cupy.pretended"


def _refuse_host_index(key: Any) -> None:
    for part in key if isinstance(key, tuple) else (key,):
        if _host(part):
            raise LeftTheDevice("a device array was indexed by a numpy array")


def _bare(value: Any) -> Any:
    if isinstance(value, Array):
        return value.view(np.ndarray)
    if isinstance(value, tuple | list):
        return type(value)(_bare(x) for x in value)
    return value


def _on_device(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value).view(Array)
    if isinstance(value, tuple):
        return tuple(_on_device(x) for x in value)
    return value


class Library(ModuleType):
    """The module that stands where cupy would."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(np, name)
        if isinstance(found, type) or not callable(found):
            return found

        def call(*args: Any, **rest: Any) -> Any:
            if name not in ("asarray", "array") and any(_host(x) for x in args):
                raise LeftTheDevice(f"cupy.{name} of a numpy array")
            return _on_device(found(*(_bare(x) for x in args), **{key: _bare(x) for key, x in rest.items()}))

        return call


def library() -> Library:
    """A fresh one, with what `open_device` asks of cupy."""
    made = Library("cupy")
    made.is_available = lambda: True
    made.ElementwiseKernel = lambda *words: lambda x: [2.0]
    runtime = SimpleNamespace(getDeviceProperties=lambda number: {"name": b"pretended"})
    made.cuda = SimpleNamespace(runtime=runtime)
    return made
