"""Makes the tables of this folder anew, from CoolProp (MIT licence): python assets/fluids/make.py."""

from __future__ import annotations

from pathlib import Path

import CoolProp
from CoolProp.CoolProp import PropsSI

PRESSURE = 3e5
FLUIDS = {
    "water": ("Water", "IAPWS-95, water"),
    "pg25": ("INCOMP::MPG[0.25]", "Melinder (2010), propylene glycol 25 % by mass in water"),
    "pg55": ("INCOMP::MPG[0.55]", "Melinder (2010), propylene glycol 55 % by mass in water"),
    "eg25": ("INCOMP::MEG[0.25]", "Melinder (2010), ethylene glycol 25 % by mass in water"),
}
TEMPERATURES = range(0, 101, 5)
QUANTITIES = {
    "density [kg/m^3]": "D",
    "specific_heat [J/(kg K)]": "C",
    "viscosity [Pa s]": "V",
    "conductivity [W/(m K)]": "L",
}


def made(name: str) -> str:
    """One table as text, with where it comes from."""
    fluid, source = FLUIDS[name]
    lines = [
        f"# {source}; CoolProp {CoolProp.__version__} ({fluid}) at 300 kPa; CoolProp is MIT licensed; made by make.py",
        ",".join(["temperature [degC]", *QUANTITIES]),
    ]
    for t in TEMPERATURES:
        T = max(t + 273.15, 273.16)  # liquid water begins at its triple point
        values = [PropsSI(code, "T", T, "P", PRESSURE, fluid) for code in QUANTITIES.values()]
        lines.append(",".join([str(t), *(f"{value:.7g}" for value in values)]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in FLUIDS:
        (Path(__file__).parent / f"{name}.csv").write_text(made(name), encoding="utf-8")
