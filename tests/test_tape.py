"""The tape: a law played again says what the law says, to the bit, or that it would have branched otherwise."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.arrays import complex_of, gather_sum, library_of, neighbours, same_bits, served_by, stacked, worth_doing
from twin.tape import Library, Recording, Tape, Taped, Untapeable

Law = Callable[..., Any]
TABLE = neighbours([[0, 2], [1], [], [0, 1, 2, 3], [3]], np, spare=4)
WIDE = neighbours([[0, 1, 2, 3, 1, 0], [2]], np)


def recorded(law: Law, *given: np.ndarray) -> tuple[Tape, Taped]:
    recording = Recording()
    leaves = [recording.leaf(x) for x in given]
    with served_by(Library(recording)):
        found = law(*leaves)
    return recording.finish([found.value]), found


def filled(x: Any, y: Any) -> Any:
    out = library_of(x).zeros((2, *x.shape))
    out[0] = x
    out[1, :, 1:3] = y[:, 1:3]
    out[1] += 2.0 * x
    out[:, :, 0] = 7.0
    return out


def in_parts(x: Any, y: Any) -> Any:
    first, second = stacked(x, y)
    return first - second


LAWS: dict[str, Law] = {
    "arithmetic": lambda x, y: (2.0 * x - y / 3.0 + 1) * -x + x**2 - y**0.5 + x**1.7 + 2.0**x + (x % 2.0) // 1.0,
    "a power of a number": lambda x, y: (x + y) ** -1 + x**-1.0 + x**3 + 1.0 / y,
    "comparisons": lambda x, y: ((x > y) | ~(x <= 0.5) & (y != 1.0)) * x + (x == x) * 1.0,
    "functions": lambda x, y: library_of(x).exp(-x) + np.maximum(x, y) - np.minimum(y, 0.3) + np.expm1(x) + abs(x - y),
    "where": lambda x, y: library_of(x).where(x > y, x, 0.0) + np.clip(x, 0.2, 0.8) + x.clip(0.3),
    "reductions": lambda x, y: x.sum(axis=-1) + y.max(axis=1) + np.add.reduce(x, axis=-1) + x.mean(axis=-1),
    "kept dimensions": lambda x, y: x / x.sum(axis=1, keepdims=True) + y.min(axis=1, keepdims=True),
    "views": lambda x, y: x[:, 1:4].T + y[:, 2:, None].reshape(2, -1).swapaxes(0, 1),
    "some elements": lambda x, y: x.take(np.array([3, 0, 0]), axis=1) + y[:, np.array([1, 1, 2])],
    "elements that move": lambda x, y: library_of(x).take(np.arange(9.0), (3 * x).astype(int), axis=0) + x.copy(),
    "writing": filled,
    "rows": in_parts,
    "complex": lambda x, y: (complex_of(x, y) * (1.0 - 2.0j)).real + complex_of(x, y).conjugate().imag,
    "sums of few": lambda x, y: gather_sum(stacked(x, y), TABLE),
    "sums of many": lambda x, y: gather_sum(x[:, :4], WIDE),
    "made anew": lambda x, y: np.concatenate((x, y), axis=1) + library_of(x).ones((2, 1)),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_what_is_played_is_what_the_law_says(law: Law) -> None:
    random = np.random.default_rng(1)
    first, *others = [tuple(random.random((2, 2, 5)) + 0.1) for _ in range(5)]
    tape, found = recorded(law, *first)
    for leaves in (first, *others):
        assert tape.play(leaves)
        said = law(*leaves)
        assert found.shape == said.shape
        assert found.dtype == said.dtype
        assert found.value.tobytes() == said.tobytes()


def branching(x: Any, y: Any) -> Any:
    if worth_doing(x > 0.9):
        x = x * y
    return x if same_bits(x, y) else x + 1.0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.95]), st.sampled_from([0.1, 0.5])), min_size=1, max_size=8))
def test_a_law_that_would_branch_otherwise_is_asked_itself(pairs: list[tuple[float, float]]) -> None:
    tape, found = recorded(branching, np.array([[0.1]]), np.array([[0.5]]))
    for pair in pairs:
        x, y = (np.array([[value]]) for value in pair)
        same_way = x[0, 0] <= 0.9 and x[0, 0] != y[0, 0]
        assert tape.play([x, y]) == same_way
        if same_way:
            assert found.value.tobytes() == branching(x, y).tobytes()


def test_a_mask_is_judged_as_it_was_when_it_was_asked() -> None:
    def law(x: Any) -> Any:
        mask = library_of(x).zeros(x.shape)
        mask[:, 0] = x[:, 0]
        worth = worth_doing(mask)
        mask += 1.0
        return mask if worth else -mask

    tape, found = recorded(law, np.array([[0.0, 1.0]]))
    assert tape.play([np.array([[0.0, 3.0]])])
    assert found.value.tolist() == [[-1.0, -1.0]]
    assert not tape.play([np.array([[2.0, 3.0]])])


@pytest.mark.parametrize(
    "law",
    [float, bool, lambda x: x.tolist(), lambda x: np.asarray(x), lambda x: np.unique(x), lambda x: x[x > 0.5],
     lambda x: np.divmod(x, 2.0), lambda x: np.ones((2, 5)).__setitem__(0, x), lambda x: x.__iadd__(1.0)],
)  # fmt: skip
def test_what_no_tape_can_hold_is_refused(law: Law) -> None:
    with pytest.raises((Untapeable, AttributeError)):
        recorded(law, np.full((2, 5), 0.7))


def test_what_nothing_needs_is_not_played() -> None:
    def law(x: Any) -> Any:
        np.exp(x)
        return x + 1.0

    assert len(recorded(law, np.ones((1, 3)))[0].operations) == 1


def test_other_threads_have_numpy_while_one_records() -> None:
    made: list[Any] = []

    def beside() -> None:
        xp = library_of(np.ones(2))
        made.extend((xp.zeros(3), xp.take(np.arange(3.0), np.array([1]), axis=0), xp))

    with served_by(Library(Recording())):
        there = threading.Thread(target=beside)
        there.start()
        there.join()
        assert type(library_of(np.ones(2)).zeros(3)) is Taped
    assert [type(x) for x in made[:2]] == [np.ndarray, np.ndarray]
    assert made[2] is library_of(np.ones(2)) is np


def judged_then_written(x: Any) -> Any:
    mask = (x > 0.5) * 1.0
    worth = worth_doing(mask)
    mask += 1.0
    return mask * 10.0 if worth else -mask


def compared_then_written(x: Any) -> Any:
    z = x * 1.0
    same = same_bits(z, x)
    z[:, 0] = 7.0
    return z + 1.0 if same else z - 1.0


@pytest.mark.parametrize("law", [judged_then_written, compared_then_written])
def test_what_was_judged_must_not_change(law: Law) -> None:
    """Guards are judged at the end of a playing; what is written into after it was judged would mislead them."""
    with pytest.raises(Untapeable, match="had judged"):
        recorded(law, np.array([[0.9, 0.2]]))


def test_a_tape_holds_nothing_of_its_recording() -> None:
    """Long runs throw tapes away: they must go at once, without a search for cycles."""
    gc.collect()
    gc.disable()
    try:
        tape, found = recorded(lambda x: x + 1.0, np.ones((2, 3)))
        gone = [weakref.ref(tape.leaves[0]), weakref.ref(found.value)]
        del tape, found
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()
