"""Controllers: what reads the plant as it was, at its own period, and writes Inputs."""

from __future__ import annotations

from typing import Any

from twin.declare import replace
from twin.model import Model, State
from twin.networks.tables import AllRows


class PowerCap:
    """Keeps the site's power to the share the grid asks for by capping all racks alike.

        cap <- clip(cap - gain (P - r P_0)/P_it_rated, idle, 1)

    P is the site's power, P_0 its power when the run began, r the request (`site.power_request`). A
    proportional law in velocity form; with nothing asked the cap goes back to 1, by the same share of
    what is left at each call. The gain is the share of the error corrected at each call.
    """

    kind = "power_cap"

    def __init__(self, model: Model, start: State, gain: float) -> None:
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


CONTROLLERS = {PowerCap.kind: PowerCap}
