"""Reading: what a trace says at a moment, and what is said when it cannot say it."""

from __future__ import annotations

import pytest

from twin.trace import Trace, open_trace
from twin.view.colours import LOST, STRAINED
from twin.view.reading import BadWish, dead_sources, key_figures, read_moment, targets

BODIES = {"rack", "cdu", "ups"}


def test_a_moment_is_the_last_row_not_after_it(trace: Trace) -> None:
    assert read_moment(trace, 10.4).time == pytest.approx(10.0)
    assert read_moment(trace, None).time == pytest.approx(40.0)


@pytest.mark.parametrize("at", [-1.0, 41.0, 1e9])
def test_a_moment_outside_the_trace_is_a_sentence(trace: Trace, at: float) -> None:
    with pytest.raises(BadWish, match=r"lies outside it; the trace holds 0 s to 40 s"):
        read_moment(trace, at)


@pytest.mark.parametrize(
    ("colour", "advice"),
    [
        ("rack.die_temprature", 'did you mean "rack.die_temperature"'),
        ("rack.power_limt", 'did you mean "rack.power_limit"'),
        ("rck.power", 'did you mean "rack.power"'),
        ("site.pue", "the site as a whole has no body to colour"),
        ("", "is wanted"),
    ],
)
def test_a_quantity_that_is_not_there_names_the_nearest(trace: Trace, colour: str, advice: str) -> None:
    with pytest.raises(BadWish, match=f"^[^ ]*pumps-lost.h5: .*{advice}"):
        targets(trace, colour, BODIES, "hall")


def test_a_quantity_alone_colours_every_kind_that_has_it(trace: Trace) -> None:
    assert {kind for kind, _ in targets(trace, "power", BODIES, "hall")} == {"rack", "cdu", "ups"}
    with pytest.raises(BadWish, match='look "power" shows no rack'):
        targets(trace, "rack.power", {"ups"}, "power")


def test_conditions_follow_the_drill(trace: Trace) -> None:
    before = read_moment(trace, 4.0).conditions()
    assert not before, "a board that hangs on standing generators alone is not a finding"
    after = read_moment(trace, None).conditions()
    racks = [after[f"rack-{i:02d}"] for i in range(1, 9)]
    assert {(how.state, how.word) for how in racks} == {(LOST, "shut down")}
    assert after["cdu-1"].state == LOST
    throttled = next(event.time for event in trace.events if event.flag == "throttled")
    hot = read_moment(trace, throttled + 1.0).conditions()
    assert hot["rack-01"].state == STRAINED


def test_key_figures_count_what_is_at_work(trace: Trace) -> None:
    reading = read_moment(trace, None)
    figures = dict(key_figures(reading, reading.conditions()))
    assert figures["racks at work"] == "0 of 8"
    assert figures["outdoors"] == "30.0 °C"
    assert "PUE" not in figures, "no share of nothing"


def test_the_pue_of_a_moment_says_when_batteries_are_charged(drilled) -> None:
    """Before the line is lost nothing is charged; from 22:00 on cells take back what they gave."""
    with open_trace(drilled("black-building")[0]) as found:
        said = [dict(key_figures(read_moment(found, at), {})) for at in (30.0, 1500.0)]
    assert ["PUE with charging" in each for each in said] == [False, True]
    assert ["PUE" in each for each in said] == [True, False]


def test_dead_sources_are_those_without_a_live_feed(trace: Trace) -> None:
    dead = dead_sources(trace.plant, read_moment(trace, 4.0).conditions())
    kinds = {trace.plant.units[name].kind for name in dead}
    assert kinds <= {"generator", "bus"}
    assert any(trace.plant.units[name].kind == "generator" for name in dead)
    assert not any(trace.plant.units[name].kind == "ups" for name in dead)
