"""Panels: which branches of which loops a diagram of the cooling side draws as one, and how large that becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twin.diagram.ink import DEAD, NORMAL_SIZE, breadth
from twin.diagram.moment import Moment
from twin.diagram.names import counted, short, stem
from twin.plant import Element, Loop
from twin.view.stages import RAMPING

NARROWEST, WIDEST, LEFT = 124.0, 176.0, 24.0
"""Pixels of a column, and from its edge to its pipe."""
STEP, HEADER = 80.0, 44.0
"""Pixels from element to element, and above the first."""
MOST_LOOPS = 8
"""Loops that are drawn each by itself."""
STOPS = ("stopped", "pumps_lost", "tripped", "shut_down", "shut", "cut_off", "unpowered", "cold", "drained")
"""Flags under which a machine does nothing for its loop."""
FLOWS = {"facility": "facility_flow_now", "condenser": "", "cold": ""}
"""Stream -> the quantity that says its flow, where it is not "flow"; none where only its loop's pumps know."""


@dataclass
class Branch:
    """Branches that stand alike, drawn as one column: at each step the units and their stream."""

    steps: list[tuple[list[str], str]]
    side: str
    stage: int = 0
    x: float = 0.0

    @property
    def size(self) -> int:
        return len(self.steps[0][0])


@dataclass
class Panel:
    """A loop on its way onto the sheet, or several alike, drawn as one."""

    loops: list[Loop]
    plant: list[Branch]
    loads: list[Branch]
    depth: list[int] = field(default_factory=list)
    wide: float = NARROWEST

    @property
    def loop(self) -> Loop:
        return self.loops[0]

    @property
    def title(self) -> str:
        return short([loop.name for loop in self.loops]) + (f" ({len(self.loops)})" if len(self.loops) > 1 else "")

    @property
    def width(self) -> float:
        return self.wide * (len(self.plant) + len(self.loads) + self.has_middle)

    @property
    def has_middle(self) -> bool:
        """Whether a tank or a vessel stands between plant and loads."""
        return bool(self.loop.storage or self.loop.pressurisation)

    @property
    def height(self) -> float:
        steps = max(sum(self.depth), max((len(each.steps) for each in self.loads), default=1), 1)
        return 2 * HEADER + STEP * steps


def inwards(moment: Moment) -> list[Loop]:
    """Loops from the outdoors to the racks: a loop comes after those whose loads are its plant."""
    loops = list(moment.plant.loops.values())
    gives = {loop.name: {e.unit for branch in loop.loads for e in branch} for loop in loops}
    takes = {loop.name: {e.unit for branch in loop.plant for e in branch} for loop in loops}

    def depth(name: str, above: frozenset[str]) -> int:
        outer = [one for one in gives if one != name and one not in above and gives[one] & takes[name]]
        return 1 + max((depth(one, above | {name}) for one in outer), default=-1)

    return sorted(loops, key=lambda loop: depth(loop.name, frozenset()))


def panels(moment: Moment) -> list[Panel]:
    """The loops from the outdoors inwards; where they are many, alike ones of alike blocks as one."""
    loops = inwards(moment)
    if len(loops) <= MOST_LOOPS:
        return [_panel(moment, [loop]) for loop in loops]
    alike: dict[object, list[Loop]] = {}
    for loop in loops:
        groups = [*loop.groups(), loop.loads]
        looks = tuple(frozenset(look(moment, branch) for branch in group) for group in groups)
        alike.setdefault((stem(loop.name), loop.fluid, looks), []).append(loop)
    return [_panel(moment, each) for each in alike.values()]


def _panel(moment: Moment, loops: list[Loop]) -> Panel:
    plant: list[Branch] = []
    depth: list[int] = []
    for stage, groups in enumerate(zip(*(loop.groups() for loop in loops), strict=True)):
        group = [branch for each in groups for branch in each]
        plant += _branches(moment, group, "plant", stage)
        depth.append(max((len(branch) for branch in group), default=0))
    panel = Panel(loops, plant, _branches(moment, [branch for loop in loops for branch in loop.loads], "loads"), depth)
    named = [counted(units) for branch in panel.plant + panel.loads for units, _ in branch.steps]
    widest = max((breadth(name, NORMAL_SIZE, bold=True) for name in named), default=0.0)
    panel.wide = min(max(NARROWEST, widest + LEFT + 30), WIDEST)
    return panel


def _branches(moment: Moment, group: Sequence[Sequence[Element]], side: str, stage: int = 0) -> list[Branch]:
    """Branches folded: alike in kinds, names and in how each of their machines is."""
    found: dict[object, Branch] = {}
    for branch in group:
        made = found.setdefault(look(moment, branch), Branch([([], e.stream) for e in branch], side, stage))
        for (units, _), element in zip(made.steps, branch, strict=True):
            units.append(element.unit)
    return [branch for branch in found.values() if branch.steps]


def look(moment: Moment, branch: Sequence[Element]) -> object:
    """What branches that are drawn as one have in common."""
    return tuple(_looks(moment, element) for element in branch)


def _looks(moment: Moment, element: Element) -> object:
    unit = element.unit
    state = moment.tone(unit), moment.word(unit), runs(moment, unit)
    return moment.plant.units[unit].kind, element.stream, stem(unit), *state


def runs(moment: Moment, unit: str) -> bool:
    """Whether a machine does its work for a loop: it is in service, not stopped, and water or heat moves."""
    if moment.reading is None:
        return True
    if moment.word(unit) == RAMPING:
        return True
    in_service = moment.value(unit, "in_service")
    if (in_service is not None and in_service < 0.5) or any(moment.is_up(unit, flag) for flag in STOPS):
        return False
    speed = moment.value(unit, "speed_now")
    return (speed is None or speed > 0.01) and moment.tone(unit) != DEAD


def flow_of(moment: Moment, units: Sequence[str], stream: str) -> float | None:
    """What flows through the units of a step together [m^3/s], where that is recorded."""
    return moment.total(units, FLOWS.get(stream, "flow"))
