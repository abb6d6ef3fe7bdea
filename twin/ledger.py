"""The energy ledger: what came in, went out and was stored, per unit and tick, to round-off."""

from __future__ import annotations

from typing import Any

from twin.arrays import Array, gather_sum, stacked
from twin.declare import replace
from twin.model import Model, State
from twin.networks.tables import AllPorts, AllRows

LIMIT = 1e-9
"""Largest residual of a sound balance, of the site's throughput."""
ROUND_OFF = 8 * 2.0**-52
"""What float64 itself loses of the energy a unit holds when it is written down; it shows at millisecond ticks."""


class BrokenBalance(RuntimeError):
    """Energy was made or lost; the message names the unit and the tick."""


def balance(
    model: Model, was: State, now: State, inputs: AllRows, port: AllPorts, warmth: Array, from_coolant: Array, dt: Any
) -> None:
    """Close the books of a tick and write the site's totals into its Outputs.

        residual = drawn - delivered + from coolant + from air - to air - to outdoors - d(stored)/dt

    Stored energy comes from State alone, so a law that loses or makes energy shows here.

    Args:
        warmth: heat each unit gave to the air [W], (member, n).
        from_coolant: heat each stream left in its unit [W], (member, stream).
    """
    xp, ledger = model.xp, model.ledger
    drawn, delivered, rejected, held, taken = xp.zeros((5,) + warmth.shape)
    for t in model.tables:
        p, here = port[t.key], t.columns
        drawn[:, here], delivered[:, here] = p.power, p.load
        if "stored" in t.laws:
            held[:, here] = t.machine.stored(now.rows[t.key], p)
        if "rejected" in t.laws:
            rejected[:, here] = t.machine.rejected(was.rows[t.key], inputs[t.key], p, now.outputs[t.key], dt)
        if t.key in ledger.takes_air_heat:
            taken[:, here] = p.air_heat
    now.stored = held
    stored = (held - was.stored) / dt
    coolant = gather_sum(from_coolant, ledger.streams)
    entered = xp.where(ledger.is_source > 0, delivered, drawn)
    residual = entered - delivered + coolant + taken - warmth - rejected - stored
    residual = xp.maximum(abs(residual) - ROUND_OFF * abs(held) / dt, 0.0)
    outdoors = rejected + warmth * (1.0 - model.air.indoors)
    sums = gather_sum(
        stacked(drawn, delivered, coolant, taken - warmth * model.air.indoors, outdoors, stored, abs(coolant) + abs(stored) + abs(drawn)),
        ledger.everyone,
    )[..., 0]
    gross = xp.maximum(sums[6], 1.0)
    between = stacked(abs(sums[0] - sums[1]), abs(sums[2]), abs(sums[3])).max(axis=0)
    worst = xp.maximum(residual.max(axis=1), between) / gross
    now.imbalance = residual / gross[:, None]
    site = now.outputs["site"]
    supplied = gather_sum(delivered, ledger.sources)
    work = gather_sum(drawn, ledger.work)
    now.outputs["site"] = replace(
        site,
        power=supplied,
        it_power=work,
        pue=supplied / xp.where(work > 0, work, xp.nan),
        heat_rejected=sums[4][:, None],
        stored_power=sums[5][:, None],
        energy_residual=worst[:, None],
    )
