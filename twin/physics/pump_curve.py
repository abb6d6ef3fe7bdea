"""Pump curves: a falling curve through published points of head and power; when read, never in a tick."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Points = list[tuple[float, float]]
"""(flow [m3/s], head [Pa] or power [W]) at full speed."""
LEAST_SHARE = 1e-3
"""Share of the fall of head that goes in proportion to flow at least, so that the slope stays finite at no flow."""
WORST_FIT = 0.1
"""Deviation from a published point beyond which a fit is refused, of that point. Estimate: pumps are tested to 5 %
of head and 9 % of flow (ISO 9906 grade 2)."""


class BadCurve(ValueError):
    """Points that no pump can have, or that no falling curve comes near; the message follows a colon."""


class Fit(NamedTuple):
    """h = head - linear q - square q^2; `worst` is its largest deviation, of the point's head [1]."""

    head: float
    linear: float
    square: float
    worst: float

    def at(self, flow: Any) -> Any:
        """Head at a flow at full speed [Pa]."""
        return self.head - self.linear * flow - self.square * flow * flow


def fit(points: Points) -> Fit:
    """The falling curve nearest to published points.

        h = h0 - a q - b q^2,   a, b >= 0,   sum ((h - h_i)/h_i)^2 least

    A published curve may rise before it falls; a pump in a branch may not, or two flows would answer one pressure,
    and so the fit is the nearest one that falls everywhere.

    Args:
        points: at least two, (flow [m3/s], head [Pa]); three or more tell the two terms apart.

    Raises:
        BadCurve: flows do not rise, a head is not above zero, or the head at the end is not below that at the start.
    """
    flow, head = _checked(points, "head")
    if not head[-1] < head[0]:
        raise BadCurve(
            f"the head of {_kPa(head[-1])} at the last flow is not below the {_kPa(head[0])} at the first; "
            "a pump curve that falls with flow is wanted"
        )
    falls = {"a": -flow, "b": -flow * flow}
    found = [_least(("b",), falls, head), _least(("a",), falls, head)]
    if len(points) > 2:
        both = _least(("a", "b"), falls, head)
        if both.linear >= 0 and both.square >= 0:
            found.insert(0, both)
    best = min(found, key=lambda each: _squares(each, flow, head))
    linear = max(best.linear, LEAST_SHARE * (best.head - best.at(flow[-1])) / flow[-1])
    if best.worst > WORST_FIT:
        k = int(np.argmax(abs(best.at(flow) / head - 1.0)))
        raise BadCurve(
            f"no falling curve h0 - a q - b q^2 comes nearer than {100 * best.worst:.0f} % to its points; the fit is "
            f"farthest from {_kPa(head[k])} at {1e3 * flow[k]:g} L/s; points within {100 * WORST_FIT:.0f} % are wanted"
        )
    return best._replace(linear=float(linear))


def ratings(points: Points, nominal_flow: float) -> dict[str, float]:
    """Ratings of a pump whose curve goes by published points: shutoff_head, nominal_head, curve_share.

    Args:
        points: (flow [m3/s], head [Pa]).
        nominal_flow: of the duty point, between the points [m3/s].

    Raises:
        BadCurve: as `fit`, or the duty point lies beyond the points.
    """
    _checked(points, "head")
    if not nominal_flow <= 1.05 * points[-1][0]:
        raise BadCurve(
            f"it ends at {1e3 * points[-1][0]:g} L/s, before the nominal_flow of {1e3 * nominal_flow:g} L/s; "
            "points up to the duty point are wanted"
        )
    curve = fit(points)
    at_duty = float(curve.at(nominal_flow))
    share = curve.linear * nominal_flow / (curve.head - at_duty)
    return {"shutoff_head": curve.head, "nominal_head": at_duty, "curve_share": float(share)}


def power_ratings(points: Points, nominal_flow: float, nominal_head: float) -> dict[str, float]:
    """Ratings of a pump whose electric power goes by published points: efficiency, idle_share, power_bend.

        P/P_n = i + (1 - i - c) x + c x^2,   x = q/q_n,   by least squares of (P - P_i)/P_i

    Args:
        points: (flow [m3/s], electric power [W]); with two, the power goes in a straight line.
        nominal_flow: of the duty point [m3/s].
        nominal_head: of the duty point [Pa].

    Raises:
        BadCurve: flows do not rise, or the duty point would give more than it takes.
    """
    flow, power = _checked(points, "power")
    terms = np.stack([(flow / nominal_flow) ** k for k in range(min(len(points), 3))], axis=1)
    found, *_ = np.linalg.lstsq(terms / power[:, None], np.ones_like(power), rcond=None)
    at_duty, bend = float(found.sum()), float(found[2]) if len(found) > 2 else 0.0
    efficiency = nominal_flow * nominal_head / at_duty if at_duty > 0 else np.inf
    if not efficiency < 1.0:
        raise BadCurve(
            f"at the duty point it takes {at_duty / 1e3:.3g} kW and would give "
            f"{nominal_flow * nominal_head / 1e3:.3g} kW to the coolant; more power than that is wanted"
        )
    return {"efficiency": efficiency, "idle_share": float(found[0]) / at_duty, "power_bend": bend / at_duty}


def _checked(points: Points, what: str) -> tuple[Any, Any]:
    flow, value = np.array(points, dtype=float).T
    if len(points) < 2 or not (np.diff(flow) > 0).all() or flow[0] < 0:
        raise BadCurve("at least two points whose flow rises from one to the next are wanted")
    if not (value > 0).all():
        raise BadCurve(f"a {what} that is not above zero was found; points where the pump delivers are wanted")
    return flow, value


def _least(terms: tuple[str, ...], falls: dict[str, Any], head: Any) -> Fit:
    """Least squares of the relative deviation with some of the terms."""
    columns = np.stack([np.ones_like(head), *(falls[name] for name in terms)], axis=1) / head[:, None]
    found, *_ = np.linalg.lstsq(columns, np.ones_like(head), rcond=None)
    by_name = dict(zip(terms, found[1:], strict=True))
    curve = Fit(float(found[0]), float(by_name.get("a", 0.0)), float(by_name.get("b", 0.0)), 0.0)
    return curve._replace(worst=float(abs(curve.at(-falls["a"]) / head - 1.0).max()))


def _squares(curve: Fit, flow: Any, head: Any) -> float:
    return float(((curve.at(flow) / head - 1.0) ** 2).sum())


def _kPa(pressure: float) -> str:
    return f"{pressure / 1e3:.4g} kPa"
