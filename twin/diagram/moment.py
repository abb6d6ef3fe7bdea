"""Moment: how every unit of a plant stands at one time of a trace - or as built, where nothing has run yet."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from twin.declare import quantities
from twin.diagram.ink import DEAD, LIVE, LOST, STANDBY, STRAINED, WAITING
from twin.equipment import KINDS
from twin.plant import Plant
from twin.view import colours
from twin.view.reading import Condition, Reading, starts
from twin.view.words import lasting

TONE = {
    colours.LOST: LOST,
    colours.STRAINED: STRAINED,
    colours.WAITING: WAITING,
    colours.OFF: DEAD,
    colours.RUNNING: STANDBY,
}
DEAD_WORDS = ("dead", "without power", "unpowered", "blacked out")
"""What is said of those that only lack what others should give: they are grey, the culprit is not."""
GRAVE = ("failed to open", "damaged", "locked out", "severed", "too hot")
LEAST_VOLTAGE = 0.05
"""Below this [pu] a conductor is dead."""


class Moment:
    """A plant and, where there is a trace, what it says at one time.

    Args:
        plant: what is drawn.
        reading: one member of a trace at a time; as built, with all that is normally closed closed, without one.
    """

    def __init__(self, plant: Plant, reading: Reading | None = None) -> None:
        self.plant = plant
        self.reading = reading
        self._now: dict[tuple[str, str], dict[str, float]] = {}
        self._live: dict[str, bool] = {}

    @property
    def when(self) -> str:
        """The moment in words."""
        return "as built, at ratings" if self.reading is None else f"{lasting(self.reading.time)} into the run"

    def value(self, unit: str, name: str) -> float | None:
        """A recorded quantity of a unit now [SI]; None where there is none."""
        if self.reading is None:
            return None
        kind = self.plant.units[unit].kind
        if kind not in self.reading.trace.kinds or name not in self.reading.trace.columns(kind):
            return None
        if (kind, name) not in self._now:
            values = self.reading.values(kind, name).tolist()
            self._now[kind, name] = dict(zip(self.reading.trace.units(kind), values, strict=True))
        value = self._now[kind, name].get(unit)
        return None if value is None or value != value else value

    def rating(self, unit: str, name: str) -> float | None:
        """A rating of a unit [SI], its kind's default where the plant does not say."""
        made = self.plant.units[unit]
        if name in made.parameters:
            return made.parameters[name]
        said = quantities(KINDS[made.kind]).get(name)
        return None if said is None else said.default

    def is_up(self, unit: str, name: str) -> bool:
        """Whether a flag, or an Input of 0 or 1, stands now."""
        value = self.value(unit, name)
        return value is not None and value > 0.5

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """Units that are not simply well."""
        return {} if self.reading is None else self.reading.conditions()

    @cached_property
    def loops_of(self) -> dict[str, list[str]]:
        """Unit -> the loops that it stands in."""
        found: dict[str, list[str]] = {}
        for loop in self.plant.loops.values():
            for unit in dict.fromkeys(element.unit for branch in loop.branches() for element in branch):
                found.setdefault(unit, []).append(loop.name)
        return found

    def is_live(self, unit: str, above: frozenset[str] = frozenset()) -> bool:
        """Whether power comes from a unit, or to it where nothing is fed from it."""
        if unit not in self._live:
            self._live[unit] = self._energised(unit, above)
        return self._live[unit]

    def _energised(self, unit: str, above: frozenset[str]) -> bool:
        kind = self.plant.units[unit].kind
        made = KINDS[kind]
        if self._is_out(unit):
            return False
        if starts(kind):
            return self.is_up(unit, "closed")
        for name in ("terminal_voltage", "voltage"):
            if name in quantities(made.Outputs) and (voltage := self.value(unit, name)) is not None:
                return voltage > LEAST_VOLTAGE
        if "dead" in quantities(made.State) and self.reading is not None:
            return not self.is_up(unit, "dead")
        if "depleted" in quantities(made.State) and self.is_up(unit, "on_battery"):
            return not self.is_up(unit, "depleted")
        if made.source:
            return not self._waits_for_its_board(unit)
        feeds = [feed for feed in self.feeding(unit) if feed not in above]
        return not self.plant.feeds.get(unit) or any(self.is_live(feed, above | {unit}) for feed in feeds)

    def _waits_for_its_board(self, unit: str) -> bool:
        """Whether a store of the site stands before dead boards alone: nothing comes from it yet."""
        if not KINDS[self.plant.units[unit].kind].stores_power or self.reading is None:
            return False
        boards = [board for board, feeds in self.plant.feeds.items() if unit in feeds]
        return bool(boards) and all(self.is_up(board, "dead") for board in boards)

    def _is_out(self, unit: str) -> bool:
        if self.reading is None:
            return False
        in_service, position = self.value(unit, "in_service"), self.value(unit, "position")
        if (in_service is not None and in_service < 0.5) or (position is not None and position < 0.5):
            return True
        return any(self.is_up(unit, flag) for flag in ("lost", "depleted", "severed", "unpowered"))

    def feeding(self, unit: str) -> list[str]:
        """The feeds that a unit takes from now: of a switch that prefers, the one it stands on."""
        feeds = self.plant.feeds.get(unit, [])
        if self.plant.units[unit].kind in ("ats", "sts") and len(feeds) > 1:
            return [feeds[1] if self.is_up(unit, "on_alternate") else feeds[0]]
        return feeds

    def tone(self, unit: str) -> str:
        """The tone that a unit is drawn in."""
        how = self.conditions.get(unit)
        if self.is_overloaded(unit):
            return LOST
        if how is not None and how.word not in DEAD_WORDS:
            return LOST if how.word.startswith("tripped") or how.word in GRAVE else TONE[how.state]
        return LIVE if self.is_live(unit) and (how is None or how.word not in DEAD_WORDS) else DEAD

    def is_overloaded(self, unit: str) -> bool:
        """Whether a unit bears more than it is rated for."""
        return (self.value(unit, "load_fraction") or 0.0) > 1.0005 or self.is_up(unit, "overloaded")

    def word(self, unit: str) -> str:
        """How a unit is, in a word; nothing where it is simply well."""
        how = self.conditions.get(unit)
        if how is not None:
            return how.word
        if starts(self.plant.units[unit].kind) and not self.is_up(unit, "closed"):
            return "standing by"
        if self._waits_for_its_board(unit):
            return "gives nothing yet"
        return "" if self.is_live(unit) else "dead"

    def total(self, units: Iterable[str], name: str) -> float | None:
        """A quantity added up over units; None where none of them has it."""
        found = [value for unit in units if (value := self.value(unit, name)) is not None]
        return sum(found) if found else None

    def span(self, units: Iterable[str], name: str) -> tuple[float, float] | None:
        """The least and the greatest value of a quantity among units."""
        found = [value for unit in units if (value := self.value(unit, name)) is not None]
        return (min(found), max(found)) if found else None
