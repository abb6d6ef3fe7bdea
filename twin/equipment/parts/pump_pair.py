"""A pair of pumps, duty and standby, behind one panel: at a speed asked for, or at a pressure between the headers."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, flag, quantity, table
from twin.driven import ACTIONS, CLOSED, LAST, MINIMUM, OPEN
from twin.equipment.parts.suction import Suction
from twin.physics import control, hydraulic
from twin.physics.drive import Hold, Run, restart, steady, whole
from twin.physics.electric import apparent
from twin.physics.supply import latched

SLOWEST = 0.05
"""Below this share of full speed a pump counts as stopped."""
LOST_SPEED = 0.1
"""Below this share of full speed the pumps count as lost."""
STEADY = 1e-5
"""A valve or speed that would move by less [1] stands, in a tick that is gone through again."""


class Pumps(NamedTuple):
    """The two pumps and the valve over a tick.

    hold: their panel; *_run: how far each is up; duty, standby: their courses; mean_speed: of the faster; lost: 1 where
    the controller is lost, None where none is; valve: mean opening; stands, spins: where the valve and the speed asked
    stand at the end, each with its integral, once that was found in a long tick.
    """

    hold: Hold | None
    duty_run: Run
    standby_run: Run
    duty: hydraulic.Turn
    standby: hydraulic.Turn
    mean_speed: Real
    lost: Real | None = None
    valve: Real = 1.0
    stands: control.Asked | None = None
    spins: control.Asked | None = None

    @property
    def driven(self) -> Real:
        """Share of the tick in which one is driven [1]."""
        return self.duty_run.readiness + self.standby_run.readiness

    def began(self, duty_delay: Real, standby_delay: Real) -> Real:
        """When the first of them was driven, where one is [s from the tick's start]."""
        first = self.duty_run.moment_of(duty_delay)
        return library_of(first).where(self.duty_run.readiness > 0, first, self.standby_run.moment_of(standby_delay))

    def moment_lost(self, lost: Real, half_time: Real, full_time: Real) -> Real:
        """When the faster pump came down to, or up over, the least speed [s from the tick's start]."""
        duty, standby = self.duty, self.standby
        xp = library_of(duty.end)
        leads = xp.where(lost, duty.start >= standby.start, duty.end >= standby.end)
        moments = (pump.moment_of(LOST_SPEED, half_time, full_time) for pump in (duty, standby))
        return xp.where(leads, *moments)


@table
class PumpPair(Suction):
    """Two pumps of which one runs; the faster carries the flow, the other's check valve is shut.

    With a `pressure_setpoint` their speed follows a PI law on the pressure of supply over return header, within its
    limits. The setpoint falls with the unit's own flow (`pressure_droop`), so that units on shared headers share alike.
    """

    nominal_flow: Real = quantity("m^3/s", "technology flow at the duty point", above=0, at_most=10)
    nominal_head: Real = quantity("Pa", "external pressure at the duty point", above=0, at_most=5e6)
    shutoff_head: Real = quantity("Pa", "external pressure at no flow", above=0, at_most=1e7)
    pump_power: Real = quantity("W", "electric power at the duty point, with controls", above=0, at_most=1e6)
    coast_time: Real = quantity("s", "time to half speed without power", default=2.0, above=0)
    ramp_time: Real = quantity("s", "time from standstill to full speed", default=5.0, above=0)
    restart_delay: Real = quantity("s", "time from supply to the first turn", default=10.0, at_least=0)
    standby_delay: Real = quantity(
        "s", "time from the duty pump's loss to the standby's first turn", default=3.0, at_least=0
    )
    power_factor: Real = quantity("1", "power factor of the drives", default=0.95, above=0, at_most=1)
    curve_share: Real = quantity(
        "1", "share of the fall of head from no flow to nominal that goes in proportion to flow",
        default=0.02, above=0, at_most=1,
    )  # fmt: skip
    least_speed: Real = quantity("1", "lowest speed of its drives in control", default=0.3, above=0, at_most=1)
    most_speed: Real = quantity("1", "highest speed of its drives in control", default=1.0, above=0, at_most=1.2)
    pressure_gain: Real = quantity("1", "speed per pressure missing, of its setpoint", default=0.3, above=0, at_most=10)
    pressure_reset_time: Real = quantity("s", "integral time of the pressure control", default=5.0, above=0)
    pressure_droop: Real = quantity(
        "1", "by how much the setpoint falls to nominal flow, of itself", default=0.10, at_least=0, at_most=0.5
    )
    without_control: Real = quantity(
        "1", "what its drives do while control is lost: stop (closed), full speed (open), as they were, least speed",
        default=LAST, choices=ACTIONS,
    )  # fmt: skip

    @table
    class Inputs(Suction.Inputs):
        pump_speed: Real = quantity("1", "speed asked of the running pump", default=1.0, at_least=0, at_most=1.2)
        pressure_setpoint: Real = quantity(
            "Pa", "pressure of supply over return wanted; 0: the speed asked", default=0.0, at_least=0, at_most=5e6
        )
        duty_pump_failed: Real = quantity("1", "1: the duty pump is lost", default=0.0, failure=True)
        standby_pump_failed: Real = quantity(
            "1", "1: the standby pump is stuck and will not start", default=0.0, failure=True
        )
        controller_failed: Real = quantity("1", "1: its controller is lost", default=0.0, failure=True)

    @table
    class State(Suction.State):
        duty_speed: Real = quantity("1", "speed of the duty pump", default=1.0)
        standby_speed: Real = quantity("1", "speed of the standby pump", default=0.0)
        speed_asked: Real = quantity("1", "speed that pressure control asks for", default=1.0)
        speed_integral: Real = quantity("1", "integral part of the pressure control", default=1.0)
        run_clock: Real = quantity("s", "time the duty pump has been allowed to run", default=1e9)
        standby_clock: Real = quantity("s", "time the standby pump has been called", default=0.0)
        standby_running: Real = flag(
            "starts its standby pump", "stops its standby pump", because="its duty pump is lost"
        )
        pumps_lost: Real = flag(
            "loses its technology flow", "has technology flow again", because="no pump turns", via="power"
        )
        uncontrolled: Real = flag(
            "is without control", "is controlled again",
            because=("its control panel is lost", "controller_failed: its controller failed"), via="signal",
        )  # fmt: skip

    def nominal_power(self) -> Real:
        return self.pump_power

    def uncontrolled_now(self, u: Any, port: Ports) -> Real | None:
        """1 where the controller is lost, None where none is."""
        told = port.signal.get("uncontrolled")
        if not (worth_doing(u.controller_failed) or (told is not None and worth_doing(told))):
            return None
        lost = u.controller_failed > 0
        return (lost if told is None else lost | (told > 0)) * 1.0

    def paired(self, s: Any, u: Any, port: Ports, dt: Real) -> Pumps:
        """How the two pumps take this tick."""
        hold, lost = self.hold(s, u, port, dt), self.uncontrolled_now(u, port)
        runs = self.runs(s, u, hold)
        if lost is not None:
            runs = runs * (1.0 - lost * (self.without_control == CLOSED))
        duty, standby = self.once(_called, runs, u.duty_pump_failed, u.standby_pump_failed)
        if hold is None and self.once(self._stay, s.run_clock, duty, s.standby_clock, standby):
            duty_run, standby_run = steady(s.run_clock, duty, dt), steady(s.standby_clock, standby, dt)
        else:
            duty_run = restart(s.run_clock, duty, hold or whole(dt), self.restart_delay, 0.0, dt)
            standby_run = restart(s.standby_clock, standby, hold or whole(dt), self.standby_delay, 0.0, dt)
        speed = self._target(s, u, lost, s.speed_asked)
        turned = self._turned(s, speed, duty_run, standby_run, dt)
        return Pumps(hold, duty_run, standby_run, *turned, lost, s.valve, None, None)

    def _turned(
        self, s: Any, speed: Real, duty_run: Run, standby_run: Run, dt: Real
    ) -> tuple[hydraulic.Turn, hydraulic.Turn, Real]:
        """The courses that the pumps take to a speed asked of them, and the mean speed of the faster."""
        times = self.coast_time, self.ramp_time, dt
        one = hydraulic.turn(s.duty_speed, speed, duty_run.readiness, dt - duty_run.until, *times)
        other = hydraulic.turn(s.standby_speed, speed, standby_run.readiness, dt - standby_run.until, *times)
        return one, other, self.once(_faster, one.mean, other.mean)

    def _target(self, s: Any, u: Any, lost: Real | None, asked: Real) -> Real:
        """Speed asked of the running pump [1]."""
        if not worth_doing(u.pressure_setpoint) and lost is None:
            return u.pump_speed
        xp = library_of(u.pump_speed)
        speed = xp.where(u.pressure_setpoint > 0, asked, u.pump_speed)
        if lost is None:
            return speed
        acts = self.without_control
        otherwise = xp.where(acts == OPEN, 1.0, xp.where(acts == MINIMUM, self.least_speed, speed))
        return xp.where(lost > 0, otherwise, speed)

    def _stay(self, duty_clock: Real, duty: Real, standby_clock: Real, standby: Real) -> bool:
        """Whether all pumps that are called are up, and all others are not."""
        changes = (duty_clock != self.restart_delay * duty) | (standby_clock != self.standby_delay * standby)
        return not worth_doing(changes | (duty * (1.0 - duty) + standby * (1.0 - standby) != 0))

    def pump_branch(self, port: Ports, shut: Real) -> Branch:
        """The branch that the pumps drive, where `shut` is 1 behind valves that isolate it."""
        answer: Branch = self.once(self._pump_branch, port.drive.mean_speed, shut)
        return answer

    def _pump_branch(self, speed: Real, shut: Real) -> Branch:
        a, b = self.curve
        slope = a * library_of(speed).maximum(speed, hydraulic.LEAST_SPEED)
        if worth_doing(shut):
            factor = hydraulic.valve_resistance(1.0 - shut)
            slope, b = slope * factor, b * factor
        return Branch(speed * speed * self.shutoff_head, slope, b, check=1.0)

    def _affinity(self, speed: Real) -> hydraulic.Affinity:
        return hydraulic.affinity(speed, self.nominal_flow, self.pump_power)

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        power = hydraulic.pump_power(self.once(self._affinity, port.drive.mean_speed), port.flow["technology"])
        return port.drive.driven * power * self._apparent

    @cached_property
    def _apparent(self) -> Real:
        return apparent(self.power_factor)

    @cached_property
    def curve(self) -> tuple[Real, Real]:
        """How the pumps' head falls with flow [Pa s/m3], [Pa s2/m6]."""
        return hydraulic.resistance(self.shutoff_head - self.nominal_head, self.nominal_flow, self.curve_share)

    def spun(self, s: Any, u: Any, port: Ports, dt: Real) -> control.Asked | None:
        """Speed to ask for, and its integral part, by the pressure now; None where none is controlled.

            dp ~ n^2,   q ~ n

        as if all units of a group did the same.
        """
        if not worth_doing(u.pressure_setpoint):
            return None
        xp, drive = library_of(u.pressure_setpoint), port.drive
        setpoint, now = xp.maximum(u.pressure_setpoint, 1.0), xp.maximum(drive.mean_speed, self.least_speed)
        held, share = -port.pressure["technology"] / setpoint, port.flow["technology"] / self.nominal_flow

        def error_at(speed: Real) -> Real:
            faster = speed / now
            return 1.0 - self.pressure_droop * share * faster - held * faster * faster

        law = control.Law(self.pressure_gain, self.pressure_reset_time, self.least_speed, self.most_speed)
        asked = control.pi(law, s.speed_asked, s.speed_integral, error_at, 0.002, 1.0, dt)
        follows = (u.pressure_setpoint > 0) & (drive.driven > 0)
        if drive.lost is not None:
            follows = follows & (drive.lost == 0)
        return control.Asked(
            xp.where(follows, asked.output, s.speed_asked), xp.where(follows, asked.integral, s.speed_integral)
        )

    def respun(self, s: Any, u: Any, port: Ports, dt: Real) -> Real | None:
        """In a long tick: turn the pumps to where pressure control would have them; those whose speed moved."""
        spins, drive = self.spun(s, u, port, dt), port.drive
        if spins is None:
            return None
        xp, last = library_of(spins.output), drive.spins or control.Asked(s.speed_asked, s.speed_integral)
        moves = abs(spins.output - last.output) > STEADY
        asked = xp.where(moves, spins.output, last.output)
        speed = self._target(s, u, drive.lost, asked)
        one, other, mean = self._turned(s, speed, drive.duty_run, drive.standby_run, dt)
        spins = control.Asked(asked, spins.integral)
        port.drive = drive._replace(duty=one, standby=other, mean_speed=mean, spins=spins)
        return moves

    def after_pumps(self, s: Any, u: Any, port: Ports, dt: Real) -> dict[str, Real]:
        """State of the pumps and their panel after a tick."""
        drive: Pumps = port.drive
        times = (self.coast_time, self.ramp_time)
        running, running_at = latched(
            drive.standby.end > SLOWEST,
            s.standby_running,
            s.standby_running_at,
            lambda: port.now + drive.standby.moment_of(SLOWEST, *times),
        )
        fastest = self.once(_faster, drive.duty.end, drive.standby.end)
        is_lost = fastest < LOST_SPEED
        lost, lost_at = latched(
            is_lost, s.pumps_lost, s.pumps_lost_at, lambda: port.now + drive.moment_lost(is_lost, *times)
        )
        without = s.uncontrolled * 0.0 if drive.lost is None else drive.lost
        uncontrolled, uncontrolled_at = latched(without, s.uncontrolled, s.uncontrolled_at, port.now)
        after = {
            "duty_speed": drive.duty.end, "standby_speed": drive.standby.end, "run_clock": drive.duty_run.clock,
            "standby_clock": drive.standby_run.clock, "standby_running": running, "standby_running_at": running_at,
            "pumps_lost": lost, "pumps_lost_at": lost_at, "uncontrolled": uncontrolled,
            "uncontrolled_at": uncontrolled_at, **self.wet_side(s, u, port, "technology", fastest, dt),
        }  # fmt: skip
        spins = drive.spins or self.spun(s, u, port, dt)
        if spins is not None:
            after |= {"speed_asked": spins.output, "speed_integral": spins.integral}
        panel = self.panel(
            s, u, port, drive.hold, drive.driven, lambda: drive.began(self.restart_delay, self.standby_delay)
        )
        return panel | after


def _called(asked: Real, duty_failed: Real, standby_failed: Real) -> tuple[Real, Real]:
    """Which of the two pumps is to run: the duty pump while it is well, else the standby pump."""
    return asked * (1.0 - duty_failed), asked * duty_failed * (1.0 - standby_failed)


def _faster(one: Real, other: Real) -> Real:
    return library_of(one).maximum(one, other)
