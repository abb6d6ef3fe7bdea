"""EnergyPlus weather files (EPW): 8,760 hours of dry bulb, dew point, humidity and pressure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.faults import Where
from twin.physics import moist_air
from twin.scenario.faults import Faults

LARGEST = 10_000_000
HEADERS = 8
COLUMNS = {"month": 1, "day": 2, "hour": 3, "dry_bulb": 6, "dew_point": 7, "humidity": 8, "pressure": 9}
"""Column of each quantity, from 0. Source: EnergyPlus Auxiliary Programs, EPW data dictionary."""
MISSING = {"dry_bulb": 99.9, "dew_point": 99.9, "humidity": 999.0, "pressure": 999999.0}
BOUNDS = {
    "dry_bulb": (-70.0, 70.0),
    "dew_point": (-70.0, 70.0),
    "humidity": (0.0, 110.0),
    "pressure": (31e3, 120e3),
}


@dataclass
class Year:
    """One row per hour, the value at its end: row 0 is 1 January, 01:00. In K and Pa."""

    location: str
    month: np.ndarray
    day_of_month: np.ndarray
    dry_bulb: np.ndarray
    dew_point: np.ndarray
    humidity: np.ndarray
    pressure: np.ndarray

    def wet_bulb(self, index: np.ndarray) -> np.ndarray:
        """Wet bulb [K] of some rows, from the dew point, or the humidity where that is missing."""
        T, p = self.dry_bulb[index], self.pressure[index]
        by_dew = moist_air.saturation_pressure(np.nan_to_num(self.dew_point[index], nan=273.15))
        by_humidity = np.nan_to_num(self.humidity[index], nan=0.0) * moist_air.saturation_pressure(T)
        p_w = np.where(np.isnan(self.dew_point[index]), by_humidity, by_dew)
        return np.asarray(moist_air.wet_bulb(T, moist_air.humidity_ratio(p_w, p), p))

    def day(self, month: int, day: int) -> int | None:
        """Hours from the beginning of the file to 00:00 of a day; None where the file lacks it."""
        found = np.flatnonzero((self.month == month) & (self.day_of_month == day))
        return int(found[0]) if len(found) else None


def read_epw(raw: bytes, name: str, faults: Faults) -> Year | None:
    """Read a file's bytes; None after a fault.

    Args:
        raw: the bytes.
        name: what messages call the file.
        faults: takes what is wrong, with the line.
    """
    lines = raw.decode("utf-8", errors="replace").splitlines()
    if not lines or not lines[0].upper().startswith("LOCATION,"):
        faults.add(Where(name, 1), 'an EPW file begins with "LOCATION,"; this one does not')
        return None
    rows = [(number, line.split(",")) for number, line in enumerate(lines[HEADERS:], HEADERS + 1) if line.strip()]
    if len(rows) not in (8760, 8784):
        faults.add(Where(name, len(lines)), f"{len(rows)} hours were found; a year of 8760 or 8784 is wanted")
        return None
    table: dict[str, np.ndarray] = {}
    for word, column in COLUMNS.items():
        found = _column(rows, word, column, name, faults)
        if found is None:
            return None
        table[word] = found
    if not _in_order(table["hour"], rows, name, faults):
        return None
    dry = _known(table, "dry_bulb") + 273.15
    dew, humidity = _known(table, "dew_point") + 273.15, _known(table, "humidity") / 100.0
    pressure = _known(table, "pressure")
    for word, gap in (
        ("dry bulb", np.isnan(dry)),
        ("dew point and relative humidity", np.isnan(dew) & np.isnan(humidity)),
        ("pressure", np.isnan(pressure)),
    ):
        if gap.any():
            line = rows[int(np.flatnonzero(gap)[0])][0]
            text = f"{word} is marked missing ({int(gap.sum())} hours); a file without gaps is wanted"
            faults.add(Where(name, line), text)
            return None
    location = ", ".join(lines[0].split(",")[1:4])
    dew = np.minimum(dew, dry)  # files round both, so the dew point may pass the dry bulb by a tenth
    return Year(location, table["month"], table["day"], dry, dew, np.minimum(humidity, 1.0), pressure)


def _column(rows: list[tuple[int, list[str]]], word: str, column: int, name: str, faults: Faults) -> np.ndarray | None:
    low, high = BOUNDS.get(word, (1.0, 31.0))
    found = np.empty(len(rows))
    for index, (line, fields) in enumerate(rows):
        try:
            value = float(fields[column])
        except (ValueError, IndexError):
            said = f'"{fields[column][:40]}"' if column < len(fields) else "nothing"
            faults.add(Where(name, line), f"{said} was found as {word.replace('_', ' ')}; a number is wanted")
            return None
        if value != MISSING.get(word) and not low <= value <= high:
            text = f"{value:g} was found as {word.replace('_', ' ')}; {low:g} to {high:g} is wanted"
            faults.add(Where(name, line), text)
            return None
        found[index] = value
    return found


def _known(table: dict[str, np.ndarray], word: str) -> np.ndarray:
    return np.where(table[word] == MISSING[word], np.nan, table[word])


def _in_order(hour: np.ndarray, rows: list[tuple[int, list[str]]], name: str, faults: Faults) -> bool:
    wrong = np.flatnonzero(hour != np.arange(len(hour)) % 24 + 1)
    if len(wrong):
        line, expected = rows[int(wrong[0])][0], int(wrong[0]) % 24 + 1
        text = f"hour {hour[wrong[0]]:g} was found; hour {expected} is wanted, for rows are hourly and in order"
        faults.add(Where(name, line), text)
    return not len(wrong)
