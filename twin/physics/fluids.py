"""Coolants: what a cubic metre of them holds in heat."""

HEAT_CAPACITY = {"water": 4.17e6, "pg25": 3.99e6}
"""rho cp [J/(m3 K)]: water near 30 degC (textbook); PG25 near 40 degC, from rho 1,023 kg/m3 and cp 3.90 kJ/(kg K)."""
