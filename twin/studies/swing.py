"""Swing: how a generator's frequency and voltage follow the load of a training job that swings at 0.2 to 3 Hz."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twin.equipment.generator import Generator
from twin.physics.alternator import voltage_response
from twin.physics.engine import ISO_8528_5, engine, frequency_response

USUAL = (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
"""Frequencies of the swing that training jobs show [Hz]."""


@dataclass(frozen=True)
class SwingAnswer:
    """What a swing of load at one frequency does to a set.

    at: of the swing [Hz]; frequency, voltage: amplitudes about the mean [Hz], [1]; within: whether frequency
    stays in the steady-state band of the class.
    """

    at: float
    frequency: float
    voltage: float
    within: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def swing_check(
    generator: Generator,
    swing_power: float,
    frequencies: Sequence[float] = USUAL,
    *,
    mean_load: float = 0.6,
    power_factor: float = 0.98,
    performance_class: str = "G3",
) -> list[SwingAnswer]:
    """The closed-form answer of governor and regulator to a sinusoidal swing of load.

    Args:
        generator: one machine in plain numbers.
        swing_power: amplitude of the swing, half of what lies between its peaks [W].
        frequencies: of the swing [Hz].
        mean_load: about which it swings, over rating [1].
        power_factor: of mean and swing [1].
        performance_class: of ISO 8528-5, whose steady band (0.5 % for G3) the frequency is held against.

    Returns:
        One answer for each frequency; fuel limits are not met.
    """
    dynamics = engine(
        generator.inertia, generator.load_damping, generator.engine_lag, generator.governor_gain,
        generator.integral_time, generator.droop,
    )  # fmt: skip
    tangent = math.sqrt(1.0 / power_factor**2 - 1.0)
    share = swing_power / generator.rated_power
    band = ISO_8528_5[performance_class].frequency_band
    found = []
    for each in frequencies:
        omega = 2.0 * math.pi * each
        speed = share * abs(np.ravel(frequency_response(dynamics, omega))[0])
        voltage = share * abs(
            voltage_response(
                mean_load, mean_load * tangent, generator.transient_reactance, generator.regulator_time, tangent, omega
            )
        )
        within = bool(speed <= band / 2)
        found.append(SwingAnswer(each, float(speed * generator.nominal_frequency), float(voltage), within))
    return found
