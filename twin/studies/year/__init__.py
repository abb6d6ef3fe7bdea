"""A year of weather: each hour is a world of its own, driven to its steady state; power, water and modes of cooling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin import model as compiled
from twin.arrays import open_device, to_host
from twin.declare import quantities, replace
from twin.equipment import KINDS
from twin.equipment.parts.outdoor_reset import follows_wet_bulb
from twin.faults import Fault
from twin.ledger import SLIGHT
from twin.model import Model
from twin.networks.tables import AllRows
from twin.plant import Plant
from twin.scenario import BadInput
from twin.scenario.climate import climates, typical_year
from twin.scenario.epw import LARGEST, Year, read_epw
from twin.scenario.faults import Faults
from twin.simulation import settle
from twin.studies.audit.found import Conditions
from twin.studies.audit.subject import Subject, subject
from twin.units import quoted

__all__ = ["FREE", "MECHANICAL", "NEGLECTED", "PARTIAL", "YearFound", "year"]

BATCH = 512
MOST = 100_000
"""Members of a batch at most, and members times units."""
STEP_DRY, STEP_WET = 0.1, 0.5
"""Hours whose weather agrees to so many kelvin share a world; the second where water evaporates, for both bulbs."""
SUMMED = ("heat", "power", "makeup")
FREE, PARTIAL, MECHANICAL = "free", "partial", "mechanical"
PER_HOUR = ("month", "day_of_month", "dry_bulb", "dew_point", "humidity", "pressure")
UNSTEADY = 0.01
"""Power still going into store, of the racks', above which a world counts as not steady."""
NEGLECTED = (
    "Each hour is a steady state of its own: what a plant remembers for longer than an hour (tanks, hysteresis of "
    "staging, warm walls) is left out, and so are failures, solar gain, and the height of the site where water "
    "evaporates."
)
Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class YearFound:
    """What came of a year; arrays have one value per hour of the weather file, powers in W, water in m3/s.

    by_kind: power of each kind that cools; mode: how the heat leaves, "" where the plant has one way only;
    free_share: of the heat, without a chiller [1]; reused: heat given to others [W]; worlds: steady states worked
    out; unsteady: hours without one; neglected: what is left out, in words.
    """

    title: str
    location: str
    month: np.ndarray
    dry_bulb: np.ndarray
    power: np.ndarray
    it_power: np.ndarray
    water: np.ndarray
    by_kind: dict[str, np.ndarray]
    mode: np.ndarray
    free_share: float
    worlds: int
    unsteady: int
    reused: np.ndarray
    neglected: str = NEGLECTED

    @property
    def ere(self) -> float:
        """Energy of the site less the heat that others use, over that of the racks [1]."""
        return float((self.power.sum() - self.reused.sum()) / self.it_power.sum())

    def partial_pue(self) -> dict[str, float]:
        """Partial PUE of each kind that cools: racks and that kind over racks [1]."""
        racks = self.it_power.sum()
        return {kind: 1.0 + float(each.sum() / racks) for kind, each in self.by_kind.items()}

    @property
    def pue(self) -> float:
        """Energy of the site over that of the racks [1]."""
        return float(self.power.sum() / self.it_power.sum())

    @property
    def cooling_pue(self) -> float:
        """Partial PUE of cooling: racks and cooling over racks [1]."""
        return 1.0 + float(sum(each.sum() for each in self.by_kind.values()) / self.it_power.sum())

    @property
    def wue(self) -> float:
        """Make-up water over energy of the racks [m3/J]."""
        return float(self.water.sum() / self.it_power.sum())

    def hours_by_mode(self) -> dict[str, int]:
        """Hours without mechanical cooling, with both, and without free cooling; empty where there is no choice."""
        return {word: int(np.sum(self.mode == word)) for word in (FREE, PARTIAL, MECHANICAL) if np.any(self.mode != "")}

    def to_json(self) -> dict[str, Any]:
        """In pure JSON types: energies in J, water in m3."""
        hours = 3600.0
        return {
            "title": self.title,
            "location": self.location,
            "hours": len(self.power),
            "worlds": self.worlds,
            "unsteady_hours": self.unsteady,
            "pue": self.pue,
            "cooling_pue": self.cooling_pue,
            "partial_pue": self.partial_pue(),
            "ere": self.ere,
            "reused_heat": hours * float(self.reused.sum()),
            "energy": hours * float(self.power.sum()),
            "it_energy": hours * float(self.it_power.sum()),
            "water": hours * float(self.water.sum()),
            "wue_litre_per_kwh": self.wue * 1e3 * 3.6e6,
            "energy_by_kind": {kind: hours * float(each.sum()) for kind, each in self.by_kind.items()},
            "hours_by_mode": self.hours_by_mode(),
            "free_share_of_heat": self.free_share,
            "peak_power": float(self.power.max()),
            "neglected": self.neglected,
            "hourly": {
                **{name: getattr(self, name).tolist() for name in ("power", "it_power", "water", "reused", "mode")},
                **{f"{kind}_power": each.tolist() for kind, each in self.by_kind.items()},
            },
        }


def year(
    plant: Plant | str | Path,
    weather: str | Path,
    *,
    utilisation: float = 0.85,
    device: str = "cpu",
    progress: Progress | None = None,
    first: int = 0,
    hours: int | None = None,
) -> YearFound:
    """Run a plant through a year of weather, hour by hour in steady states, all hours side by side.

    Args:
        plant: a plant, the file of a plant or scenario, or the name of a shipped plant.
        weather: an EPW file, or the name of a shipped climate.
        utilisation: work asked of the racks all the year; a scenario's own goes before.
        device: auto, cpu or gpu.
        progress: told the worlds settled so far and all of them.
        first, hours: a part of the year, from a row of the weather on; None: to its end.

    Raises:
        BadInput: plant or weather have faults; it holds them all.
    """
    whole, sky = meant(plant, weather, utilisation)
    rows = span(sky, first, hours)
    sky = Year(sky.location, *[getattr(sky, name)[rows] for name in PER_HOUR])
    model = compiled.compile(whole.plant, open_device(device))
    wet = any("makeup" in quantities(t.machine.Outputs) or follows_wet_bulb(t.machine) for t in model.tables)
    bulbs, place = worlds(sky, wet)
    size = max(1, min(BATCH, MOST // model.unit_count))
    found: list[dict[str, np.ndarray]] = []
    for first in range(0, len(bulbs), size):
        if progress is not None:
            progress(float(first), float(len(bulbs)))
        found.append(_steady(model, whole.initial, bulbs[first : first + size]))
    each = {name: np.concatenate([part[name] for part in found])[place] for name in found[0]}
    if progress is not None:
        progress(float(len(bulbs)), float(len(bulbs)))
    return summed(whole.title, sky, each, len(bulbs), int(np.sum(each["unsteady"] > UNSTEADY)), NEGLECTED)


def summed(title: str, sky: Year, each: dict[str, np.ndarray], worlds: int, unsteady: int, neglected: str) -> YearFound:
    """A year from what `told` says of each of its hours."""
    free, heat = each["free"].sum(), (each["free"] + each["mechanical"]).sum()
    kinds = {name.removeprefix("kind:"): values for name, values in each.items() if name.startswith("kind:")}
    return YearFound(
        title, sky.location, sky.month, sky.dry_bulb, each["power"], each["it_power"], each["water"], kinds,
        _modes(each["mechanical"], each["free"]), float(free / max(heat, 1.0)), worlds, unsteady, each["reused"],
        neglected,
    )  # fmt: skip


def meant(plant: Plant | str | Path, weather: str | Path, utilisation: float) -> tuple[Subject, Year]:
    """The plant and the weather that are meant.

    Raises:
        BadInput: they have faults, or the plant has no racks.
    """
    whole, sky = subject(plant, Conditions(utilisation=utilisation)), read_weather(weather)
    if not any(KINDS[unit.kind].is_work for unit in whole.plant.units.values()):
        raise BadInput([Fault(None, f"{whole.title} has no racks, so there is no PUE; a plant with racks is wanted")])
    return whole, sky


def span(sky: Year, first: int, hours: int | None) -> np.ndarray:
    """The rows of a part of a year; it may run over its end."""
    count = len(sky.dry_bulb)
    return (first + np.arange(count if hours is None else min(hours, count))) % count


def read_weather(file: str | Path) -> Year:
    """The hours of an EPW file, or of a typical year made of a shipped climate's normals.

    Raises:
        BadInput: it is not there, too large, or no EPW file.
    """
    path, faults = Path(file), Faults()
    if str(file) in climates():
        made = read_epw(typical_year(str(file)).encode(), str(file), faults)
        assert made is not None, faults.errors
        return made
    if not path.is_file():
        said = f"{quoted(path.name)} is not there; an EPW weather file is wanted, or one of {', '.join(climates())}"
        raise BadInput([Fault(None, said)])
    if path.stat().st_size > LARGEST:
        raise BadInput([Fault(None, f"{path.name} is larger than {LARGEST / 1e6:g} MB; an EPW weather file is wanted")])
    found = read_epw(path.read_bytes(), path.name, faults)
    if found is None:
        raise BadInput(faults.errors)
    return found


def beginning(weather: str | Path, day: str) -> int:
    """The row of the first hour of a day like "07-15"; 0 where none is told.

    Raises:
        BadInput: it is no day of the weather file.
    """
    if not day:
        return 0
    month, _, number = day.partition("-")
    found = read_weather(weather).day(int(month), int(number)) if f"{month}{number}".isdecimal() else None
    if found is None:
        raise BadInput([Fault(None, f"--from: {quoted(day)} is no day of the weather file; one like 07-15 is wanted")])
    return found


def worlds(sky: Year, wet: bool) -> tuple[np.ndarray, np.ndarray]:
    """Dry and wet bulb [K] of the worlds that a year needs, (world, 2), and the world of each hour.

    Args:
        sky: the year.
        wet: whether the wet bulb matters to the plant.
    """
    both = np.column_stack([sky.dry_bulb, sky.wet_bulb(np.arange(len(sky.dry_bulb)))])
    step = STEP_WET if wet else STEP_DRY
    told = np.round((both if wet else both[:, :1]) / step)
    _, place = np.unique(told, axis=0, return_inverse=True)
    place = place.ravel()
    count = np.bincount(place)
    means = [np.bincount(place, weights=column) / count for column in both.T]
    return np.column_stack(means), place


def _steady(model: Model, initial: list[Any], bulbs: np.ndarray) -> dict[str, np.ndarray]:
    """What a batch of worlds gives in its steady state, one value per world."""
    members = len(bulbs)
    asked = under(model, begun(model, initial, members), bulbs)
    return told(model, settle(model, asked, members).outputs, members)


def begun(model: Model, initial: list[Any], members: int) -> AllRows:
    """Inputs as the first changes leave them."""
    asked = compiled.inputs(model, members)
    for change in initial:
        key, row = model.seats[change.unit]
        array = getattr(asked[key], change.input).copy()
        array[:, row] = change.value
        asked[key] = replace(asked[key], **{change.input: array})
    return asked


def under(model: Model, asked: AllRows, bulbs: np.ndarray) -> AllRows:
    """Inputs in another weather; dry and wet bulb [K], (member, 2)."""
    dry, wet = (model.xp.asarray(column[:, None].copy()) for column in bulbs.T)
    return asked | {"site": replace(asked["site"], dry_bulb=dry, wet_bulb=wet)}


def told(model: Model, out: AllRows, members: int) -> dict[str, np.ndarray]:
    """What the Outputs of a tick say of a year, one value per member."""
    nothing = np.zeros(members)
    found = {name: to_host(getattr(out["site"], name))[:, 0] for name in ("power", "it_power")}
    ways = {"mechanical": "chilled_heat", "free": "free_heat"}
    found |= {way: to_host(getattr(out["site"], name))[:, 0] for way, name in ways.items()}
    found["unsteady"] = abs(to_host(out["site"].stored_power))[:, 0] / np.maximum(found["it_power"], 1.0)
    found |= {"water": nothing, "reused": nothing}
    for t in model.tables:
        said = quantities(t.machine.Outputs)
        total = {name: _sum(getattr(out[t.key], name), members) for name in SUMMED if name in said}
        if "makeup" in total:
            found["water"] = found["water"] + total["makeup"]
        if getattr(t.machine, "cools_by", "") == "reuse":
            found["reused"] = found["reused"] + total["heat"]
        if t.machine.streams and t.machine.feeds[1] and not t.machine.is_work and "power" in total:
            found[f"kind:{t.kind}"] = found.get(f"kind:{t.kind}", nothing) + total["power"]
    return found


def _sum(values: Any, members: int) -> np.ndarray:
    return np.asarray(np.broadcast_to(to_host(values), (members, np.shape(values)[-1])).sum(axis=1))


def _modes(mechanical: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The mode of each hour, by which way the heat leaves; "" where the plant has one way only."""
    if not (np.any(mechanical > 0) and np.any(free > 0)):
        return np.full(len(free), "")
    share = free / np.maximum(free + mechanical, 1.0)
    return np.where(share > 1.0 - SLIGHT, FREE, np.where(share < SLIGHT, MECHANICAL, PARTIAL))
