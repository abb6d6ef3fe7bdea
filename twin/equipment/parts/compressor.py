"""Compressor: capacity and power of a chiller by temperatures, from EIR curves and Carnot's form beyond them."""

from __future__ import annotations

from twin.arrays import library_of, worth_doing
from twin.declare import Real, quantity, table
from twin.driven import Driven
from twin.equipment.parts.outdoor_reset import OutdoorReset
from twin.physics.machine import biquadratic, carnot_cop, least_load, part_load
from twin.units import YES_NO

HALF_STEP = 0.1
"""Kelvin to both sides, for the slope of capacity by leaving temperature."""
NO_LIFT = 200.0
"""Lift [K] that stands for a machine that never surges."""


@table
class Compressor(OutdoorReset, Driven):
    """What a chiller can take and what work that asks, at full and at part load.

    Inside their limits the published curves; from their nearest edge on, Carnot's form. Without curves a share of
    Carnot's COP, and capacity by straight lines from the rating point.
    """

    cooling_capacity: Real = quantity("W", "heat taken at the rating point", above=0, at_most=1e8)
    rated_cop: Real = quantity("1", "coefficient of performance at the rating point", above=0, at_most=30)
    carnot_effectiveness: Real = quantity("1", "share of Carnot's COP outside the curves", above=0, below=1)
    evaporator_approach: Real = quantity("K", "leaving water above evaporating temperature", default=2.0, at_least=0)
    condenser_approach: Real = quantity("K", "condensing above condenser entering temperature", above=0, at_most=60)
    condenser_offset: Real = quantity("K", "condenser entering above dry bulb", default=0.0, at_most=30)
    least_lift: Real = quantity("K", "smallest lift the compressor keeps", default=15.0, above=0)
    rating_ambient: Real = quantity(
        "K", "what enters the condenser at the rating point: air, or its water", default=308.15, above=250, below=350
    )
    capacity_slope: Real = quantity("1/K", "capacity lost per kelvin of condenser entering above rating", default=0.01)
    rating_leaving: Real = quantity(
        "K", "leaving temperature of the rating point", default=280.15, above=250, below=350
    )
    leaving_gain: Real = quantity(
        "1/K", "capacity gained per kelvin of leaving water above rating", default=0.0, at_least=0, at_most=0.1
    )
    highest_leaving: Real = quantity(
        "K", "warmest leaving temperature it can be set to and works at", default=350.0, above=250, at_most=350
    )
    most_lift: Real = quantity("K", "lift above which the compressor surges and stops", default=200.0, above=0)
    surge_lift: Real = quantity("K", "lift above which its least steady load rises", default=200.0, above=0)
    surge_slope: Real = quantity("1/K", "rise of the least steady load by lift", default=0.0, at_least=0, at_most=0.2)
    hot_gas_bypass: Real = quantity(
        "1", "below the least load 1 runs on with hot gas bypassed, 0 cycles", default=0.0, choices=YES_NO
    )
    fouling_approach: Real = quantity("K", "condensing higher with the condenser fouled", default=5.0, at_least=0)
    has_curves: Real = quantity("1", "1 where the EIR curves below are given", default=0.0, at_least=0, at_most=1)
    capacity_c0: Real = quantity("1", "CapFT constant", default=1.0)
    capacity_c1: Real = quantity("1/K", "CapFT by leaving temperature", default=0.0)
    capacity_c2: Real = quantity("1/K^2", "CapFT by leaving temperature squared", default=0.0)
    capacity_c3: Real = quantity("1/K", "CapFT by condenser temperature", default=0.0)
    capacity_c4: Real = quantity("1/K^2", "CapFT by condenser temperature squared", default=0.0)
    capacity_c5: Real = quantity("1/K^2", "CapFT by both", default=0.0)
    input_c0: Real = quantity("1", "EIRFT constant", default=1.0)
    input_c1: Real = quantity("1/K", "EIRFT by leaving temperature", default=0.0)
    input_c2: Real = quantity("1/K^2", "EIRFT by leaving temperature squared", default=0.0)
    input_c3: Real = quantity("1/K", "EIRFT by condenser temperature", default=0.0)
    input_c4: Real = quantity("1/K^2", "EIRFT by condenser temperature squared", default=0.0)
    input_c5: Real = quantity("1/K^2", "EIRFT by both", default=0.0)
    part_load_c0: Real = quantity("1", "EIRFPLR constant", default=0.0)
    part_load_c1: Real = quantity("1", "EIRFPLR by part load", default=1.0)
    part_load_c2: Real = quantity("1", "EIRFPLR by part load squared", default=0.0)
    least_leaving: Real = quantity("K", "lowest leaving temperature of the curves", default=277.15, above=200)
    most_leaving: Real = quantity("K", "highest leaving temperature of the curves", default=283.15, above=200)
    least_condenser: Real = quantity("K", "lowest condenser temperature of the curves", default=288.15, above=200)
    most_condenser: Real = quantity("K", "highest condenser temperature of the curves", default=325.15, above=200)
    least_load: Real = quantity("1", "smallest steady part load", default=0.15, at_least=0, below=1)

    def nominal_power(self) -> Real:
        return self.cooling_capacity / self.rated_cop

    def faults(self, feeds: int) -> list[str]:
        found = super().faults(feeds)
        if float(self.most_lift) <= float(self.least_lift):
            found.append("its most_lift is not above its least_lift; a higher one is wanted")
        return found

    def rating(self, T_leaving: Real, T_condenser: Real, fouled: Real = 0.0) -> tuple[Real, Real, Real]:
        """Capacity [W], COP at full load [1], whether the curves hold; at leaving and condenser temperatures [K].

        Beyond the curves capacity and COP go on from their nearest edge as Carnot's form does.
        """
        xp = library_of(T_leaving + T_condenser)
        T_leaving = xp.minimum(T_leaving, self.highest_leaving)
        capacity, cop = self._by_carnot(T_leaving, T_condenser, fouled)
        if not worth_doing(self.has_curves):
            return capacity, cop, (T_leaving + T_condenser) < 0.0
        T_e = xp.minimum(xp.maximum(T_leaving, self.least_leaving), self.most_leaving)
        T_c = xp.minimum(xp.maximum(T_condenser, self.least_condenser), self.most_condenser)
        inside = (self.has_curves > 0) & (T_e == T_leaving) & (T_c == T_condenser)
        x, y = T_e - 273.15, T_c - 273.15
        by_curve = self.cooling_capacity * biquadratic(tuple(getattr(self, f"capacity_c{i}") for i in range(6)), x, y)
        input_ratio = biquadratic(tuple(getattr(self, f"input_c{i}") for i in range(6)), x, y)
        at_edge, cop_at_edge = self._by_carnot(T_e, T_c, 0.0)
        curved = self.has_curves > 0
        capacity = xp.where(curved, by_curve * (capacity / at_edge), capacity)
        return capacity, xp.where(curved, self.rated_cop / input_ratio * (cop / cop_at_edge), cop), inside

    def _by_carnot(self, T_leaving: Real, T_condenser: Real, fouled: Real) -> tuple[Real, Real]:
        """Capacity [W] by straight lines from the rating point, and a share of Carnot's COP [1]."""
        xp = library_of(T_leaving + T_condenser)
        air = T_condenser - self.condenser_offset - self.rating_ambient
        by_air = xp.minimum(xp.maximum(1.0 - self.capacity_slope * air, 0.1), 1.1)
        by_water = xp.maximum(1.0 + self.leaving_gain * (T_leaving - self.rating_leaving), 0.1)
        T_e = T_leaving - self.evaporator_approach
        T_c = T_condenser + self.condenser_approach + self.fouling_approach * fouled
        cop = carnot_cop(self.carnot_effectiveness, T_e, T_c, self.least_lift)
        return self.cooling_capacity * by_air * by_water, cop

    def lift(self, T_leaving: Real, T_condenser: Real, fouled: Real = 0.0) -> Real:
        """Condensing above evaporating temperature [K]."""
        T_c = T_condenser + self.condenser_approach + self.fouling_approach * fouled
        return T_c - (T_leaving - self.evaporator_approach)

    def power(self, heat: Real, T_leaving: Real, T_condenser: Real, fouled: Real = 0.0) -> Real:
        """Compressor power [W] to take `heat` [W]; EIR P = Q_ref CapFT/COP_ref EIRFT EIRFPLR(PLR) inside the curves.

        Source: EnergyPlus Engineering Reference, Chiller:Electric:EIR; Carnot form as Modelica Buildings.
        """
        capacity, cop, _ = self.rating(T_leaving, T_condenser, fouled)
        return self.compressor_power(heat, capacity, cop, self.lift(T_leaving, T_condenser, fouled))

    def compressor_power(self, heat: Real, capacity: Real, cop: Real, lift: Real) -> Real:
        curve = (self.part_load_c0, self.part_load_c1, self.part_load_c2)
        least = self.once(self._least, lift)
        return capacity / cop * part_load(heat / capacity, least, curve, self.hot_gas_bypass)

    def _least(self, lift: Real) -> Real:
        return least_load(self.least_load, lift, self.surge_lift, self.surge_slope)

    def slope(self, T_leaving: Real, T_condenser: Real, fouled: Real) -> Real:
        """Rise of capacity with the water leaving [W/K]; none where it falls or beyond the warmest."""
        if not worth_doing(self.leaving_gain + self.has_curves):
            return 0.0
        more, less = (self.rating(T_leaving + step, T_condenser, fouled)[0] for step in (HALF_STEP, -HALF_STEP))
        return library_of(more).maximum(more - less, 0.0) / (2.0 * HALF_STEP)

    def target(self, setpoint: Real) -> Real:
        """The leaving temperature that it goes for [K]: the setpoint as far as the machine reaches."""
        return library_of(setpoint).minimum(setpoint, self.highest_leaving)
