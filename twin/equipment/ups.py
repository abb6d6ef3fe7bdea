"""UPS: double conversion with a battery, between a feed that may fail and a load that must not."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics import battery, sags
from twin.physics.conversion import Window, overload_time
from twin.physics.electric import loss_by_load
from twin.physics.supply import TINY, WHOLE, while_alive
from twin.physics.uninterruptible import (
    LEAST_NEED,
    Drive,
    drive_of,
    frequency_of,
    given_by_battery,
    is_calm,
    load_flags,
    offer_of,
    output_of,
    sag_flags,
    supply_flags,
)


@table
class UPS(Equipment):
    """Double conversion at unity power factor, or eco mode: the battery bridges what its feed does not give.

    After an outage the rectifier walks in: its share of the load rises from 0 to 1 over `walk_in_time`, the
    battery bears the rest, and recharge at constant power follows. In eco mode the load passes by the static
    switch, and a feed that leaves its window costs `eco_transfer_time`. The second feed serves the bypass; with
    one feed the bypass hangs on it too. An inverter that is overloaded for longer than its curve allows, or whose
    battery is empty, gives its load to the bypass where that is good. A UPS that counts sags locks to its battery
    and refuses feed and bypass until it is reset, or told that generators feed it. The moments at which the battery
    runs empty and the overload curve ends are foreseen from the last tick's load; what that misses is less than one
    tick's change and is taken from, or left in, the cut-off reserve. The tick of a transfer by overload counts as
    conversion. Phase and circulating current of parallel modules, and cells one by one, are left out.
    """

    kind = "ups"
    disturbs = ("power", "flow")
    feeds = (1, 2)
    serves = True
    prefers = True
    signals = ("on_generator",)

    rated_power: Real = quantity("W", "power that the inverter carries for ever", above=0, at_most=2e7)
    modules: Real = quantity("1", "power modules in parallel", default=1.0, at_least=1, at_most=64)
    redundant_modules: Real = quantity("1", "modules beyond its rating", default=0.0, at_least=0, at_most=63)
    standing_loss: Real = quantity("1", "loss without load, of rating", default=0.008, at_least=0, at_most=0.2)
    linear_loss: Real = quantity("1", "loss in proportion to load, of rating", default=0.008, at_least=0, at_most=0.2)
    square_loss: Real = quantity("1", "loss by the square of load, of rating", default=0.009, at_least=0, at_most=0.2)
    eco_standing_loss: Real = quantity("1", "as standing_loss, in eco mode", default=0.0025, at_least=0, at_most=0.2)
    eco_linear_loss: Real = quantity("1", "as linear_loss, in eco mode", default=0.004, at_least=0, at_most=0.2)
    eco_square_loss: Real = quantity("1", "as square_loss, in eco mode", default=0.0015, at_least=0, at_most=0.2)
    eco_window: Real = quantity(
        "1", "voltage off nominal that eco mode bears, of nominal", default=0.1, above=0, at_most=0.3
    )
    eco_transfer_time: Real = quantity(
        "s", "time without output when eco mode loses its feed", default=0.004, at_least=0, at_most=1
    )
    battery_energy: Real = quantity("J", "energy that the new, full battery holds", above=0, at_most=1e11)
    battery_power_limit: Real = quantity(
        "1", "power that the battery gives at most, of rating", default=2.0, above=0, at_most=10
    )
    discharge_loss: Real = quantity(
        "1", "share of rated power lost in the cells at rated power", default=0.0, at_least=0, at_most=0.5
    )
    cutoff_charge: Real = quantity("1", "charge at which the inverter stops", default=0.0, at_least=0, below=1)
    low_charge: Real = quantity("1", "charge at which it warns", default=0.2, at_least=0, below=1)
    capacity_fade: Real = quantity(
        "1", "energy lost at the end of the battery's life", default=0.2, at_least=0, below=1
    )
    battery_life: Real = quantity("s", "life of the battery", default=3.156e8, above=0, at_most=1e10)
    cold_loss: Real = quantity(
        "1/K", "energy withheld for each kelvin below 25 degC", default=0.008, at_least=0, at_most=0.1
    )
    recharge_power: Real = quantity("W", "power taken from the feed to recharge", above=0, at_most=2e7)
    generator_recharge: Real = quantity(
        "1", "share of recharge_power taken while told on_generator", default=1.0, at_least=0, at_most=1
    )
    charge_efficiency: Real = quantity("1", "energy stored over energy taken", default=0.95, above=0, at_most=1)
    walk_in_time: Real = quantity("s", "ramp of the rectifier after an outage", default=10.0, above=0, at_most=3600)
    lowest_voltage: Real = quantity("1", "input voltage taken for dead, of nominal", default=0.85, above=0, below=1)
    highest_voltage: Real = quantity("1", "input voltage refused above, of nominal", default=1.15, above=1, at_most=2)
    frequency_band: Real = quantity(
        "1", "input frequency refused beyond, off nominal", default=0.1, above=0, at_most=0.5
    )
    overload_time_125: Real = quantity("s", "time that it bears 125 %", default=600.0, above=0, at_most=1e5)
    overload_time_150: Real = quantity("s", "time that it bears 150 %", default=60.0, above=0, at_most=1e5)
    overload_time_peak: Real = quantity("s", "time that it bears more than 150 %", default=0.2, above=0, at_most=60)
    overload_recovery: Real = quantity(
        "s", "time from the end of its overload curve to rested", default=600.0, above=0, at_most=1e6
    )
    short_circuit_current: Real = quantity(
        "1", "current that its inverter gives into a short circuit, of rating", default=2.0, at_least=0, at_most=10
    )
    sag_count: Real = quantity("1", "sags in the window that lock it", default=3.0, at_least=1, at_most=5)
    sag_window: Real = quantity("s", "window in which sags are counted", default=60.0, above=0, at_most=1e5)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 runs, 0 is out of service", default=1.0, at_least=0, at_most=1)
        mode: Real = mode("position of the selector switch", "off", "auto", "locked_out", "bypass")
        sag_logic: Real = quantity(
            "1",
            "what it does about many sags: ride through them all, or count them and lock to its battery",
            default=0.0,
            choices={"ride_through": 0.0, "counting": 1.0},
        )
        calls_generators: Real = quantity(
            "1", "1: locked to its battery, it asks for the generators", default=1.0, at_least=0, at_most=1
        )
        eco: Real = quantity("1", "1 allows eco mode", default=0.0, at_least=0, at_most=1)
        reset: Real = quantity("1", "1 clears a latched lock to the battery", default=0.0, at_least=0, at_most=1)
        inhibit_recharge: Real = quantity("1", "1 forbids recharge", default=0.0, at_least=0, at_most=1)
        initial_charge: Real = quantity("1", "charge of the battery at the start", default=1.0, at_least=0, at_most=1)
        battery_age: Real = quantity("s", "time since the battery was new", default=0.0, at_least=0, at_most=1e10)
        battery_temperature: Real = quantity("K", "of the cells", default=298.15, above=220, below=350)
        inverter_failed: Real = quantity("1", "1: the inverter is broken", default=0.0, failure=True)
        modules_failed: Real = quantity("1", "modules that are broken", default=0.0, at_least=0, failure=True)
        rectifier_failed: Real = quantity("1", "1: nothing comes through its input", default=0.0, failure=True)
        bypass_failed: Real = quantity("1", "1: its static switch does not close", default=0.0, failure=True)
        battery_failed: Real = quantity("1", "1: the battery gives and takes nothing", default=0.0, failure=True)
        charger_failed: Real = quantity("1", "1: the battery takes nothing", default=0.0, failure=True)

    @table
    class State:
        energy: Real = quantity("J", "energy in the battery", default=0.0)
        walked: Real = quantity("s", "time into the walk-in ramp", default=0.0)
        need: Real = quantity("W", "load and losses when it was last supplied", default=0.0)
        carried_load: Real = quantity("W", "load in the last tick", default=0.0)
        overload_used: Real = quantity("1", "share of its overload time used up", default=0.0)
        transfer_left: Real = quantity("s", "time until the inverter bears what eco mode lost", default=0.0)
        locked_for: Real = quantity("s", "time since it locked to its battery", default=0.0)
        in_window: Real = quantity("1", "1 where its input was in its window", default=1.0)
        last_sag: Real = quantity("s", "moment of the latest sag", default=sags.NEVER_YET)
        second_sag: Real = quantity("s", "moment of the sag before that", default=sags.NEVER_YET)
        third_sag: Real = quantity("s", "moment of the third last sag", default=sags.NEVER_YET)
        fourth_sag: Real = quantity("s", "moment of the fourth last sag", default=sags.NEVER_YET)
        reset_seen: Real = quantity("1", "the reset as it was", default=0.0)
        on_battery: Real = flag(
            "goes to battery", "is back on its feed", via="power", because=(
                "its input is dead or out of its window", "locked: it refuses its input",
                "rectifier_failed: its rectifier failed",
            ), doc="1 while the battery bears all or, in the walk-in, part of the load",
        )  # fmt: skip
        battery_low: Real = flag(
            "warns of a low battery",
            "has charge again",
            because="its charge fell below {low_charge}",
        )
        depleted: Real = flag(
            "drops its load",
            "can supply again",
            because="its input is dead and its battery gives no more",
            via="power",
        )
        on_eco: Real = flag("runs in eco mode", "leaves eco mode", because="its feed is good and eco mode is allowed")
        overloaded: Real = flag(
            "is overloaded", "is within its rating again", via="load", because=(
                "it carries more than its modules are rated for", "short_circuit: a short circuit takes its voltage",
            ),
        )  # fmt: skip
        overload_tripped: Real = flag(
            "gives up its load", "can bear its load again",
            because="it was overloaded for longer than its curve allows",
        )  # fmt: skip
        on_bypass: Real = flag(
            "goes to bypass", "leaves bypass", because=(
                "its inverter cannot bear it", "mode: it was switched over", "inverter_failed: its inverter failed"
            )
        )  # fmt: skip
        dropped: Real = flag(
            "drops its load", "can supply again", via="power", because="it hangs on its bypass, which gives nothing",
        )  # fmt: skip
        locked: Real = flag(
            "locks to its battery",
            "is unlocked",
            because="it counted {sag_count} sags within {sag_window}",
            via="power",
            doc="1 while it refuses its feed because of many sags",
        )

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feeds", default=0.0)
        load_fraction: Real = quantity("1", "load over rating of the modules at work", default=0.0)
        state_of_charge: Real = quantity("1", "energy in the battery over that of the full one", default=1.0)
        autonomy: Real = quantity("s", "time that the battery would last at this load", default=0.0)
        loss: Real = quantity("W", "heat of conversion, battery and charging", default=0.0)
        start_request: Real = quantity("s", "time since it asked for the generators, 0 if it does not", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        full, _ = self.cells(u.battery_age, u.battery_temperature)
        return {"energy": full * u.initial_charge, "walked": self.walk_in_time}

    def faults(self, feeds: int) -> list[str]:
        found = []
        if self.redundant_modules >= self.modules:
            spare = f"redundant_modules ({self.redundant_modules:g})"
            found.append(f"{spare} leave none of its {self.modules:g} modules to carry the rating; fewer are wanted")
        if self.overload_time_150 > self.overload_time_125:
            found.append("overload_time_150 is longer than overload_time_125; more load is borne for less time")
        if self.low_charge < self.cutoff_charge:
            found.append("low_charge lies below cutoff_charge; it would stop before it warns")
        if 1.0 - self.eco_window < self.lowest_voltage or 1.0 + self.eco_window > self.highest_voltage:
            found.append("eco_window is wider than lowest_voltage to highest_voltage; a narrower one is wanted")
        return found

    def loss(self, load: Real, size: Real = None) -> Real:
        """Heat of double conversion [W] at a load [W]; `size` of the modules at work [W], all of them if not said."""
        size = self._module * self.modules if size is None else size
        return size * loss_by_load(load / size, self.standing_loss, self.linear_loss, self.square_loss)

    def eco_loss(self, load: Real) -> Real:
        """Heat in eco mode [W] at a load [W]."""
        x = load / self.rated_power
        return self.rated_power * loss_by_load(x, self.eco_standing_loss, self.eco_linear_loss, self.eco_square_loss)

    def efficiency(self, load: Real, eco: bool = False) -> Real:
        """Power out over power in [1], at a load [W]."""
        return load / (load + (self.eco_loss(load) if eco else self.loss(load)))

    def autonomy(self, load: Real, age: Real = 0.0, temperature: Real = battery.REFERENCE) -> Real:
        """Seconds that the full battery bears a load [W] at its age [s] and temperature [K]."""
        full, held_back = self.cells(age, temperature)
        return battery.lasts(
            full - held_back, load + self.loss(load), self.rated_power, self.discharge_loss, LEAST_NEED
        )

    def overload_time(self, load: Real) -> Real:
        """Seconds that the rested inverter bears a load [W]."""
        return overload_time(
            load / self.rated_power, self.overload_time_125, self.overload_time_150, self.overload_time_peak
        )

    @cached_property
    def _module(self) -> Real:
        """Power of one module [W]."""
        return self.rated_power / library_of(self.modules).maximum(self.modules - self.redundant_modules, 1.0)

    @cached_property
    def input_window(self) -> Window:
        return Window(self.lowest_voltage, self.highest_voltage, self.frequency_band)

    @cached_property
    def eco_range(self) -> Window:
        return Window(1.0 - self.eco_window, 1.0 + self.eco_window, self.frequency_band)

    @cached_property
    def resists(self) -> bool:
        """Whether any battery loses power within when it is discharged."""
        return worth_doing(self.discharge_loss)

    def cells(self, age: Real, temperature: Real) -> tuple[Real, Real]:
        """Energy of the full battery, and what of it cannot be taken out [J]."""
        full = battery.capacity(self.battery_energy, age, self.battery_life, self.capacity_fade)
        return full, battery.held_back(full, self.cutoff_charge, temperature, self.cold_loss)

    def _at_work(self, modules_failed: Real) -> tuple[Real, Real]:
        """Size of the modules at work [W], at least one of them, and what they may carry for ever [W]."""
        xp = library_of(modules_failed)
        size = self._module * xp.maximum(self.modules - modules_failed, 0.0)
        return xp.maximum(size, self._module), xp.minimum(size, self.rated_power)

    def _way(
        self, mode: Real, in_service: Real, inverter: Real, modules: Real, tripped: Real
    ) -> tuple[Real, Real, Real, Real]:
        size, rating = self._at_work(modules)
        auto = in_service * (mode == MODES["auto"])
        broken = 1.0 - (1.0 - inverter) * (rating > 0) * (1.0 - tripped)
        return auto * (1.0 - broken), auto * broken + in_service * (mode == MODES["bypass"]), size, rating

    def ways(self, s: Any, u: Any) -> tuple[Real, Real, Real, Real]:
        """1 where it converts, where the bypass bears the load by order; size and rating of the modules at work [W]."""
        found: tuple[Real, Real, Real, Real] = self.once(
            self._way, u.mode, u.in_service, u.inverter_failed, u.modules_failed, s.overload_tripped
        )
        return found

    def _rests(self, s: Any, u: Any, port: Ports) -> bool:
        """Whether all convert from a good feed with nothing to catch up on; said on the CPU alone."""
        return (
            self.once(
                _converts, u.mode, u.in_service, u.inverter_failed, u.battery_failed, u.eco,
                u.modules_failed, u.rectifier_failed, u.charger_failed, u.inhibit_recharge, u.reset,
            )
            and self.once(
                self._has_caught_up, s.walked, s.on_battery, s.depleted, s.on_bypass, s.dropped, s.on_eco,
                s.locked, s.overload_used, s.overload_tripped, s.transfer_left, s.in_window, s.reset_seen,
            )
            and bool(self.once(
                is_calm, self.input_window, port.feed_voltage[0], port.feed_gap[0], frequency_of(port, 0),
                s.carried_load, self.rated_power, port.signal["on_generator"],
            ))
        )  # fmt: skip

    def _has_caught_up(self, walked: Real, *flags: Real) -> bool:
        *raised, in_window, reset_seen = flags
        return not worth_doing((walked < self.walk_in_time) | (sum(raised) + reset_seen != 0) | (in_window != 1))

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        if self._rests(s, u, port):
            gap = port.feed_gap[0]
            return Supply(gap + (1.0 + 0j), gap, [WHOLE] + [0.0] * (len(port.feed_gap) - 1), 1.0)
        return Supply(*offer_of(output_of(self, s, u, port, dt), port))

    def passes(self, s: Any, u: Any) -> tuple[Real, Real]:
        converts, bypassed, size, _ = self.ways(s, u)
        through = library_of(s.on_eco).maximum(s.on_eco, s.on_bypass)
        return bypassed + converts * through, self.short_circuit_current * size

    def pace(self) -> dict[str, tuple[float, str]]:
        return {"power": (self.walk_in_time, "it walks back in on its feed")}

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Drive:
        full, _ = self.once(self.cells, u.battery_age, u.battery_temperature)
        room = (full - s.energy) / (self.charge_efficiency * dt)
        if self._rests(s, u, port):
            xp = library_of(room)
            charge = xp.maximum(xp.minimum(self.recharge_power, room), 0.0)
            return Drive(None, 1.0, 1.0, 0.0, 0.0, s.walked, dt, dt, charge)
        return drive_of(self, s, u, port, output_of(self, s, u, port, dt), room, dt)

    def _conversion(self, s: Any, u: Any, load: Real) -> Real:
        """Heat of the modules at work, while alive [W]."""
        return self.once(self.loss, load, self.ways(s, u)[2])

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        drive = port.drive
        alone = while_alive(port.load, drive.alive)
        conversion = self._conversion(s, u, alone)
        if drive.output is None:
            return port.load + conversion + drive.charge + 0j
        need = (alone + conversion) * drive.converts
        given, _ = given_by_battery(self, s, u, need, drive, dt)
        passing = load * (drive.passes / library_of(need).maximum(drive.alive, TINY))
        return passing + self.eco_loss(alone) * drive.by_eco + (need - given) + drive.charge

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        drive = port.drive
        load = while_alive(port.load, drive.alive)
        return self._heat(s, u, load, self._conversion(s, u, load), drive, dt)

    def _heat(self, s: Any, u: Any, load: Real, conversion: Real, drive: Drive, dt: Real) -> Real:
        """Heat of conversion, eco mode, cells and charging, mean over the tick [W]."""
        charging = drive.charge * (1.0 - self.charge_efficiency)
        if drive.output is None:
            return conversion + charging
        heat = conversion * drive.converts + self.eco_loss(load) * drive.by_eco + charging
        return heat + given_by_battery(self, s, u, (load + conversion) * drive.converts, drive, dt)[1]

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(port.gap)
        drive = port.drive
        load = while_alive(port.load, drive.alive)
        conversion = self._conversion(s, u, load)
        warm = self._heat(s, u, load, conversion, drive, dt)
        # what went in, less what went out and what became heat, is what the battery gained
        energy = s.energy + (port.power - port.load - warm) * dt
        need = load + conversion
        if type(drive.alive) is not float:
            need = xp.where(drive.alive > 0, need, s.need)
        full, held_back = self.once(self.cells, u.battery_age, u.battery_temperature)
        borne = load
        if type(port.fault_current) is not float:
            borne = xp.maximum(load, abs(port.fault_current) * (drive.converts > 0))
        after = replace(
            s, energy=energy, walked=drive.walked, need=need, carried_load=borne,
            **load_flags(self, s, u, borne, energy / full, s.energy / full, drive, port.now, dt),
        )  # fmt: skip
        if drive.output is not None:
            after = replace(after, **supply_flags(self, s, u, drive, drive.output, port.now, dt))
            after = replace(after, **sag_flags(self, s, u, drive, drive.output, port.now, dt))
        held = xp.maximum(energy - held_back, 0.0)
        rating = self.ways(s, u)[3]
        return after, self.Outputs(
            power=port.power,
            load_fraction=load / xp.maximum(rating, 1.0),
            state_of_charge=xp.clip(energy / full, 0.0, 1.0),
            autonomy=battery.lasts(held, need, self.rated_power, self.discharge_loss, LEAST_NEED),
            loss=warm,
            start_request=after.locked_for * u.calls_generators,
        )

    def stored(self, s: Any, port: Ports) -> Real:
        return s.energy


def _converts(mode: Real, in_service: Real, *ailments: Real) -> bool:
    """Whether all are in service and left to themselves, with nothing broken and nothing forbidden."""
    ails = (mode != MODES["auto"]) | (in_service != 1)
    for one in ailments:
        ails = ails | (one != 0)
    return not worth_doing(ails)
