"""Collectives: by hand, against NCCL tests' bound, and what a step pays for a fabric that lost a part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics import collective as c

NVLINK, PORT = (900e9, 2e-6), (50e9, 5e-6)


def test_a_ring_of_four_by_hand():
    """Six steps of a quarter each: 6 us and 1.5 GB over 50 GB/s."""
    assert c.ring_all_reduce(1e9, 4, 50e9, 1e-6) == pytest.approx(6e-6 + 0.03)


def test_two_trees_of_sixteen_by_hand():
    assert c.tree_all_reduce(1e9, 16, 50e9, 1e-6) == pytest.approx(8e-6 + 0.04)
    assert c.tree_all_reduce(1e9, 1, 50e9, 1e-6) == 0.0


def test_a_tree_is_quicker_for_little_and_a_ring_for_much():
    little, much = (1e3, 128, *PORT), (1e10, 128, *PORT)
    assert c.tree_all_reduce(*little) < c.ring_all_reduce(*little) / 10
    assert c.ring_all_reduce(*much) < c.tree_all_reduce(*much)


@given(st.integers(2, 20000), st.floats(1e3, 1e12), st.floats(1e8, 1e13))
def test_without_latency_a_ring_has_the_bus_bandwidth_of_its_hardware(n, size, bandwidth):
    """NCCL tests' doc: busbw is that of the hardware's bottleneck, whatever the number of ranks."""
    laws = {"all_reduce": c.ring_all_reduce, "all_gather": c.reduce_scatter, "all_to_all": c.reduce_scatter}
    for name, law in laws.items():
        time = law(size, n, bandwidth, 0.0)
        assert c.bus_bandwidth(size, time, n, name) == pytest.approx(bandwidth, rel=1e-12)


def test_an_all_reduce_is_a_reduce_scatter_and_an_all_gather():
    both = 2 * c.reduce_scatter(3e9, 7, *PORT)
    assert c.ring_all_reduce(3e9, 7, *PORT) == pytest.approx(both, rel=1e-15)


def test_an_nvl72_over_eight_racks_by_hand():
    """7.2 GB: 2 x 71/72 of it over 900 GB/s, then 100 MB a GPU round eight racks over 50 GB/s."""
    near, far = 2 * (71 * 2e-6 + 71 / 72 * 7.2e9 / 900e9), 14 * 5e-6 + 1.75 * 1e8 / 50e9
    assert c.hierarchical_all_reduce(7.2e9, 8, 72, NVLINK, PORT) == pytest.approx(near + far, rel=1e-12)
    slow = c.hierarchical_all_reduce(7.2e9, 8, 72, NVLINK, PORT, np.array([1.0, 0.75]))
    assert slow[1] - slow[0] == pytest.approx(1.75 * 1e8 / 50e9 / 3, rel=1e-9)


def test_one_rack_needs_no_fabric():
    alone = c.hierarchical_all_reduce(1e9, 1, 72, NVLINK, PORT, 0.25)
    assert alone == pytest.approx(2 * c.reduce_scatter(1e9, 72, *NVLINK))


def test_an_all_to_all_is_as_slow_as_its_slower_way():
    """Of two racks with four GPUs: 3/8 of the buffer stays, 4/8 goes out."""
    time = c.hierarchical_all_to_all(8e9, 2, 4, (100e9, 0.0), (50e9, 0.0), 0.5)
    assert time == pytest.approx(4e9 / 25e9)
    inside = c.hierarchical_all_to_all(8e9, 2, 4, (1e9, 0.0), (50e9, 0.0))
    assert inside == pytest.approx(3.0)


def test_nvlink_is_the_published_1800_gigabytes_a_second_both_ways_and_a_tray_a_ninth_of_it():
    assert 2 * c.nvlink_bandwidth(0) == 1.8e12
    assert c.nvlink_bandwidth(2) / c.nvlink_bandwidth(0) == pytest.approx(8 / 9)
