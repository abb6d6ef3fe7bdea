"""The energy ledger: what came in, went out and was stored, per unit and tick, to round-off."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.arrays import Array, gather_sum, library_of, stacked, stacked_with_spare, to_host, worth_doing
from twin.declare import replace
from twin.model import Model, State, stored
from twin.networks.tables import AllPorts, AllRows
from twin.plant_ties import told

LIMIT = 1e-9
"""Largest residual of a sound balance, of the site's throughput."""
SLIGHT = 0.01
"""Share of the heat below which a way of cooling counts as idle."""
ROUND_OFF = 8 * 2.0**-52
"""What float64 itself loses of the energy a unit holds when it is written down; it shows at millisecond ticks."""


class ClosedLoop(RuntimeError):
    """Switches closed a loop, or joined two live mains, at `time` [s] in `member`; the message names its members."""

    def __init__(self, text: str, time: float = 0.0, member: int = 0) -> None:
        super().__init__(text, time, member)  # all of them: simpy makes an error anew from its arguments
        self.text, self.time, self.member = text, time, member

    def __str__(self) -> str:
        return self.text


class BrokenBalance(RuntimeError):
    """Energy was made or lost; the message names the unit and the tick."""


def looped_in(now: State) -> int | None:
    """The first member in which ties close a loop; None where none does."""
    found = [int(np.argwhere(to_host(closes))[0, 0]) for _, closes in now.loops if to_host(closes).any()]
    return min(found, default=None)


def loop_of(model: Model, now: State) -> str:
    """What loop the ties of the first such member close, in words; nothing where none does."""
    first = looped_in(now) if now.loops else None
    for names, closes in now.loops if first is not None else ():
        found = np.argwhere(to_host(closes))
        if len(found) and found[0, 0] == first:
            member, tie = found[0]
            row = now.rows[model.seats[names[tie]][0]]
            shut = [name for name, at in zip(names, to_host(row.position)[member], strict=True) if at > 0]
            who = f" (member {member})" if len(closes) > 1 else ""
            return f"a loop is closed{who}: {told(model.plant, names[tie], shut)}; power there has two ways"
    return ""


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
    burnt: Array | None = None,
    drained: Array | None = None,
) -> None:
    """Close the books of a tick and write the site's totals into its Outputs.

        residual = drawn - delivered + from coolant + from air - to air - to outdoors - d(stored)/dt

    Stored energy comes from State alone, so a law that makes or loses energy shows here. Laws whose State
    follows from the books of their own tick close by construction; what checks those is that power,
    coolant and air lose nothing between units, and that the run's own counters close.

    Args:
        model: the compiled plant.
        was, now: State before and after the tick; `now` gets what it lacks.
        inputs, port: of the tick.
        power: drawn and delivered by each unit [W], (member, unit + 1).
        warmth: heat each unit gave to the air [W], (member, unit + 1).
        from_coolant: heat each stream left in its unit [W], (member, stream).
        dt: length of the tick [s].
        burnt, drained: heat in each unit that goes outdoors by short circuits and with what leaks [W], likewise.
    """
    xp, ledger = model.xp, model.ledger
    drawn, delivered = power
    rejected, taken = xp.zeros((2, *warmth.shape))
    for t in ledger.rejecting:
        rejected[:, t.columns] = t.machine.rejected(was.rows[t.key], inputs[t.key], port[t.key], now.outputs[t.key], dt)
    rejected = rejected if burnt is None else rejected + burnt
    for t in ledger.takes_air_heat:
        taken[:, t.columns] = port[t.key].air_heat
    now.stored = stored(model, now, port)
    storing = (now.stored - was.stored) / dt
    coolant = gather_sum(stacked_with_spare(from_coolant)[0], ledger.streams)
    coolant, rejected = (coolant, rejected) if drained is None else (coolant + drained, rejected + drained)
    supplied = delivered * ledger.is_source
    residual = drawn + supplied - delivered + coolant + taken - warmth - rejected - storing
    residual = xp.maximum(abs(residual) - ROUND_OFF * abs(now.stored) / dt, 0.0)
    indoors = warmth * model.air.indoors
    sums = gather_sum(
        stacked(
            drawn, delivered, coolant, taken - indoors, rejected + (warmth - indoors), storing, abs(storing),
            supplied, drawn * ledger.is_work, now.stored,
        ),
        ledger.everyone,
    )  # fmt: skip
    gross = xp.maximum(xp.maximum(sums[7], sums[4]), xp.maximum(sums[6], 1.0))
    between = stacked(abs(sums[0] - sums[1]), abs(sums[2]), abs(sums[3]))
    now.imbalance, now.lost_between = residual / gross, between / gross
    worst = xp.maximum(residual.max(axis=1, keepdims=True), between.max(axis=0)) / gross
    totals = _totals(sums) | _ways(model, now, warmth)
    now.outputs["site"] = replace(now.outputs["site"], energy_residual=worst, **totals)
    _count(now, inputs["site"].energy_price, dt)


def _count(now: State, price: Array, dt: Any) -> None:
    """Add the tick to the site's counters, which close the books of a whole run."""
    rows, site = now.rows["site"], now.outputs["site"]
    if worth_doing(price):
        rows = replace(rows, energy_cost=rows.energy_cost + dt * site.power * price)
    now.rows["site"] = replace(
        rows,
        supplied_energy=rows.supplied_energy + dt * site.power,
        rejected_energy=rows.rejected_energy + dt * site.heat_rejected,
        work_energy=rows.work_energy + dt * site.it_power,
    )


def run_residual(first: State, last: State) -> Array:
    """Energy in - out - stored since `first`, of the energy that came in, per member."""
    xp = library_of(last.stored)
    then, now = first.rows["site"], last.rows["site"]
    supplied = now.supplied_energy - then.supplied_energy
    given = now.rejected_energy - then.rejected_energy
    kept = last.stored - first.stored
    missing = abs(supplied - given - kept.sum(axis=1, keepdims=True))
    rounding = ROUND_OFF * abs(last.stored).sum(axis=1, keepdims=True)
    return xp.maximum(missing - rounding, 0.0) / xp.maximum(xp.maximum(supplied, given), 1.0)


def _ways(model: Model, now: State, like: Array) -> dict[str, Array]:
    """How the heat leaves: by chillers, and without them.

    What a condenser gives to water that is cooled without a chiller, and the heat of that water's pumps, is not free.
    """
    xp, ledger = model.xp, model.ledger
    if not (ledger.by_compressor or ledger.by_weather):
        return dict.fromkeys(("chilled_heat", "free_heat", "cooling_mode"), xp.zeros((len(like), 1)))
    chilled, free = ways = xp.zeros((2, *like.shape))
    for t in ledger.by_compressor:
        out = now.outputs[t.key]
        chilled[:, t.columns], free[:, t.columns] = out.heat, -getattr(out, "condenser_heat", 0.0)
    for t in ledger.by_weather:
        free[:, t.columns] = now.outputs[t.key].heat
    for t, of_condensers in ledger.pumping:
        free[:, t.columns] = -now.outputs[t.key].power * of_condensers
    by_chillers, freely = xp.maximum(gather_sum(ways, ledger.everyone), 0.0)
    share = freely / xp.maximum(freely + by_chillers, 1.0)
    mode = 1.0 + (share >= SLIGHT) + (share > 1.0 - SLIGHT)
    both = 1.0 if ledger.by_compressor and ledger.by_weather else 0.0
    return {"chilled_heat": by_chillers, "free_heat": freely, "cooling_mode": both * mode}


def _totals(sums: Array) -> dict[str, Array]:
    """The site's totals, from the sums over its units in the order of `balance`."""
    xp = library_of(sums)
    supplied, work = sums[7], sums[8]
    over = xp.where(work > 0, work, xp.nan) if worth_doing(work <= 0) else work
    return {
        "power": supplied,
        "it_power": work,
        "pue": supplied / over,
        "heat_rejected": sums[4],
        "stored_energy": sums[9],
        "stored_power": sums[5],
    }
