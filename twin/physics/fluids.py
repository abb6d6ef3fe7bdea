"""Fluids: what a cubic metre of a coolant, or of air, holds in heat."""

HEAT_CAPACITY = {"water": 4.17e6, "pg25": 3.99e6}
"""rho cp [J/(m3 K)]: water near 30 degC (textbook); PG25 near 40 degC, from rho 1,023 kg/m3 and cp 3.90 kJ/(kg K)."""
ROOM_AIR = 1.19e3
"""rho cp of air near 25 degC [J/(m3 K)]; textbook."""
OUTDOOR_AIR = 1.15e3
"""rho cp of outdoor air near 35 degC [J/(m3 K)]; textbook."""
