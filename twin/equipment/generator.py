"""Generator: a set of engine and alternator that starts on request, closes on its bus and takes load in steps."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.equipment.parts.lockouts import Lockouts
from twin.physics import engine, genset
from twin.physics.electric import NEVER, relaxed
from twin.physics.supply import TINY

LEAST_FUEL = 1e-12
"""Fuel flow [m3/s] that stands for none."""


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
    speed: Real


@table
class Generator(Equipment):
    """An engine and alternator under governor and regulator, with the logic that brings them on the bus.

    Asked for, it cranks and is ready after `start_delay`, or one cycle of cranking later for each of
    `failed_cranks`; a set that fails to start gives up after its attempts. Ready sets close on a dead bus one
    after the other (`closing_order`), on a live one after `synchronising_time`. Speed follows the balance of
    engine and load, isochronous or with droop, and voltage dips by the transient reactance: both exact within
    the tick under its mean load, held against its class of ISO 8528-5 (G3 unless said), and felt by the
    network a tick later. Sets in parallel keep one speed and share active power by droop and
    `no_load_frequency`, reactive power by `voltage_droop`; isochronous ones take the swing, by rating, up to
    their own trip. A set takes at most `block_step` of its rating at once above the load that it has settled on,
    and trips beyond that, when overloaded for too long, and by the relays on its speed and power; one that
    closes on a live bus is loaded softly. Two sets whose turns on a dead bus fall within one tick both close.
    Temperatures of the engine, the ceiling of the exciter and what sets exchange while they swing are left out.
    """

    kind = "generator"
    disturbs = ("power", "flow")
    source = True
    serves = True
    signals = ("start",)

    rated_power: Real = quantity("W", "standby rating", above=0, at_most=1e8)
    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line, if said", default=0.0, at_least=0, at_most=1e6
    )
    nominal_frequency: Real = quantity("Hz", "nominal frequency", default=60.0, above=0, at_most=400)
    inertia: Real = quantity("s", "kinetic energy at nominal speed over rating (H)", default=1.0, above=0, at_most=20)
    load_damping: Real = quantity("1", "fall of load per fall of frequency", default=0.0, at_least=0, at_most=10)
    engine_lag: Real = quantity("s", "time constant of engine and actuator", default=0.15, above=0, at_most=10)
    governor_gain: Real = quantity("1", "fuel per fall of speed, both of nominal", default=15.0, above=0, at_most=1000)
    integral_time: Real = quantity("s", "integral time of the governor", default=1.5, above=0, at_most=600)
    droop: Real = quantity("1", "fall of frequency at rated load; 0 isochronous", default=0.0, at_least=0, at_most=0.2)
    voltage_droop: Real = quantity("1", "voltage lost at rated reactive power", default=0.0, at_least=0, at_most=0.2)
    engine_limit: Real = quantity("1", "most power its engine gives, of rating", default=1.2, above=0, at_most=10)
    derating_temperature: Real = quantity("K", "air above which it gives less", default=313.15, above=200, at_most=400)
    derating_by_temperature: Real = quantity("1/K", "lost per kelvin above that", default=0.0, at_least=0, at_most=0.1)
    altitude: Real = quantity("m", "height of the site", default=0.0, at_least=0, at_most=6000)
    derating_altitude: Real = quantity("m", "height where derating begins", default=1000.0, at_least=0, at_most=6000)
    derating_by_altitude: Real = quantity("1/m", "lost per metre above that", default=0.0, at_least=0, at_most=0.001)
    transient_reactance: Real = quantity("1", "transient reactance (X'd)", default=0.2, above=0, at_most=2)
    subtransient_reactance: Real = quantity("1", "subtransient reactance (X''d)", default=0.15, above=0, at_most=2)
    regulator_time: Real = quantity("s", "time constant of its voltage regulator", default=0.4, above=0, at_most=60)
    frequency_dip_limit: Real = quantity("1", "largest dip; G3 7 %, G2 10 %", default=0.07, above=0, at_most=1)
    frequency_rise_limit: Real = quantity("1", "largest rise; G3 10 %, G2 12 %", default=0.10, above=0, at_most=1)
    voltage_dip_limit: Real = quantity("1", "largest dip; G3 15 %, G2 20 %", default=0.15, above=0, at_most=1)

    fuel_tank: Real = quantity("m^3", "fuel in the full tank", above=0, at_most=1e4)
    full_load_fuel: Real = quantity("m^3/s", "fuel burnt at rated power", above=0, at_most=10)
    three_quarter_load_fuel: Real = quantity("m^3/s", "at 3/4 load; 0: on a line", default=0.0, at_least=0, at_most=10)
    half_load_fuel: Real = quantity("m^3/s", "at 1/2 load; 0: on a line", default=0.0, at_least=0, at_most=10)
    quarter_load_fuel: Real = quantity("m^3/s", "at 1/4 load; 0: on a line", default=0.0, at_least=0, at_most=10)
    idle_fuel: Real = quantity("m^3/s", "fuel burnt without load", at_least=0, at_most=1)

    closing_order: Real = quantity("1", "its turn on a dead bus, from 0", default=0.0, at_least=0, at_most=1000)
    arbitration_interval: Real = quantity("s", "time between turns", default=1.0, at_least=0, at_most=600)
    synchronising_time: Real = quantity("s", "from ready to closed on a live bus", default=5.0, at_least=0, at_most=600)
    block_step: Real = quantity("1", "largest step of load, of rating", default=0.7, above=0, at_most=2)
    recovery_time: Real = quantity("s", "time constant to settle on a load", default=3.0, above=0, at_most=600)
    shed_limit: Real = quantity("1", "load that makes it ask for shedding, of rating", default=1.0, above=0, at_most=10)
    shed_frequency: Real = quantity("1", "below it, it asks for shedding", default=0.95, at_least=0, at_most=1)
    overload_limit: Real = quantity("1", "load that just trips it, of rating", default=1.1, above=0, at_most=10)
    overload_delay: Real = quantity("s", "time above that limit until it trips", default=10.0, at_least=0, at_most=1e5)
    underfrequency_limit: Real = quantity("1", "frequency that trips it, of nominal", default=0.9, at_least=0, below=1)
    underfrequency_delay: Real = quantity("s", "time below that", default=1.0, at_least=0, at_most=600)
    overfrequency_limit: Real = quantity("1", "frequency that trips it, of nominal", default=1.1, above=1, at_most=2)
    overfrequency_delay: Real = quantity("s", "time above that", default=0.5, at_least=0, at_most=600)
    reverse_power_limit: Real = quantity("1", "power taken in that trips it", default=0.1, at_least=0, at_most=2)
    reverse_power_delay: Real = quantity("s", "time beyond that", default=5.0, at_least=0, at_most=600)
    leading_limit: Real = quantity("1", "reactive power taken in that trips it", default=0.3, at_least=0, at_most=2)
    leading_delay: Real = quantity("s", "time beyond that", default=5.0, at_least=0, at_most=600)
    cooldown: Real = quantity("s", "time it runs on without load", default=300.0, at_least=0, at_most=1e5)
    crank_attempts: Real = quantity("1", "attempts to start", default=3.0, at_least=1, at_most=20)
    crank_time: Real = quantity("s", "length of one attempt", default=15.0, above=0, at_most=600)
    crank_rest: Real = quantity("s", "pause between attempts", default=15.0, at_least=0, at_most=600)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is out", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        start_delay: Real = quantity("s", "time from request to ready", default=10.0, at_least=0, at_most=3600)
        failed_cranks: Real = quantity("1", "attempts in vain before it fires", default=0.0, at_least=0, at_most=20)
        initial_fuel: Real = quantity("1", "fuel at the start, of the full tank", default=1.0, at_least=0, at_most=1)
        no_load_frequency: Real = quantity(
            "1", "frequency without load that a governor with droop is set to", default=1.0, at_least=0.9, at_most=1.1
        )
        refuel_flow: Real = quantity("m^3/s", "fuel pumped in until full", default=0.0, at_least=0, at_most=1)
        fails_to_start: Real = quantity("1", "1: its engine does not fire", default=0.0, failure=True)
        fails_to_load: Real = quantity("1", "1: it starts, and dies when loaded", default=0.0, failure=True)

    @table
    class State(Lockouts):
        asked_for: Real = quantity("s", "time since it was asked for; negative since it was let go", default=-1e6)
        run_for: Real = quantity("s", "time since it began to crank", default=0.0)
        fuel: Real = quantity("m^3", "fuel in the tank", default=0.0)
        carried_load: Real = quantity("W", "load in the last tick, while closed", default=0.0)
        settled_load: Real = quantity("W", "load that it has settled on", default=0.0)
        overloaded_for: Real = quantity("s", "time above its overload limit", default=0.0)
        shedding_for: Real = quantity("s", "time since it asked for load to be shed", default=0.0)
        delivered_energy: Real = quantity("J", "energy delivered since the start", default=0.0)
        engine_speed: Real = quantity("1", "speed, of nominal; 0 until it is ready", default=0.0)
        engine_power: Real = quantity("1", "power of its engine, of rating", default=0.0)
        fuel_setting: Real = quantity("1", "integral part of its governor, of rating", default=0.0)
        internal_voltage: Real = quantity("1", "voltage behind its transient reactance, of nominal", default=1.0)
        terminal_voltage: Real = quantity("1", "voltage at its terminals, of nominal", default=1.0)
        slow_for: Real = quantity("s", "time below its underfrequency limit", default=0.0)
        fast_for: Real = quantity("s", "time above its overfrequency limit", default=0.0)
        reverse_for: Real = quantity("s", "time beyond its reverse power limit", default=0.0)
        leading_for: Real = quantity("s", "time beyond its leading limit", default=0.0)
        running: Real = flag("starts cranking", "stops", because="it was asked to start", via="signal")
        ready: Real = flag("is up to speed", "is no longer ready", because="{start_delay} after the request")
        closed: Real = flag("closes on its bus", "opens its breaker", because="it is ready and it is its turn")
        frequency_dips: Real = flag(
            "dips in frequency beyond its class", "is back in frequency",
            because="a step of load took more than {frequency_dip_limit} of its speed", via="load",
        )  # fmt: skip
        frequency_rises: Real = flag(
            "rises in frequency beyond its class", "is back from a rise in frequency",
            because="a loss of load gave it more than {frequency_rise_limit} of its speed", via="load",
        )  # fmt: skip
        voltage_dips: Real = flag(
            "dips in voltage beyond its class", "is back in voltage",
            because="a step of load took more than {voltage_dip_limit} of its voltage", via="load",
        )  # fmt: skip
        shedding: Real = flag(
            "asks for load to be shed", "asks for it no more",
            because="its load passed {shed_limit} of its rating, or its frequency {shed_frequency}", via="load",
        )  # fmt: skip

    @table
    class Outputs:
        power: Real = quantity("W", "power delivered", default=0.0)
        reactive: Real = quantity("var", "reactive power delivered", default=0.0)
        load_fraction: Real = quantity("1", "power over rating", default=0.0)
        available_power: Real = quantity("W", "most power its engine gives in this air", default=0.0)
        fuel_time: Real = quantity("s", "time that its fuel lasts at this load", default=0.0)
        shed_request: Real = quantity("s", "time since it asked for load to be shed, 0 if it does not", default=0.0)
        frequency: Real = quantity("Hz", "frequency", default=0.0)
        frequency_low: Real = quantity("Hz", "lowest frequency in the tick", default=0.0)
        frequency_high: Real = quantity("Hz", "highest frequency in the tick", default=0.0)
        voltage_low: Real = quantity("1", "lowest voltage in the tick, of nominal", default=1.0)

    @cached_property
    def _engine(self) -> engine.Engine:
        return engine.engine(
            self.inertia, self.load_damping, self.engine_lag, self.governor_gain, self.integral_time, self.droop
        )

    @cached_property
    def _fuel_points(self) -> tuple[Real, ...]:
        inner = self.quarter_load_fuel, self.half_load_fuel, self.three_quarter_load_fuel
        return engine.points_by_load(self.idle_fuel, inner, self.full_load_fuel)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"fuel": self.fuel_tank * u.initial_fuel}

    def series(self, s: Any, u: Any) -> Real:
        return 1j * self.subtransient_reactance / self.rated_power

    def faults(self, feeds: int) -> list[str]:
        return genset.at_odds(self, self._engine)

    def fuel_flow(self, load: Real) -> Real:
        """Fuel burnt [m3/s] at a load [W]: straight lines through the points that are known."""
        return engine.by_load(load / self.rated_power, self._fuel_points)

    def endurance(self, load: Real) -> Real:
        """Seconds that the full tank lasts at a load [W]."""
        return self.fuel_tank / self.fuel_flow(load)

    def cranking_time(self) -> Real:
        """Seconds until a set that does not fire gives up."""
        return self.crank_attempts * (self.crank_time + self.crank_rest) - self.crank_rest

    def _derating(self, dry_bulb: Real) -> Real:
        return genset.derating(self, dry_bulb)

    def _rests(self, s: Any, u: Any, port: Ports) -> bool:
        """Whether all stand still, asked for nothing, with no latch set and no fuel coming; said on the CPU alone."""
        return (
            self.once(_is_not_started, u.mode, u.refuel_flow)
            and self.once(_stands_still, s.run_for, s.tripped, s.failed_to_start, s.failed_to_load, s.out_of_fuel)
            and not worth_doing(port.signal["start"])
        )

    def _course(self, s: Any, u: Any, port: Ports, dt: Real) -> Course:
        xp = library_of(s.run_for)
        auto = u.mode == MODES["auto"]
        sound = u.in_service * ((s.failed_to_start + s.failed_to_load + s.tripped + s.out_of_fuel) == 0)
        asked = xp.where(auto, port.signal["start"], xp.maximum(s.asked_for, 0.0))
        wanted = sound * xp.where(auto, asked > 0, u.mode == MODES["hand"])
        runs_on = self.cooldown + xp.minimum(s.asked_for, 0.0)
        turns = xp.maximum(wanted, sound * auto * s.ready * (runs_on > 0))
        run_before = xp.maximum(s.run_for, asked * wanted) * turns
        in_vain = u.failed_cranks * (self.crank_time + self.crank_rest) + NEVER * self._will_not_fire(u)
        ready_after = u.start_delay + in_vain * (s.ready == 0) - run_before
        burns = self.fuel_flow(s.carried_load) - u.refuel_flow
        fuel_after = s.fuel / xp.maximum(burns, LEAST_FUEL)
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
            speed=xp.where(s.ready > 0, s.engine_speed, 1.0),
        )

    def _will_not_fire(self, u: Any) -> Real:
        return library_of(u.mode).maximum(u.fails_to_start, u.failed_cranks >= self.crank_attempts)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        if self._rests(s, u, port):
            return Supply(s.run_for + 0j, s.run_for + dt, [])
        course = self._course(s, u, port, dt)
        push = self.once(self._push, u.no_load_frequency)
        push = push if push is None else push * course.closed
        return Supply(course.closed * s.terminal_voltage + 0j, dt - course.alive, [], course.speed, push=push)

    def _push(self, no_load_frequency: Real) -> Real | None:
        """What it gives beyond its share [W], as its governor with droop is set; None where all are at nominal."""
        above = (no_load_frequency - 1.0) * (self.droop > 0)
        return above * self.rated_power / library_of(above).maximum(self.droop, TINY) if worth_doing(above) else None

    def pace(self) -> dict[str, tuple[float, str]]:
        turn = 5.0 * self.arbitration_interval
        cranks = self.crank_time, "it cranks once"
        return {"power": min((turn, "it waits five turns for its place on a dead bus"), cranks)}

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Course | None:
        return None if self._rests(s, u, port) else self._course(s, u, port, dt)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(s.run_for)
        course = port.drive
        if course is None:
            load, low, high, dip = port.load, s.engine_speed, s.engine_speed, s.terminal_voltage
            after = replace(s, asked_for=xp.minimum(s.asked_for, 0.0) - dt)
        else:
            load = port.load * (dt / xp.maximum(course.alive, TINY))
            after, turned = self._run(s, u, port, load, dt)
            low, high = ((1.0 + f) * after.ready for f in (turned.swing.lowest, turned.swing.highest))
            dip = turned.dip
        burns = self.fuel_flow(load) if worth_doing(load) else self.idle_fuel
        return after, self.Outputs(
            power=port.load,
            reactive=port.load_reactive,
            load_fraction=load / self.rated_power,
            available_power=self.once(self._derating, port.dry_bulb) * (self.engine_limit * self.rated_power),
            fuel_time=after.fuel / xp.maximum(burns, LEAST_FUEL),
            shed_request=after.shedding_for,
            frequency=after.engine_speed * self.nominal_frequency,
            frequency_low=low * self.nominal_frequency,
            frequency_high=high * self.nominal_frequency,
            voltage_low=dip,
        )

    def _burden(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> genset.Burden:
        xp, course = library_of(s.run_for), port.drive
        is_ready = (course.turned >= dt) & (course.ready_after < dt)
        reactive = port.load_reactive * (dt / xp.maximum(course.alive, TINY))
        return genset.Burden(
            active=load / self.rated_power * course.closed,
            reactive=reactive / self.rated_power * course.closed,
            derating=self.once(self._derating, port.dry_bulb),
            closed=course.closed,
            begins=course.closes_after * course.closed,
            alive=course.alive,
            seconds=xp.where(course.closed > 0, course.alive, dt) * is_ready,
            is_ready=is_ready,
            set_above=u.no_load_frequency - 1.0,
            now=port.now,
            dt=dt,
        )

    def _run(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> tuple[Any, genset.Turned]:
        xp = library_of(s.run_for)
        course, burden = port.drive, self._burden(s, u, port, load, dt)
        softly = (s.closed == 0) & (port.served_voltage > 0)
        settled = xp.where(softly, load, s.settled_load)
        # a request is heard a tick late and caught up with: the fuel of that time burns now
        idling = self.idle_fuel * (course.turned + xp.maximum(course.run_before - s.run_for, 0.0))
        burnt = idling + (self.fuel_flow(load) - self.idle_fuel) * course.alive
        follows = relaxed(settled, xp.where(softly, load, s.carried_load), self.recovery_time, course.alive)
        speed = course.speed
        if type(port.served_frequency) is not float:  # sets on one board have one speed
            runs_along = (s.closed > 0) & (port.served_voltage > 0)
            speed = xp.where(runs_along, port.served_frequency, speed)
        turned = genset.turned(self, self._engine, s, speed, burden)
        stalls = load > settled + self.block_step * self.rated_power
        overload_after = xp.where(course.overload_after < dt, course.overload_after, NEVER)
        held = u.mode != MODES["off"]
        after = replace(
            s,
            asked_for=xp.where(course.wanted > 0, course.asked + dt, xp.minimum(s.asked_for, 0.0) - dt),
            run_for=(course.run_before + dt) * course.turns,
            fuel=xp.minimum(xp.maximum(s.fuel - burnt + u.refuel_flow * dt, 0.0), self.fuel_tank),
            carried_load=load,
            settled_load=follows * course.closed,
            overloaded_for=(s.overloaded_for + course.alive)
            * (load > self.overload_limit * burden.derating * self.rated_power),
            delivered_energy=s.delivered_energy + (port.load + port.fault_power) * dt,
            **turned.state,
            **genset.asks_to_shed(self, s, burden, turned),
            **genset.outside_class(self, s, burden, turned),
            **genset.relays(self, s, burden, turned, stalls, xp.where(course.wanted > 0, overload_after, NEVER), held),
            **genset.lockouts(s, self._refused(s, u, course, load, dt), held, port.now),
            **genset.stages(s, course, burden.is_ready, port.now, dt),
        )
        return after, turned

    def _refused(self, s: Any, u: Any, course: Course, load: Real, dt: Real) -> dict[str, tuple[Real, Real]]:
        """What locks the set out beside its relays: whether in this tick, and when from its start [s]."""
        gives_up = course.run_before + dt >= self.cranking_time()
        in_vain = course.wanted * self._will_not_fire(u) * gives_up * (s.ready == 0)
        dies = u.fails_to_load * (course.alive > 0) * (load > genset.LEAST_LOAD * self.rated_power)
        return {
            "out_of_fuel": (course.turns * (course.fuel_after < dt), course.fuel_after),
            "failed_to_start": (in_vain, self.cranking_time() - course.run_before),
            "failed_to_load": (dies, course.closes_after),
        }


def _is_not_started(mode: Real, refuel_flow: Real) -> bool:
    """Whether none is started by hand, and no fuel comes in."""
    return not worth_doing((mode == MODES["hand"]) | (refuel_flow > 0))


def _stands_still(run_for: Real, *locks: Real) -> bool:
    """Whether none runs and no latch is set."""
    return not worth_doing(run_for) and not any(map(worth_doing, locks))
