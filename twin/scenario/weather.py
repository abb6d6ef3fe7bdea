"""The section `weather`: constant air, a design day or an EnergyPlus file, lowered to the site's inputs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from twin import assets
from twin.physics import moist_air
from twin.scenario import forms
from twin.scenario.changes import Change
from twin.scenario.document import Documents, Map, Node, Text
from twin.scenario.epw import LARGEST, Year, read_epw
from twin.scenario.faults import Faults, advice
from twin.scenario.form import Form
from twin.scenario.forms import Word, Words, fill, said
from twin.scenario.shelf import Shelf, inside

HOUR = 3600.0
CLOCK = re.compile(r"(?:(?P<month>[0-9]{2})-(?P<day>[0-9]{2}) )?(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
HUMIDITIES = ("relative_humidity", "wet_bulb", "dew_point")
Temperature = Annotated[float, said("K", "a temperature", above=200, below=340)]


class Course(Form):
    """How the temperature of a design day runs: a cosine with its peak at `hour_of_max`."""

    dry_bulb_max: Temperature = Field(description="highest dry bulb")
    daily_range: Annotated[float, said("K", "daily range", above=0, at_most=40)] = Field(description="max less min")
    hour_of_max: Annotated[str, Words(10)] = Field(description="clock of the highest dry bulb")
    wet_bulb_at_max: Temperature = Field(description="wet bulb at the highest dry bulb; its water stays all day")
    pressure: Annotated[float, said("Pa", "air pressure", at_least=5e4, at_most=1.2e5)]


class DesignDay(Form):
    """A shipped day of weather, with its evidence."""

    name: Annotated[str, Words(80)]
    title: Annotated[str, Words(200)]
    licence: Annotated[str, Words(200)]
    source: Annotated[str, Words(600)]
    date: Annotated[str, Words(20)]
    mark: Annotated[str, Word(("P", "S", "M", "D", "E"))]
    day: Course


@dataclass
class Hours:
    """Hourly weather that repeats: values at the full hours 0, 1, 2 ... of a day or a year."""

    dry_bulb: np.ndarray
    wet_bulb: Callable[[np.ndarray], np.ndarray]

    def at(self, hours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Dry and wet bulb [K] at clock hours, linear between the full ones."""
        count = len(self.dry_bulb)
        before = np.floor(hours).astype(int)
        share = hours - before
        both = []
        for series in (lambda index: self.dry_bulb[index], self.wet_bulb):
            both.append(series(before % count) * (1 - share) + series((before + 1) % count) * share)
        return both[0], both[1]


@dataclass
class WeatherReader:
    """Lowers the section to initial values and ramps between the full hours."""

    documents: Documents
    shelf: Shelf
    duration: float

    @property
    def faults(self) -> Faults:
        return self.documents.faults

    def lower(self, node: Node) -> tuple[list[Change], list[Change]]:
        """Initial Changes and Changes of the run; none after a fault."""
        form = fill(forms.Weather, node, self.faults)
        if form is None or not isinstance(node, Map):
            return [], []
        kinds = [key for key in ("dry_bulb", "design_day", "epw") if key in node]
        if len(kinds) != 1:
            found = f"{' and '.join(kinds)} stand together" if kinds else "neither was found"
            self.faults.add(node.where, f"{found}; one of dry_bulb, design_day and epw is wanted")
            return [], []
        if kinds[0] == "dry_bulb":
            return self._constant(form, node), []
        for key in ("dry_bulb", *HUMIDITIES, "pressure"):
            if key in node:
                self.faults.add(node.where_of(key), f"{kinds[0]} brings its own; leave this out")
        hours = self._design_day(node["design_day"]) if kinds[0] == "design_day" else self._epw(node["epw"])
        start = self._start(form, node, hours, dated=kinds[0] == "epw")
        if hours is None or start is None:
            return [], []
        return self._ramps(hours[0], start)

    def _constant(self, form: forms.Weather, node: Map) -> list[Change]:
        if "start" in node:
            self.faults.add(node.where_of("start"), "constant weather has no clock; leave this out")
        humid = [key for key in HUMIDITIES if key in node]
        if len(humid) != 1:
            found = f"{' and '.join(humid)} stand together" if humid else "no humidity was found"
            self.faults.add(node.where, f"{found}; one of {', '.join(HUMIDITIES)} is wanted")
            return []
        T, value = form.dry_bulb, getattr(form, humid[0])
        if not isinstance(T, float) or not isinstance(value, float):
            return []
        p = form.pressure or moist_air.STANDARD_PRESSURE
        wet = value
        if humid[0] != "relative_humidity" and value > T:
            word = humid[0].replace("_", " ")
            self.faults.add(node.where_of(humid[0]), f"the {word} lies above the dry bulb; at most as much is wanted")
        elif humid[0] == "relative_humidity":
            wet = float(moist_air.wet_bulb_of_humidity(np.float64(T), value, p))
        elif humid[0] == "dew_point":
            wet = float(moist_air.wet_bulb_of_dew_point(np.float64(T), np.float64(value), p))
        return [_now("dry_bulb", T), _now("wet_bulb", wet)]

    def _design_day(self, node: Node) -> tuple[Hours, Year | None] | None:
        folder = assets.assets_folder() / "weather"
        known = sorted(path.stem for path in folder.glob("*.yaml"))
        name = forms.text_of(node)
        if name not in known:
            self.faults.add(node.where, f'there is no design day "{name}"; {advice(name, known)}')
            return None
        root = self.documents.load(folder / f"{name}.yaml", f"assets/weather/{name}.yaml", node.where)
        form = fill(DesignDay, root, self.faults) if root is not None else None
        day = fill(Course, root["day"], self.faults) if form is not None and root and "day" in root else None
        clock = CLOCK.fullmatch(day.hour_of_max or "") if day is not None else None
        if day is None or clock is None or self.faults.errors:
            return None
        return design_day(day, int(clock["hour"]) + int(clock["minute"]) / 60), None

    def _epw(self, node: Node) -> tuple[Hours, Year | None] | None:
        if not isinstance(node, Text):
            return None
        path = inside(str(node), self.shelf)
        if path is None:
            self.faults.add(node.where, f'"{node}" leaves the folder of this file; a file in it is wanted')
            return None
        name = self.shelf.called(str(node))
        raw = self.documents.bytes_of(path, name, node.where, LARGEST)
        year = read_epw(raw, name, self.faults) if raw is not None else None
        if year is None:
            return None
        return Hours(np.roll(year.dry_bulb, 1), lambda index: year.wet_bulb((index - 1) % len(year.dry_bulb))), year

    def _start(self, form: forms.Weather, node: Map, hours: Any, dated: bool) -> float | None:
        """Hours from the beginning of the day or year to the start of the run."""
        example = "07-15 14:00" if dated else "14:00"
        found = CLOCK.fullmatch(form.start) if form.start else None
        if found is None or dated != bool(found["month"]):
            if "start" not in node:
                self.faults.add(
                    node.where_of("start"),
                    f'the key is missing; the clock at the start is wanted, e.g. "{example}"',
                )
            elif form.start:
                text = f'"{form.start}" is not a clock here; one like "{example}" is wanted'
                self.faults.add(node.where_of("start"), text)
            return None
        clock = int(found["hour"]) + int(found["minute"]) / 60
        if not dated or hours is None:
            return clock
        day = hours[1].day(int(found["month"]), int(found["day"]))
        if day is None:
            self.faults.add(
                node["start"].where,
                f'the file has no day "{found["month"]}-{found["day"]}"; another is wanted',
            )
            return None
        return float(day + clock)

    def _ramps(self, hours: Hours, start: float) -> tuple[list[Change], list[Change]]:
        """Values at the start, and a ramp to each full hour until the run has ended."""
        last = start + self.duration / HOUR
        full = np.arange(np.floor(start) + 1, np.ceil(last) + 1)
        clock = np.concatenate([[start], full])
        dry, wet = hours.at(clock)
        times = (clock - start) * HOUR
        initial = [_now("dry_bulb", float(dry[0])), _now("wet_bulb", float(wet[0]))]
        changes = []
        for index in range(1, len(clock)):
            span = float(times[index - 1]), float(times[index])
            for name, series in (("dry_bulb", dry), ("wet_bulb", wet)):
                if series[index] != series[index - 1]:
                    value = float(series[index])
                    changes.append(Change(span[0], "site", name, value, span[1], verb="weather"))
        return initial, changes


def _now(name: str, value: float) -> Change:
    return Change(0.0, "site", name, value, verb="weather")


def design_day(day: Course, peak: float) -> Hours:
    """A day of full hours.

        T = T_max - range/2 (1 - cos(2 pi (h - h_max)/24))

    The water in the air is that of the wet bulb at the peak, all day, as far as the air can hold it.
    """
    hours = np.arange(24.0)
    T = day.dry_bulb_max - 0.5 * day.daily_range * (1 - np.cos(2 * np.pi * (hours - peak) / 24))
    W = moist_air.humidity_ratio_of_wet_bulb(day.dry_bulb_max, np.float64(day.wet_bulb_at_max), day.pressure)
    wet = moist_air.wet_bulb(T, np.full(24, W), day.pressure)
    return Hours(T, lambda index: wet[index])
