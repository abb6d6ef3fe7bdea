"""Driven: what every kind with a motor declares alike, the panel between its machine and its supply."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import Equipment, Ports, Real, flag, mode, quantity, table
from twin.physics.drive import Hold, Run, held, restart, steady, whole
from twin.physics.supply import latched
from twin.units import YES_NO

CLOSED, OPEN, LAST, MINIMUM = 0.0, 1.0, 2.0, 3.0
"""What a valve or drive does without its controller, as it is declared by word."""
ACTIONS = {"closed": CLOSED, "open": OPEN, "last": LAST, "minimum": MINIMUM}


STOPS = (
    "it lost its supply",
    "in_service: it was taken out of service",
    "mode: its switch was turned",
    "tripped: its panel dropped out",
    "stopped: its controller is lost",
    "told: it was told to stand by",
)
"""Why a machine stops, by what led to it."""


def without_panel() -> Any:
    """The flag of a machine whose control panel is lost; it may go on as it was."""
    return flag("is without control", "is controlled again", because="its control panel is lost", via="signal")


def left_alone(s: Any, port: Ports) -> dict[str, Real]:
    """Whether a machine is without control, as its ear has it; nothing where it has none."""
    told = port.signal.get("uncontrolled")
    if told is None:
        return {}
    lost, at = latched(told > 0, s.uncontrolled, s.uncontrolled_at, port.now)
    return {"uncontrolled": lost, "uncontrolled_at": at}


class Drive(NamedTuple):
    """The tick of one machine: how its panel holds (None: all do), how far it is up, whether all are so in full.

    valve: where a valve of its own is at the tick's end and on average over it [1]; None where none moves.
    """

    hold: Hold | None
    run: Run
    at_full: bool
    valve: tuple[Real, Real] | None = None

    @property
    def readiness(self) -> Real:
        """Share of its output that it can give in this tick [1]."""
        return self.run.readiness


@table
class Driven(Equipment):
    """A machine behind a contactor, a drive or a control panel.

    Its panel drops out when the supply has been below `undervoltage_limit`, or dead, for longer than
    `undervoltage_delay`. The machine then stops as it does when switched off. With `auto_restart` it comes
    back `restart_delay` after the supply is good again, else when `reset` is raised. Units with different
    delays restart in stages. Speed of motors on the line does not follow the frequency, and frequency drops no
    contactor out.
    """

    restart_delay: Real = quantity("s", "time from supply to first output", default=0.0, at_least=0)
    ramp_time: Real = quantity("s", "time from first to full output", default=0.0, at_least=0)
    undervoltage_limit: Real = quantity(
        "1", "supply voltage below which its panel drops out, of nominal; 0: only without supply",
        default=0.0, at_least=0, below=1,
    )  # fmt: skip
    undervoltage_delay: Real = quantity(
        "s", "time of low or no supply that its panel rides through", default=0.0, at_least=0, at_most=60
    )
    auto_restart: Real = quantity(
        "1", "1 starts again when its supply is good, 0 stays off until reset", default=1.0, choices=YES_NO
    )
    without_control: Real = quantity(
        "1", "what it does while its control panel is lost: it goes on as it was (last), or stops (closed)",
        default=LAST, choices={"closed": CLOSED, "last": LAST},
    )  # fmt: skip

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 runs, 0 is out of service", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        reset: Real = quantity("1", "raised to 1, clears a latched trip", default=0.0, at_least=0, at_most=1)
        fails_to_restart: Real = quantity("1", "1: once dropped out it stays off", default=0.0, failure=True)

    @table
    class State:
        run_clock: Real = quantity("s", "time it has been allowed to run", default=1e9)
        low_for: Real = quantity("s", "time its supply has been low or dead", default=0.0)
        reset_seen: Real = quantity("1", "the reset as it was", default=0.0)
        tripped: Real = flag(
            "trips on undervoltage",
            "is free to run again",
            because="its supply was gone or below {undervoltage_limit} for more than {undervoltage_delay}",
            via="power",
        )

    def hold(self, s: Any, u: Any, port: Ports, dt: Real) -> Hold | None:
        """How the panels take this tick's supply; None where all are good and none was low or tripped before."""
        if (
            self.once(_is_clear, s.low_for, s.tripped)
            and not worth_doing(port.gap)
            and not (self._limited and worth_doing(abs(port.voltage) < self.undervoltage_limit))
        ):
            return None
        limit, delay = self.undervoltage_limit, self.undervoltage_delay
        return held(s.low_for, port.voltage, port.gap, limit, delay, self._latches(u), dt)

    @cached_property
    def _limited(self) -> bool:
        """Whether any panel drops out on a supply that is low but not dead."""
        return worth_doing(self.undervoltage_limit)

    def _latches(self, u: Any) -> Real:
        """Whether a panel that drops out stays so when its supply is good again."""
        return (self.auto_restart == 0) | (u.fails_to_restart > 0)

    def runs(self, s: Any, u: Any, hold: Hold | None) -> Real:
        """1 where a machine is asked to run and no trip keeps it off."""
        asked = self.asked(u)
        return asked if hold is None else asked * (1.0 - self._locked(s, u))

    def _locked(self, s: Any, u: Any) -> Real:
        """1 where a trip stays until it is reset."""
        waits = (self.auto_restart == 0) & (u.reset <= s.reset_seen)
        return s.tripped * (waits | (u.fails_to_restart > 0))

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        return self.drive(s, u, port, self.ramp_time, dt)

    def drive(self, s: Any, u: Any, port: Ports, rise: Real, dt: Real, allowed: Real | None = None) -> Drive:
        """The tick of a machine that gives its full output `rise` after its first [s], where `allowed` (None: all)."""
        hold = self.hold(s, u, port, dt)
        runs = self.runs(s, u, hold)
        told = port.signal.get("standby")
        if told is not None and worth_doing(told):
            runs = runs * (told <= 0)
        if allowed is not None:
            runs = runs * allowed
        told = port.signal.get("uncontrolled")
        if told is not None and worth_doing(told):
            runs = runs * (1.0 - (told > 0) * (self.without_control == CLOSED))
        if hold is None and self.once(_at_full, s.run_clock, runs, self.restart_delay, rise):
            return Drive(None, steady(s.run_clock, runs, dt), True)
        return Drive(hold, restart(s.run_clock, runs, hold or whole(dt), self.restart_delay, rise, dt), False)

    def panel(
        self, s: Any, u: Any, port: Ports, hold: Hold | None, ready: Real, began: Callable[[], Real]
    ) -> dict[str, Real]:
        """What a panel remembers after a tick.

        Args:
            hold: how it took the supply.
            ready: mean readiness of its machine [1].
            began: says when the machine first gave output, where it is ready [s from the tick's start].
        """
        if hold is None:
            return self._seen(s, u, port)
        xp = library_of(s.tripped)
        latches, locked = self._latches(u), self._locked(s, u)
        asked = self.asked(u)
        kept = xp.where(self.auto_restart == 0, locked, xp.maximum(locked, s.tripped * asked))
        trips = hold.drops * asked * ((self.undervoltage_limit > 0) | latches)
        stays = latches | (hold.out > 0) | (ready <= 0)
        tripped, at = latched(
            xp.maximum(kept, trips) * stays,
            s.tripped,
            s.tripped_at,
            lambda: port.now + xp.where(s.tripped > 0, began() * ((ready > 0) & (latches == 0)), hold.drops_after),
        )
        return {"low_for": hold.low_for, "tripped": tripped, "tripped_at": at} | self._seen(s, u, port)

    def _seen(self, s: Any, u: Any, port: Ports) -> dict[str, Real]:
        return {"reset_seen": self.once(_copied, u.reset)} | left_alone(s, port)

    def remembered(self, s: Any, u: Any, port: Ports, needed: Real) -> dict[str, Real]:
        """State of a machine and its panel after a tick; it counts as stopped until its clock is at `needed` [s]."""
        hold, run, at_full, _ = port.drive
        if at_full:
            return self._seen(s, u, port)
        panel = self.panel(s, u, port, hold, run.readiness, lambda: run.moment_of(self.restart_delay))
        stopped, at = latched(run.clock < needed, s.stopped, s.stopped_at, lambda: port.now + run.moment_of(needed))
        return panel | {"run_clock": run.clock, "stopped": stopped, "stopped_at": at}


def _is_clear(low_for: Real, tripped: Real) -> bool:
    """Whether no supply was low and none is tripped."""
    return not worth_doing(low_for + tripped)


def _at_full(clock: Real, runs: Real, delay: Real, rise: Real) -> bool:
    """Whether all run at full readiness."""
    return not worth_doing((clock != delay + rise) | (runs != 1))


def _copied(reset: Real) -> Real:
    return reset + 0.0
