"""415 VAC beside 800 VDC: what each stage of the two shipped halls passes on, and the published cases."""

from __future__ import annotations

import sys

from machine import machine
from rich.console import Console
from rich.table import Table

from twin.assets import scenarios_folder
from twin.declare import replace
from twin.equipment.transformer import Transformer
from twin.equipment.ups import UPS
from twin.model import Model, State, compile, inputs
from twin.plant import Plant
from twin.scenario import read_plant
from twin.simulation import settle

HALLS = {"415 VAC": "hall", "800 VDC": "hall-800vdc"}
CHAIN = ("transformer", "ups", "rectifier", "pdu", "rack")
"""Kinds that the power of the work passes through, from the meter to the busbar."""
ETAP = {"415 VAC": 0.8892, "800 VDC": 0.9522}
"""A published study of an older hall's chain and of one on 800 VDC."""


def steady(plant: Plant, utilisation: float) -> tuple[Model, State]:
    """A plant at steady work."""
    model = compile(plant)
    asked = inputs(model)
    for t in model.tables:
        if t.kind == "rack":
            asked[t.key] = replace(asked[t.key], utilisation=asked[t.key].utilisation * 0 + utilisation)
    return model, settle(model, asked)


def stages(plant: Plant, utilisation: float) -> dict[str, float]:
    """Power out over power in of each stage of the work's chain, and of the whole ("chain")."""
    model, now = steady(plant, utilisation)
    found = {}
    for kind in CHAIN:
        loss, power = 0.0, 0.0
        for t in (t for t in model.tables if t.kind == kind):
            serving = [k for k, name in enumerate(t.names) if "mech" not in name]
            out = now.outputs[t.key]
            loss += float(out.loss[0, serving].sum())
            power += float(out.power[0, serving].sum()) + (float(out.loss[0, serving].sum()) if kind == "rack" else 0.0)
        if power > 0:
            found[kind] = 1.0 - loss / power
    whole = 1.0
    for share in found.values():
        whole *= share
    found["chain"] = whole
    found["site"] = float(now.outputs["site"].power[0, 0])
    return found


def older(utilisation: float = 0.5) -> float:
    """The chain of an older AC hall, of estimated parts: the last generation's UPS, PDU transformers, 94 % supplies."""
    ups = UPS(
        rated_power=1e6, battery_energy=1e8, recharge_power=1e5, standing_loss=0.015, linear_loss=0.01, square_loss=0.02
    )
    main = Transformer(rated_power=1e6, impedance=0.0575, no_load_loss=1.5e3, load_loss=9e3)
    pdu = Transformer(rated_power=1e6, impedance=0.04, no_load_loss=3e3, load_loss=15e3)
    load = 1e6 * utilisation
    return float(main.efficiency(load) * ups.efficiency(load) * pdu.efficiency(load) * 0.94)


def main() -> None:
    utilisation = float(sys.argv[1]) if len(sys.argv) > 1 else 0.85
    found = {name: stages(read_plant(scenarios_folder() / "plants" / f"{file}.yaml"), utilisation)
             for name, file in HALLS.items()}  # fmt: skip
    table = Table(
        "stage", *found, "ETAP case AC / DC", title=f"From the meter to the busbar at {utilisation:.0%} of work"
    )
    for kind in (*CHAIN, "chain"):
        cells = [f"{shares[kind]:.2%}" if kind in shares else "-" for shares in found.values()]
        table.add_row(kind, *cells, " / ".join(f"{x:.2%}" for x in ETAP.values()) if kind == "chain" else "")
    table.add_row("power of the site", *[f"{shares['site'] / 1e6:.3f} MW" for shares in found.values()], "")
    console = Console()
    console.print(table)
    gain = found["800 VDC"]["chain"] - found["415 VAC"]["chain"]
    console.print(f"800 VDC passes on {100 * gain:.2f} points more; at most 5 are claimed.")
    console.print(f"An older AC chain of estimated parts, half loaded, passes on {older():.2%}.")
    console.print(f"[dim]{machine()}[/dim]")


if __name__ == "__main__":
    main()
