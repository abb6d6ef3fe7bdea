"""Sags: the counter over a sliding window, and the ITIC curve at its corners."""

import numpy as np
import pytest

from twin.physics.sags import NEVER_YET, counts_full, itic_limits, itic_region, remembered


def locks_at(moments, count, window):
    """The first moment at which the counter is full, by the law; None where it never is."""
    history = [np.array(NEVER_YET)] * 4
    for moment in moments:
        if counts_full(tuple(history), np.array(moment), count, window):
            return moment
        history = remembered(tuple(history), np.array(True), np.array(moment))
    return None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_counter_equals_a_plain_count_in_a_sliding_window(count):
    random = np.random.default_rng(count)
    for _ in range(200):
        moments = np.sort(random.uniform(0, 300, 12))
        full = [m for k, m in enumerate(moments) if k + 1 >= count and m - moments[k + 1 - count] <= 60.0]
        assert locks_at(moments, float(count), 60.0) == (full[0] if full else None)


def test_three_in_a_minute_but_not_across_two():
    assert locks_at([0, 50, 70, 80], 3.0, 60.0) == 80
    assert locks_at([0, 50, 70, 131], 3.0, 60.0) is None
    assert locks_at([0, 30, 60], 3.0, 60.0) == 60


@pytest.mark.parametrize(
    ("voltage", "seconds", "region"),
    [
        (0.0, 0.02, "no interruption"), (0.0, 0.021, "no damage"), (0.7, 0.5, "no interruption"),
        (0.69, 0.5, "no damage"), (0.8, 10, "no interruption"), (0.79, 10, "no damage"), (0.9, 11, "no interruption"),
        (0.89, 11, "no damage"), (1.1, 1e4, "no interruption"), (1.11, 1, "prohibited"), (1.2, 0.5, "no interruption"),
        (1.21, 0.4, "prohibited"), (1.4, 0.003, "no interruption"), (2.0, 0.001, "no interruption"),
        (2.1, 0.001, "prohibited"),
    ],
)  # fmt: skip
def test_the_corners_of_the_itic_curve(voltage, seconds, region):
    assert itic_region(voltage, seconds) == region


def test_limits_of_a_sag_of_60_ms():
    assert itic_limits(0.06) == (0.7, 1.2)
