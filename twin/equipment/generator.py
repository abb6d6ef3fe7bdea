"""Generator: a diesel set that starts on request, closes on its bus and takes load in steps."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics.electric import NEVER, relaxed
from twin.physics.shedding import age_while
from twin.physics.supply import TINY, latched

LEAST_FUEL = 1e-12
"""Fuel flow [m3/s] that stands for none where time left is fuel over flow."""


class Course(NamedTuple):
    """The tick of the set; moments and times count from its start [s]."""

    wanted: Real
    asked: Real
    run_before: Real
    turns: Real
    turned: Real
    ready_after: Real
    closes_after: Real
    fuel_after: Real
    overload_after: Real
    alive: Real
    closed: Real


@table
class Generator(Equipment):
    """An engine and alternator at constant speed and voltage, with the logic that brings them on the bus.

    Asked for, it cranks and is ready after `start_delay`; a set that fails to start gives up after its crank
    attempts. Ready sets close on a dead bus one after the other (`closing_order`), on a live one after
    `synchronising_time`. It takes at most `block_step` of its rating at once above the load that it has
    settled on, and trips beyond that, or when overloaded for too long; a set that closes on a live bus is
    loaded softly. What it has settled on follows the load a tick late, so that no tick hides a step. Two
    sets whose turns on a dead bus fall within one tick both close. Frequency and voltage dips, reactive
    limits and refuelling are left out.
    """

    kind = "generator"
    disturbs = ("power", "flow")
    source = True
    serves = True
    signals = ("start",)

    rated_power: Real = quantity("W", "standby rating", above=0, at_most=1e8)
    fuel_tank: Real = quantity("m^3", "fuel in the full tank", above=0, at_most=1e4)
    full_load_fuel: Real = quantity("m^3/s", "fuel burnt at rated power", above=0, at_most=0.01)
    idle_fuel: Real = quantity("m^3/s", "fuel burnt without load", at_least=0, at_most=0.001)
    closing_order: Real = quantity(
        "1", "its turn to close on a dead bus, from 0", default=0.0, at_least=0, at_most=1000
    )
    arbitration_interval: Real = quantity("s", "time between turns", default=1.0, at_least=0, at_most=600)
    synchronising_time: Real = quantity(
        "s", "time from ready to closed on a live bus", default=5.0, at_least=0, at_most=600
    )
    block_step: Real = quantity("1", "largest step of load, of rating", default=0.7, above=0, at_most=2)
    recovery_time: Real = quantity("s", "time constant to settle on a load", default=3.0, above=0, at_most=600)
    overload_limit: Real = quantity("1", "load that just trips it, of rating", default=1.1, above=0, at_most=10)
    overload_delay: Real = quantity("s", "time above that limit until it trips", default=10.0, at_least=0, at_most=1e5)
    shed_limit: Real = quantity(
        "1", "load above which it asks for load to be shed, of rating", default=1.0, above=0, at_most=10
    )
    cooldown: Real = quantity("s", "time it runs on without load", default=300.0, at_least=0, at_most=1e5)
    crank_attempts: Real = quantity("1", "attempts to start", default=3.0, at_least=1, at_most=20)
    crank_time: Real = quantity("s", "length of one attempt", default=15.0, above=0, at_most=600)
    crank_rest: Real = quantity("s", "pause between attempts", default=15.0, at_least=0, at_most=600)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is out", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        start_delay: Real = quantity("s", "time from request to ready", default=10.0, at_least=0, at_most=3600)
        initial_fuel: Real = quantity("1", "fuel at the start, of the full tank", default=1.0, at_least=0, at_most=1)
        fails_to_start: Real = quantity("1", "1: its engine does not fire", default=0.0, failure=True)

    @table
    class State:
        asked_for: Real = quantity("s", "time since it was asked for; negative since it was let go", default=-1e6)
        run_for: Real = quantity("s", "time since it began to crank", default=0.0)
        fuel: Real = quantity("m^3", "fuel in the tank", default=0.0)
        carried_load: Real = quantity("W", "load in the last tick, while closed", default=0.0)
        settled_load: Real = quantity("W", "load that it has settled on", default=0.0)
        overloaded_for: Real = quantity("s", "time above its overload limit", default=0.0)
        shedding_for: Real = quantity("s", "time since it asked for load to be shed", default=0.0)
        delivered_energy: Real = quantity("J", "energy delivered since the start", default=0.0)
        running: Real = flag("starts cranking", "stops", because="it was asked to start", via="signal")
        ready: Real = flag("is up to speed", "is no longer ready", because="{start_delay} after the request")
        closed: Real = flag("closes on its bus", "opens its breaker", because="it is ready and it is its turn")
        failed_to_start: Real = flag(
            "gives up starting", "is reset", because="its engine did not fire in {crank_attempts} attempts"
        )
        tripped: Real = flag(
            "trips",
            "is reset",
            because="it met a step above {block_step}, or a load above {overload_limit} for {overload_delay}",
            via="power",
        )
        shedding: Real = flag(
            "asks for load to be shed",
            "asks for it no more",
            because="its load passed {shed_limit} of its rating",
            via="power",
        )
        out_of_fuel: Real = flag("runs out of fuel", "is reset", because="its tank is empty")

    @table
    class Outputs:
        power: Real = quantity("W", "power delivered", default=0.0)
        reactive: Real = quantity("var", "reactive power delivered", default=0.0)
        load_fraction: Real = quantity("1", "power over rating", default=0.0)
        fuel_time: Real = quantity("s", "time that its fuel lasts at this load", default=0.0)
        shed_request: Real = quantity("s", "time since it asked for load to be shed, 0 if it does not", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"fuel": self.fuel_tank * u.initial_fuel}

    def fuel_flow(self, load: Real) -> Real:
        """Fuel burnt [m3/s] at a load [W]: a straight line through idle and full load."""
        return self.idle_fuel + (self.full_load_fuel - self.idle_fuel) * (load / self.rated_power)

    def endurance(self, load: Real) -> Real:
        """Seconds that the full tank lasts at a load [W]."""
        return self.fuel_tank / self.fuel_flow(load)

    def cranking_time(self) -> Real:
        """Seconds until a set that does not fire gives up."""
        return self.crank_attempts * (self.crank_time + self.crank_rest) - self.crank_rest

    def _rests(self, s: Any, u: Any, port: Ports) -> bool:
        """Whether all stand still, asked for nothing and with no latch set; said on the CPU alone."""
        return (
            self.once(_is_not_started, u.mode)
            and self.once(_stands_still, s.run_for, s.tripped, s.failed_to_start, s.out_of_fuel)
            and not worth_doing(port.signal["start"])
        )

    def _course(self, s: Any, u: Any, port: Ports, dt: Real) -> Course:
        xp = library_of(s.run_for)
        auto = u.mode == MODES["auto"]
        sound = u.in_service * ((s.failed_to_start + s.tripped + s.out_of_fuel) == 0)
        asked = xp.where(auto, port.signal["start"], xp.maximum(s.asked_for, 0.0))
        wanted = sound * xp.where(auto, asked > 0, u.mode == MODES["hand"])
        runs_on = self.cooldown + xp.minimum(s.asked_for, 0.0)
        turns = xp.maximum(wanted, sound * auto * s.ready * (runs_on > 0))
        run_before = xp.maximum(s.run_for, asked * wanted) * turns
        ready_after = u.start_delay + NEVER * (u.fails_to_start * (s.ready == 0)) - run_before
        fuel_after = s.fuel / xp.maximum(self.fuel_flow(s.carried_load), LEAST_FUEL)
        overload_after = xp.where(s.overloaded_for > 0, xp.maximum(self.overload_delay - s.overloaded_for, 0.0), NEVER)
        stops = xp.minimum(xp.minimum(fuel_after, overload_after), dt)
        # on a dead bus sets take turns, at least a tick apart, so that each sees the one before it
        turn = self.closing_order * xp.maximum(self.arbitration_interval, dt)
        waits = xp.where(port.served_voltage > 0, self.synchronising_time, turn)
        closes = xp.where(s.closed > 0, 0.0, xp.maximum(waits + xp.maximum(ready_after, -asked), 0.0))
        return Course(
            wanted=wanted,
            asked=asked,
            run_before=run_before,
            turns=turns,
            turned=turns * xp.minimum(xp.where(wanted > 0, fuel_after, xp.minimum(fuel_after, runs_on)), dt),
            ready_after=ready_after,
            closes_after=closes,
            fuel_after=fuel_after,
            overload_after=overload_after,
            alive=xp.maximum(stops - closes, 0.0) * wanted,
            closed=wanted * ((closes < stops) & (stops >= dt)),
        )

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        if self._rests(s, u, port):
            return Supply(s.run_for + 0j, s.run_for + dt, [])
        course = self._course(s, u, port, dt)
        return Supply(course.closed + 0j, dt - course.alive, [])

    def pace(self) -> dict[str, tuple[float, str]]:
        turn = 5.0 * self.arbitration_interval
        if turn < self.crank_time:
            return {"power": (turn, "it waits five turns for its place on a dead bus")}
        return {"power": (self.crank_time, "it cranks once")}

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Course | None:
        return None if self._rests(s, u, port) else self._course(s, u, port, dt)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(s.run_for)
        course = port.drive
        if course is None:
            load = port.load
            after = replace(s, asked_for=xp.minimum(s.asked_for, 0.0) - dt)
        else:
            load = port.load * (dt / xp.maximum(course.alive, TINY))
            after = self._run(s, u, port, load, dt)
        return after, self.Outputs(
            power=port.load,
            reactive=port.load_reactive,
            load_fraction=load / self.rated_power,
            fuel_time=after.fuel / xp.maximum(self.fuel_flow(load), LEAST_FUEL),
            shed_request=after.shedding_for,
        )

    def _run(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Any:
        xp = library_of(s.run_for)
        course = port.drive
        softly = (s.closed == 0) & (port.served_voltage > 0)
        settled = xp.where(softly, load, s.settled_load)
        stalls = load > settled + self.block_step * self.rated_power
        # a request is heard a tick late and caught up with: the fuel of that time burns now
        idling = self.idle_fuel * (course.turned + xp.maximum(course.run_before - s.run_for, 0.0))
        burnt = idling + (self.full_load_fuel - self.idle_fuel) / self.rated_power * port.load * dt
        follows = relaxed(settled, xp.where(softly, load, s.carried_load), self.recovery_time, course.alive)
        shedding_for = age_while(load > self.shed_limit * self.rated_power, s.shedding_for, course.alive)
        shedding, shedding_at = latched(
            shedding_for > 0, s.shedding, s.shedding_at, lambda: port.now + dt - xp.minimum(shedding_for, dt)
        )
        asked = xp.where(course.wanted > 0, course.asked + dt, xp.minimum(s.asked_for, 0.0) - dt)
        return replace(
            s,
            asked_for=asked,
            run_for=(course.run_before + dt) * course.turns,
            fuel=xp.maximum(s.fuel - burnt, 0.0),
            carried_load=load,
            settled_load=follows * course.closed,
            overloaded_for=(s.overloaded_for + course.alive) * (load > self.overload_limit * self.rated_power),
            delivered_energy=s.delivered_energy + port.load * dt,
            shedding_for=shedding_for,
            shedding=shedding,
            shedding_at=shedding_at,
            **self._latches(s, u, course, stalls, port.now, dt),
            **self._stages(s, course, port.now, dt),
        )

    def _latches(self, s: Any, u: Any, course: Course, stalls: Real, now: Real, dt: Real) -> dict[str, Real]:
        """What locks the set out until its switch is turned to off."""
        xp = library_of(s.run_for)
        held = u.mode != MODES["off"]
        empties = course.turns * (course.fuel_after < dt)
        trips = xp.maximum(stalls, course.wanted * (course.overload_after < dt))
        in_vain = course.wanted * u.fails_to_start * (course.run_before + dt >= self.cranking_time())
        out_of_fuel, out_of_fuel_at = latched(
            xp.maximum(s.out_of_fuel, empties) * held,
            s.out_of_fuel,
            s.out_of_fuel_at,
            lambda: now + course.fuel_after,
        )
        tripped, tripped_at = latched(
            xp.maximum(s.tripped, trips) * held,
            s.tripped,
            s.tripped_at,
            lambda: now + xp.where(stalls, course.closes_after, course.overload_after),
        )
        failed, failed_at = latched(
            xp.maximum(s.failed_to_start, in_vain * (s.ready == 0)) * held,
            s.failed_to_start,
            s.failed_to_start_at,
            lambda: now + self.cranking_time() - course.run_before,
        )
        return {
            "tripped": tripped, "tripped_at": tripped_at, "failed_to_start": failed,
            "failed_to_start_at": failed_at, "out_of_fuel": out_of_fuel, "out_of_fuel_at": out_of_fuel_at,
        }  # fmt: skip

    def _stages(self, s: Any, course: Course, now: Real, dt: Real) -> dict[str, Real]:
        """How far the set has come: cranking, up to speed, closed."""
        xp = library_of(s.run_for)
        turns = course.turned >= dt
        is_ready = turns & (course.ready_after < dt)
        running, running_at = latched(
            turns, s.running, s.running_at, lambda: now + xp.where(turns, -course.run_before, course.turned)
        )
        ready, ready_at = latched(
            is_ready,
            s.ready,
            s.ready_at,
            lambda: now + xp.where(is_ready, xp.maximum(course.ready_after, 0.0), course.turned),
        )
        closed, closed_at = latched(
            course.closed,
            s.closed,
            s.closed_at,
            lambda: now + xp.where(course.closed > 0, course.closes_after, course.alive),
        )
        return {
            "running": running, "running_at": running_at, "ready": ready, "ready_at": ready_at,
            "closed": closed, "closed_at": closed_at,
        }  # fmt: skip


def _is_not_started(mode: Real) -> bool:
    """Whether none is started by hand."""
    return not worth_doing(mode == MODES["hand"])


def _stands_still(run_for: Real, tripped: Real, failed_to_start: Real, out_of_fuel: Real) -> bool:
    """Whether none runs and no latch is set."""
    return not worth_doing(run_for + tripped + failed_to_start + out_of_fuel)
