"""Expansion vessel: holds a loop's static pressure at its return header, with make-up and a relief valve."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.arrays import library_of
from twin.declare import Equipment, Ports, Real, flag, quantity, replace, table
from twin.physics import static_pressure
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched
from twin.physics.thermal import TINY


@table
class ExpansionVessel(Equipment):
    """A membrane vessel at the return header of its loop (`pressurisation: vessel-1`).

    Coolant that warms expands into it; what leaks is missing from it. Below `makeup_start` a make-up valve opens until
    `makeup_stop`, at most `makeup_flow`, as long as its store lasts. Above `relief_pressure` the relief valve lets
    coolant go. What leaks is replaced at the header that lacks it: by make-up, as warm as that is, else by the vessel's
    coolant, which stands at `fill_temperature`; the energy books count the heat of both from there. The gas stays as
    warm as it is. Make-up needs no electricity here; heat of what the relief valve lets go is left out.
    """

    kind = "expansion_vessel"
    pressurises: ClassVar[bool] = True
    settles: ClassVar[tuple[str, ...]] = ("charge", "expansion")

    vessel_volume: Real = quantity("m^3", "gas and coolant in the vessel", above=0, at_most=1e3)
    precharge: Real = quantity("Pa", "absolute pressure of its gas without coolant", above=1.02e5, at_most=1.1e6)
    fill_pressure: Real = quantity("Pa", "absolute pressure of the cold, filled loop", above=1.02e5, at_most=2.1e6)
    relief_pressure: Real = quantity(
        "Pa", "absolute pressure at which its relief valve lifts", above=1.1e5, at_most=3e6
    )
    fill_temperature: Real = quantity("K", "coolant when the loop was filled", default=293.15, above=270, below=350)
    slack_volume: Real = quantity(
        "m^3", "coolant that the loop gives between precharge and the air's pressure",
        default=0.005, above=0, at_most=10,
    )  # fmt: skip
    makeup_temperature: Real = quantity("K", "coolant that make-up gives", default=293.15, above=270, below=350)
    makeup_flow: Real = quantity("m^3/s", "make-up at most; 0: none", default=0.0, at_least=0, at_most=1)
    makeup_start: Real = quantity("Pa", "absolute pressure below which make-up opens", default=0.0, at_least=0)
    makeup_stop: Real = quantity("Pa", "absolute pressure at which make-up shuts", default=0.0, at_least=0)
    makeup_store: Real = quantity("m^3", "coolant that make-up can give in all", default=1.0, at_least=0, at_most=1e4)

    @table
    class Inputs:
        makeup_failed: Real = quantity("1", "1: its make-up gives nothing", default=0.0, failure=True)

    @table
    class State:
        charge: Real = quantity("m^3", "coolant beyond the loop's own volume, at fill temperature")
        expansion: Real = quantity("m^3", "by which the loop's coolant has grown since it was filled", default=0.0)
        static_pressure: Real = quantity("Pa", "absolute pressure at the return header")
        makeup_used: Real = quantity("m^3", "coolant that make-up has given", default=0.0)
        leaked: Real = quantity("m^3", "coolant that has left by leaks and the relief valve", default=0.0)
        feed_temperature: Real = quantity("K", "coolant that replaces what leaks")
        making_up: Real = flag(
            "opens its make-up", "shuts its make-up", because="its pressure fell below {makeup_start}", via="coolant"
        )
        lifted: Real = flag(
            "lifts its relief valve", "shuts its relief valve", because="its pressure reached {relief_pressure}",
            via="coolant",
        )  # fmt: skip
        vessel_empty: Real = flag(
            "is empty", "holds coolant again", because="the loop has lost what it held", via="coolant"
        )
        lost_charge: Real = flag(
            "has lost the loop's charge", "has the loop filled again", because="the loop is at the air's pressure",
            via="coolant",
        )  # fmt: skip

    @table
    class Outputs:
        makeup_flow_now: Real = quantity("m^3/s", "make-up flow", default=0.0)
        leak_flow: Real = quantity("m^3/s", "coolant that leaves the loop", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        still = 0.0 * u.makeup_failed
        charge = static_pressure.held_at(self.fill_pressure, self.vessel_volume, self.precharge)
        return {
            "charge": charge + still, "static_pressure": self.fill_pressure + still,
            "feed_temperature": self.fill_temperature + still,
        }  # fmt: skip

    def most_lost(self, s: Any, u: Any, dt: Real) -> Real:
        """What the loop can lose in a tick at most, by what it held at its start and by make-up [m3/s]."""
        held = library_of(s.charge).maximum(s.charge + s.expansion + self.slack_volume, 0.0)
        return held / dt + self._makeup(s, u, dt) / dt

    def _makeup(self, s: Any, u: Any, dt: Real) -> Real:
        """What make-up can give in a tick [m3]."""
        xp = library_of(s.charge)
        most = s.making_up * (1.0 - u.makeup_failed) * self.makeup_flow * dt
        return xp.minimum(most, xp.maximum(self.makeup_store - s.makeup_used, 0.0))

    def faults(self, feeds: int) -> list[str]:
        found = []
        if not self.precharge < self.fill_pressure < self.relief_pressure:
            found.append("precharge < fill_pressure < relief_pressure is wanted, but these are not in that order")
        if self.makeup_flow > 0 and not 0 < self.makeup_start < self.makeup_stop < self.relief_pressure:
            found.append("makeup_start < makeup_stop < relief_pressure is wanted, but these are not in that order")
        return found

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        """The tick's coolant in and out; make-up ends at its stop, a leak where the loop is at the air's pressure."""
        xp = library_of(s.charge)
        expansion, leak = port.flow.get("expansion", 0.0) + 0.0 * s.charge, port.flow.get("leak", 0.0)
        full = static_pressure.held_at(self.makeup_stop, self.vessel_volume, self.precharge, self.slack_volume)
        missing = xp.maximum(full - (s.charge + expansion - leak * dt), 0.0)
        given = xp.minimum(self._makeup(s, u, dt), missing)
        left = xp.maximum(s.charge + expansion + given + self.slack_volume, 0.0)
        lost = xp.minimum(leak * dt, left)
        water = s.charge + expansion + given - lost
        most = static_pressure.held_at(self.relief_pressure, self.vessel_volume, self.precharge)
        relieved = xp.maximum(water - most, 0.0)
        water = water - relieved
        p = static_pressure.cushion(water, self.vessel_volume, self.precharge, self.slack_volume)
        moment = lambda: moment_of_crossing(s.static_pressure, p, self.makeup_start, port.now, dt)  # noqa: E731
        wants = (self.makeup_flow > 0) & xp.where(s.making_up > 0, given < missing, p < self.makeup_start)
        making, making_at = latched(wants, s.making_up, s.making_up_at, moment)
        lifted, lifted_at = latched(relieved > 0, s.lifted, s.lifted_at, port.now)
        was = s.charge + s.expansion
        empty_moment = lambda: moment_of_crossing(was, water, 0.0, port.now, dt)  # noqa: E731
        empty, empty_at = latched(water < 0, s.vessel_empty, s.vessel_empty_at, empty_moment)
        gone, gone_at = latched(water <= -self.slack_volume * 0.999, s.lost_charge, s.lost_charge_at, port.now + dt)
        after = replace(
            s, charge=water - expansion, expansion=expansion, static_pressure=p, makeup_used=s.makeup_used + given,
            leaked=s.leaked + lost + relieved, feed_temperature=self._feed(given, lost), making_up=making,
            making_up_at=making_at, lifted=lifted, lifted_at=lifted_at, vessel_empty=empty,
            vessel_empty_at=empty_at, lost_charge=gone, lost_charge_at=gone_at,
        )  # fmt: skip
        return after, self.Outputs(makeup_flow_now=given / dt, leak_flow=(lost + relieved) / dt)

    def _feed(self, given: Real, lost: Real) -> Real:
        """How warm what replaces a leak is [K]: make-up first, then what stands in the vessel."""
        xp = library_of(lost)
        share = xp.where(lost > 0, xp.minimum(given / xp.maximum(lost, TINY), 1.0), 0.0)
        return self.fill_temperature + share * (self.makeup_temperature - self.fill_temperature)
