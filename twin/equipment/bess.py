"""BESS: battery storage at a board, which follows the grid's set-points or forms a grid of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import complex_of, library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics import inverter
from twin.physics.electric import NEVER
from twin.physics.supply import latched

FOLLOW, BLACK_START, FORM = 0.0, 1.0, 2.0
"""How it stands on its board: by set-points alone; besides, raising it when dead; or holding it all the time."""
LEAST = 1e-3
"""Power [W] that stands for none where time left is energy over power."""
NOMINAL = 1.0
"""Frequency of whoever does not say otherwise, of nominal."""
ALONE = 1e-6
"""Share of its rating by which what it gives must differ from what it forces in, to be told to be alone."""


class Drive(NamedTuple):
    """The tick of the inverter: what it forces in (mean), its set-points at the end, and when it starts or dies."""

    active: inverter.Followed
    reactive: inverter.Followed
    forced: Real
    works: Real
    forms: Real
    starts_after: Real
    lasts: Real
    held_back: Real


@table
class BESS(Equipment):
    """A battery behind an inverter, among the feeds of a board.

    While another feed of the board lives it forces in `power_setpoint` and `reactive_setpoint` (positive: into the
    board), by a ramp and a first-order lag, within its apparent power, its charge limits and its losses. `control`
    says what it does beyond that: `follow` dies with the board; `black_start` energises it once it has been dead for
    `forming_delay`; `form` holds the board without a gap. Alone it bears the board's whole load, and voltage and
    frequency droop with that; beyond its current limit voltage sags, and after `overload_delay` it trips. Into a
    short circuit it gives reactive current up to that limit, whether it forms or follows, and trips likewise. It goes
    back to its set-points when another feed returns. The moment it runs empty is foreseen from the last tick's
    load. Auxiliary power comes out of its own store. Synchronising, cell temperature, ageing and black-start inrush
    are left out.
    """

    kind = "bess"
    disturbs = ("power", "flow")
    source = True
    serves = True
    stores_power = True

    rated_power: Real = quantity("W", "active power that it gives and takes for ever", above=0, at_most=1e9)
    apparent_limit: Real = quantity("1", "largest apparent power, of rated power", default=1.0, at_least=1, at_most=3)
    battery_energy: Real = quantity("J", "energy in the full battery", above=0, at_most=1e14)
    discharge_efficiency: Real = quantity(
        "1", "energy given over energy out of store", default=0.94, above=0, at_most=1
    )
    charge_efficiency: Real = quantity("1", "energy stored over energy taken", default=0.94, above=0, at_most=1)
    lowest_charge: Real = quantity("1", "charge at which discharge ends", default=0.05, at_least=0, below=1)
    highest_charge: Real = quantity("1", "charge at which charging ends", default=0.95, above=0, at_most=1)
    auxiliary_power: Real = quantity("W", "taken by its own cooling and control", default=0.0, at_least=0, at_most=1e7)
    ramp_rate: Real = quantity("W/s", "fastest change of its set-points", above=0, at_most=1e11)
    response_time: Real = quantity("s", "time constant behind the set-points", default=0.05, above=0, at_most=60)
    forming_delay: Real = quantity(
        "s", "time a board is dead before it is raised", default=5.0, at_least=0, at_most=3600
    )
    voltage_droop: Real = quantity("1", "voltage lost at rated reactive power", default=0.02, at_least=0, at_most=0.2)
    frequency_droop: Real = quantity("1", "frequency lost at rated power", default=0.005, at_least=0, at_most=0.1)
    current_limit: Real = quantity("1", "largest current, of rated", default=1.2, at_least=1, at_most=5)
    overload_delay: Real = quantity(
        "s", "time at the current limit until it trips", default=2.0, at_least=0, at_most=600
    )
    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line, if said", default=0.0, at_least=0, at_most=1e6
    )
    nominal_frequency: Real = quantity("Hz", "nominal frequency", default=60.0, at_least=40, at_most=70)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is out", default=1.0, at_least=0, at_most=1)
        mode: Real = mode("position of the selector switch", "off", "auto", "locked_out")
        control: Real = quantity(
            "1",
            "what it does beyond its set-points",
            default=FOLLOW,
            choices={"follow": FOLLOW, "black_start": BLACK_START, "form": FORM},
        )
        power_setpoint: Real = quantity(
            "W", "active power into the board; negative charges", default=0.0, at_least=-1e9, at_most=1e9
        )
        reactive_setpoint: Real = quantity(
            "var", "reactive power into the board", default=0.0, at_least=-1e9, at_most=1e9
        )
        initial_charge: Real = quantity("1", "charge of the battery at the start", default=0.9, at_least=0, at_most=1)
        inverter_failed: Real = quantity("1", "1: the inverter is broken", default=0.0, failure=True)
        battery_failed: Real = quantity("1", "1: the battery gives and takes nothing", default=0.0, failure=True)
        forming_failed: Real = quantity("1", "1: it does not hold a dead board", default=0.0, failure=True)

    @table
    class State:
        energy: Real = quantity("J", "energy in the battery", default=0.0)
        commanded: Real = quantity("W", "active power commanded, on its ramp", default=0.0)
        given: Real = quantity("W", "active power behind the command", default=0.0)
        commanded_reactive: Real = quantity("var", "reactive power commanded, on its ramp", default=0.0)
        given_reactive: Real = quantity("var", "reactive power behind the command", default=0.0)
        dead_for: Real = quantity("s", "time that its board has been seen dead", default=0.0)
        limited_for: Real = quantity("s", "time at its current limit", default=0.0)
        raised: Real = quantity("1", "1 while it holds a voltage of its own", default=0.0)
        forming: Real = flag(
            "forms its board alone", "follows the grid again", because="no other feed of its board lives", via="power"
        )
        black_started: Real = flag(
            "raises its dead board", "is done raising it", because="its board was dead for {forming_delay}", via="power"
        )
        empty: Real = flag("is empty", "can give again", because="its charge fell to {lowest_charge}")
        full: Real = flag("is full", "can take again", because="its charge rose to {highest_charge}")
        at_limit: Real = flag(
            "is at its limit", "is within its limits again", because="more is asked than it can give", via="load"
        )
        tripped: Real = flag(
            "trips", "is reset", because="it was at its current limit for {overload_delay}", via="power"
        )
        failed: Real = flag("fails", "is mended", because=("its inverter broke", "battery_failed: its battery broke"))

    @table
    class Outputs:
        power: Real = quantity("W", "active power into the board; negative while it charges", default=0.0)
        reactive: Real = quantity("var", "reactive power into the board", default=0.0)
        load_fraction: Real = quantity("1", "apparent power over rating", default=0.0)
        state_of_charge: Real = quantity("1", "energy in the battery over that of the full one", default=1.0)
        autonomy: Real = quantity("s", "time that its charge lasts at this power", default=0.0)
        loss: Real = quantity("W", "heat of conversion and auxiliaries", default=0.0)
        frequency: Real = quantity("Hz", "frequency that it holds while it forms its board", default=60.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"energy": self.battery_energy * u.initial_charge}

    def faults(self, feeds: int) -> list[str]:
        if self.lowest_charge < self.highest_charge:
            return []
        return ["lowest_charge is not below highest_charge; it could hold nothing"]

    def round_trip(self) -> Real:
        """Energy given over energy taken [1]."""
        return self.discharge_efficiency * self.charge_efficiency

    def autonomy(self, power: Real) -> Real:
        """Seconds that it gives a power [W] from its highest to its lowest charge."""
        span = (self.highest_charge - self.lowest_charge) * self.battery_energy
        return span / self._from_store(power)

    def _from_store(self, power: Real, works: Real = 1.0) -> Real:
        return inverter.drawn_from_store(
            power, self.auxiliary_power * works, self.discharge_efficiency, self.charge_efficiency
        )

    def _sound(self, in_service: Real, mode: Real, inverter_failed: Real, tripped: Real) -> Real:
        """1 where the inverter can work."""
        return in_service * (mode == MODES["auto"]) * (1.0 - inverter_failed) * (1.0 - tripped)

    def _drive(self, s: Any, u: Any, port: Ports, dt: Real) -> Drive:
        works = self.once(self._sound, u.in_service, u.mode, u.inverter_failed, s.tripped)
        xp = library_of(works)
        cells = works * (1.0 - u.battery_failed)
        wanted, wanted_reactive = self.once(self._wanted, u.power_setpoint, u.reactive_setpoint)
        active = inverter.follow(s.given, s.commanded, wanted * cells, self.ramp_rate, self.response_time, dt)
        reactive = inverter.follow(
            s.given_reactive, s.commanded_reactive, wanted_reactive * works, self.ramp_rate, self.response_time, dt
        )
        above = s.energy - self.lowest_charge * self.battery_energy
        below = self.highest_charge * self.battery_energy - s.energy
        both = (self.discharge_efficiency, self.charge_efficiency)
        least, largest = inverter.storable(above, below, self.auxiliary_power, both, dt)
        mean = xp.minimum(xp.maximum(active.mean, least), largest) * cells
        short = abs(mean - active.mean * cells) > self.auxiliary_power + ALONE * self.rated_power
        held_back = xp.maximum(short, self.once(self._beyond, u.power_setpoint, u.reactive_setpoint) * works)
        mean = xp.where(cells > 0, mean, -self.auxiliary_power * works)
        forced = complex_of(mean, reactive.mean * works)
        forms, starts_after, lasts = self._forms(s, u, port, cells, above, dt)
        return Drive(active, reactive, forced, works, forms, starts_after, lasts, held_back)

    def _wanted(self, power: Real, reactive: Real) -> tuple[Real, Real]:
        return inverter.within_apparent(power, reactive, self.apparent_limit * self.rated_power)

    def _beyond(self, power: Real, reactive: Real) -> Real:
        """Whether the set-points ask for more than the inverter can give."""
        apparent = abs(complex_of(power + 0.0, reactive + 0.0))
        return (apparent > self.apparent_limit * self.rated_power * (1.0 + 1e-12)) * 1.0

    def _forms(self, s: Any, u: Any, port: Ports, cells: Real, above: Real, dt: Real) -> tuple[Real, Real, Real]:
        """Whether it holds a voltage of its own in the tick, from when [s], and for how long its charge lasts [s]."""
        xp = library_of(cells)
        able = cells * (1.0 - u.forming_failed) * (above > 0)
        dead = port.served_voltage == 0
        waits = xp.maximum(self.forming_delay - s.dead_for, 0.0)
        starting = able * (u.control == BLACK_START) * dead * (s.raised == 0)
        holds = able * ((u.control == FORM) & (s.raised + (dead == 0) > 0))
        rises = able * (u.control == FORM) * dead * (s.raised == 0)
        keeps = able * (u.control == BLACK_START) * s.raised
        after = xp.where(starting + rises > 0, waits, 0.0)
        forms = xp.maximum(xp.maximum(holds, keeps), xp.maximum(starting, rises) * (after < dt))
        alone = xp.where(s.forming > 0, s.given, 0.0)
        lasts = above / xp.maximum(self._from_store(alone), LEAST)
        lasts = xp.where(s.forming > 0, lasts, NEVER)
        return forms, after * forms, lasts

    def series(self, s: Any, u: Any) -> Real:
        """A short circuit sees it behind the reactance that lets its current limit flow; none where it cannot work."""
        works = self.once(self._sound, u.in_service, u.mode, u.inverter_failed, s.tripped)
        return self.once(self._limiting, works)

    def _limiting(self, works: Real) -> Real:
        return 1j / library_of(works).maximum(self.current_limit * self.rated_power * works, LEAST)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        """It forces its power in; where it forms, it offers a voltage too, on which the board can live alone."""
        drive = self._drive(s, u, port, dt)
        xp = library_of(drive.works)
        if not worth_doing(drive.forms):
            return Supply(drive.works * 0j, drive.works * 0.0, [], NOMINAL, drive.forced)
        share = s.given * s.forming / self.rated_power
        reactive = s.given_reactive * s.forming / self.rated_power
        voltage = inverter.drooped(1.0, reactive, self.voltage_droop)
        apparent = abs(complex_of(share, reactive)) * self.rated_power
        voltage = inverter.limited_voltage(voltage, apparent, self.current_limit * self.rated_power)
        lives = drive.forms * (drive.lasts > dt)
        gap = xp.where(drive.forms > 0, xp.maximum(drive.starts_after, dt - drive.lasts), 0.0)
        pace = inverter.drooped(1.0, share, self.frequency_droop)
        return Supply(voltage * lives + 0j, xp.minimum(gap, dt), [], xp.where(lives > 0, pace, NOMINAL), drive.forced)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Drive:
        return self._drive(s, u, port, dt)

    def pace(self) -> dict[str, tuple[float, str]]:
        if not self.overload_delay > 0:
            return {}
        return {"power": (self.overload_delay, "it trips at its current limit")}

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(s.energy)
        drive = port.drive
        given = complex_of(port.load + 0.0, port.load_reactive + 0.0)
        differs = abs(given - drive.forced) > ALONE * self.rated_power
        alone = drive.forms * xp.maximum(differs, (port.served_otherwise == 0) & (port.served_voltage > 0))
        power = port.load + port.fault_power
        from_store = self._from_store(power, drive.works)
        energy = s.energy - from_store * dt
        # alone, the set-points wait where the load is, so that the grid's return finds no step
        active = xp.where(alone > 0, port.load, drive.active.given)
        reactive = xp.where(alone > 0, port.load_reactive, drive.reactive.given)
        apparent = abs(given)
        limited = alone * (apparent >= self.current_limit * self.rated_power * (1.0 - 1e-9))
        shorted = abs(port.fault_current) > self.apparent_limit * self.rated_power
        limited = xp.maximum(limited, shorted * drive.works)
        after = replace(
            s,
            energy=energy,
            given=active * drive.works,
            given_reactive=reactive * drive.works,
            commanded=xp.where(alone > 0, port.load, drive.active.command) * drive.works,
            commanded_reactive=xp.where(alone > 0, port.load_reactive, drive.reactive.command) * drive.works,
            dead_for=(s.dead_for + dt) * (port.served_voltage == 0) * (drive.forms == 0),
            limited_for=(s.limited_for + dt) * limited,
            raised=drive.forms * (drive.lasts > dt) * xp.maximum(alone, xp.maximum(u.control == FORM, s.raised == 0)),
            **self._flags(s, u, drive, alone, limited, energy, port.now, dt),
        )
        pace = inverter.drooped(NOMINAL, port.load / self.rated_power, self.frequency_droop)
        held = xp.maximum(energy, 0.0)
        above = xp.maximum(energy - self.lowest_charge * self.battery_energy, 0.0)
        return after, self.Outputs(
            power=power,
            reactive=port.load_reactive + 0.0,
            load_fraction=apparent / (self.apparent_limit * self.rated_power),
            state_of_charge=held / self.battery_energy,
            autonomy=above / xp.maximum(from_store, LEAST),
            loss=from_store - power,
            frequency=self.nominal_frequency * xp.where(alone > 0, pace, port.served_frequency),
        )

    def _flags(
        self, s: Any, u: Any, drive: Drive, alone: Real, limited: Real, energy: Real, now: Real, dt: Real
    ) -> dict[str, Real]:
        xp = library_of(energy)
        lowest, highest = self.lowest_charge * self.battery_energy, self.highest_charge * self.battery_energy
        # what would have flowed, had the store not set an end to it
        rate = xp.where(alone > 0, (s.energy - energy) / dt, self._from_store(drive.active.mean, drive.works))
        fell, rose = xp.maximum(rate, LEAST) * dt, xp.maximum(-rate, LEAST) * dt
        near = 1e-9 * self.battery_energy
        starts = (drive.starts_after > 0) * drive.forms
        trips = xp.maximum(s.tripped, (s.limited_for + dt * limited > self.overload_delay) * limited)
        broken = u.in_service * xp.maximum(u.inverter_failed, u.battery_failed)
        rows = {
            "forming": (alone * (drive.lasts > dt), lambda: now + drive.starts_after),
            "black_started": (xp.maximum(starts, s.black_started * alone), lambda: now + drive.starts_after),
            "empty": (energy <= lowest + near, lambda: now + dt * _share(s.energy - lowest, fell)),
            "full": (energy >= highest - near, lambda: now + dt * _share(highest - s.energy, rose)),
            "at_limit": (xp.maximum(drive.held_back, limited), lambda: now),
            "tripped": (
                trips * (u.mode != MODES["off"]),
                lambda: now + xp.minimum(xp.maximum(self.overload_delay - s.limited_for, 0.0), dt),
            ),
            "failed": (broken, lambda: now),
        }
        found: dict[str, Real] = {}
        for name, (value, moment) in rows.items():
            found[name], found[f"{name}_at"] = latched(value, getattr(s, name), getattr(s, f"{name}_at"), moment)
        return found

    def stored(self, s: Any, port: Ports) -> Real:
        return s.energy

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.loss


def _share(part: Real, whole: Real) -> Real:
    """A part of a whole within 0 and 1."""
    xp = library_of(part)
    return xp.minimum(xp.maximum(part / whole, 0.0), 1.0)
