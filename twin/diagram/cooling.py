"""Cooling: every loop of a plant between its two headers, what brings the cold left, what takes it right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from twin.diagram import symbols
from twin.diagram.ink import (
    COLD,
    DEAD,
    LARGE,
    LINE,
    LIVE,
    LOST,
    NORMAL_SIZE,
    SMALL,
    SOFT,
    STRAINED,
    WAITING,
    WARM,
    Disc,
    Line,
    Sheet,
    Words,
    breadth,
    wrapped,
)
from twin.diagram.moment import Moment
from twin.diagram.names import between, counted, fitted, percent, say, short
from twin.diagram.panels import HEADER, LEFT, Branch, Panel, flow_of, panels, runs
from twin.equipment import KINDS
from twin.plant import Element, Loop

MOST_LINES = 5
"""Lines of a label below its name."""
WIDTH = 800.0
"""Loops stand beside each other up to this width [px]: then an upright page holds them."""
GAP = 46.0
LEAST_FLOW = 1e-6
"""Below this [m^3/s] nothing flows that is worth a line in colour."""
LEAVING = {
    "technology": "supply_temperature",
    "facility": "facility_temperature",
    "condenser": "condenser_temperature",
    "cold": "cold_temperature",
}
"""Stream -> the temperature that it leaves its machine with; else the first of ENDS that is recorded."""
ENDS = ("leaving_temperature", "supply_temperature", "outlet_temperature", "coolant_temperature", "water_temperature")
ENTERING = {"technology": "return_temperature", "facility": "facility_inlet_temperature"}
"""Stream -> the temperature that enters its machine, where it is not "inlet_temperature"."""
RATED = (("cooling_capacity", "W"), ("heat_capacity_rating", "W"), ("rated_heat", "W"), ("rated_power", "W"))
"""What a machine of a loop is built for: the first of these that it states."""


def cooling(moment: Moment) -> Sheet:
    """The loops of a plant at a moment, from the outdoors to the racks, and its rooms."""
    sheet = Sheet(f"Cooling side, {moment.when}")
    x = y = tallest = 0.0
    for panel in panels(moment):
        if x > 0 and x + panel.width > WIDTH:
            x, y, tallest = 0.0, y + tallest + GAP + 34, 0.0
        _Loop(sheet, moment, panel, x, y).draw()
        x += panel.width + GAP
        tallest = max(tallest, panel.height)
    if sheet.marks:
        left, top, _, bottom = sheet.extent
        _rooms(sheet, moment, left, bottom + 34)
        _key(sheet, left, sheet.extent[3] + 30)
        sheet.add(Words(left, top - 30, sheet.title, LIVE, LARGE, bold=True))
    return sheet


class _Loop:
    """One loop drawn with its upper left corner at x, y."""

    def __init__(self, sheet: Sheet, moment: Moment, panel: Panel, x: float, y: float) -> None:
        self.sheet, self.moment, self.panel = sheet, moment, panel
        self.x, self.top = x, y + 26
        self.bottom = self.top + panel.height - 26
        count = 0
        for branch in panel.plant:
            branch.x, count = x + LEFT + panel.wide * count, count + 1
        self.middle = x + LEFT + panel.wide * count
        count += panel.has_middle
        for branch in panel.loads:
            branch.x, count = x + LEFT + panel.wide * count, count + 1

    def draw(self) -> None:
        """Headers, branches, then what stands between plant and loads."""
        loop, right = self.panel.loop, self.x + self.panel.width
        self.sheet.add(Words(self.x, self.top - 26, self.panel.title, LIVE, 11.0, bold=True))
        used = breadth(self.panel.title, 11.0, bold=True) + 10
        self.sheet.add(Words(self.x + used, self.top - 26, loop.fluid, SOFT, SMALL))
        cold, warm, flow = self._supply(), self._return(), self._through()
        said = " · ".join(filter(None, ("supply", cold, flow)))
        self.sheet.add(Words(self.x, self.top - 8, said, COLD, SMALL, bold=True))
        self.sheet.add(Line(((self.x, self.top), (right - 20, self.top)), COLD, 4.0))
        said = " · ".join(filter(None, ("return", warm)))
        self.sheet.add(Words(self.x, self.bottom + 15, said, WARM, SMALL, bold=True))
        self.sheet.add(Line(((self.x, self.bottom), (right - 20, self.bottom)), WARM, 4.0))
        self._stages()
        for branch in self.panel.plant + self.panel.loads:
            self._branch(branch)
        if loop.storage:
            self._tank(loop.storage)
        if loop.pressurisation:
            self._vessel(loop.pressurisation)

    def _stages(self) -> None:
        """Headers between groups of the plant that stand in series."""
        groups = self.panel.loop.stages
        ends = [branch.x for branch in self.panel.plant]
        for stage in range(1, len(self.panel.depth)):
            y = self._floor(stage)
            self.sheet.add(Line(((self.x, y), (max(ends) + 30, y)), SOFT, 3.0))
            self.sheet.add(Words(max(ends) + 34, y + 3, f"from {groups[stage - 1][0]}", SOFT, SMALL))

    def _floor(self, stage: int) -> float:
        """Where the plant's stage begins, counted from the return header up."""
        depth = self.panel.depth
        below = sum(depth[:stage]) / max(sum(depth), 1)
        return self.bottom - below * (self.bottom - self.top)

    def _branch(self, branch: Branch) -> None:
        up = branch.side == "plant"
        low, high = self.bottom, self.top
        if up and len(self.panel.depth) > 1:
            low = self._floor(branch.stage)
            high = self._floor(branch.stage + 1) if branch.stage + 1 < len(self.panel.depth) else self.top
        room = (low - high - HEADER) / max(len(branch.steps), 1)
        turns = [low - HEADER / 2 - room * (k + 0.5) for k in range(len(branch.steps))]
        places = turns if up else [high + HEADER / 2 + room * (k + 0.5) for k in range(len(branch.steps))]
        flow = self._moved(branch)
        moves = flow is None or abs(flow) > LEAST_FLOW * branch.size
        turned = flow is not None and flow < -LEAST_FLOW
        stops = [low if up else high, *places, high if up else low]
        before, after = (WARM, COLD) if up else (COLD, WARM)
        if up:
            before = before if branch.stage == 0 else SOFT
            after = after if branch.stage + 1 >= len(self.panel.depth) else SOFT
        for k, (start, end) in enumerate(pairwise(stops)):
            tone = DEAD if not moves else before if k == 0 else after if k == len(places) else SOFT
            path = ((branch.x, start), (branch.x, end))
            self.sheet.add(Line(path, tone, 2.2, dashed=not moves))
            if moves and k == 0:
                half = (start + end) / 2 + (-6 if (up != turned) else 6)
                self.sheet.add(Line(((branch.x, start), (branch.x, half)), LOST if turned else tone, 2.2, arrow=True))
        for place, (units, stream) in zip(places, branch.steps, strict=True):
            self._element((branch.x, place), units, stream, up, max(MOST_LINES, int(room / LINE) - 1))

    def _moved(self, branch: Branch) -> float | None:
        for units, stream in branch.steps:
            if (flow := flow_of(self.moment, units, stream)) is not None:
                return flow
        return None

    def _element(self, at: tuple[float, float], units: list[str], stream: str, up: bool, most: int) -> None:
        """Machines at a place, with at most so many lines below their names."""
        (x, y), moment = at, self.moment
        kind = moment.plant.units[units[0]].kind
        at_work = runs(moment, units[0])
        tone = moment.tone(units[0])
        tone = LIVE if tone == DEAD and kind in ("valve", "check_valve", "pipe", "strainer") else tone
        draw = symbols.COOLING.get(kind, symbols.unknown)
        draw(self.sheet, x, y, tone, up, at_work)
        if tone == WAITING:
            symbols.clock(self.sheet, x - 13, y - 11)
        room = self.panel.wide - LEFT - 12
        names = fitted(units, room, NORMAL_SIZE)
        y -= 5 + LINE * (len(names) - 1)
        for row, name in enumerate(names):
            self.sheet.add(Words(x + 20, y + LINE * row, name, LIVE, NORMAL_SIZE, bold=True))
        y += LINE * (len(names) - 1)
        said = [(text, SOFT) for text in self._values(kind, units, stream)]
        if (word := moment.word(units[0])) and moment.reading is not None:
            said.append((word, SOFT if tone == DEAD else tone))
        lines = [(cut, ink) for text, ink in said for cut in wrapped(text, room, SMALL, 1)][:most]
        if (other := self._leads(units, up)) and len(lines) < most:
            lines += [(cut, SOFT) for cut in wrapped(other, room, SMALL, most - len(lines))]
        for row, (text, ink) in enumerate(lines, 1):
            self.sheet.add(Words(x + 20, y + LINE * row, text, ink, SMALL, bold=ink in (LOST, STRAINED, WAITING)))

    def _leads(self, units: list[str], up: bool) -> str:
        """Which loops a machine of two streams takes heat from, or gives it to."""
        found = [loop.name.rpartition("/")[2] for loop in self._coupled(units) if loop not in self.panel.loops]
        return f"heat {'to' if up else 'from'} {short(found)}" if found else ""

    def _coupled(self, units: list[str]) -> list[Loop]:
        """Other loops that any of the units stands in."""
        found = {name: None for unit in units for name in self.moment.loops_of.get(unit, ())}
        return [self.moment.plant.loops[name] for name in found]

    def _values(self, kind: str, units: list[str], stream: str) -> list[str]:
        moment = self.moment
        if moment.reading is None:
            return _ratings(moment, kind, units, stream)
        said = []
        leaving = next(
            (s for name in (LEAVING.get(stream, ""), *ENDS) if name and (s := moment.span(units, name))), None
        )
        flow = flow_of(moment, units, stream)
        heat = moment.total(units, "heat")
        if kind == "pump":
            speed = moment.span(units, "speed_now")
            said += [f"{percent(speed[1])} speed"] if speed else []
        elif kind == "valve":
            opening = moment.span(units, "opening_now")
            said += [f"{percent(opening[0])} open"] if opening else []
        elif leaving is not None:
            said.append(f"out {between(*leaving, 'K')}")
        if kind == "rack":
            die = moment.span(units, "die_temperature")
            said += [f"dies {say(die[1], 'K')}"] if die else []
        if flow is not None:
            said.append(say_flow(flow))
        if heat is not None and kind not in ("rack", "tank") and stream not in ("condenser", "cold"):
            said.append(say(heat, "W") if abs(heat) >= 1 else "0 W")
        if kind == "cdu" and stream == "facility" and (opening := moment.span(units, "valve")):
            said.append(f"valve {percent(opening[1])} open")
        return said

    def _mixed(self, group: Sequence[Sequence[Element]], names: dict[str, str], rest: Sequence[str], last: bool) -> str:
        """The temperature of a header: what its branches bring, each weighed by its flow."""
        heat = total = 0.0
        for branch in group:
            flow = next((f for e in branch if (f := flow_of(self.moment, [e.unit], e.stream)) is not None), 0.0)
            for element in reversed(branch) if last else branch:
                chosen = [names.get(element.stream, ""), *rest]
                warm = next((t for n in chosen if n and (t := self.moment.value(element.unit, n)) is not None), None)
                if warm is not None:
                    weight = max(flow, 0.0) + 1e-12
                    heat, total = heat + warm * weight, total + weight
                    break
        return say(heat / total, "K") if total else ""

    def _supply(self) -> str:
        """What goes to the loads: out of the tank where there is one, else what the plant's last stage brings."""
        storage = self.panel.loop.storage
        if storage and (value := self.moment.value(storage, "temperature")) is not None:
            return say(value, "K")
        last = [branch for loop in self.panel.loops for branch in loop.groups()[-1]]
        return self._mixed(last, LEAVING, ENDS, last=True)

    def _return(self) -> str:
        first = [branch for loop in self.panel.loops for branch in loop.groups()[0]]
        return self._mixed(first, ENTERING, ("inlet_temperature",), last=False)

    def _through(self) -> str:
        """How much flows through all loads together."""
        loops = self.panel.loops
        for branches in ([b for loop in loops for b in loop.loads], [b for loop in loops for b in loop.groups()[-1]]):
            found = [flow_of(self.moment, [e.unit], e.stream) for branch in branches for e in branch[:1]]
            flows = [flow for flow in found if flow is not None]
            if flows:
                return say_flow(sum(flows))
        return ""

    def _tank(self, tank: str) -> None:
        """A buffer in the supply header, filled with cold as far as it holds any."""
        x, y, moment = self.middle + 4, self.top + 34, self.moment
        tone = moment.tone(tank)
        tone = LIVE if tone == DEAD else tone
        self.sheet.add(Line(((x, self.top), (x, y - 22)), COLD, 2.2))
        self.sheet.box(x, y, 30, 44, tone)
        share = moment.value(tank, "cold_share")
        filled = 40 * (1.0 if share is None else min(max(share, 0.0), 1.0))
        if filled > 0.5:
            self.sheet.box(x, y + 20 - filled / 2, 26, filled, COLD, fill=COLD, width=0.0)
        self._beside(x + 22, y - 12, tank, self._tank_values(tank), tone)

    def _tank_values(self, tank: str) -> list[str]:
        moment = self.moment
        volume = moment.rating(tank, "volume")
        said = [] if volume is None else [f"{volume:.3g} m³"]
        value, warm = moment.value(tank, "temperature"), moment.value(tank, "warm_temperature")
        if value is not None:
            said.append(
                say(value, "K")
                if warm is None or abs(warm - value) < 0.05
                else f"{say(value, 'K')}, top {say(warm, 'K')}"
            )
        return said

    def _vessel(self, vessel: str) -> None:
        """The expansion vessel at the return header."""
        x, y = self.middle + 4, self.bottom - 30
        tone = self.moment.tone(vessel)
        tone = LIVE if tone == DEAD else tone
        self.sheet.add(Line(((x, self.bottom), (x, y + 14)), WARM, 2.2))
        self.sheet.add(Disc(x, y, 14, tone), Line(((x - 14, y), (x + 14, y)), tone, 1.2))
        pressure = self.moment.value(vessel, "static_pressure")
        self._beside(x + 20, y - 6, vessel, [] if pressure is None else [say(pressure, "Pa")], tone)

    def _beside(self, x: float, y: float, unit: str, said: list[str], tone: str) -> None:
        room = self.panel.wide - 40
        for row, text in enumerate(wrapped(unit, room, NORMAL_SIZE, 1)):
            self.sheet.add(Words(x, y + LINE * row, text, LIVE, NORMAL_SIZE, bold=True))
        word = self.moment.word(unit)
        rows = [(text, SOFT) for text in said] + ([(word, tone)] if word and word != "dead" else [])
        for row, (text, ink) in enumerate(rows, 1):
            self.sheet.add(Words(x, y + LINE * row, text, ink, SMALL, bold=ink != SOFT))


def say_flow(flow: float) -> str:
    """A flow as the trade says it: "512 L/min", "61.4 m³/h" from 10 m³/h on."""
    hourly = flow * 3600 if abs(flow) > LEAST_FLOW else 0.0
    return f"{hourly:.3g} m³/h" if abs(hourly) < 1000 else f"{hourly:.0f} m³/h"


def _ratings(moment: Moment, kind: str, units: list[str], stream: str) -> list[str]:
    """What the machines of a step are built for, together."""
    said = []
    for name, unit in RATED:
        rated = [value for one in units if (value := moment.rating(one, name))]
        if rated:
            said.append(say(sum(rated), unit))
            break
    for name in (f"{stream}_flow", "nominal_flow"):
        rated = [value for one in units if (value := moment.rating(one, name))]
        if rated:
            said.append(say_flow(sum(rated)))
            break
    return said


def _rooms(sheet: Sheet, moment: Moment, x: float, y: float) -> None:
    """Rooms: their air, what warms it, what cools it."""
    zones = [unit for unit in moment.plant.units.values() if unit.kind == "zone"]
    for zone in zones[:6]:
        inside = [unit for unit in moment.plant.units.values() if unit.zone == zone.name]
        coolers = [unit.name for unit in inside if KINDS[unit.kind].cools_air]
        tone = moment.tone(zone.name)
        tone = LIVE if tone == DEAD else tone
        limit, value, heat = (
            moment.rating(zone.name, "limit_temperature"),
            moment.value(zone.name, "temperature"),
            moment.total(coolers, "heat"),
        )
        said = [] if value is None else [f"air {say(value, 'K')}"]
        said += [] if limit is None else [f"limit {say(limit, 'K')}"]
        said += (
            []
            if heat is None or not coolers
            else [f"{counted(coolers)} take {say(heat, 'W') if abs(heat) > 1 else '0 W'}"]
        )
        name = counted([zone.name])
        wide = max(breadth(name, NORMAL_SIZE, bold=True), *(breadth(text, SMALL) for text in said or [""])) + 24
        tall = 26 + LINE * len(said)
        sheet.box(x + wide / 2, y + tall / 2, wide, tall, tone, width=1.2)
        sheet.add(Words(x + 10, y + 14, name, LIVE, NORMAL_SIZE, bold=True))
        for row, text in enumerate(said, 1):
            sheet.add(Words(x + 10, y + 14 + LINE * row, text, tone if tone == LOST else SOFT, SMALL))
        x += wide + 16


def _key(sheet: Sheet, x: float, y: float) -> None:
    """What colours and fillings mean."""
    symbols.pump(sheet, x + 12, y, LIVE, True, True)
    sheet.add(Words(x + 30, y + 4, "runs", SOFT))
    symbols.pump(sheet, x + 76, y, LIVE, True, False)
    sheet.add(Words(x + 94, y + 4, "stands", SOFT))
    for k, (tone, said) in enumerate(((COLD, "supply"), (WARM, "return"))):
        sheet.add(Line(((x + 144 + 84 * k, y), (x + 166 + 84 * k, y)), tone, 4.0))
        sheet.add(Words(x + 172 + 84 * k, y + 4, said, SOFT))
    sheet.add(Line(((x + 314, y), (x + 338, y)), DEAD, 2.0, dashed=True), Words(x + 344, y + 4, "nothing flows", SOFT))
    said = "out of action, over its limit"
    sheet.add(Line(((x + 432, y), (x + 454, y)), LOST, 3.0), Words(x + 460, y + 4, said, SOFT))
    sheet.add(Line(((x + 644, y), (x + 666, y)), STRAINED, 3.0), Words(x + 672, y + 4, "strained, on reserve", SOFT))
    symbols.key_of_waiting(sheet, x, y, 800)
