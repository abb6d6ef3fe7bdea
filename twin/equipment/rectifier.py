"""Rectifier: from an AC board to a DC bus; a power rack, or a solid-state transformer, with or without batteries."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics import shelf
from twin.physics.electric import apparent, bridged, walk_in
from twin.physics.supply import (
    latched,
    moment_of_change,
    share_alive,
    shared,
    usable,
    while_alive,
)

LEAST_NEED = 1e-3
"""Power [W] that stands for none where time left is energy over power."""
AT_ONCE = 1e-3
"""Time to trip beyond the second overload [s]."""


class Drive(NamedTuple):
    """The tick of converter and battery, once it is known who is energised; times in seconds of the tick.

    good: whether its feed is at the end; fed: seconds of it; runs, bears: 0/1, the converter and the battery;
    walked: into the ramp at the end; from_feed: seconds' worth of the load that the feed bears; charge [W].
    """

    good: Real
    fed: Real
    runs: Real
    bears: Real
    walked: Real
    from_feed: Real
    charge: Real


@table
class Rectifier(Equipment):
    """A converter from AC to a DC bus that it holds at its nominal voltage, with batteries on the bus if it has any.

    After an outage longer than `ride_through` it walks in: with batteries its share of the load rises from 0 to 1
    and they bear the rest, without them the bus is dead until the ramp is done. Batteries hold the bus as long as
    they have energy and the load is not above their power. Losses follow a cubic through four published
    efficiencies. On the DC side there is no reactive power. Into a short circuit of the bus it gives its
    `overload_peak`. Ripple, what batteries and capacitors give besides, battery ageing and the drop along the bus
    are left out.
    """

    kind = "rectifier"
    disturbs = ("power", "flow")
    feeds = (1, 2)
    serves = True
    rectifies = True

    rated_power: Real = quantity("W", "power that it delivers for ever", above=0, at_most=1e8)
    primary_voltage: Real = quantity(
        "V",
        "nominal voltage of its feeds, line to line; 0 takes that of its feed",
        default=0.0,
        at_least=0,
        at_most=1e6,
    )
    secondary_voltage: Real = quantity("V", "nominal voltage of the DC bus", default=800.0, above=0, at_most=1e5)
    efficiency_at_10: Real = quantity("1", "efficiency at 10 % of load", default=0.95, above=0, at_most=1)
    efficiency_at_20: Real = quantity("1", "efficiency at 20 % of load", default=0.97, above=0, at_most=1)
    efficiency_at_50: Real = quantity("1", "efficiency at 50 % of load", default=0.98, above=0, at_most=1)
    efficiency_at_100: Real = quantity("1", "efficiency at full load", default=0.98, above=0, at_most=1)
    power_factor: Real = quantity("1", "power factor at its feeds", default=0.99, above=0, at_most=1)
    lowest_voltage: Real = quantity("1", "input voltage taken for dead, of nominal", default=0.85, above=0, below=1)
    ride_through: Real = quantity("s", "outage that calls for no walk-in", default=0.02, at_least=0, at_most=60)
    walk_in_time: Real = quantity("s", "ramp of the converter after an outage", default=2.0, above=0, at_most=3600)
    battery_energy: Real = quantity("J", "energy that the full battery gives, 0 for none", default=0.0, at_least=0)
    battery_power: Real = quantity("W", "most that the batteries bear", default=1e9, above=0)
    recharge_power: Real = quantity("W", "power taken from the feed to recharge", default=0.0, at_least=0, at_most=1e8)
    charge_efficiency: Real = quantity("1", "energy stored over energy taken", default=0.95, above=0, at_most=1)
    overload_short: Real = quantity("1", "load borne for overload_short_time", default=1.2, above=1, at_most=5)
    overload_short_time: Real = quantity("s", "time that it bears it", default=5.0, above=0, at_most=1e5)
    overload_peak: Real = quantity("1", "load borne for overload_peak_time", default=1.5, above=1, at_most=5)
    overload_peak_time: Real = quantity("s", "time that it bears it", default=0.15, above=0, at_most=1e5)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 runs, 0 is out of service", default=1.0, at_least=0, at_most=1)
        mode: Real = mode("position of the selector switch", "off", "auto", "locked_out")
        reset: Real = quantity("1", "1 clears a latched trip", default=0.0, at_least=0, at_most=1)
        initial_charge: Real = quantity("1", "charge of the battery at the start", default=1.0, at_least=0, at_most=1)
        converter_failed: Real = quantity("1", "1: the converter is broken", default=0.0, failure=True)
        battery_failed: Real = quantity("1", "1: the battery gives and takes nothing", default=0.0, failure=True)

    @table
    class State:
        energy: Real = quantity("J", "energy in the battery", default=0.0)
        walked: Real = quantity("s", "time into the walk-in ramp", default=0.0)
        need: Real = quantity("W", "load and losses when it was last supplied", default=0.0)
        outage: Real = quantity("s", "time that its feeds have been dead", default=0.0)
        overload_used: Real = quantity("1", "share of its overload time used up", default=0.0)
        on_battery: Real = flag(
            "goes to battery",
            "is back on its feed",
            because="its input is dead",
            via="power",
            doc="1 while the battery bears all or, in the walk-in, part of the load",
        )
        dead: Real = flag(
            "is dead",
            "is alive again",
            because=(
                "its input is dead, and no battery holds its bus",
                "in_service: it was taken out of service",
                "tripped: it tripped",
            ),
            via="power",
        )
        overloaded: Real = flag(
            "is overloaded", "is within its rating again", because="it carries more than {rated_power}", via="load"
        )
        tripped: Real = flag(
            "trips on overload", "is reset", because="it carried an overload for longer than it bears", via="power"
        )

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feeds", default=0.0)
        load_fraction: Real = quantity("1", "load over rating", default=0.0)
        current: Real = quantity("A", "current of the DC bus", default=0.0)
        state_of_charge: Real = quantity("1", "energy in the battery over that of the full one", default=1.0)
        loss: Real = quantity("W", "heat of conversion and charging", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"energy": self.battery_energy * u.initial_charge, "walked": self.walk_in_time}

    def passes(self, s: Any, u: Any) -> tuple[Real, Real]:
        return 0.0, self.overload_peak * self.rated_power

    def pace(self) -> dict[str, tuple[float, str]]:
        return {"power": (self.walk_in_time, "it walks back in on its feed")}

    @cached_property
    def _efficiencies(self) -> tuple[Real, ...]:
        return self.efficiency_at_10, self.efficiency_at_20, self.efficiency_at_50, self.efficiency_at_100

    @cached_property
    def _curve(self) -> tuple[Real, ...]:
        return shelf.loss_curve(self._efficiencies)

    @cached_property
    def _apparent(self) -> Real:
        return apparent(self.power_factor)

    @cached_property
    def _has_battery(self) -> Real:
        return (self.battery_energy > 0) * 1.0

    def faults(self, feeds: int) -> list[str]:
        wrong = shelf.curve_fault(self._efficiencies)
        found = (
            [f"efficiency_at_10 to efficiency_at_100: {wrong}; efficiencies of one machine are wanted"] if wrong else []
        )
        if self.overload_peak < self.overload_short or self.overload_peak_time > self.overload_short_time:
            found.append(
                "its peak overload must be the higher and the shorter; overload_peak above overload_short is wanted"
            )
        if self.battery_energy and not self.recharge_power:
            found.append("it has batteries that nothing recharges; a recharge_power is wanted")
        return found

    def loss(self, load: Real) -> Real:
        """Heat of conversion [W] at a load [W]."""
        return self.rated_power * shelf.loss_at(load / self.rated_power, self._curve)

    def efficiency(self, load: Real) -> Real:
        """Power out over power in [1], at a load [W]."""
        return load / (load + self.loss(load))

    def overload_time(self, load: Real) -> Real:
        """Seconds that it bears a load above its rating [W]."""
        xp, x = library_of(load), load / self.rated_power
        beyond = xp.where(x <= self.overload_peak, self.overload_peak_time, AT_ONCE)
        return xp.where(x <= self.overload_short, self.overload_short_time, beyond)

    def _runs(self, in_service: Real, mode: Real, failed: Real, tripped: Real, reset: Real) -> Real:
        return in_service * (mode == MODES["auto"]) * (1.0 - failed) * (1.0 - tripped * (1.0 - reset))

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        volts, gap, split = shared(port.feed_voltage, port.feed_gap, dt)
        good, feed_gap = usable(volts, gap, self.lowest_voltage, dt)
        runs = self.once(self._runs, u.in_service, u.mode, u.converter_failed, s.tripped, u.reset)
        xp = library_of(feed_gap)
        battery = self._has_battery * (1.0 - u.battery_failed) * u.in_service * (u.mode == MODES["auto"])
        battery = battery * (1.0 - s.dead) * (1.0 - s.tripped * (1.0 - u.reset))
        bears = battery * (s.need <= self.battery_power)
        lasts = xp.maximum(s.energy, 0.0) * bears / xp.maximum(s.need, LEAST_NEED)
        fed = (dt - feed_gap) * runs
        starts = good & (s.outage + feed_gap > self.ride_through) & (feed_gap > 0)
        done = xp.where(starts, 0.0, s.walked) * runs
        walked, at_full, from_feed = walk_in(done, fed, self.walk_in_time)
        waits = xp.minimum(xp.maximum(self.walk_in_time - done, 0.0), fed) * good
        soft = xp.where(runs > 0, xp.minimum(feed_gap + waits, dt), dt)
        held = xp.maximum(dt - fed - lasts, 0.0)
        gap = xp.where(bears > 0, held, soft)
        stands = good & (runs > 0)
        on = xp.where(bears > 0, stands | (held == 0), stands & (gap < dt))
        room = (self.battery_energy - s.energy) / (self.charge_efficiency * dt)
        charge = xp.maximum(xp.minimum(self.recharge_power * (at_full / dt), room), 0.0) * battery
        from_feed = xp.where(bears > 0, from_feed, fed)
        port.drive = Drive(stands, fed, runs, bears, xp.where(good, walked, s.walked * runs), from_feed, charge)
        return Supply(on * (1.0 + 0j), gap, [share * runs for share in split], 1.0)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Drive:
        found: Drive = port.drive
        return found

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        drive, alive = port.drive, share_alive(port.gap, dt)
        need = load.real + self.loss(while_alive(load.real, alive)) * alive
        given = bridged(need, s.energy, drive.from_feed, drive.fed, dt - port.gap, dt) * drive.bears
        return (need - given + drive.charge) * self._apparent

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        alive = share_alive(port.gap, dt)
        conversion = self.loss(while_alive(port.load, alive)) * alive
        return conversion + port.drive.charge * (1.0 - self.charge_efficiency)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp, alive, drive = library_of(port.gap), share_alive(port.gap, dt), port.drive
        load = while_alive(port.load, alive)
        warm = self.warm(s, u, port, dt)
        # what went in, less what went out and what became heat, is what the battery gained
        energy = xp.where(self._has_battery > 0, s.energy + (port.power - port.load - warm) * dt, s.energy)
        after = replace(
            s,
            energy=energy,
            walked=drive.walked,
            need=xp.where(port.gap < dt, load + self.loss(load), s.need),
            outage=xp.where(drive.good, 0.0, s.outage + dt - drive.fed),
            **self._flags(s, u, port, load, dt),
        )
        full = xp.maximum(self.battery_energy, 1.0)
        return after, self.Outputs(
            power=port.power,
            load_fraction=load / self.rated_power,
            current=load / self.secondary_voltage,
            state_of_charge=xp.maximum(energy, 0.0) / full,
            loss=warm,
        )

    def _flags(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> dict[str, Real]:
        xp, now, drive = library_of(load), port.now, port.drive
        above = load > self.rated_power
        bearable = self.overload_time(load)
        used = xp.where(above, s.overload_used + dt / bearable, s.overload_used - dt / self.overload_short_time)
        used = xp.maximum(used * (1.0 - u.reset), 0.0)
        left = xp.clip((1.0 - s.overload_used) * bearable, 0.0, dt)
        trips = xp.maximum(used >= 1.0, s.tripped * (1.0 - u.reset))
        bears = drive.bears * ((drive.fed < dt) | (drive.walked < self.walk_in_time)) * (port.gap < dt)
        is_dead = port.voltage == 0
        overloaded, overloaded_at = latched(above, s.overloaded, s.overloaded_at, now)
        tripped, tripped_at = latched(trips, s.tripped, s.tripped_at, now + left)
        on_battery, on_battery_at = latched(
            bears, s.on_battery, s.on_battery_at, now + xp.where(drive.good, 0.0, drive.fed)
        )
        dead, dead_at = latched(is_dead, s.dead, s.dead_at, lambda: now + moment_of_change(is_dead, port.gap, dt))
        return {
            "overload_used": xp.minimum(used, 1.0), "overloaded": overloaded, "overloaded_at": overloaded_at,
            "tripped": tripped, "tripped_at": tripped_at, "on_battery": on_battery, "on_battery_at": on_battery_at,
            "dead": dead, "dead_at": dead_at,
        }  # fmt: skip

    def stored(self, s: Any, port: Ports) -> Real:
        return s.energy
