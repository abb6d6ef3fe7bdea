"""Rack: liquid-cooled GPUs with their dies, cold plates and coolant, their power and their thermal limits."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, nothing, worth_doing
from twin.declare import Ports, Real, Stream, flag, mode, quantity, replace, table
from twin.equipment.parts.gpus import Asked, Lines
from twin.equipment.parts.power_shelves import Fed, Input, Trays
from twin.equipment.parts.rack_branch import RackBranch
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

    course: of the dies; conductance: plate to coolant inlet [W/K]; share: of (plate - inlet) by which coolant
    warms [1]; power: of the work, to_air: what warms the room [W]; lasts: share of the tick with power
    [1]; share_on: of its work that is on it at the end, None where all is, as it was [1].
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
class Rack(RackBranch):
    """All GPU dies of a rack on one plate, as one mass or each as its own, cooled by one coolant stream.

    GPU power follows work, the power limit, the clock that thermal limits leave, and leaks more when hot. Between
    `throttle_temperature` and `slowdown_temperature` power falls in a straight line; slowdown and shutdown latch.
    Everything that is not a GPU follows utilisation alone; a part of it
    goes to the room's air, the rest into the plates. Power supplies bridge gaps from their capacitors.
    Rated power is that of the trays at the busbar; what is taken from the feeds is more by the losses of the power
    shelves. A boot after being switched off, or reset after a shutdown, is left out.
    """

    kind = "rack"
    disturbs = ("heat",)
    feeds = (1, 2)
    streams = ("coolant",)
    is_work = True

    air_fraction: Real = quantity("1", "share of rated heat given to the room's air", at_least=0, below=1)
    plate_resistance: Real = quantity("K/W", "plate to coolant, per GPU, at nominal flow", above=0, at_most=1)
    plate_exponent: Real = quantity(
        "1", "plate conductance goes with flow to this power", default=0.6, at_least=0, at_most=1
    )
    plate_heat_capacity: Real = quantity("J/K", "cold plate with the coolant in it, per GPU", above=0, at_most=1e5)
    coolant_volume: Real = quantity("m^3", "coolant in manifolds and hoses", above=0, at_most=1)
    throttle_temperature: Real = quantity("K", "die: clocks begin to fall", above=300, below=450)
    slowdown_temperature: Real = quantity("K", "die: clocks are forced down", above=300, below=450)
    shutdown_temperature: Real = quantity("K", "die: power is cut", above=300, below=450)
    release_temperature: Real = quantity("K", "die: slowdown ends", above=300, below=450)
    standby_power: Real = quantity("W", "power left after a thermal shutdown", default=0.0, at_least=0, at_most=1e5)
    power_factor: Real = quantity("1", "power factor of the power supplies", default=0.99, above=0, at_most=1)

    @table
    class Inputs(RackBranch.Inputs):
        in_service: Real = quantity("1", "1 runs, 0 is out of service", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        reset: Real = quantity("1", "1 clears a latched shutdown", default=0.0, at_least=0, at_most=1)

    @table
    class State(RackBranch.State):
        plate_temperature: Real = quantity("K", "cold plates", default=313.15)
        coolant_temperature: Real = quantity("K", "coolant leaving", default=313.15)
        inlet_temperature: Real = quantity("K", "coolant entering, mean of the last tick", default=313.15)
        throttled: Real = flag(
            "throttles", "runs at full clock again", because="a die reached {throttle_temperature}", via="coolant"
        )
        slowed: Real = flag(
            "is slowed down", "leaves slowdown", because="a die reached {slowdown_temperature}", via="coolant"
        )
        shut_down: Real = flag("shuts down", "is reset", because="a die reached {shutdown_temperature}", via="coolant")

    @table
    class Outputs(RackBranch.Outputs):
        flow: Real = quantity("m^3/s", "coolant flow", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        half = 0.5 * self.storage_capacity
        return {"hold_up_energy": self._full_hold_up, "storage_energy": half, "gpu_level": self._least}

    def pace(self) -> dict[str, tuple[float, str]]:
        masses = self.gpu_count * (self.die_heat_capacity + self.plate_heat_capacity)
        rise = self.throttle_temperature - self.leakage_reference
        seconds = masses * rise / (self.gpu_power_share * self.rated_power)
        return {"flow": (seconds, "its dies warm from working temperature to throttling without flow")}

    def conductance(self, C_flow: Real, flow: Real) -> tuple[Real, Real]:
        """Plate to coolant inlet [W/K], and the share of (plate - inlet) by which coolant warms [1]."""
        xp = library_of(C_flow)
        x = xp.maximum(abs(flow) / self.nominal_flow, 1e-9)
        film = self._film * x**self.plate_exponent
        share = -xp.expm1(-film / xp.maximum(C_flow, thermal.TINY))
        return C_flow * share, share

    @cached_property
    def _film(self) -> Real:
        """Plates to coolant at nominal flow [W/K]."""
        return self.gpu_count / self.plate_resistance

    @cached_property
    def _masses(self) -> tuple[Real, Real, Real]:
        """Heat capacity of dies and plates [J/K], and the conductance between them [W/K]."""
        G = self.gpu_count / self.die_resistance
        return self.die_heat_capacity * self.gpu_count, self.plate_heat_capacity * self.gpu_count, G

    @cached_property
    def _air_share(self) -> Real:
        """Share of the power of what is not a GPU that warms the room [1]."""
        return self.air_fraction / (1.0 - self.gpu_power_share)

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
        known, hotter = self._limits, self.hotter(s, u, s.die_temperature - s.plate_temperature)
        if hotter is None:
            return known
        return Limits(known.throttle - hotter, known.slowdown - hotter, known.shutdown - hotter, known.release - hotter)

    def _on(self, asked: Real, unpowered: Real) -> Real:
        return asked * (1.0 - unpowered)

    def _powers(self, *given: Real) -> tuple[Lines, Real, Real]:
        """GPU power as lines, power of the rest, and its part that warms the plates [W], from what is asked."""
        *lines, other, lasts = given
        other = other * lasts
        return Lines(*(line * lasts for line in lines)), other, other * (1.0 - self._air_share)

    @cached_property
    def _hottest(self) -> Real:
        return self.shutdown_temperature

    def _asks(self, u: Any, share: Real, duty: Any) -> Asked:
        """What its Inputs ask of it, in a pool or gang what is asked there, by the share of its work that is on it."""
        work = (u.utilisation, u.prefill_share, u.decode_share)
        limits = (u.power_limit, u.clock_limit, u.power_profile)
        if duty is not None:
            work = self._work_of(*work, duty)
        if type(share) is not float:
            work = (work[0] * share, *work[1:])
        asked: Asked = self.once(self._asked, work[0], *limits, *work[1:])
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
        able = self.asked(u) * (1.0 - s.unpowered) * (1.0 - s.shut_down) * s.load_share
        return Able(self.gpu_count * able, able, out.prefill_speed, out.decode_speed, out.training_speed)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        share, share_on = self.loaded(s, u, dt)
        asked = self._asks(u, share, port.work)
        lines = self._lines(s, asked)
        lasts = on = self.once(self._on, self.asked(u), s.unpowered)
        takes = lambda: self._takes(s, asked, lines)  # noqa: E731
        trays = Trays(asked.capped, self._least, asked.other, self._rated, asked.cap, takes)
        fed = self.fed(s, u, port, trays, on, dt)
        if fed.gpus is not asked.capped:
            lines = self._relined(asked, lines, fed.gpus)
        supplied = fed.supplied
        if not (nothing(supplied.bridged) and supplied.fed is dt):
            lasts = on * ((supplied.fed + supplied.bridged) / dt)  # so that no gap means on, to the bit
        draws, other, to_plate = self.once(self._powers, *lines, asked.other, lasts)
        starting = self.starting(s, u, port, self.asked(u), dt)
        if not nothing(starting):
            other, to_plate = other + starting, to_plate + starting * (1.0 - self._air_share)
        K, share = self.conductance(port.capacity_rate["coolant"], port.flow["coolant"])
        C_die, C_plate, G = self._masses
        die = Die(C_die, C_plate, G, K, s.inlet_temperature, to_plate, *draws)
        shut = s.shut_down * (1.0 - u.reset) if worth_doing(u.reset) else s.shut_down
        flags = s.throttled, s.slowed, shut
        run = course(die, self._limits_now(s, u), s.die_temperature, s.plate_temperature, flags, dt)
        standby = self.standby_power * (1.0 - run.ran) * lasts if self._stands_by else 0.0
        other = other * run.ran
        power = run.power + other + standby
        taken = self.input(s, u, port, fed, power, on, dt)
        to_air = other * self._air_share + standby
        if not nothing(taken.loss):
            to_air = to_air + taken.loss * self.shelf_air_share
        return Plan(run, K, share, power, to_air, fed, taken, asked, lasts, share_on)

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan, taken = port.plan, port.plan.taken
        power = plan.power + taken.loss - taken.given + taken.recharge
        return (power if nothing(taken.gained) else power + taken.gained / dt) * self._apparent

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.plan.to_air

    def holds(self, stream: str) -> Real:
        return self.coolant_volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        share, run = port.plan.share, port.plan.course
        left = share * (run.mean_plate - run.follows_mean_plate * s.inlet_temperature)
        follows = 1.0 - share + share * run.follows_mean_plate
        answer = port.mixing(stream, self.coolant_volume, dt).answer(s.coolant_temperature)
        return Stream(answer.constant + answer.slope * left, answer.slope * follows)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        plan, inlet, C_flow = port.plan, port.inlet["coolant"], port.capacity_rate["coolant"]
        run = plan.course
        shift = inlet - s.inlet_temperature
        heat = plan.conductance * (run.mean_plate + run.follows_mean_plate * shift - inlet)
        die = run.T_die + run.follows_die * shift
        into_masses = plan.power + plan.taken.loss - plan.to_air - heat
        C_die, C_plate, _ = self._masses
        plate = s.plate_temperature + (dt * into_masses - C_die * (die - s.die_temperature)) / C_plate
        gain = C_flow * (inlet - port.outlet["coolant"]) + heat
        coolant = s.coolant_temperature + dt * gain / (self.coolant_volume * port.heat_capacity["coolant"])
        after = replace(
            s,
            die_temperature=die,
            plate_temperature=plate,
            coolant_temperature=coolant,
            inlet_temperature=inlet,
            flow_valve=self._next_valve(s, u, port, dt),
            **self.each_die(s, die, run.mean_plate + run.follows_mean_plate * shift, run.power, dt),
            **self._thermal_flags(s, run, port.now),
            **self.after_supply(s, u, port, plan.fed, plan.taken, dt),
            **self.after_work(s, u, plan.share_on, port.now, dt),
        )
        hotter = self.hotter(after, u, die - plate)
        return after, self._outputs(after, u, port, die if hotter is None else die + hotter)

    def _thermal_flags(self, s: Any, run: Course, now: Real) -> dict[str, Real]:
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

    def _outputs(self, s: Any, u: Any, port: Ports, hottest: Real) -> Any:
        plan, run = port.plan, port.plan.course
        clock, training, prefill, decode = self.clocks(plan.asked, run, plan.lasts)
        beside = self.once(self._beside, plan.asked.other, plan.lasts)
        if worth_doing(run.ran != 1.0):
            beside = {name: power * run.ran for name, power in beside.items()}
        taken = plan.taken
        if nothing(taken.loss):
            loss = load_fraction = self.once(self._none, u.in_service)
        else:
            loss, load_fraction = taken.loss, self.shelf_load(plan.power, taken.rating)
        return self.Outputs(
            power=plan.power,
            gpu_power=run.power,
            clock=clock,
            training_speed=training,
            prefill_speed=prefill,
            decode_speed=decode,
            flow=port.flow["coolant"],
            hottest_die_temperature=hottest,
            loss=loss,
            load_fraction=load_fraction,
            **beside,
            **self.stages(s, u, s.restart_clock, self.asked(u), s.shut_down),
        )

    def _none(self, like: Real) -> Real:
        return like * 0.0

    def stored(self, s: Any, port: Ports) -> Real:
        masses = self.die_heat_capacity * s.die_temperature + self.plate_heat_capacity * s.plate_temperature
        coolant = self.coolant_volume * port.heat_capacity["coolant"] * s.coolant_temperature
        return self.gpu_count * masses + coolant + s.hold_up_energy + s.storage_energy
