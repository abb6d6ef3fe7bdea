"""Published points of GPU power, clock and speed, and the fit of the law to some of them; the rest is held out."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from twin.physics.gpu import Curve, clock_for, dynamic_share, throughput

IDLE = 192.0
"""A B200 at idle [W]; measured on a DGX B200, as are the next."""
B200 = {"BF16 GEMM": (1150e6, 990.0), "FP8 GEMM": (1177e6, 902.0), "decode": (1597e6, 342.0)}
"""Clock [Hz] and power [W]; all are met exactly, by the activity of each kind of work."""
BOOST = 1965e6
GEMM = ((1072e6, 1178.0), (1222e6, 1331.0))
"""Ends of what a BF16 GEMM did on B200s: clock [Hz] and throughput [Tflop/s]; held out."""
CURVE = Curve(0.2, 0.75, 0.6, BOOST / 1150e6)
"""As in the catalogue."""

CAPS = (350.0, 300.0, 250.0, 200.0, 150.0)
"""Caps [W] of six RTX 3090 that serve MiniMax-M2.5, and tokens a second at each (llmgarage.ai, power limit)."""
PREFILL = dict(zip(CAPS, (9893.0, 9326.0, 8436.0, 5941.0, 2549.0)))
DECODE = dict(zip(CAPS, (72.6, 72.1, 70.7, 68.3, 62.6)))
FITTED = (250.0, 200.0, 150.0)
"""Caps whose prefill is fitted; 300 W and the decode at 300, 250 and 200 W are held out."""

H100_CAP = (700.0, 600.0)
H100_IDLE = 70.0
H100_BOOST = 1980e6
H100_LOSS = {"BF16": (1300e6, 0.10, 0.15), "FP8": (1150e6, 0.15, 0.20)}
"""Clock at 700 W [Hz], an estimate, and the published span of the loss from 700 to 600 W (factryze.ai); held out."""


class Capped:
    """A GPU behind a cap: static power [W], its curve, and the power beyond that of a kind of work [W]."""

    def __init__(self, static: float, floor: float, knee: float, dynamic: float | None = None) -> None:
        self.static, self.curve = static, Curve(0.2, floor, knee, 1.0)
        self.dynamic = CAPS[0] - static if dynamic is None else dynamic

    def clock(self, cap: float) -> float:
        """Clock that a cap [W] leaves, of that at the highest cap."""
        return float(np.minimum(clock_for(np.float64((cap - self.static) / self.dynamic), self.curve), 1.0))


def fitted() -> Capped:
    """The law through prefill at three caps: static power, least voltage and its knee."""

    def errors(found: np.ndarray) -> list[float]:
        return [Capped(*found).clock(cap) - PREFILL[cap] / PREFILL[350.0] for cap in FITTED]

    bounds = ([20.0, 0.3, 0.3], [140.0, 0.99, 0.98])
    return Capped(*least_squares(errors, (105.0, 0.7, 0.8), bounds=bounds, xtol=1e-14, ftol=1e-14).x)


def decoding(card: Capped) -> Capped:
    """The same card decoding: its power such that 150 W leave the speed published for them, its knee at full clock."""
    wanted = DECODE[150.0] / DECODE[350.0]
    dynamic = (150.0 - card.static) / float(dynamic_share(np.float64(wanted), card.curve))
    return Capped(card.static, card.curve.floor, card.curve.knee, dynamic)


def decode_speed(card: Capped, cap: float) -> float:
    return float(throughput(np.float64(card.clock(cap)), 1.0))
