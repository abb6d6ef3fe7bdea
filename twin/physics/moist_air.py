"""Moist air: saturation, humidity ratio, and the wet bulb by the psychrometric equation itself."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of

Real = Any
FREEZING = 273.15
STANDARD_PRESSURE = 101325.0
MOLAR_RATIO = 0.621945
"""Molar mass of water over that of dry air."""
HALVINGS = 48
"""Of the bracket from 100 K below the dry bulb: the wet bulb to 4e-13 K."""


def saturation_pressure(T: Real) -> Real:
    """Pressure of water vapour over water, below freezing over ice.

        ln p_ws = C8/T + C9 + C10 T + C11 T^2 + C12 T^3 + C13 ln T     (over water; over ice one term more)

    Args:
        T: temperature [K], 173 to 473 K.

    Returns:
        Saturation pressure [Pa].

    Source: ASHRAE Handbook - Fundamentals (2017), chapter 1, equations 5 and 6 (Hyland and Wexler 1983).
    """
    xp = library_of(T)
    logarithm = xp.log(T)
    ice = T * (-9.677843e-3 + T * (6.2215701e-7 + T * (2.0747825e-9 - 9.484024e-13 * T)))
    ice = -5.6745359e3 / T + 6.3925247 + ice + 4.1635019 * logarithm
    water = T * (-4.8640239e-2 + T * (4.1764768e-5 - 1.4452093e-8 * T))
    water = -5.8002206e3 / T + 1.3914993 + water + 6.5459673 * logarithm
    return xp.exp(xp.where(T < FREEZING, ice, water))


def humidity_ratio(p_w: Real, p: Real) -> Real:
    """Water per dry air [kg/kg] at a vapour pressure in a total pressure [Pa].

        W = 0.621945 p_w / (p - p_w)

    Source: ASHRAE Handbook - Fundamentals (2017), chapter 1, equation 20.
    """
    return MOLAR_RATIO * p_w / (p - p_w)


def humidity_ratio_of_wet_bulb(T: Real, T_wb: Real, p: Real) -> Real:
    """Water per dry air [kg/kg] of air with a dry and a wet bulb [K] at a pressure [Pa].

        W = ((2501 - 2.326 t_wb) W_s - 1.006 (t - t_wb)) / (2501 + 1.86 t - 4.186 t_wb)      (over water)
        W = ((2830 - 0.24 t_wb) W_s - 1.006 (t - t_wb)) / (2830 + 1.86 t - 2.1 t_wb)         (over ice)

    with temperatures in degC and W_s of saturated air at the wet bulb.

    Source: ASHRAE Handbook - Fundamentals (2017), chapter 1, equations 33 and 35.
    """
    xp = library_of(T_wb)
    t, t_wb = T - FREEZING, T_wb - FREEZING
    W_s = humidity_ratio(saturation_pressure(T_wb), p)
    water = ((2501 - 2.326 * t_wb) * W_s - 1.006 * (t - t_wb)) / (2501 + 1.86 * t - 4.186 * t_wb)
    ice = ((2830 - 0.24 * t_wb) * W_s - 1.006 * (t - t_wb)) / (2830 + 1.86 * t - 2.1 * t_wb)
    return xp.where(T_wb < FREEZING, ice, water)


def wet_bulb(T: Real, W: Real, p: Real) -> Real:
    """Wet-bulb temperature [K] of air at T [K] with W water per dry air [kg/kg] at p [Pa].

    The psychrometric equation of `humidity_ratio_of_wet_bulb`, solved by halving; air beyond saturation
    answers its dry bulb. Just at freezing a wet and an icy wick can both answer (0.4 K apart in air of
    5 degC); one of the two is returned.
    """
    xp = library_of(T)
    low, high = T - 100.0, T + 0.0 * W
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        wetter = humidity_ratio_of_wet_bulb(T, middle, p) < W
        low, high = xp.where(wetter, middle, low), xp.where(wetter, high, middle)
    return 0.5 * (low + high)


def wet_bulb_of_humidity(T: Real, phi: Real, p: Real) -> Real:
    """Wet bulb [K] of air at T [K] with relative humidity phi [1] at p [Pa]."""
    return wet_bulb(T, humidity_ratio(phi * saturation_pressure(T), p), p)


def wet_bulb_of_dew_point(T: Real, T_dew: Real, p: Real) -> Real:
    """Wet bulb [K] of air at T [K] with a dew point [K] at p [Pa]."""
    return wet_bulb(T, humidity_ratio(saturation_pressure(T_dew), p), p)


def pressure_at(height: Real) -> Real:
    """Air pressure [Pa] at a height above the sea [m], standard atmosphere.

        p = 101325 (1 - 2.25577e-5 h)^5.2559

    Source: ASHRAE Handbook - Fundamentals (2017), chapter 1, equation 3.
    """
    return STANDARD_PRESSURE * (1.0 - 2.25577e-5 * height) ** 5.2559


def dew_point(T: Real, phi: Real) -> Real:
    """Dew point [K] of air at T [K] with relative humidity phi > 0 [1].

        t_d = 6.54 + 14.526 a + 0.7389 a^2 + 0.09486 a^3 + 0.4569 p_w^0.1984     (0 to 93 degC)
        t_d = 6.09 + 12.608 a + 0.4959 a^2                                       (below 0 degC),   a = ln p_w

    with the vapour pressure p_w in kPa.

    Source: ASHRAE Handbook - Fundamentals (2017), chapter 1, equations 37 and 38.
    """
    p_w = phi * saturation_pressure(T) / 1000.0
    xp = library_of(p_w)
    a = xp.log(p_w)
    warm = 6.54 + a * (14.526 + a * (0.7389 + 0.09486 * a)) + 0.4569 * p_w**0.1984
    cold = 6.09 + a * (12.608 + 0.4959 * a)
    return FREEZING + xp.where(warm >= 0.0, warm, cold)
