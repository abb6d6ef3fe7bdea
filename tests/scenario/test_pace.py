"""Pace: a run that ticks too slowly for what it sets off is refused with the constant it would miss."""

from __future__ import annotations

import pytest

from tests.small_plants import CDU, RACK, add, chain
from twin.scenario import Change, RunSettings, Zoom
from twin.scenario.operations import Operations, Procedure, Step
from twin.scenario.pace import slow_hands, slow_ticks, stops, tick_after

DIES = 72 * (150 + 450) * (361.15 - 343.15) / (0.72 * 135e3)
"""Dies and plates of one rack from 70 to 88 degC at 97.2 kW: 8 s."""
COOLANT = CDU["technology_volume"] / CDU["nominal_flow"]


def lost(input="duty_pump_failed", unit="cdu", at=60.0, value=1.0, verb="fail"):
    return Change(at, unit, input, value, verb=verb)


def test_a_pump_loss_wants_five_ticks_before_a_die_throttles():
    """8 s / 5 = 1.6 s: a tick of 2 s is refused with the whole sentence, one of 1.6 s is not."""
    assert abs(DIES - 8.0) < 1e-9
    assert slow_ticks(chain(), RunSettings(600.0, 2.0), [lost()]) == [
        "a tick of 2 s is too long for what cdu.duty_pump_failed sets off at 60 s: rack-1 has a time constant of 8 s "
        "(its dies warm from working temperature to throttling without flow); a tick of at most 1.6 s is wanted, "
        "or a zoom from 60 s for at least 8 s"
    ]
    assert slow_ticks(chain(), RunSettings(600.0, 1.6), [lost()]) == []


def test_a_zoom_over_the_moment_makes_it_good():
    coarse = RunSettings(600.0, 10.0, [Zoom(60.0, 8.0, 1.0)])
    assert slow_ticks(chain(), coarse, [lost()]) == []
    for zoom in (Zoom(60.0, 7.0, 1.0), Zoom(61.0, 20.0, 1.0), Zoom(0.0, 30.0, 1.0), Zoom(55.0, 20.0, 2.0)):
        (sentence,) = slow_ticks(chain(), RunSettings(600.0, 10.0, [zoom]), [lost()])
        assert "rack-1 has a time constant of 8 s" in sentence


def test_a_zoom_to_the_end_of_the_run_is_long_enough():
    assert slow_ticks(chain(), RunSettings(64.0, 10.0, [Zoom(60.0, 4.0, 1.0)]), [lost()]) == []


def test_a_chiller_loss_wants_five_ticks_in_one_exchange_of_the_technology_coolant():
    """1 m3 at 20 L/s: 50 s, so ticks of at most 10 s."""
    off = lost("in_service", "chiller", value=0.0, verb="set")
    assert abs(COOLANT - 50.0) < 1e-9
    assert slow_ticks(chain(), RunSettings(3600.0, 10.0), [off]) == []
    (sentence,) = slow_ticks(chain(), RunSettings(3600.0, 12.0), [off])
    assert sentence == (
        "a tick of 12 s is too long for what chiller.in_service sets off at 60 s: cdu has a time constant of 50 s "
        "(its technology coolant is exchanged once); a tick of at most 10 s is wanted, or a zoom from 60 s for "
        "at least 50 s"
    )


def test_a_pump_of_another_loop_only_warms_the_water():
    """That of the facility loop: one exchange of the technology coolant, 50 s, as with the chiller."""
    stands = lost("in_service", "pump", value=0.0)
    assert slow_ticks(chain(), RunSettings(3600.0, 10.0), [stands]) == []
    (sentence,) = slow_ticks(chain(), RunSettings(3600.0, 12.0), [stands])
    assert "cdu has a time constant of 50 s" in sentence
    assert "cdu has" in slow_ticks(chain(), RunSettings(3600.0, 12.0), [lost("valve_stuck", "pump")])[0]


def test_one_sentence_for_each_kind_of_upset():
    off = lost("in_service", "chiller", value=0.0, verb="set")
    found = slow_ticks(chain(), RunSettings(3600.0, 30.0), [lost(), lost(at=90.0), off])
    assert len(found) == 2
    assert "rack-1 has a time constant" in found[0]
    assert "cdu has a time constant" in found[1]


def test_the_fastest_unit_counts():
    plant = chain()
    plant.units["rack-3"].parameters["die_heat_capacity"] = 50.0
    (sentence,) = slow_ticks(plant, RunSettings(600.0, 2.0), [lost()])
    assert "rack-3 has a time constant of 6.67 s" in sentence


def test_what_takes_nothing_away_may_tick_slowly():
    """Restoring, setpoints, load, weather: no upset."""
    calm = [
        lost("utilisation", "rack-1", value=0.2, verb="set"),
        lost("in_service", "chiller", value=1.0, verb="set"),
        lost("supply_setpoint", "cdu", value=315.0, verb="ramp"),
        lost("dry_bulb", "site", value=310.0, verb="ramp"),
        lost("mode", "cdu", value=2.0, verb="set"),
    ]
    assert slow_ticks(chain(), RunSettings(3600.0, 300.0), calm) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lost(), True),
        (lost("in_service", value=0.0, verb="set"), True),
        (lost("closed", "b", value=0.0, verb="set"), True),
        (lost("mode", value=0.0, verb="set"), True),
        (lost("mode", value=3.0, verb="set"), True),
        (lost("mode", value=1.0, verb="set"), False),
        (lost("mode", value=4.0, verb="set"), False),
        (lost("in_service", value=1.0, verb="set"), False),
        (lost("hand_valve", value=0.0, verb="set"), False),
    ],
)
def test_what_counts_as_an_upset(change, expected):
    assert stops(change) is expected


def test_the_tick_that_counts_is_the_longest_over_the_whole_time():
    run = RunSettings(100.0, 10.0, [Zoom(10.0, 5.0, 0.1), Zoom(50.0, 50.0, 0.5)])
    assert [tick_after(run, t, 4.0) for t in (0.0, 10.0, 11.0, 12.0, 50.0, 99.0)] == [10.0, 0.1, 0.1, 10.0, 0.5, 0.5]


def test_a_rack_of_the_tests_is_what_the_sentences_speak_of():
    assert (RACK["throttle_temperature"], RACK["die_heat_capacity"], RACK["plate_heat_capacity"]) == (361.15, 150, 450)


SCENARIO = """\
title: Pumps lost
plant: pod
run: {duration: 2 min, tick: 5 s%s}
weather: {dry_bulb: 30 degC, relative_humidity: 30 %%}
events: [{at: 30 s, fail: cdu.duty_pump_failed}]
"""


def test_a_scenario_that_ticks_too_slowly_is_refused_on_reading_with_the_line_of_its_run(faults):
    (sentence,) = faults(SCENARIO % "")
    assert sentence.startswith("try.yaml:3: run: a tick of 5 s is too long for what cdu-1.duty_pump_failed sets off")
    assert "has a time constant of" in sentence
    assert "(its dies warm from working temperature to throttling without flow)" in sentence


def test_the_same_scenario_with_a_zoom_is_read(faults):
    assert faults(SCENARIO % ", zoom: [{at: 30 s, for: 30 s, tick: 100 ms}]") == []


def shorted(at=60.0, value=1.0, verb="fault"):
    return Change(at, "board", "short_circuit", value, verb=verb)


def guarded():
    plant = chain()
    add(plant, "breaker", "breaker", ("board",), rated_power=1e6)
    return plant


def test_a_short_circuit_wants_ticks_that_tell_breakers_apart():
    (sentence,) = slow_ticks(guarded(), RunSettings(600.0, 0.05), [shorted()])
    assert sentence == (
        "a tick of 0.05 s is too long for what board.short_circuit sets off at 60 s: breaker has a time constant of "
        "0.05 s (its protection answers a short circuit); a tick of at most 0.01 s is wanted, or a zoom from 60 s for "
        "at least 1 s"
    )
    assert slow_ticks(guarded(), RunSettings(600.0, 0.05, [Zoom(60.0, 1.0, 0.01)]), [shorted()]) == []
    assert slow_ticks(guarded(), RunSettings(600.0, 0.05, [Zoom(60.0, 0.9, 0.01)]), [shorted()]) != []


def test_a_short_circuit_that_ends_wants_them_while_it_lasts():
    ends = shorted(60.2, 0.0, "restore")
    assert slow_ticks(guarded(), RunSettings(600.0, 0.05, [Zoom(60.0, 0.2, 0.01)]), [shorted(), ends]) == []


def test_without_breakers_nothing_has_to_be_told_apart():
    assert slow_ticks(chain(), RunSettings(600.0, 0.05), [shorted()]) == []


def test_what_people_may_stop_at_a_tick_too_long_is_a_doubt():
    off = Step("set", "cdu.mode to off", rows=(("cdu", "mode", 0.0),))
    procedure = Procedure("isolate", "hands", (), 60.0, None, 1, "high", (off,))
    (doubt,) = slow_hands(chain(), RunSettings(600.0, 2.0), Operations(procedures={"isolate": procedure}))
    assert doubt == (
        "a tick of 2 s may be too long for what cdu.mode sets off in procedure isolate: rack-1 has a time constant of "
        "8 s (its dies warm from working temperature to throttling without flow); a tick of at most 1.6 s sees it"
    )
    assert list(slow_hands(chain(), RunSettings(600.0, 1.6), Operations(procedures={"isolate": procedure}))) == []
