"""Cable against ohms and amperes by hand, and against the closed form of the overload element."""

import math

import pytest

from twin.equipment.cable import Cable

RUN = {"length": 500, "resistance": 1e-4, "reactance": 1.2e-4, "ampacity": 400, "nominal_voltage": 13.8e3}


def test_ohms_become_per_unit_and_amperes_power():
    cable = Cable(**RUN)
    z = cable.series(None, None)
    assert z * 13.8e3**2 == pytest.approx(0.05 + 0.06j, rel=1e-14)
    assert cable.rated_apparent == pytest.approx(math.sqrt(3) * 13.8e3 * 400, rel=1e-14)


def test_loss_and_current_by_hand(bench):
    """400 A through 0.05 ohm in three phases: 3 x 400^2 x 0.05 = 24 kW."""
    cable = Cable(**RUN)
    b = bench(cable)
    load = math.sqrt(3) * 13.8e3 * 400
    for _ in range(20):
        answer = b.tick(1.0, [(1.0, 0.0)], load=load)
    current = 400 / abs(answer.voltage)
    assert b.gives("current") == pytest.approx(current, rel=1e-12)
    assert b.gives("loss") == pytest.approx(3 * current**2 * 0.05, rel=1e-9)
    assert answer.power.imag == pytest.approx(3 * current**2 * 0.06, rel=1e-12)
    assert b.gives("load_fraction") == pytest.approx(1 / abs(answer.voltage), rel=1e-12)
    assert abs(1 - answer.voltage) == pytest.approx(
        current * math.hypot(0.05, 0.06) / (13.8e3 / math.sqrt(3)), rel=1e-9
    )
    assert b.worst < 1e-12


def test_an_idle_cable_gives_its_charging_power_and_lifts_its_far_end(bench):
    """Q = w C V^2 of the whole run, less what the charging current takes in the reactance."""
    cable = Cable(**RUN, capacitance=3e-10)
    b = bench(cable)
    for _ in range(20):
        answer = b.tick(1.0, [(1.0, 0.0)])
    charging = 2 * math.pi * 60 * 3e-10 * 500 * 13.8e3**2
    assert answer.power.imag == pytest.approx(-charging, rel=1e-4)
    assert abs(answer.voltage) > 1.0
    assert b.worst < 1e-12


def test_a_cut_cable_is_dead_and_says_so(bench):
    b = bench(Cable(**RUN))
    b.tick(1.0, [(1.0, 0.0)], load=1e6)
    b.set(cut=1.0)
    answer = b.tick(1.0, [(1.0, 0.0)], load=1e6)
    assert (answer.voltage, answer.gap, answer.power) == (0, 1.0, 0)
    assert b.is_("severed") == 1
    assert b.is_("severed_at") == 1.0
    b.set(cut=0.0)
    assert b.tick(1.0, [(1.0, 0.0)], load=1e6).power.real > 1e6
    assert b.is_("severed") == 0


@pytest.mark.parametrize("dt", [60.0, 1.0])
def test_overload_shows_at_the_moment_of_the_closed_form(bench, dt):
    stiff = RUN | {"resistance": 0, "reactance": 1e-12, "thermal_time_constant": 600}
    b = bench(Cable(**stiff))
    while not b.is_("overloaded"):
        b.tick(dt, [(1, 0.0)], load=1.5 * math.sqrt(3) * 13.8e3 * 400)
    assert b.is_("overloaded_at") == pytest.approx(600 * math.log(2.25 / 1.25), rel=1e-6)
