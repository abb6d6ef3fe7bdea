"""Writes nerc-2024-07-10.csv: the RMS voltage and frequency of an evening of six faults, made from published numbers.

Published (NERC, Incident Review: Considering Simultaneous Voltage-Sensitive Load Reductions, 8 January 2025): six
faults of one 230 kV line within 82 s, residual voltages of 0.25 to 0.40 pu, each cleared in 42 to 66 ms; 1,500 MW of
load left; frequency rose to 60.047 Hz and voltage to 1.07 pu. Chosen here, within those: the moment, residual and
length of each fault, and that frequency and voltage are back after 4 min. No measured record went into it.

    python assets/traces/make.py
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
CYCLE, STEP = 1 / 60, 0.008
"""Seconds of the window of a meter's RMS value, and between two rows (half a cycle) while that moves."""
FAULTS = (
    (10.0, 0.25, 0.066), (20.0, 0.32, 0.042), (34.0, 0.28, 0.054), (51.0, 0.40, 0.048), (72.0, 0.36, 0.060),
    (91.9, 0.30, 0.050),
)  # fmt: skip
"""Moment [s], residual voltage [pu] and length [s] of each fault."""
LEFT = (0.0, 0.0, 0.25, 0.5, 0.75, 1.0)
"""Share of the load that has left after each fault: those that count to three leave from the third on."""
PEAK_FREQUENCY, PEAK_VOLTAGE = 60.047, 1.07
BACK = 240.0
"""Seconds from the last fault until frequency and voltage are where they were."""


def rms(since: float, residual: float, length: float, before: float, after: float) -> float:
    """One-cycle RMS voltage [pu] some seconds after a fault began: the root of the mean square over the last cycle."""
    inside = max(min(since, length) - max(since - CYCLE, 0.0), 0.0) / CYCLE
    past = max(min(since - length, CYCLE), 0.0) / CYCLE
    return ((1.0 - inside - past) * before**2 + inside * residual**2 + past * after**2) ** 0.5


def rows() -> list[tuple[float, float, float]]:
    """Time [s], voltage [pu] and frequency [Hz]."""
    found = [(0.0, 1.0, 60.0)]
    before = 0.0
    for number, ((begins, residual, length), left) in enumerate(zip(FAULTS, LEFT, strict=True)):
        low, high = (1.0 + (PEAK_VOLTAGE - 1.0) * share for share in (before, left))
        pace = 60.0 + (PEAK_FREQUENCY - 60.0) * before
        for step in range(1, int((length + CYCLE) / STEP) + 2):
            found.append((begins + step * STEP, rms(step * STEP, residual, length, low, high), pace))
        ends = FAULTS[number + 1][0] if number + 1 < len(FAULTS) else begins + 20.0
        for second in range(1, min(int(ends - begins), 10) + 1):
            share = before + (left - before) * second / 10
            if share != before:
                found.append((begins + second, high, 60.0 + (PEAK_FREQUENCY - 60.0) * share))
        before = left
    for part in range(1, 25):
        share = 1.0 - part / 24
        moment = FAULTS[-1][0] + 10.0 + (BACK - 10.0) * part / 24
        found.append((moment, 1.0 + (PEAK_VOLTAGE - 1.0) * share, 60.0 + (PEAK_FREQUENCY - 60.0) * share))
    return found


def main() -> None:
    """Write the file."""
    said = [
        "# RMS voltage and frequency at a 230 kV bus, MADE, not measured, from the published numbers of 10 July 2024",
        "# Source: NERC, Incident Review: Considering Simultaneous Voltage-Sensitive Load Reductions, 8 January 2025",
        "# Date: 2026-11; mark: E (estimate); licence: Apache-2.0 (made for this project, by make.py)",
        "time,voltage,frequency",
    ]
    said += [f"{time:.3f},{voltage:.4f},{frequency:.4f}" for time, voltage, frequency in rows()]
    (HERE / "nerc-2024-07-10.csv").write_text("\n".join(said) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
