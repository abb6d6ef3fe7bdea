"""Valve: a control or isolating valve in a branch, or in a branch of its own as a bypass."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, flag, quantity, replace, table
from twin.driven import ACTIONS, LAST, MINIMUM, OPEN, left_alone, without_panel
from twin.equipment.parts.fitting import Fitting, KvFitting, lost
from twin.physics import valve
from twin.physics.hydraulic import ramp
from twin.physics.supply import latched

STILL = 1e-6
"""Flow [m3/s] that a valve may pass backward and still count as standing."""
SHUT = 0.01
"""Opening below which a valve counts as shut."""


class Stroke(NamedTuple):
    """The tick of a valve: its opening at the end, and its mean [1]."""

    end: Real
    mean: Real


@table
class Valve(KvFitting):
    """A valve with an equal-percentage or a linear characteristic, moved by a motor at a steady rate.

    Its authority follows from the pressures that its circuit really loses. Flow may run either way. Choking, flashing,
    backlash and the supply of its motor are left out.
    """

    kind = "valve"
    signals = ("uncontrolled",)

    characteristic: Real = quantity(
        "1", "how its flow coefficient goes with opening", default=0.0, choices={"equal_percentage": 0.0, "linear": 1.0}
    )
    rangeability: Real = quantity("1", "largest over smallest flow that it controls", default=50.0, above=1)
    leakage_share: Real = quantity(
        "1", "flow of the shut valve, of that open; IEC 60534-4 class IV", default=1e-4, at_least=1e-6, at_most=0.1
    )
    stroke_time: Real = quantity("s", "time of the valve from shut to open", default=30.0, above=0)
    without_control: Real = quantity("1", "what it does while its control panel is lost", default=LAST, choices=ACTIONS)
    least_opening: Real = quantity("1", "opening that is its minimum", default=0.1, at_least=0, at_most=1)

    @table
    class Inputs:
        opening: Real = quantity("1", "opening asked of its motor", default=1.0, at_least=0, at_most=1)
        valve_stuck: Real = quantity("1", "1: the valve stays where it is", default=0.0, failure=True)

    @table
    class State:
        opening_now: Real = quantity("1", "opening that it stands at", default=1.0)
        uncontrolled: Real = without_panel()
        shut: Real = flag(
            "is shut", "opens", because=("its motor moved it", "uncontrolled: it goes there without control")
        )
        reversed: Real = flag(
            "runs backward", "runs forward again", because="the pressure across it turned round", via="coolant"
        )

    @table
    class Outputs(Fitting.Outputs):
        authority: Real = quantity("1", "share of its circuit's pressure that it takes when open", default=1.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"opening_now": u.opening + 0.0, "shut": 1.0 * (u.opening < SHUT)}

    def share(self, opening: Real) -> Real:
        """Flow coefficient at an opening, of that open [1]."""
        bent = valve.equal_percentage(opening, self.rangeability, self.leakage_share)
        return library_of(bent).where(self.characteristic > 0, valve.linear(opening, self.leakage_share), bent)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Stroke:
        target, told = u.opening, port.signal.get("uncontrolled")
        if told is not None and worth_doing(told):
            where, acts = library_of(told).where, self.without_control
            otherwise = where(acts == LAST, s.opening_now, where(acts == MINIMUM, self.least_opening, acts == OPEN))
            target = where(told > 0, otherwise, target)
        if worth_doing(u.valve_stuck):
            target = library_of(target).where(u.valve_stuck > 0, s.opening_now, target)
        if not worth_doing(target != s.opening_now):
            return Stroke(s.opening_now, s.opening_now)
        end, opened = ramp(s.opening_now, target, dt, self.stroke_time)
        return Stroke(end, library_of(end).where(target == s.opening_now, s.opening_now, opened / dt))

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, port.drive.mean)
        return answer

    def _branch(self, opening: Real) -> Branch:
        return Branch(0.0, *self.loss(self.share(opening)))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        stroke, flow = port.drive, port.flow["coolant"]
        dp = lost(self.once(self._branch, stroke.mean), flow)
        out = self.Outputs(
            flow=flow,
            pressure_lost=dp,
            authority=valve.authority(dp, self.once(self.share, stroke.mean), port.pressure["coolant"]),
        )
        backward = flow < -STILL
        if worth_doing(backward != s.reversed):
            turned, turned_at = latched(backward, s.reversed, s.reversed_at, port.now)
            s = replace(s, reversed=turned, reversed_at=turned_at)
        told = left_alone(s, port)
        if told and told["uncontrolled"] is not s.uncontrolled:
            s = replace(s, **told)
        if stroke.end is s.opening_now:
            return s, out
        moment = lambda: port.now + abs(s.opening_now - SHUT) * self.stroke_time  # noqa: E731
        shut, at = latched(stroke.end < SHUT, s.shut, s.shut_at, moment)
        return replace(s, opening_now=stroke.end, shut=shut, shut_at=at), out
