"""The energy ledger: what came in, went out and was stored, per unit and tick, to round-off."""

from __future__ import annotations

from typing import Any

from twin.arrays import Array, gather_sum, stacked, stacked_with_spare, worth_doing
from twin.declare import replace
from twin.model import Model, State, stored
from twin.networks.tables import AllPorts, AllRows

LIMIT = 1e-9
"""Largest residual of a sound balance, of the site's throughput."""
ROUND_OFF = 8 * 2.0**-52
"""What float64 itself loses of the energy a unit holds when it is written down; it shows at millisecond ticks."""


class BrokenBalance(RuntimeError):
    """Energy was made or lost; the message names the unit and the tick."""


def balance(
    model: Model,
    was: State,
    now: State,
    inputs: AllRows,
    port: AllPorts,
    power: tuple[Array, Array],
    warmth: Array,
    from_coolant: Array,
    dt: Any,
) -> None:
    """Close the books of a tick and write the site's totals into its Outputs.

        residual = drawn - delivered + from coolant + from air - to air - to outdoors - d(stored)/dt

    Stored energy comes from State alone, so a law that loses or makes energy shows here.

    Args:
        model: the compiled plant.
        was, now: State before and after the tick; `now` gets what it lacks.
        inputs, port: of the tick.
        power: drawn and delivered by each unit [W], (member, unit + 1).
        warmth: heat each unit gave to the air [W], (member, unit + 1).
        from_coolant: heat each stream left in its unit [W], (member, stream).
        dt: length of the tick [s].
    """
    xp, ledger = model.xp, model.ledger
    drawn, delivered = power
    rejected, taken = xp.zeros((2, *warmth.shape))
    for t in ledger.rejecting:
        rejected[:, t.columns] = t.machine.rejected(
            was.rows[t.key], inputs[t.key], port[t.key], now.outputs[t.key], dt
        )
    for t in ledger.takes_air_heat:
        taken[:, t.columns] = port[t.key].air_heat
    now.stored = stored(model, now, port)
    storing = (now.stored - was.stored) / dt
    coolant = gather_sum(stacked_with_spare(from_coolant)[0], ledger.streams)
    supplied = delivered * ledger.is_source
    residual = drawn + supplied - delivered + coolant + taken - warmth - rejected - storing
    residual = xp.maximum(abs(residual) - ROUND_OFF * abs(now.stored) / dt, 0.0)
    indoors = warmth * model.air.indoors
    moved = abs(coolant) + abs(storing) + abs(drawn)
    sums = gather_sum(
        stacked(
            drawn, delivered, coolant, taken - indoors, rejected + (warmth - indoors), storing, moved,
            supplied, drawn * ledger.is_work,
        ),
        ledger.everyone,
    )  # fmt: skip
    gross = xp.maximum(sums[6], 1.0)
    between = xp.maximum(xp.maximum(abs(sums[0] - sums[1]), abs(sums[2])), abs(sums[3]))
    now.imbalance = residual / gross
    work = sums[8]
    now.outputs["site"] = replace(
        now.outputs["site"],
        power=sums[7],
        it_power=work,
        pue=sums[7] / (xp.where(work > 0, work, xp.nan) if worth_doing(work <= 0) else work),
        heat_rejected=sums[4],
        stored_power=sums[5],
        energy_residual=xp.maximum(residual.max(axis=1, keepdims=True), between) / gross,
    )
