"""Ticks from a tape: a run says the same bits as without one, through faults, and most of its ticks are played."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.test_step_paths import beginning, plant, put
from twin import model as compiled
from twin import replay
from twin.assets import drills_folder
from twin.declare import replace
from twin.replay import Replay
from twin.scenario import read
from twin.simulation import Simulation
from twin.step import step
from twin.tape import Recording, Untapeable

EVENTS = [
    (30, "rack-03", "utilisation", 1.0, 1),
    (60, "utility-a", "in_service", 0.0, None),
    (62, "gen-1", "fails_to_start", 1.0, 1),
    (120, "cdu-1", "duty_pump_failed", 1.0, 0),
    (150, "ch-1", "in_service", 0.0, None),
    (180, "utility-a", "in_service", 1.0, None),
]
TICKS = 240


class Doubting(Replay):
    """Works every tick out by the law too, and holds the tape to it."""

    ticks = 0

    def step(self, state: Any, inputs: Any, now: float, dt: float) -> Any:
        said, found = step(self.model, state, inputs, now, dt), super().step(state, inputs, now, dt)
        assert self._alike(said, found), f"at {now} s"
        self.ticks += 1
        return found


def test_members_through_faults_are_the_same_to_the_bit_and_mostly_played() -> None:
    model = compiled.compile(plant())
    asked, now = beginning()
    player = Doubting(model)
    for tick in range(TICKS):
        for when, *event in EVENTS:
            if when == tick:
                asked = put(model, asked, *event)
        now = player.step(now, asked, float(tick), 1.0)
    assert player.played > 0.25 * TICKS  # after each fault pumps, clocks and flags change for a while


@pytest.mark.parametrize("name", ["jobs-in-a-queue"])
def test_a_drill_is_the_same_to_the_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.simulation.Replay", Doubting)
    simulation = Simulation(read(drills_folder() / f"{name}.yaml"), device="cpu")
    simulation.run()
    assert isinstance(simulation.replay, Doubting)
    assert simulation.replay.played > 0.5 * simulation.replay.ticks
    assert simulation.replay.refusal is None


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(drills_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_drill_is_the_same_to_the_bit(path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.simulation.Replay", Doubting)
    simulation = Simulation(read(path), device="cpu")
    simulation.run()
    assert isinstance(simulation.replay, Doubting)
    assert simulation.replay.recorded > 0
    assert simulation.replay.refusal is None


def test_a_law_that_cannot_be_recorded_is_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says the same, and is tried again ever more seldom."""
    model = compiled.compile(plant())
    asked, now = beginning()
    before = [(t.machine, dict(t.machine._found)) for t in model.tables]

    def refused(*_: Any) -> None:
        asked_for.append(len(asked_for))
        float(Recording().leaf(np.ones(1)))  # type: ignore[arg-type]

    asked_for: list[int] = []
    monkeypatch.setattr(replay, "_Recorded", refused)
    player, one, other = Replay(model), now, now
    for tick in range(300):
        one, other = step(model, one, asked, float(tick), 1.0), player.step(other, asked, float(tick), 1.0)
    assert player._alike(one, other)
    assert player.played == player.recorded == 0
    assert isinstance(player.refusal, Untapeable)
    assert 1 <= len(asked_for) <= 12  # at first every few ticks, then every hundred
    assert all(machine._found.keys() >= found.keys() for machine, found in before)


def test_a_tape_that_errs_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tape takes to be fixed and is not shows in the tick after it was recorded."""
    model = compiled.compile(plant())
    asked, now = beginning()
    honest = step

    def biased(model: Any, state: Any, inputs: Any, when: Any, dt: Any) -> Any:
        new = honest(model, state, inputs, when, dt)
        new.stored = new.stored + (float(when) if type(when) is float else 4.0)
        return new

    monkeypatch.setattr(replay, "step", biased)
    player = Replay(model)
    for tick in range(12):
        now = player.step(now, asked, float(tick), 1.0)
    assert player.recorded > 0
    assert player.played == 0


def test_an_input_of_another_type_or_shape_leaves_the_tape() -> None:
    """A tape was recorded for what its arrays were; whole kelvin must not cut those that are not."""
    model = compiled.compile(plant())
    asked, now = beginning()
    player = Doubting(model)
    for tick in range(60):
        whole = np.full((3, 1), 300 + tick % 3)
        weather = whole if tick < 30 else whole + 0.9
        asked = asked | {"site": replace(asked["site"], dry_bulb=weather)}
        now = player.step(now, asked, float(tick), 1.0)
    assert player.played > 0
