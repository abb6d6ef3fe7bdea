"""Air rack: a rack of air-cooled GPU servers, whose fans blow the room's air through heat sinks."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, flag, operable, quantity, replace, table
from twin.equipment.parts.gpus import Asked
from twin.equipment.parts.rack_at_work import RackAtWork
from twin.physics import thermal
from twin.physics.fans import Control, next_speed
from twin.physics.fluids import ROOM_AIR


@table
class AirRack(RackAtWork):
    """All GPU dies of a rack on heat sinks, as one mass or each as its own, in one stream of its room's air.

    Fans follow the hottest die between two temperatures, with a lag; their power goes with the cube of speed. Rated
    power is that with fans at full speed. All heat warms the room. Power supplies count as power shelves. Hot air
    that comes back to the inlet without passing the room, the pressure of aisles on the fans, dies of CPUs and
    switches, and air that flows through a rack without power are left out.
    """

    kind = "air_rack"
    disturbs = ("heat",)
    feeds = (1, 2)
    is_work = True

    air_flow: Real = quantity("m^3/s", "air moved at full speed of its fans", above=0, at_most=100)
    sink_resistance: Real = quantity("K/W", "heat sink to air, per GPU, at full speed", above=0, at_most=1)
    sink_exponent: Real = quantity(
        "1", "heat sink's conductance goes with air flow to this power", default=0.8, at_least=0, at_most=1
    )
    natural_share: Real = quantity(
        "1", "heat sink's conductance without fans, of that at full speed", default=0.03, above=0, at_most=1
    )
    sink_heat_capacity: Real = quantity("J/K", "heat sink, per GPU", above=0, at_most=1e5)
    least_fan_speed: Real = quantity("1", "least speed of its fans, of full", default=0.3, above=0, at_most=1)
    fan_from: Real = quantity("K", "hottest die at which its fans begin to speed up", default=333.15, above=250,
                              below=450)  # fmt: skip
    fan_to: Real = quantity("K", "hottest die at which they turn at full speed", default=353.15, above=250, below=450)
    fan_lag: Real = quantity("s", "time constant of fan control", default=5.0, above=0, at_most=600)

    @table
    class Inputs(RackAtWork.Inputs):
        fans_failed: Real = quantity("1", "share of its fans that stand still", default=0.0, at_least=0, at_most=1,
                                     failure=True)  # fmt: skip

    @table
    class State(RackAtWork.State):
        sink_temperature: Real = quantity("K", "heat sinks", default=318.15)
        inlet_temperature: Real = quantity("K", "air entering, mean of the last tick", default=298.15)
        fan_speed: Real = quantity("1", "speed of its fans, of full", default=0.8)
        throttled: Real = flag(
            "throttles", "runs at full clock again", because="a die reached {throttle_temperature}", via="air"
        )
        slowed: Real = flag("is slowed down", "leaves slowdown", because="a die reached {slowdown_temperature}",
                            via="air")  # fmt: skip
        shut_down: Real = flag("shuts down", "is reset", because="a die reached {shutdown_temperature}", via="air")

    @table
    class Outputs(RackAtWork.Outputs):
        air_moved: Real = quantity("m^3/s", "air that its fans move", default=0.0)
        air_leaving: Real = quantity("K", "air leaving, mean over the tick", default=308.15)

    def faults(self, feeds: int) -> list[str]:
        found = RackAtWork.faults(self, feeds)
        if self.fan_from >= self.fan_to:
            text = f"its fans speed up from {self.fan_from - 273.15:g} degC"
            found.append(f"{text} and are at full speed at {self.fan_to - 273.15:g} degC; fan_from < fan_to is wanted")
        if self.fan_share <= 0:
            found.append("its fans take no power; fan_share, of the power of all that is no GPU, is wanted")
        return found

    def pace(self) -> dict[str, tuple[float, str]]:
        masses = self.gpu_count * (self.die_heat_capacity + self.sink_heat_capacity)
        rise = self.throttle_temperature - self.leakage_reference
        seconds = masses * rise / (self.gpu_power_share * self.rated_power)
        return {"heat": (seconds, "its dies warm from working temperature to throttling without air")}

    @cached_property
    def _masses(self) -> tuple[Real, Real, Real]:
        """Heat capacity of dies and heat sinks [J/K], and the conductance between them [W/K]."""
        G = self.gpu_count / self.die_resistance
        return self.die_heat_capacity * self.gpu_count, self.sink_heat_capacity * self.gpu_count, G

    @cached_property
    def _shelf_heat_to_air(self) -> Real:
        return 1.0

    def _body(self, s: Any) -> Real:
        return s.sink_temperature

    def _turning(self, in_service: Real, mode: Real, unpowered: Real, shut_down: Real, failed: Real) -> Real:
        """Share of its fans that turn [1]."""
        return operable(in_service, mode) * (1.0 - unpowered) * (1.0 - shut_down) * (1.0 - failed)

    def _turn(self, s: Any, u: Any) -> Real:
        return self.once(self._turning, u.in_service, u.mode, s.unpowered, s.shut_down, u.fans_failed)

    def _beside_gpus(self, s: Any, u: Any, asked: Asked) -> Real:
        """At rated work and full speed what is rated; fans that stand still take nothing."""
        return asked.other * (1.0 - self.fan_share) + self._fans_power(s, u)

    @cached_property
    def _fan_rating(self) -> Real:
        """Power of its fans at full speed [W]."""
        return self.fan_share * (self.rated_power - self._rated)

    def _fans_power(self, s: Any, u: Any) -> Real:
        speed = s.fan_speed
        return self._fan_rating * self._turn(s, u) * (speed * speed * speed)

    def conductance(self, flow: Real) -> tuple[Real, Real]:
        """Heat sinks to air entering [W/K], and the share of (sink - inlet) by which air warms [1].

            UA = UA_0 (natural + (1 - natural) x^n),   K = C (1 - exp(-UA/C))

        Args:
            flow: of air, of that at full speed [1]; what rises by itself is added to it.
        """
        xp, natural = library_of(flow), self.natural_share
        film = self.gpu_count / self.sink_resistance
        UA = film * (natural + (1.0 - natural) * xp.maximum(flow, thermal.TINY) ** self.sink_exponent)
        C = self.air_flow * ROOM_AIR * (natural + (1.0 - natural) * flow)
        share = -xp.expm1(-UA / C)
        return C * share, share

    def _carries(self, s: Any, u: Any, port: Ports) -> tuple[Real, Real]:
        found: tuple[Real, Real] = self.once(self._blown, s.fan_speed, self._turn(s, u))
        return found

    def _blown(self, speed: Real, turning: Real) -> tuple[Real, Real]:
        return self.conductance(speed * turning)

    def coil(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Real, Real]:
        """Heat sinks as a coil that warms the room: K (sink - inlet), the sinks following the air within the tick."""
        plan, run = port.plan, port.plan.course
        K, stays = plan.conductance, self._stays(run)
        return K * stays, (run.mean_plate - run.follows_mean_plate * s.inlet_temperature) / stays

    def _stays(self, run: Any) -> Real:
        """Share of a change of the air by which the sinks do not follow it in a tick [1]."""
        return library_of(run.follows_mean_plate).maximum(1.0 - run.follows_mean_plate, 1e-9)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        plan, run, heat = port.plan, port.plan.course, -port.air_heat
        K, stays = plan.conductance, self._stays(run)
        shift = (K * (run.mean_plate - s.inlet_temperature) - heat) / (K * stays)  # of the air, from what was foreseen
        inlet = s.inlet_temperature + shift
        die = run.T_die + run.follows_die * shift
        C_die, C_sink, _ = self._masses
        into_masses = plan.power + plan.taken.loss - plan.to_air - heat
        sink = s.sink_temperature + (dt * into_masses - C_die * (die - s.die_temperature)) / C_sink
        after = replace(
            s,
            die_temperature=die,
            sink_temperature=sink,
            inlet_temperature=inlet,
            **self.each_die(s, die, run.mean_plate + run.follows_mean_plate * shift, run.power, dt),
            **self.thermal_flags(s, run, port.now),
            **self.after_supply(s, u, port, plan.fed, plan.taken, dt),
            **self.after_work(s, u, plan.share_on, port.now, dt),
        )
        told = self.told(after, u, port)
        after.fan_speed = self._next_fans(s, die, sink, told["hottest_die_temperature"], inlet, dt)
        fans = self._fans_power(s, u) * plan.lasts
        told["fans_power"] = fans * run.ran if worth_doing(run.ran != 1.0) else fans
        moved = self.air_flow * s.fan_speed * self._turn(s, u)
        natural = self.natural_share * self.air_flow * (moved <= 0)
        leaving = inlet + (plan.to_air + heat) / (ROOM_AIR * library_of(moved).maximum(moved, natural))
        return after, self.Outputs(air_moved=moved, air_leaving=leaving, **told)

    def _next_fans(self, s: Any, die: Real, sink: Real, hottest: Real, inlet: Real, dt: Real) -> Real:
        control = Control(self.fan_from, self.fan_to, self.least_fan_speed, self.fan_lag)
        return next_speed(s.fan_speed, hottest, library_of(sink).maximum(sink - inlet, 0.0), control, dt)

    def stored(self, s: Any, port: Ports) -> Real:
        masses = self.die_heat_capacity * s.die_temperature + self.sink_heat_capacity * s.sink_temperature
        return self.gpu_count * masses + s.hold_up_energy + s.storage_energy
