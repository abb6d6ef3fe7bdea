"""Controllers: what reads the plant as it was, at its own period, and writes Inputs."""

from __future__ import annotations

from typing import Any

from twin.declare import MODES, quantities, replace
from twin.model import Model, State
from twin.networks.tables import AllRows
from twin.plant import Loop


class PowerCap:
    """Keeps the site's power to the share the grid asks for by capping all racks alike.

        cap <- clip(cap - gain (P - r P_0)/P_it_rated, idle, 1)

    P is the site's power, P_0 its power when the run began, r the request (`site.power_request`). A
    proportional law in velocity form; with nothing asked the cap goes back to 1, by the same share of
    what is left at each call. The gain is the share of the error corrected at each call.
    """

    kind = "power_cap"

    def __init__(self, model: Model, start: State, gain: float, asked: AllRows) -> None:
        self.racks = [t for t in model.tables if t.machine.is_work]
        self.gain = gain
        self.normal = start.outputs["site"].power
        self.rated = float(sum(t.machine.rated_power.sum() for t in self.racks))  # type: ignore[attr-defined]
        self.xp = model.xp

    def act(self, now: State, inputs: AllRows) -> AllRows:
        """New Inputs of the racks, from the last tick's Outputs."""
        if not self.racks:
            return {}
        site, xp = now.outputs["site"], self.xp
        request = inputs["site"].power_request
        step = self.gain * (site.power - request * self.normal) / self.rated
        changed: dict[str, Any] = {}
        for t in self.racks:
            least = t.machine.idle_power / t.machine.rated_power  # type: ignore[attr-defined]
            cap = xp.minimum(xp.maximum(inputs[t.key].power_limit - step, least), 1.0)
            free = inputs[t.key].power_limit + min(self.gain, 1.0) * (1.0 - inputs[t.key].power_limit)
            cap = xp.where(request >= 1.0, free, cap)
            changed[t.key] = replace(inputs[t.key], power_limit=cap)
        return changed


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

    def act(self, now: State, inputs: AllRows) -> AllRows:
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
