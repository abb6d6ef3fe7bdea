"""Arrays: the choice of device in words, and sums whose order and bits hang on nothing but their table."""

from __future__ import annotations

import math
import sys
from types import ModuleType

import numpy as np
import pytest

from twin.arrays import (
    DeviceUnavailable,
    columns_of,
    gather_sum,
    library_of,
    neighbours,
    nothing,
    open_device,
    stacked,
    stacked_with_spare,
    taken,
    to_host,
    worth_doing,
)

NOT_INSTALLED = 'cupy is not installed; install it with: pip install -e ".[gpu]"'


# The device


def test_cpu_is_numpy():
    device = open_device("cpu")
    assert (device.library, device.name, device.note, device.is_gpu) == (np, "cpu (numpy)", "", False)


def test_without_cupy_gpu_fails_with_its_reason_and_auto_says_that_it_falls_back(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # what an import of something missing finds
    with pytest.raises(DeviceUnavailable) as refused:
        open_device("gpu")
    assert str(refused.value) == f"no GPU can be used: {NOT_INSTALLED}"
    device = open_device("auto")
    assert device.library is np
    assert device.note == f"running on the CPU: {NOT_INSTALLED}"


def cupy_that(**offers):
    made = ModuleType("cupy")
    for name, value in offers.items():
        setattr(made, name, value)
    return made


def kernel_that_gives(number):
    return lambda *words: lambda x: [number]


def breaks(*anything):
    raise OSError("libnvrtc.so.13: cannot open shared object file")


@pytest.mark.parametrize(
    ("cupy", "reason"),
    [
        (cupy_that(is_available=lambda: False), "cupy is installed but finds no CUDA device or driver"),
        (
            cupy_that(is_available=lambda: True, ElementwiseKernel=breaks, ones=np.ones),
            "cupy cannot run a kernel: OSError: libnvrtc.so.13: cannot open shared object file",
        ),
        (
            cupy_that(is_available=lambda: True, ElementwiseKernel=kernel_that_gives(2.5), ones=np.ones),
            "the GPU computed a wrong answer to a trial kernel",
        ),
        (
            cupy_that(is_available=breaks),
            "cupy cannot run a kernel: OSError: libnvrtc.so.13: cannot open shared object file",
        ),
    ],
    ids=["no driver", "no compiler", "wrong answer", "broken driver"],
)
def test_a_gpu_that_does_not_work_is_not_used_and_says_why(monkeypatch, cupy, reason):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(DeviceUnavailable) as refused:
        open_device("gpu")
    assert str(refused.value) == f"no GPU can be used: {reason}"
    assert open_device("auto").note == f"running on the CPU: {reason}"


def test_any_other_wish_is_refused():
    with pytest.raises(ValueError, match=r'^device "cuda" is not known; one of auto, cpu, gpu is wanted$'):
        open_device("cuda")


def test_numpy_serves_numbers_and_its_own_arrays():
    for x in (np.zeros(3), 1.0, 1, np.float64(2.0), True):
        assert library_of(x) is np
    assert to_host(np.arange(3)).tolist() == [0, 1, 2]
    assert to_host(2.5) == 2.5


def test_work_is_left_out_only_where_a_mask_is_all_false():
    assert worth_doing(np.array([[False, True]]))
    assert not worth_doing(np.array([[False, False]]))
    assert not worth_doing(np.zeros((2, 3)))
    assert worth_doing(np.array([[0.0, -1e-300]]))
    assert worth_doing(np.array([[np.nan]])), "what is no number is looked at"
    assert worth_doing(True)
    assert not worth_doing(False)
    assert not worth_doing(np.bool_(False))


# Sums


def table_of(rng, units, others, spare=None, most=20):
    lists = [list(rng.permutation(others)[: rng.integers(0, min(others, most) + 1)]) for _ in range(units)]
    return lists, neighbours([[int(k) for k in row] for row in lists], np, spare)


def folded(values):
    """The order of a sum: halves folded onto each other, padded with zeros to a power of two."""
    width = 1 << max(len(values) - 1, 0).bit_length()
    terms = [*values, *[0.0] * (width - len(values))]
    while len(terms) > 1:
        half = len(terms) // 2
        terms = [a + b for a, b in zip(terms[:half], terms[half:], strict=True)]
    return terms[0]


def test_a_table_is_as_wide_as_the_next_power_of_two():
    for longest, width in ((0, 0), (1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (9, 16)):
        made = neighbours([list(range(longest)), []], np)
        assert made.width == width
        assert made.valid.sum() == longest
        assert made.full is (longest == 0)
    assert neighbours([[0, 1], [2, 3]], np).full
    assert neighbours([], np).width == 0


@pytest.mark.parametrize("spare", [None, 30])
def test_sums_of_a_few_run_in_one_order_to_the_last_bit(spare):
    """Up to four terms are folded by halves; on a device so are more."""
    rng = np.random.default_rng(3)
    lists, table = table_of(rng, 25, 30, spare, most=4)
    widest = table.width
    x = rng.normal(size=(4, 31)) * 10.0 ** rng.uniform(-9, 9, (4, 31))
    x[:, 30] = 0.0
    found = gather_sum(x, table)
    assert found.shape == (4, 25)
    for member in range(4):
        for unit, row in enumerate(lists):
            padded = [*(float(x[member, k]) for k in row), *[0.0] * (widest - len(row))]
            assert found[member, unit] == folded(padded)


def test_sums_of_many_are_right_to_round_off():
    rng = np.random.default_rng(5)
    lists, table = table_of(rng, 25, 300, 300, most=300)
    x = np.zeros((3, 301))
    x[:, :300] = rng.normal(size=(3, 300)) * 10.0 ** rng.uniform(-9, 9, (3, 300))
    found = gather_sum(x, table)
    for member in range(3):
        for unit, row in enumerate(lists):
            terms = [float(x[member, k]) for k in row]
            assert found[member, unit] == pytest.approx(math.fsum(terms), abs=1e-14 * sum(map(abs, terms)))


@pytest.mark.parametrize(("units", "others"), [(9, 4), (9, 12), (1, 300), (40, 100)])
@pytest.mark.parametrize("spare", [False, True])
def test_a_member_alone_sums_to_the_same_bits_in_any_layout(spare, units, others):
    rng = np.random.default_rng(4)
    _, table = table_of(rng, units, others, others if spare else None, most=others)
    x = rng.normal(size=(64, others + 1)) * 10.0 ** rng.uniform(-9, 9, (64, others + 1))
    x[:, others] = 0.0
    together = gather_sum(x, table)
    for layout in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x.copy()):
        np.testing.assert_array_equal(gather_sum(layout, table), together)
    np.testing.assert_array_equal(gather_sum(np.stack([x, 2.0 * x]), table)[0], together)
    for size in (1, 3, 7):
        for first in range(0, 64, size):
            chunk = x[first : first + size]
            np.testing.assert_array_equal(gather_sum(chunk, table), together[first : first + size])


def test_sums_of_complex_numbers_and_of_several_quantities_at_once():
    table = neighbours([[0, 2], [], [1, 1, 2]], np)
    x = np.array([[1 + 1j, 2.0, 4j]])
    assert gather_sum(x, table).tolist() == [[1 + 5j, 0, 4 + 4j]]
    many = np.arange(12.0).reshape(2, 2, 3)
    for first in range(2):
        np.testing.assert_array_equal(gather_sum(many, table)[first], gather_sum(many[first], table))


def test_nobody_sums_to_zero_and_one_to_himself():
    x = np.array([[1.5, -2.5]])
    assert gather_sum(x, neighbours([[], []], np)).tolist() == [[0.0, 0.0]]
    assert gather_sum(x, neighbours([[1], [0]], np)).tolist() == [[-2.5, 1.5]]
    assert gather_sum(x, neighbours([[1], []], np)).tolist() == [[-2.5, 0.0]]


def test_an_infinity_beside_an_empty_place_stays_away():
    """Padding points at unit 0: what stands there must not leak into a sum that does not ask for it."""
    x = np.array([[np.inf, 1.0, 2.0, 3.0]])
    assert gather_sum(x, neighbours([[1, 2, 3]], np)).tolist() == [[6.0]]


# Small helps


def test_stacking_is_numpys_own():
    parts = [np.full((2, 3), k, dtype=float) for k in range(4)]
    np.testing.assert_array_equal(stacked(*parts), np.stack(parts))
    assert stacked(1.0, 2.0).tolist() == [1.0, 2.0], "one machine in plain numbers"
    spare = stacked_with_spare(*parts)
    assert spare.shape == (4, 2, 4)
    np.testing.assert_array_equal(spare[..., :3], np.stack(parts))
    assert not spare[..., 3].any()
    assert stacked(np.zeros(2, dtype=complex)).dtype == complex


def test_columns_that_follow_each_other_are_a_slice_and_cost_no_copy():
    x = np.arange(10.0).reshape(2, 5)
    assert columns_of([1, 2, 3], np) == slice(1, 4)
    np.testing.assert_array_equal(taken(x, columns_of([1, 2, 3], np)), x[:, 1:4])
    np.testing.assert_array_equal(taken(x, columns_of([3, 1], np)), x[:, [3, 1]])
    np.testing.assert_array_equal(taken(x, columns_of([2, 2], np)), x[:, [2, 2]])
    assert taken(x, columns_of([], np)).shape == (2, 0)


def test_nothing_is_the_plain_number_zero():
    assert nothing(0.0)
    assert not nothing(np.zeros(1))
    assert not nothing(1.0)
