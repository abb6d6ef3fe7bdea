"""Rack: liquid-cooled GPUs with their dies, cold plates and coolant, their power and their thermal limits."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of
from twin.declare import Ports, Real, Stream, flag, quantity, replace, table
from twin.equipment.parts.rack_branch import RackBranch
from twin.physics import thermal


@table
class Rack(RackBranch):
    """All GPU dies of a rack on one plate, as one mass or each as its own, cooled by one coolant stream.

    GPU power follows work, the power limit, the clock that thermal limits leave, and leaks more when hot. Between
    `throttle_temperature` and `slowdown_temperature` power falls in a straight line; slowdown and shutdown latch.
    Everything that is not a GPU follows utilisation alone; a part of it
    goes to the room's air, the rest into the plates. Power supplies bridge gaps from their capacitors.
    Rated power is that of the trays at the busbar; what is taken from the feeds is more by the losses of the power
    shelves. Dies of CPUs and switches, and plates of different flow within a rack, are left out.
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

    def _body(self, s: Any) -> Real:
        return s.plate_temperature

    def _carries(self, s: Any, u: Any, port: Ports) -> tuple[Real, Real]:
        return self.conductance(port.capacity_rate["coolant"], port.flow["coolant"])

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
            **self.thermal_flags(s, run, port.now),
            **self.after_supply(s, u, port, plan.fed, plan.taken, dt),
            **self.after_work(s, u, plan.share_on, port.now, dt),
        )
        return after, self.Outputs(flow=port.flow["coolant"], **self.told(after, u, port))

    def stored(self, s: Any, port: Ports) -> Real:
        masses = self.die_heat_capacity * s.die_temperature + self.plate_heat_capacity * s.plate_temperature
        coolant = self.coolant_volume * port.heat_capacity["coolant"] * s.coolant_temperature
        return self.gpu_count * masses + coolant + s.hold_up_energy + s.storage_energy
