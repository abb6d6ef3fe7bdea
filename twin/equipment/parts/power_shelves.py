"""Power shelves of a rack: from its feeds to its busbar, with hold-up, brake, overload, smoothing and their flags."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, nothing, worth_doing
from twin.declare import Equipment, Ports, Real, Supply, flag, quantity, table
from twin.physics import shelf, smoothing
from twin.physics.electric import NEVER
from twin.physics.supply import latched, shared, usable

LEAKS_AT_MOST = 1.25
"""GPU power over that at reference temperature which is never passed; it only decides whether to look closer."""


class Trays(NamedTuple):
    """What the trays ask of the busbar [W]: the GPUs, at reference temperature and at least, and the rest.

    rated, cap: of the GPUs, and what the power limit leaves them; takes: finds GPU power beyond the least as dies
    and clocks are, over what is asked [1].
    """

    gpus: Real
    least: Real
    other: Real
    rated: Real
    cap: Real
    takes: Callable[[], Real]

    def need(self, gpus: Real, takes: Real) -> Real:
        """Power of the trays [W] where the GPUs ask so much."""
        return self.least + (gpus - self.least) * takes + self.other


class Fed(NamedTuple):
    """What the supply makes of what the trays ask.

    gpus: power that the GPUs may take, mean over the tick [W]; level, idle, peak: of ramp, floor and peak at
    its end; carried: None where nothing calls for a closer look; supplied: by feeds and capacitors.
    """

    gpus: Real
    level: Real
    idle: Real
    peak: Real
    carried: shelf.Carried | None
    supplied: shelf.Supplied


class Input(NamedTuple):
    """What is taken from the feeds besides the power of the trays [W].

    given: by the capacitors, recharge: into them, gained: by the store [W]; end: power at the end of the tick;
    rating: of the shelves that live, mean over the tick.
    """

    loss: Real
    given: Real
    recharge: Real
    gained: Real
    end: Real
    rating: Real


@table
class PowerShelves(Equipment):
    """Shelves on one or two feeds with a busbar behind them; without shelves, a lossless supply without limit."""

    rated_power: Real = quantity("W", "power at full utilisation, at the busbar", above=0, at_most=2e6)
    restart_time: Real = quantity("s", "time from supply back to work", default=600.0, at_least=0)
    shelf_count: Real = quantity("1", "power shelves, 0 for a lossless supply", default=0.0, at_least=0, at_most=1000)
    shelf_power: Real = quantity("W", "power that a shelf delivers for ever", default=33e3, above=0, at_most=1e6)
    second_feed_share: Real = quantity(
        "1", "share of the shelves on the second feed", default=0.5, at_least=0, at_most=1
    )
    efficiency_at_10: Real = quantity("1", "efficiency at 10 % of load", default=0.93, above=0, at_most=1)
    efficiency_at_20: Real = quantity("1", "efficiency at 20 % of load", default=0.96, above=0, at_most=1)
    efficiency_at_50: Real = quantity("1", "efficiency at 50 % of load", default=0.975, above=0, at_most=1)
    efficiency_at_100: Real = quantity("1", "efficiency at full load", default=0.965, above=0, at_most=1)
    shelf_air_share: Real = quantity(
        "1", "share of the shelves' heat that goes to the room", default=1.0, at_least=0, at_most=1
    )
    lowest_voltage: Real = quantity("1", "input voltage taken for dead, of nominal", default=0.0, at_least=0, below=1)
    hold_up: Real = quantity(
        "s", "gap that the power supplies bridge at rated power", default=0.02, at_least=0, at_most=1e4
    )
    brake_time: Real = quantity("s", "time from overload to clocks cut", default=0.01, above=0, at_most=1e6)
    overload_time: Real = quantity("s", "time that the shelves bear an overload", default=1.0, at_least=0, at_most=1e6)
    trip_load: Real = quantity("1", "load over rating that trips them at once", default=1.6, above=1, at_most=10)
    peak_duration: Real = quantity("s", "longest that a peak lasts", default=0.05, at_least=0, at_most=60)
    storage_capacity: Real = quantity("J", "energy store for power smoothing", default=0.0, at_least=0, at_most=1e9)
    inrush_share: Real = quantity(
        "1", "power at most that fills its capacitors when supply is back, of rated: what a soft start lets in; an "
        "estimate", default=0.1, above=0, at_most=20,
    )  # fmt: skip

    @table
    class Inputs:
        shelves_failed_a: Real = quantity("1", "power shelves lost on the first feed", default=0.0, failure=True)
        shelves_failed_b: Real = quantity("1", "power shelves lost on the second feed", default=0.0, failure=True)
        brake_failed: Real = quantity("1", "1: the power brake does not act", default=0.0, failure=True)
        storage_failed: Real = quantity("1", "1: the energy store gives and takes nothing", default=0.0, failure=True)
        peak: Real = quantity(
            "1", "electrical peak asked, of rated power; 0 for none", default=0.0, at_least=0, at_most=5
        )
        smoothing: Real = quantity("1", "1: power smoothing is on", default=0.0, at_least=0, at_most=1)
        power_floor: Real = quantity("1", "least GPU power in smoothing, of rated", default=0.0, at_least=0, at_most=1)
        ramp_up_rate: Real = quantity("W/s", "steepest rise in smoothing", default=1e5, above=0, at_most=1e9)
        ramp_down_rate: Real = quantity("W/s", "steepest fall in smoothing", default=1e5, above=0, at_most=1e9)
        floor_hysteresis: Real = quantity(
            "s", "time that the floor outlasts work", default=5.0, at_least=0, at_most=1e5
        )

    @table
    class State:
        hold_up_energy: Real = quantity("J", "energy in the power supplies' capacitors", default=0.0)
        storage_energy: Real = quantity("J", "energy in the store for power smoothing", default=0.0)
        restart_clock: Real = quantity("s", "time with supply since the rack went off", default=0.0)
        overload_clock: Real = quantity("s", "time that an overload of the shelves has lasted", default=0.0)
        peak_clock: Real = quantity("s", "time into the peak asked", default=0.0)
        idle_clock: Real = quantity("s", "time that work has asked less than the floor", default=0.0)
        gpu_level: Real = quantity("W", "power of the GPUs that ramps allow", default=0.0)
        input_power: Real = quantity("W", "power taken from the feeds, at the end of the tick", default=0.0)
        overloaded: Real = flag(
            "asks too much of its power shelves",
            "is within the rating of its power shelves again",
            because="those that live carry less than it asks",
            via="power",
            doc="1 in an overload of its power shelves",
        )
        braked: Real = flag(
            "is cut by the power brake",
            "is released by the power brake",
            because="its live power shelves carry less than it asks",
            via="power",
        )
        tripped: Real = flag(
            "trips its power shelves",
            "has its power shelves reset",
            because="they carried an overload for {overload_time}, or one they cannot bear",
            via="power",
            doc="1 when it trips its power shelves",
        )
        unpowered: Real = flag(
            "loses power",
            "works again",
            because=("it had no supply for longer than its hold-up", "tripped: its power shelves have tripped"),
            via="power",
        )

    @table
    class Outputs:
        loss: Real = quantity("W", "heat of the power shelves", default=0.0)
        load_fraction: Real = quantity("1", "power over rating of the power shelves that live", default=0.0)

    @cached_property
    def _shelved(self) -> bool:
        return worth_doing(self.shelf_count)

    @cached_property
    def _windowed(self) -> bool:
        return worth_doing(self.lowest_voltage)

    @cached_property
    def _curve(self) -> tuple[Real, ...]:
        return shelf.loss_curve(self._efficiencies)

    @cached_property
    def _full_hold_up(self) -> Real:
        """Energy in the full capacitors [J]."""
        return self.hold_up * self.rated_power

    @cached_property
    def _efficiencies(self) -> tuple[Real, ...]:
        return self.efficiency_at_10, self.efficiency_at_20, self.efficiency_at_50, self.efficiency_at_100

    def _missing(self, energy: Real) -> Real | None:
        """Energy that the capacitors lack [J]; None where all are full."""
        missing = self._full_hold_up - energy
        return missing if worth_doing(missing) else None

    def faults(self, feeds: int) -> list[str]:
        if not self.shelf_count:
            return []
        wrong = shelf.curve_fault(self._efficiencies)
        found = (
            [f"efficiency_at_10 to efficiency_at_100: {wrong}; efficiencies of one machine are wanted"] if wrong else []
        )
        if feeds == 1 and self.second_feed_share > 0:
            share = f"{self.second_feed_share:.0%} of its power shelves hang on a second feed"
            found.append(f"{share}, but it has one; second_feed_share: 0 % is wanted")
        if feeds > 1 and not 0 < self.second_feed_share < 1:
            found.append("all its power shelves hang on one of its two feeds; a second_feed_share between is wanted")
        return found

    def shelf_loss(self, power: Real, rating: Real | None = None) -> Real:
        """Heat of the shelves [W] at a power of the busbar [W], behind shelves of a rating [W]; all, if not said."""
        rating = self.shelf_count * self.shelf_power if rating is None else rating
        return rating * shelf.loss_at(self.shelf_load(power, rating), self._curve)

    def shelf_load(self, power: Real, rating: Real) -> Real:
        """Power over rating [1], 0 where no shelf lives."""
        divisor, lives = self.once(_divisor, rating)
        return power / divisor * lives

    def nominal_power(self) -> Real:
        return self.rated_power + self.shelf_loss(self.rated_power)

    def _sides(self, failed_a: Real, failed_b: Real) -> shelf.Sides:
        return shelf.sides(self.shelf_count, self.second_feed_share, self.shelf_power, (failed_a, failed_b))

    def _all_rating(self, failed_a: Real, failed_b: Real) -> Real:
        """Rating of the shelves that work while all feeds live [W]."""
        rating = self.once(self._sides, failed_a, failed_b).rating
        return (rating[0] + rating[1]) * (self.shelf_count > 0)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        if not self._shelved and not self._windowed:
            return Supply(*shared(port.feed_voltage, port.feed_gap, dt))
        volts, gaps = port.feed_voltage, port.feed_gap
        side: shelf.Sides = self.once(self._sides, u.shelves_failed_a, u.shelves_failed_b)
        if self._windowed and any(worth_doing(abs(v) < self.lowest_voltage) for v in volts):
            seen = [usable(v, gap, self.lowest_voltage, dt) for v, gap in zip(volts, gaps)]
            volts = [v * good if worth_doing(good == 0) else v for v, (good, _) in zip(volts, seen)]
            gaps = [gap for _, gap in seen]
        if not side.whole:
            volts = [v * (1.0 - bare) for v, bare in zip(volts, side.bare)]
            gaps = [library_of(gap).where(bare > 0, dt, gap) for gap, bare in zip(gaps, side.bare)]
        port.feed_voltage, port.feed_gap = volts, gaps  # as the shelves see them
        return Supply(*shared(volts, gaps, dt, side.weight))

    def fed(self, s: Any, u: Any, port: Ports, trays: Trays, on: Real, dt: Real) -> Fed:
        """What the GPUs may take, with floor and ramps, peak, brake and trip of the shelves."""
        gpus, level, idle, peak, carried = trays.gpus, trays.gpus, s.idle_clock, s.peak_clock, None
        extra, time = None, 0.0
        plain = self.once(_is_plain, u.smoothing, u.peak, s.peak_clock)
        if not plain and worth_doing(u.smoothing):
            gpus, level, idle = self._worked(s, u, trays, on, dt)
        if not plain and worth_doing(u.peak + s.peak_clock):
            xp = library_of(gpus)
            time = xp.minimum(xp.maximum(self.peak_duration - s.peak_clock, 0.0), dt) * (u.peak > 0)
            extra = xp.maximum(u.peak * self.rated_power - trays.need(gpus, trays.takes()), 0.0) * (time > 0)
            peak = (s.peak_clock + dt) * (u.peak > 0)
        if not self._at_ease(s, u, port, gpus, trays.other, extra):
            gpus, carried = self._carried(s, u, port, trays, gpus, (0.0 if extra is None else extra, time), on, dt)
        elif extra is not None:
            gpus = gpus + extra * (time / dt) / trays.takes()
        if not worth_doing(port.gap):
            supplied = shelf.Supplied(dt, 0.0, port.gap > 0)
        else:
            need = trays.need(gpus, trays.takes())
            supplied = shelf.held_up(port.gap, port.voltage, s.hold_up_energy, need, dt)
        if carried is not None:
            supplied = self._until_trip(supplied, carried)
        return Fed(gpus, level, idle, peak, carried, supplied)

    def _worked(self, s: Any, u: Any, trays: Trays, on: Real, dt: Real) -> tuple[Real, Real, Real]:
        """Power of the GPUs with floor and ramps, mean and end of the tick [W], and the clock of the floor."""
        xp = library_of(trays.gpus)
        floor = xp.minimum(u.power_floor * trays.rated, trays.cap)
        knobs = smoothing.Knobs(floor, u.ramp_up_rate, u.ramp_down_rate, u.floor_hysteresis)
        end, mean, idle = smoothing.worked(s.gpu_level, s.idle_clock, trays.gpus, knobs, dt)
        smooth = u.smoothing > 0
        return xp.where(smooth, mean, trays.gpus), xp.where(smooth, end * on, trays.gpus), idle * smooth

    def _at_ease(self, s: Any, u: Any, port: Ports, gpus: Real, other: Real, extra: Real | None) -> bool:
        """Whether all shelves live and carry what is asked with room to spare; said on the CPU alone."""
        if not self._shelved:
            return True
        if extra is not None or not self.once(_none_dead, *port.feed_gap):
            return False
        lost = u.shelves_failed_a, u.shelves_failed_b
        return bool(self.once(self._ample, gpus, other, *lost, s.overloaded, s.braked, s.tripped, s.overload_clock))

    def _ample(self, gpus: Real, other: Real, failed_a: Real, failed_b: Real, *since: Real) -> bool:
        rating = self.once(self._sides, failed_a, failed_b).rating
        tight = LEAKS_AT_MOST * gpus + other > rating[0] + rating[1]
        return not worth_doing(tight | (sum(since) != 0))

    def _carried(
        self, s: Any, u: Any, port: Ports, trays: Trays, gpus: Real, peak: tuple[Real, Real], on: Real, dt: Real
    ) -> tuple[Real, shelf.Carried]:
        """Power of the GPUs with peak and brake, mean over the tick [W], and how the shelves carry it."""
        xp, (extra, time), takes = library_of(gpus), peak, trays.takes()
        steady = trays.need(gpus, takes) * on
        asking = shelf.Asking(steady, steady + extra * on, time, (trays.least + trays.other) * on)
        brake_time = xp.where(u.brake_failed > 0, NEVER, self.brake_time)
        carried = shelf.carry(
            asking,
            self.once(self._sides, u.shelves_failed_a, u.shelves_failed_b).rating,
            port.feed_gap,
            [v == 0 for v in port.feed_voltage],
            shelf.Stamina(brake_time, self.overload_time, self.trip_load),
            s.overload_clock,
            dt,
        )
        gpus = gpus + extra * (time / dt) / takes
        room = trays.least + xp.maximum(carried.least - trays.other - trays.least, 0.0) / takes
        return gpus + carried.brake * xp.minimum(room - gpus, 0.0), carried

    def _until_trip(self, supplied: shelf.Supplied, carried: shelf.Carried) -> shelf.Supplied:
        """The same where the shelves do not trip; where they do, the seconds until then."""
        if not worth_doing(carried.tripped):
            return supplied
        xp = library_of(carried.tripped)
        trips = carried.tripped > 0
        fed = xp.where(trips, xp.minimum(carried.lasts, supplied.fed), supplied.fed)
        return shelf.Supplied(fed, xp.where(trips, 0.0, supplied.bridged), supplied.lost | trips)

    def fills(self, s: Any, u: Any, port: Ports, dt: Real) -> Real | None:
        """Seconds of the tick in which the capacitors may fill; None: all of it, where it has no gap."""
        return None

    def input(self, s: Any, u: Any, port: Ports, fed: Fed, power: Real, on: Real, dt: Real) -> Input:
        """What is taken from the feeds for a power of the trays, mean over the tick [W]."""
        xp = library_of(power)
        given = gained = loss = rating = 0.0
        if not nothing(fed.supplied.bridged):
            given = power * fed.supplied.bridged / xp.maximum(fed.supplied.fed + fed.supplied.bridged, 1e-12)
        missing, most = self.once(self._missing, s.hold_up_energy), self.inrush_share * self.rated_power
        recharge: Real = 0.0
        if missing is not None:
            recharge = shelf.recharge(missing, most, port.gap, dt, self.fills(s, u, port, dt))
        if self._shelved:
            if self.once(_none_dead, *port.feed_gap):
                rating = self.once(self._all_rating, u.shelves_failed_a, u.shelves_failed_b)
            else:
                side = self.once(self._sides, u.shelves_failed_a, u.shelves_failed_b)
                rating = shelf.rating_alive(port.feed_gap, side.rating, dt) * (self.shelf_count > 0)
            loss = self.shelf_loss(power - given, rating) * self.asked(u)
        taken = power + loss - given + recharge
        end = taken
        if worth_doing(u.smoothing * self.storage_capacity):
            knobs = smoothing.Knobs(0.0, u.ramp_up_rate, u.ramp_down_rate, 0.0)
            end, gained = smoothing.stored(taken, s.input_power, s.storage_energy, self.storage_capacity, knobs, dt)
            acts = (u.smoothing > 0) & (u.storage_failed == 0) & (port.gap == 0) & (on > 0)
            end, gained = xp.where(acts, end, taken), xp.where(acts, gained, 0.0)
        return Input(loss, given, recharge, gained, end, rating)

    def after_supply(self, s: Any, u: Any, port: Ports, fed: Fed, taken: Input, dt: Real) -> dict[str, Real]:
        """State of the supply one tick on."""
        after = {
            "gpu_level": fed.level, "idle_clock": fed.idle, "peak_clock": fed.peak, "input_power": taken.end,
        }  # fmt: skip
        if not (nothing(taken.recharge) and nothing(taken.given)):
            after["hold_up_energy"] = s.hold_up_energy + dt * (taken.recharge - taken.given)
        if not nothing(taken.gained):
            after["storage_energy"] = s.storage_energy + taken.gained
        return after | self._shelf_flags(s, u, port, fed.carried) | self._supply_flags(s, u, port, fed, dt)

    def _shelf_flags(self, s: Any, u: Any, port: Ports, carried: shelf.Carried | None) -> dict[str, Real]:
        """Overload, brake and trip; a trip stays until it is reset."""
        if carried is None:
            return {}
        xp, now = library_of(carried.over), port.now
        over, over_at = latched(carried.over, s.overloaded, s.overloaded_at, now + carried.over_after)
        braked, braked_at = latched(carried.braked, s.braked, s.braked_at, now + carried.braked_after)
        tripped = xp.maximum(carried.tripped, s.tripped * (1.0 - u.reset))
        tripped, tripped_at = latched(
            tripped, s.tripped, s.tripped_at, now + xp.where(carried.tripped > 0, carried.lasts, 0.0)
        )
        return {
            "overload_clock": carried.clock, "overloaded": over, "overloaded_at": over_at, "braked": braked,
            "braked_at": braked_at, "tripped": tripped, "tripped_at": tripped_at,
        }  # fmt: skip

    def _supply_flags(self, s: Any, u: Any, port: Ports, fed: Fed, dt: Real) -> dict[str, Real]:
        """Whether it has lost its supply or works again."""
        raise NotImplementedError


def _divisor(rating: Real) -> tuple[Real, Real]:
    """A rating to divide by, never 0 [W], and whether any shelf lives."""
    return library_of(rating).maximum(rating, 1.0), rating > 0


def _none_dead(*gaps: Real) -> bool:
    return not any(map(worth_doing, gaps))


def _is_plain(*extras: Real) -> bool:
    """Whether neither smoothing nor a peak is asked for or goes on."""
    return not any(map(worth_doing, extras))
