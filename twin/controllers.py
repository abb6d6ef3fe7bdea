"""Controllers: what reads the plant as it was, at its own period, and writes Inputs."""

from __future__ import annotations

from typing import Any

from twin.arrays import Array, gather_sum
from twin.declare import MODES, quantities, replace
from twin.model import Model, State
from twin.networks.tables import AllRows
from twin.plant import Loop


class PowerCap:
    """Keeps the site's power to the share the grid asks for by capping all racks alike.

        cap <- clip(cap - gain W/P (P - r P_0)/(s P_rated), idle, 1),   s = (W - W_idle)/(cap P_rated - W_idle)

    P and W are the means of the site's power and of its racks' since the last look, by its meters, so that a power
    that swings with every iteration of a job is not chased; P_0 the site's power when the run began, r the request
    (`site.power_request`). W/P turns an error at the meter into one at the racks, and s is how much of a lower cap the
    racks feel: one that is busy for a third of the time gives a third. Both are measured at each look, so that the gain
    is the share of the error corrected by it, whatever the plant, its load and the tick; more than all of it is never.
    Where no tick has ended since the last look nothing is new, and the caps stay. With nothing asked they go back to 1,
    by the same share of what is left at each look.
    """

    kind = "power_cap"

    def __init__(self, model: Model, start: State, gain: float, asked: AllRows) -> None:
        self.racks = [t for t in model.tables if t.machine.is_work]
        self.everyone, self.units = model.ledger.everyone, model.ledger.is_work.shape[-1]
        self.share = min(gain, 1.0)
        self.normal = start.outputs["site"].power
        self.metered, self.time = _meters(start), 0.0
        self.xp = model.xp

    def act(self, now: State, inputs: AllRows, time: float) -> AllRows:
        """New Inputs of the racks, from what the meters counted up to a moment [s]."""
        if not self.racks or time <= self.time:
            return {}
        xp, request = self.xp, inputs["site"].power_request
        before, self.metered = self.metered, _meters(now)
        power, work = ((new - old) / (time - self.time) for new, old in zip(self.metered, before, strict=True))
        self.time = time
        idle, room, rated = self._room(now, inputs)
        busy = xp.maximum(work - idle, 0.0)
        felt = xp.where((busy > 0) & (busy < room), busy / xp.where(room > 0, room, 1.0), 1.0)
        error = (power - request * self.normal) * work / xp.where(power > 0, power, 1.0)
        step = self.share * error / (felt * xp.where(rated > 0, rated, 1.0))
        changed: dict[str, Any] = {}
        for t in self.racks:
            least = t.machine.idle_power / t.machine.rated_power  # type: ignore[attr-defined]
            cap = xp.minimum(xp.maximum(inputs[t.key].power_limit - step, least), 1.0)
            free = inputs[t.key].power_limit + self.share * (1.0 - inputs[t.key].power_limit)
            cap = xp.where(request >= 1.0, free, cap)
            changed[t.key] = replace(inputs[t.key], power_limit=cap)
        return changed

    def _room(self, now: State, inputs: AllRows) -> Array:
        """Of racks that draw power: idle power, what caps leave above it, and rated power [W], (3, member, 1)."""
        xp = self.xp
        found = xp.zeros((3, len(self.normal), self.units))
        for t in self.racks:
            made: Any = t.machine
            on = now.outputs[t.key].power > 0
            found[0, :, t.columns] = on * made.idle_power
            found[1, :, t.columns] = on * xp.maximum(
                inputs[t.key].power_limit * made.rated_power - made.idle_power, 0.0
            )
            found[2, :, t.columns] = on * made.rated_power
        return gather_sum(found, self.everyone)


def _meters(now: State) -> tuple[Array, Array]:
    """What the site's meters have counted: of all that it took, and of its racks [J], (member, 1)."""
    return now.rows["site"].supplied_energy, now.rows["site"].work_energy


class SetpointReset:
    """Lets the water be as warm as the CDUs' valves allow: trim and respond on the widest of them.

        setpoint <- clip(setpoint + gain clip((0.6 - v)/0.2, -4, 1), start, start + 10 K)

    v is the widest facility valve of the CDUs that follow their setpoint; the machines are those of the loops that
    serve CDUs alone, each from its own setpoint as the run began. The gain is the kelvin by which it
    rises at most in a call; it falls four times as fast. Calls are to be slow against the water that lies between.

    Source: after the trim-and-respond logic of ASHRAE Guideline 36; the numbers are estimates.
    """

    kind = "setpoint_reset"
    wanted, band, quick, range = 0.6, 0.2, 4.0, 10.0

    def __init__(self, model: Model, start: State, gain: float, asked: AllRows) -> None:
        loops = [loop for loop in model.plant.loops.values() if _serves_cdus(model, loop)]
        inside = {element.unit for loop in loops for branch in loop.plant for element in branch}
        self.xp, self.gain = model.xp, gain
        self.cdus = [t for t in model.tables if t.kind == "cdu"]
        machines = [t for t in model.tables if "leaving_setpoint" in quantities(t.machine.Inputs)]
        self.machines = [
            (t.key, model.xp.asarray([[name in inside for name in t.names]]), asked[t.key].leaving_setpoint)
            for t in machines
        ]

    def act(self, now: State, inputs: AllRows, time: float) -> AllRows:
        """New Inputs of the machines, from the valves as they stand."""
        if not self.cdus or not self.machines:
            return {}
        xp = self.xp
        widest: Any = 0.0
        for t in self.cdus:
            u = inputs[t.key]
            follows = (u.in_service > 0) & (u.mode == MODES["auto"])
            widest = xp.maximum(widest, (now.rows[t.key].valve * follows).max(axis=1, keepdims=True))
        move = self.gain * xp.minimum(xp.maximum((self.wanted - widest) / self.band, -self.quick), 1.0)
        changed: dict[str, Any] = {}
        for key, inside, start in self.machines:
            setpoint = inputs[key].leaving_setpoint
            moved = xp.minimum(xp.maximum(setpoint + move, start), start + self.range)
            changed[key] = replace(inputs[key], leaving_setpoint=xp.where(inside, moved, setpoint))
        return changed


def _serves_cdus(model: Model, loop: Loop) -> bool:
    """Whether CDUs, and nobody else, take their water from a loop."""
    kinds = {model.plant.units[each.unit].kind for branch in loop.loads for each in branch if each.stream != "coolant"}
    others = {each.unit for branch in loop.loads for each in branch if each.stream == "coolant"}
    return kinds == {"cdu"} and not any(model.plant.units[name].zone for name in others)


CONTROLLERS: dict[str, Any] = {PowerCap.kind: PowerCap, SetpointReset.kind: SetpointReset}
