"""A rack at work: a tick of its GPUs on a body that carries their heat away, with their thermal limits and supply."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, nothing, worth_doing
from twin.declare import Ports, Real, mode, quantity, table
from twin.equipment.parts.dies import Dies
from twin.equipment.parts.gpus import Asked, Lines
from twin.equipment.parts.power_shelves import Fed, Input, Trays
from twin.physics import thermal
from twin.physics.electric import apparent
from twin.physics.supply import latched
from twin.physics.throttle import Course, Die, Limits, course


class Able(NamedTuple):
    """GPUs that can work, their share of all [1], and the speed of each kind of work, of nominal [1]."""

    gpus: Real
    share: Real
    prefill: Real
    decode: Real
    training: Real


class Plan(NamedTuple):
    """The tick as the rack foresees it.

    course: of the dies; conductance: body to inlet [W/K]; share: of (body - inlet) by which what passes warms [1];
    power: of the work, to_air: what warms the room beside the body [W]; lasts: share of the tick with power [1];
    share_on: of its work that is on it at the end, None where all is, as it was [1].
    """

    course: Course
    conductance: Real
    share: Real
    power: Real
    to_air: Real
    fed: Fed
    taken: Input
    asked: Asked
    lasts: Real
    share_on: Real | None


@table
class RackAtWork(Dies):
    """All GPU dies of a rack as one mass, on a body (a plate, a heat sink) that coolant or air cools.

    Between `throttle_temperature` and `slowdown_temperature` power falls in a straight line; slowdown and shutdown
    latch. A kind says what its body is and what carries its heat away.
    """

    throttle_temperature: Real = quantity("K", "die: clocks begin to fall", above=300, below=450)
    slowdown_temperature: Real = quantity("K", "die: clocks are forced down", above=300, below=450)
    shutdown_temperature: Real = quantity("K", "die: power is cut", above=300, below=450)
    release_temperature: Real = quantity("K", "die: slowdown ends", above=300, below=450)
    standby_power: Real = quantity("W", "power left after a thermal shutdown", default=0.0, at_least=0, at_most=1e5)
    power_factor: Real = quantity("1", "power factor of the power supplies", default=0.99, above=0, at_most=1)

    @table
    class Inputs(Dies.Inputs):
        in_service: Real = quantity("1", "1 runs, 0 is out of service", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        reset: Real = quantity("1", "1 clears a latched shutdown", default=0.0, at_least=0, at_most=1)

    def rest(self, u: Any) -> dict[str, Real]:
        half = 0.5 * self.storage_capacity
        return {"hold_up_energy": self._full_hold_up, "storage_energy": half, "gpu_level": self._least}

    def _body(self, s: Any) -> Real:
        """Temperature of what the dies stand on [K]."""
        raise NotImplementedError(f"{self.kind} does not say what its dies stand on")

    def _carries(self, s: Any, u: Any, port: Ports) -> tuple[Real, Real]:
        """Body to inlet [W/K], and the share of (body - inlet) by which what passes warms [1]."""
        raise NotImplementedError(f"{self.kind} does not say what cools its dies")

    def _beside_gpus(self, s: Any, u: Any, asked: Asked) -> Real:
        """Power of all that is no GPU while it works [W]."""
        return asked.other

    @cached_property
    def _masses(self) -> tuple[Real, Real, Real]:
        """Heat capacity of dies and body [J/K], and the conductance between them [W/K]."""
        raise NotImplementedError(f"{self.kind} does not say how heavy its dies are")

    @cached_property
    def _air_share(self) -> Real:
        """Share of the power of what is not a GPU that warms the room [1]."""
        return 1.0

    @cached_property
    def _shelf_heat_to_air(self) -> Real:
        """Share of the heat of its power shelves that warms the room [1]."""
        return self.shelf_air_share

    @cached_property
    def _apparent(self) -> Real:
        return apparent(self.power_factor)

    @cached_property
    def _limits(self) -> Limits:
        return Limits(
            self.throttle_temperature, self.slowdown_temperature, self.shutdown_temperature, self.release_temperature
        )

    def _limits_now(self, s: Any, u: Any) -> Limits:
        """Limits of the mean die [K], at which the hottest one meets its own."""
        known, hotter = self._limits, self.hotter(s, u, s.die_temperature - self._body(s))
        if hotter is None:
            return known
        return Limits(known.throttle - hotter, known.slowdown - hotter, known.shutdown - hotter, known.release - hotter)

    def _on(self, asked: Real, unpowered: Real) -> Real:
        return asked * (1.0 - unpowered)

    def _powers(self, *given: Real) -> tuple[Lines, Real, Real]:
        """GPU power as lines, power of the rest, and its part that warms the body [W], from what is asked."""
        *lines, other, lasts = given
        other = other * lasts
        return Lines(*(line * lasts for line in lines)), other, other * (1.0 - self._air_share)

    @cached_property
    def _hottest(self) -> Real:
        return self.shutdown_temperature

    def _asks(self, u: Any, share: Real, duty: Any, left: Real) -> Asked:
        """What its Inputs ask of it, in a pool or gang what is asked there, by the share of its work that is on it."""
        work = (u.utilisation, u.prefill_share, u.decode_share)
        limits = (u.power_limit, u.clock_limit, u.power_profile)
        if duty is not None:
            work = self._work_of(*work, duty)
        if type(share) is not float:
            work = (work[0] * share, *work[1:])
        given = (work[0], *limits, *work[1:])
        asked: Asked = self.once(self._asked, *given) if type(left) is float else self._asked(*given, left)
        return asked

    def _work_of(
        self, utilisation: Real, prefill_share: Real, decode_share: Real, duty: Any
    ) -> tuple[Real, Real, Real]:
        xp = library_of(duty.prefill)
        free, busy = xp.isnan(duty.training), duty.prefill + duty.decode + duty.training
        some = xp.maximum(busy, thermal.TINY)
        return (
            xp.where(free, utilisation, xp.minimum(busy, 1.0)),
            xp.where(free, prefill_share, duty.prefill / some),
            xp.where(free, decode_share, duty.decode / some),
        )

    def works(self, s: Any, u: Any, out: Any) -> Able:
        """What it can do for services in a tick, as it stood."""
        able = self.asked(u) * (1.0 - self.down(s)) * (1.0 - s.shut_down) * s.load_share
        return Able(self.gpu_count * able, able, out.prefill_speed, out.decode_speed, out.training_speed)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        share, share_on = self.loaded(s, u, dt)
        asked = self._asks(u, share, port.work, self.after_peak(s, u, dt))
        beside = self._beside_gpus(s, u, asked)
        lines = self._lines(s, asked)
        lasts = on = self.once(self._on, self.asked(u), self.down(s))
        takes = lambda: self._takes(s, asked, lines)  # noqa: E731
        trays = Trays(asked.capped, self._least, beside, self._rated, asked.cap, takes)
        fed = self.fed(s, u, port, trays, on, dt)
        if fed.gpus is not asked.capped:
            lines = self._relined(asked, lines, fed.gpus)
        supplied = fed.supplied
        if not (nothing(supplied.bridged) and supplied.fed is dt):
            lasts = on * ((supplied.fed + supplied.bridged) / dt)  # so that no gap means on, to the bit
        draws, other, to_body = self.once(self._powers, *lines, beside, lasts)
        starting = self.starting(s, u, port, self.asked(u), dt)
        if not nothing(starting):
            other, to_body = other + starting, to_body + starting * (1.0 - self._air_share)
        K, share = self._carries(s, u, port)
        C_die, C_body, G = self._masses
        die = Die(C_die, C_body, G, K, s.inlet_temperature, to_body, *draws)
        shut = s.shut_down * (1.0 - u.reset) if worth_doing(u.reset) else s.shut_down
        flags = s.throttled, s.slowed, shut
        run = course(die, self._limits_now(s, u), s.die_temperature, self._body(s), flags, dt)
        standby = self.standby_power * (1.0 - run.ran) * self._standing(s, u, lasts) if self._stands_by else 0.0
        other = other * run.ran
        power = run.power + other + standby
        taken = self.input(s, u, port, fed, power, on, dt)
        to_air = other * self._air_share + standby
        if not nothing(taken.loss):
            to_air = to_air + taken.loss * self._shelf_heat_to_air
        return Plan(run, K, share, power, to_air, fed, taken, asked, lasts, share_on)

    def _standing(self, s: Any, u: Any, lasts: Real) -> Real:
        """Share of the tick in which it has supply, whether it works or not [1]."""
        return self.asked(u) * (1.0 - s.unpowered) if self._boots else lasts

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan, taken = port.plan, port.plan.taken
        power = plan.power + taken.loss - taken.given + taken.recharge
        return (power if nothing(taken.gained) else power + taken.gained / dt) * self._apparent

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.plan.to_air

    def thermal_flags(self, s: Any, run: Course, now: Real) -> dict[str, Real]:
        """Throttling, slowdown and shutdown one tick on, with their moments."""
        throttled, throttled_at = latched(run.throttled, s.throttled, s.throttled_at, lambda: now + run.throttled_after)
        slowed, slowed_at = latched(run.slowed, s.slowed, s.slowed_at, lambda: now + run.slowed_after)
        shut, shut_at = latched(run.shut, s.shut_down, s.shut_down_at, lambda: now + run.shut_after)
        return {
            "throttled": throttled, "throttled_at": throttled_at, "slowed": slowed, "slowed_at": slowed_at,
            "shut_down": shut, "shut_down_at": shut_at,
        }  # fmt: skip

    @cached_property
    def _stands_by(self) -> bool:
        """Whether any takes power after a thermal shutdown."""
        return worth_doing(self.standby_power)

    def told(self, s: Any, u: Any, port: Ports) -> dict[str, Real]:
        """Outputs at the end of a tick, by name; `s`: the State then."""
        plan, run = port.plan, port.plan.course
        clock, training, prefill, decode = self.clocks(plan.asked, run, plan.lasts)
        beside = self.once(self._beside, plan.asked.other, plan.lasts)
        if worth_doing(run.ran != 1.0):
            beside = {name: power * run.ran for name, power in beside.items()}
        taken = plan.taken
        if nothing(taken.loss):
            loss = load_fraction = self.once(_none, u.in_service)
        else:
            loss, load_fraction = taken.loss, self.shelf_load(plan.power, taken.rating)
        hotter = self.hotter(s, u, s.die_temperature - self._body(s))
        hottest = s.die_temperature if hotter is None else s.die_temperature + hotter
        return {
            "power": plan.power, "gpu_power": run.power, "clock": clock, "training_speed": training,
            "prefill_speed": prefill, "decode_speed": decode, "hottest_die_temperature": hottest, "loss": loss,
            "load_fraction": load_fraction, **beside,
            **self.stages(s, u, s.restart_clock, self.asked(u), s.shut_down),
        }  # fmt: skip


def _none(like: Real) -> Real:
    return like * 0.0
