"""Staging: how many machines a load wants, and who runs, by hand and by property."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.staging import chosen, wants_fewer, wants_more

MACHINES = 4
flags = st.lists(st.booleans(), min_size=MACHINES, max_size=MACHINES)


def pick(called, able, lead, wanted):
    rank = [np.array((k - lead) % MACHINES) for k in range(MACHINES)]
    ones = [[np.array(float(x)) for x in row] for row in (called, able)]
    return [int(x) for x in chosen(*ones, rank, np.array(float(wanted)))]


def test_the_thresholds_by_hand():
    """Two of 1 MW: more is wanted above 1.8 MW, fewer below 0.75 MW."""
    assert [bool(wants_more(load, 2.0, 1e6, 0.9)) for load in (1.79e6, 1.81e6)] == [False, True]
    assert [bool(wants_fewer(load, 2.0, 1e6, 0.75)) for load in (0.76e6, 0.74e6)] == [False, True]
    assert not wants_fewer(0.0, 0.0, 1e6, 0.75)


def test_who_runs_goes_on_and_the_next_in_order_joins():
    assert pick([0, 0, 0, 0], [1, 1, 1, 1], 1, 2) == [0, 1, 1, 0]
    assert pick([0, 1, 1, 0], [1, 1, 1, 1], 1, 3) == [0, 1, 1, 1]
    assert pick([0, 1, 1, 1], [1, 1, 1, 1], 1, 2) == [0, 1, 1, 0], "the last to join leaves"
    assert pick([0, 1, 1, 0], [1, 1, 0, 1], 1, 2) == [0, 1, 0, 1], "one that is lost is replaced"
    assert pick([0, 1, 0, 1], [1, 1, 1, 1], 1, 2) == [0, 1, 0, 1], "and when it comes back nothing swaps"


@given(flags, flags, st.integers(0, 3), st.integers(0, 5))
def test_as_many_run_as_are_wanted_and_able_and_nobody_starts_in_vain(called, able, lead, wanted):
    found = pick(called, able, lead, wanted)
    assert sum(found) == min(wanted, sum(able))
    assert all(can or not runs for can, runs in zip(able, found, strict=True))
    starts = sum(now and not was for now, was in zip(found, called, strict=True))
    stops = sum(was and can and not now for now, was, can in zip(found, called, able, strict=True))
    assert not (starts and stops), "none starts while another is released"
