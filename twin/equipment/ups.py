"""UPS: double conversion with a battery, between a feed that may fail and a load that must not."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics.electric import bridged, loss_by_load, walk_in
from twin.physics.supply import WHOLE, latched, preferred, share_alive, usable, while_alive

LEAST_NEED = 1e-3
"""Power [W] that stands for none where time left is energy over power."""


class Output(NamedTuple):
    """What the output does in a tick, and through which way; times in seconds of the tick."""

    converting: Real
    bypassed: Real
    good: Real
    feed_gap: Real
    fed: Real
    battery: Real
    lasts: Real
    on: Real
    gap: Real


class Drive(NamedTuple):
    """The tick of rectifier and charger, once it is known who is energised.

    output: None where all rest on their feed; alive: share of the tick with output.
    """

    output: Output | None
    alive: Real
    walked: Real
    at_full: Real
    from_feed: Real
    charge: Real


@table
class UPS(Equipment):
    """Double conversion at unity power factor: the battery bridges what its feed does not give.

    After an outage the rectifier walks in: its share of the load rises from 0 to 1 over `walk_in_time`, the
    battery bears the rest, and recharge at constant power follows. The second feed serves the static
    bypass (lossless here); with one feed the bypass hangs on it too. The moment the battery runs empty is
    foreseen from the last tick's need; what that misses is less than one tick's change of load and is
    taken from, or left in, the cut-off reserve. Overload transfers, battery ageing, discharge rate and
    temperature are left out.
    """

    kind = "ups"
    disturbs = ("power", "flow")
    feeds = (1, 2)
    serves = True
    prefers = True

    rated_power: Real = quantity("W", "power that the inverter carries for ever", above=0, at_most=2e7)
    standing_loss: Real = quantity("1", "loss without load, of rating", default=0.008, at_least=0, at_most=0.2)
    linear_loss: Real = quantity("1", "loss in proportion to load, of rating", default=0.008, at_least=0, at_most=0.2)
    square_loss: Real = quantity("1", "loss by the square of load, of rating", default=0.009, at_least=0, at_most=0.2)
    battery_energy: Real = quantity("J", "energy that the full battery gives to the inverter", above=0, at_most=1e11)
    recharge_power: Real = quantity("W", "power taken from the feed to recharge", above=0, at_most=2e7)
    charge_efficiency: Real = quantity("1", "energy stored over energy taken", default=0.95, above=0, at_most=1)
    walk_in_time: Real = quantity("s", "ramp of the rectifier after an outage", default=10.0, above=0, at_most=3600)
    lowest_voltage: Real = quantity("1", "input voltage taken for dead, of nominal", default=0.85, above=0, below=1)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 runs, 0 is out of service", default=1.0, at_least=0, at_most=1)
        mode: Real = mode("position of the selector switch", "off", "auto", "locked_out", "bypass")
        initial_charge: Real = quantity("1", "charge of the battery at the start", default=1.0, at_least=0, at_most=1)
        inverter_failed: Real = quantity("1", "1: the inverter is broken", default=0.0, failure=True)
        battery_failed: Real = quantity("1", "1: the battery gives and takes nothing", default=0.0, failure=True)

    @table
    class State:
        energy: Real = quantity("J", "energy in the battery", default=0.0)
        walked: Real = quantity("s", "time into the walk-in ramp", default=0.0)
        need: Real = quantity("W", "load and losses when it was last supplied", default=0.0)
        on_battery: Real = flag(
            "goes to battery",
            "is back on its feed",
            because="its input is dead",
            via="power",
            doc="1 while the battery bears all or, in the walk-in, part of the load",
        )
        depleted: Real = flag(
            "drops its load",
            "can supply again",
            because="its input is dead and its battery is empty",
            via="power",
        )
        on_bypass: Real = flag("goes to bypass", "leaves bypass", because="its inverter failed or it was switched over")
        overloaded: Real = flag(
            "is overloaded",
            "is within its rating again",
            because="it carries more than {rated_power}",
            via="power",
        )

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feeds", default=0.0)
        load_fraction: Real = quantity("1", "load over rating", default=0.0)
        state_of_charge: Real = quantity("1", "energy in the battery over that of the full one", default=1.0)
        autonomy: Real = quantity("s", "time that the battery would last at this load", default=0.0)
        loss: Real = quantity("W", "heat of conversion and charging", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"energy": self.battery_energy * u.initial_charge, "walked": self.walk_in_time}

    def loss(self, load: Real) -> Real:
        """Heat of double conversion [W] at a load [W]."""
        x = load / self.rated_power
        return self.rated_power * loss_by_load(x, self.standing_loss, self.linear_loss, self.square_loss)

    def efficiency(self, load: Real) -> Real:
        """Power out over power in [1], at a load [W]."""
        return load / (load + self.loss(load))

    def autonomy(self, load: Real) -> Real:
        """Seconds that the full battery bears a load [W]."""
        return self.battery_energy / (load + self.loss(load))

    def _need(self, load: Real, alive: Real) -> Real:
        """Power of inverter and load [W], mean over the tick."""
        return load + self.loss(while_alive(load, alive)) * alive

    def _rests(self, s: Any, u: Any, port: Ports) -> bool:
        """Whether all convert from a good feed with nothing to catch up on; said on the CPU alone."""
        return (
            self.once(self._converts, u.mode, u.in_service, u.inverter_failed, u.battery_failed)
            and self.once(self._has_caught_up, s.walked, s.on_battery, s.depleted, s.on_bypass)
            and not worth_doing(port.feed_gap[0])
            and not worth_doing(abs(port.feed_voltage[0]) < self.lowest_voltage)
        )

    def _converts(self, mode: Real, in_service: Real, inverter_failed: Real, battery_failed: Real) -> bool:
        ails = (mode != MODES["auto"]) | (in_service != 1) | (inverter_failed != 0) | (battery_failed != 0)
        return not worth_doing(ails)

    def _has_caught_up(self, walked: Real, on_battery: Real, depleted: Real, on_bypass: Real) -> bool:
        return not worth_doing((walked < self.walk_in_time) | (on_battery + depleted + on_bypass != 0))

    def _output(self, s: Any, u: Any, port: Ports, dt: Real) -> Output:
        xp = library_of(s.energy)
        auto = u.in_service * (u.mode == MODES["auto"])
        bypassed = auto * u.inverter_failed + u.in_service * (u.mode == MODES["bypass"])
        converting = auto * (1.0 - u.inverter_failed)
        good, feed_gap = usable(port.feed_voltage[0], port.feed_gap[0], self.lowest_voltage, dt)
        battery = (1.0 - u.battery_failed) * (1.0 - s.depleted)
        lasts = xp.maximum(s.energy, 0.0) * battery / xp.maximum(s.need, LEAST_NEED)
        gap = xp.maximum(feed_gap - lasts, 0.0)
        return Output(converting, bypassed, good, feed_gap, dt - feed_gap, battery, lasts, good | (gap == 0), gap)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        if self._rests(s, u, port):
            gap = port.feed_gap[0]
            return Supply(gap + (1.0 + 0j), gap, [WHOLE] + [0.0] * (len(port.feed_gap) - 1))
        output = self._output(s, u, port, dt)
        where = library_of(output.gap).where
        bypass = preferred(port.feed_voltage[::-1], port.feed_gap[::-1], dt)
        on_bypass = output.bypassed > 0
        voltage = where(on_bypass, bypass[0], output.converting * output.on)
        gap = where(on_bypass, bypass[1], where(output.converting > 0, output.gap, dt))
        split = [output.bypassed * share for share in bypass[2][::-1]]
        split[0] = split[0] + output.converting * (output.feed_gap < dt)
        return Supply(voltage, gap, split)

    def pace(self) -> dict[str, tuple[float, str]]:
        return {"power": (self.walk_in_time, "it walks back in on its feed")}

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Drive:
        room = (self.battery_energy - s.energy) / (self.charge_efficiency * dt)
        if self._rests(s, u, port):
            xp = library_of(room)
            return Drive(None, 1.0, s.walked, dt, dt, xp.minimum(self.recharge_power, room))
        output = self._output(s, u, port, dt)
        xp = library_of(output.gap)
        done = xp.where(output.good & (output.feed_gap > 0), 0.0, s.walked)
        end, at_full, from_feed = walk_in(done, output.fed, self.walk_in_time)
        charge = xp.minimum(self.recharge_power * (at_full / dt), room)
        charge = charge * output.converting * (1.0 - u.battery_failed)
        return Drive(output, share_alive(port.gap, dt), end * output.good, at_full, from_feed, charge)

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        drive, output = port.drive, port.drive.output
        need = self._need(load.real, drive.alive)
        if output is None:
            return need + drive.charge + 0j
        given = bridged(need, s.energy, drive.from_feed, output.fed, dt - port.gap, dt) * output.battery
        taken = (need - given) * output.converting + drive.charge
        return load * output.bypassed + taken

    def _heat(self, conversion: Real, drive: Drive) -> Real:
        """Heat of conversion [W while alive] and charging, mean over the tick [W]."""
        lasting = conversion * drive.alive
        if drive.output is not None:
            lasting = lasting * drive.output.converting
        return lasting + drive.charge * (1.0 - self.charge_efficiency)

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return self._heat(self.loss(while_alive(port.load, port.drive.alive)), port.drive)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(port.gap)
        drive = port.drive
        load = while_alive(port.load, drive.alive)
        conversion = self.loss(load)
        warm = self._heat(conversion, drive)
        # what went in, less what went out and what became heat, is what the battery gained
        energy = s.energy + (port.power - port.load - warm) * dt
        need = load + conversion
        if type(drive.alive) is not float:
            need = xp.where(drive.alive > 0, need, s.need)
        after = replace(s, energy=energy, walked=drive.walked, need=need, **self._flags(s, port, load, dt))
        held = xp.maximum(energy, 0.0)
        return after, self.Outputs(
            power=port.power,
            load_fraction=load / self.rated_power,
            state_of_charge=held / self.battery_energy,
            autonomy=held / xp.maximum(need, LEAST_NEED),
            loss=warm,
        )

    def _flags(self, s: Any, port: Ports, load: Real, dt: Real) -> dict[str, Real]:
        """The flags that changed; those of the supply can only where not all rest."""
        above = load > self.rated_power
        overloaded, overloaded_at = latched(above, s.overloaded, s.overloaded_at, port.now)
        flags = {"overloaded": overloaded, "overloaded_at": overloaded_at}
        if port.drive.output is not None:
            flags |= self._supply_flags(s, port.drive, port.drive.output, port.now, dt)
        return flags

    def _back_after(self, s: Any, drive: Drive, dt: Real) -> Real:
        """When in the tick the feed bears everything again [s]."""
        assert drive.output is not None
        return library_of(s.depleted).where(s.depleted > 0, drive.output.feed_gap, dt - drive.at_full)

    def _supply_flags(self, s: Any, drive: Drive, output: Output, now: Real, dt: Real) -> dict[str, Real]:
        xp = library_of(output.gap)
        lost = output.good == 0
        # part of the load is still on the battery until the walk-in is done, unless it was empty before
        bridges = (drive.walked < self.walk_in_time) & (s.depleted == 0)
        bears = output.converting * (lost | (bridges & ((s.on_battery > 0) | (output.feed_gap > 0))))
        on_battery, on_battery_at = latched(
            bears,
            s.on_battery,
            s.on_battery_at,
            lambda: now + xp.where(bears > 0, output.fed * lost, self._back_after(s, drive, dt)),
        )
        depleted, depleted_at = latched(
            xp.maximum(s.depleted, output.converting * (output.on == 0)) * lost,
            s.depleted,
            s.depleted_at,
            lambda: now + xp.where(lost, output.fed + output.lasts, output.feed_gap),
        )
        on_bypass, on_bypass_at = latched(output.bypassed, s.on_bypass, s.on_bypass_at, now)
        return {
            "on_battery": on_battery, "on_battery_at": on_battery_at, "depleted": depleted,
            "depleted_at": depleted_at, "on_bypass": on_bypass, "on_bypass_at": on_bypass_at,
        }  # fmt: skip

    def stored(self, s: Any, port: Ports) -> Real:
        return s.energy
