"""Evaporative cooling: Merkel's tower by effectiveness and NTU, York's approach polynomial, the water it takes."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.physics.moist_air import FREEZING, MOLAR_RATIO, STANDARD_PRESSURE
from twin.physics.thermal import TINY, exchanger_conductance

Real = Any

AIR_DENSITY = 1.2
"""Of the air that the fans move [kg/m3], as EnergyPlus has it for its towers."""
DRY_AIR = 1006.0
"""Of dry air [J/(kg K)]; textbook."""
STANDING_FAN = 0.02
"""Power of slow fans, of that at full speed: losses of motor and drive. EnergyPlus' fan curve, fitted."""
ROUNDS = 4
"""Of the iteration for the leaving air; they leave 0.2 % of the heat at most."""

YORK = (
    (
        (-0.359741205, -0.055053608, 0.0023850432),
        (0.173926877, -0.0248473764, 0.00048430224),
        (-0.005589849456, 0.0005770079712, -0.00001342427256),
    ),
    (
        (2.84765801111111, -0.121765149, 0.0014599242),
        (1.680428651, -0.0166920786, -0.0007190532),
        (-0.025485194448, 0.0000487491696, 0.00002719234152),
    ),
    (
        (-0.0653766255555556, -0.002278167, 0.0002500254),
        (-0.0910565458, 0.00318176316, 0.000038621772),
        (-0.0034285382352, 0.00000856589904, -0.000001516821552),
    ),
)
"""Coefficients by liquid-to-gas ratio, range and wet bulb [degC] (outermost to innermost)."""
YORK_RANGE = (1.1, 22.2)
YORK_WET_BULB = (-34.4 + FREEZING, 26.7 + FREEZING)
YORK_LEAST_APPROACH = 1.1
YORK_RATIO = (0.1, 8.0)
"""Limits of the correlation: range [K], wet bulb [K], approach [K], liquid to gas; the lower ratio is an estimate."""


def fan_power_share(speed: Real) -> Real:
    """Power of a tower's fans, of that at full speed.

        P/P_n = 0.02 + 0.98 n^3,   0 where they stand

    within 2e-4 of EnergyPlus' fan curve for its variable-speed towers.
    """
    return (STANDING_FAN + (1.0 - STANDING_FAN) * speed * speed * speed) * (speed > 0.0)


def saturated_humidity(T: Real) -> Real:
    """Water per dry air [kg/kg] of saturated air at T [K] and standard pressure; Magnus' form, within 0.4 %.

        p_ws = 610.94 e^{17.625 t/(t + 243.04)}

    Source: Alduchov and Eskridge (1996), J. Appl. Meteorology 35, equation 21.
    """
    xp = library_of(T)
    t = T - FREEZING
    p = xp.minimum(610.94 * xp.exp(17.625 * t / (t + 243.04)), 0.7 * STANDARD_PRESSURE)
    return MOLAR_RATIO * p / (STANDARD_PRESSURE - p)


def saturated_enthalpy(T: Real) -> Real:
    """Enthalpy of saturated air at T [K], per dry air [J/kg].

        h = 1006 t + W (2501e3 + 1860 t)

    Source: ASHRAE Handbook - Fundamentals (2017), chapter 1, equation 30.
    """
    t = T - FREEZING
    return DRY_AIR * t + saturated_humidity(T) * (2.501e6 + 1860.0 * t)


class Contact(NamedTuple):
    """What water and air do to each other.

    share: of (T_in - T_wb) by which the water is cooled [1]; T_air: wet bulb of the leaving air [K].
    """

    share: Real
    T_air: Real


def merkel(T_in: Real, T_wb: Real, m_air: Real, C_water: Real, UA: Real, guess: Real = None) -> Contact:
    """Water cooled by air in counterflow, the air as a gas whose heat capacity is that of saturation.

        Q = eps C_min (T_in - T_wb),   C_air = m_air c_e,   UA_e = UA c_e/c_p
        c_e = (h_s(T_air) - h_s(T_wb))/(T_air - T_wb)

    Args:
        T_in: water entering [K]; no heat is meant to be taken from water below the wet bulb.
        T_wb: wet bulb of the air entering [K].
        m_air: dry air [kg/s].
        C_water: heat-capacity rate of the water [W/K].
        UA: conductance for dry air [W/K].
        guess: wet bulb of the leaving air to begin with [K]; without one, half-way, and four rounds instead of one.

    Source: Merkel (1925) in the form of EnergyPlus' CoolingTower:VariableSpeed:Merkel and Modelica Buildings.
    """
    xp = library_of(T_in)
    above = xp.maximum(T_in - T_wb, 1e-3)
    h_wb = saturated_enthalpy(T_wb)
    lift = 0.5 * above if guess is None else xp.minimum(xp.maximum(guess - T_wb, 1e-3), above)
    K: Real = 0.0
    for _ in range(ROUNDS if guess is None else 1):
        c_e = (saturated_enthalpy(T_wb + lift) - h_wb) / lift
        C_air = xp.maximum(m_air, 1e-9) * c_e
        K = exchanger_conductance(UA * (c_e / DRY_AIR), C_air, C_water)
        lift = xp.maximum(xp.minimum(K / C_air, 1.0) * above, 1e-3)
    return Contact(K / xp.maximum(C_water, TINY), T_wb + lift)


def merkel_conductance(C_water: Real, fall: Real, approach: Real, T_wb: Real, m_air: Real) -> Real:
    """UA [W/K] that makes `merkel` cool water by `fall` down to `approach` above the wet bulb [K].

    Not a number where the air cannot carry the heat.
    """
    xp = library_of(C_water + fall)
    T_in, Q = T_wb + approach + fall, C_water * fall
    low, high = T_wb + 0.0 * Q, T_in + 0.0 * Q
    h_out = saturated_enthalpy(T_wb) + Q / m_air
    can = saturated_enthalpy(T_in) > h_out
    for _ in range(50):
        middle = 0.5 * (low + high)
        short = saturated_enthalpy(middle) < h_out
        low, high = xp.where(short, middle, low), xp.where(short, high, middle)
    c_e = (h_out - saturated_enthalpy(T_wb)) / (high - T_wb)
    C_air = m_air * c_e
    C_min, C_max = xp.minimum(C_air, C_water), xp.maximum(C_air, C_water)
    eps = xp.minimum(Q / (C_min * (T_in - T_wb)), 1.0 - 1e-12)
    slack = xp.maximum(1.0 - C_min / C_max, 1e-9)
    NTU = xp.log1p(eps * slack / (1.0 - eps)) / slack
    return xp.where(can, NTU * C_min * DRY_AIR / c_e, xp.nan)


def scheier(air: Real, water: Real, wet_bulb_below: Real) -> Real:
    """How the conductance goes with flows, of nominal, and with the wet bulb below the nominal one [K].

        f = (1.3 x_a - 0.3 x_a^2) (0.1082 + 1.667 x_w - 0.7713 x_w^2) (1 + 0.0081 dT)

    Source: Scheier's factors as in EnergyPlus' and Modelica Buildings' example towers; water up to nominal,
    dT from -10 to 25 K.
    """
    xp = library_of(air + water)
    x_w, dT = xp.minimum(water, 1.0), xp.minimum(xp.maximum(wet_bulb_below, -10.0), 25.0)
    return air * (1.3 - 0.3 * air) * (0.1082 + x_w * (1.667 - 0.7713 * x_w)) * (1.0 + 0.0081 * dT)


def york_coefficients(T_wb: Real, ratio: Real) -> tuple[Real, Real, Real]:
    """(a, b, c) of York's approach a + b R + c R^2 [K] by range R, at a wet bulb [K] and a liquid-to-gas ratio."""
    xp = library_of(T_wb + ratio)
    t = xp.minimum(xp.maximum(T_wb, YORK_WET_BULB[0]), YORK_WET_BULB[1]) - FREEZING
    by_range = []
    for k in range(3):
        c0, c1, c2 = (row[k][0] + t * (row[k][1] + t * row[k][2]) for row in YORK)
        by_range.append(c0 + ratio * (c1 + ratio * c2))
    return by_range[0], by_range[1], by_range[2]


def york_approach(T_wb: Real, fall: Real, ratio: Real) -> Real:
    """Approach of the leaving water to the wet bulb [K].

        A = sum c_ijk t_wb^i R^j (L/G)^k

    Args:
        T_wb: wet bulb of the entering air [K].
        fall: range, water in less water out [K].
        ratio: liquid to gas, of nominal [1].

    Source: YorkCalc, York International via EnergyPlus and Modelica Buildings (CoolingTowers.Correlations.yorkCalc).
    """
    a, b, c = york_coefficients(T_wb, ratio)
    return a + fall * (b + c * fall)


def york_ratio(T_wb: Real, fall: Real, approach: Real) -> Real:
    """Liquid-to-gas ratio at which York's polynomial gives an approach [K] at a wet bulb [K] and a range [K]."""
    xp = library_of(T_wb + fall)
    at_0, at_1, at_2 = (york_approach(T_wb, fall, k) for k in (0.0, 1.0, 2.0))
    bend = 0.5 * (at_2 - 2.0 * at_1 + at_0)
    slope, short = at_1 - at_0 - bend, approach - at_0
    return 2.0 * short / (slope + xp.sqrt(xp.maximum(slope * slope + 4.0 * bend * short, 0.0)))


def york_share(T_in: Real, T_wb: Real, ratio: Real) -> Real:
    """Share of (T_in - T_wb) by which York's tower cools its water [1]; R + A(R) = T_in - T_wb solved for R.

    Beyond its limits the correlation answers as at them; below the least and above the largest range the
    share stays as it is there.
    """
    xp = library_of(T_in)
    above = xp.maximum(T_in - T_wb, 1e-6)
    a, b, c = york_coefficients(T_wb, xp.minimum(xp.maximum(ratio, YORK_RATIO[0]), YORK_RATIO[1]))
    least, most = (R + xp.maximum(a + R * (b + c * R), YORK_LEAST_APPROACH) for R in YORK_RANGE)
    inside = xp.minimum(xp.maximum(above, least), xp.maximum(most, least))
    root = xp.sqrt(xp.maximum((1.0 + b) * (1.0 + b) + 4.0 * c * (inside - a), 1e-9))
    fall = 2.0 * (inside - a) / (1.0 + b + root)
    fall = xp.minimum(xp.maximum(fall, 0.0), inside - YORK_LEAST_APPROACH)
    return fall / inside


def evaporation(T_wb: Real, W_in: Real, m_air: Real, Q_flow: Real, T_air: Real) -> Real:
    """Water that leaves with saturated air [m3/s].

        V = m_air (W_out - W_in)/rho,   W_out = (h_out - 1006 t)/(2501e3 + 1860 t),   h_out = h_s(T_wb) + Q/m_air

    Args:
        T_wb, W_in: wet bulb [K] and humidity ratio [kg/kg] of the air entering.
        m_air: air through the fill [kg/s].
        Q_flow: heat taken from the water [W].
        T_air: wet bulb of the leaving air [K].
    """
    xp = library_of(Q_flow)
    air, t = xp.maximum(m_air, 1e-9), T_air - FREEZING
    h_out = saturated_enthalpy(T_wb) + Q_flow / air
    W_out = (h_out - DRY_AIR * t) / (2.501e6 + 1860.0 * t)
    return xp.maximum(air * (W_out - W_in), 0.0) * (Q_flow > 0.0) / 1e3
