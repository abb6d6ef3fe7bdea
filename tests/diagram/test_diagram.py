"""Diagrams: everybody is on them, nothing lies on anything else, and states are those of the trace."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from twin.diagram import Moment, Sheet, cooling, diagram, moment_of, power, svg
from twin.diagram.fold import LINEUPS, MOST_COLUMNS, boxes, columns, folded, serving
from twin.diagram.ink import DEAD, LIVE, LOST, STANDBY, STRAINED, Shape, Words, breadth, hatching
from twin.diagram.names import between, counted, fitted, short, stem
from twin.diagram.panels import panels
from twin.plant import Plant, Unit
from twin.scenario import read_plant
from twin.trace import Trace
from twin.view import colours
from twin.view.reading import BadWish, Condition

NAMES = ("pod", "hall", "hall-800vdc", "switchgear", "tower-cooled-pod-economiser", "pod-storage", "esif-like")


PLANTS = Path(__file__).parents[2] / "scenarios" / "plants"


@cache
def shipped(name: str) -> Plant:
    return read_plant(PLANTS / f"{name}.yaml")


def texts(sheet: Sheet) -> list[str]:
    return [mark.text for mark in sheet.marks if isinstance(mark, Words)]


def boxes_of(sheet: Sheet) -> list[tuple[str, float, float, float, float]]:
    """Each text with what it covers; fonts are narrower than the estimate that layouts are made with."""
    found = []
    for mark in sheet.marks:
        if isinstance(mark, Words):
            wide = 0.9 * breadth(mark.text, mark.size, mark.bold)
            left = mark.x - {"start": 0.0, "middle": wide / 2, "end": wide}[mark.anchor]
            found.append((mark.text, left, left + wide, mark.y - 0.75 * mark.size, mark.y + 0.1 * mark.size))
    return found


def clashes(sheet: Sheet) -> list[tuple[str, str]]:
    return [
        (one[0], other[0])
        for one, other in combinations(boxes_of(sheet), 2)
        if one[1] < other[2] and other[1] < one[2] and one[3] < other[4] and other[3] < one[4]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_words_lie_on_other_words(name: str) -> None:
    moment = Moment(shipped(name))
    for sheet in (power(moment), cooling(moment)):
        assert clashes(sheet) == []


@pytest.mark.parametrize("at", [4.0, 5.5, 12.0, 39.0])
def test_nor_at_any_moment_of_a_run(trace: Trace, at: float) -> None:
    moment = moment_of(trace, at)
    assert clashes(power(moment)) == []
    assert clashes(cooling(moment)) == []


@pytest.mark.parametrize("name", ["pod", "switchgear", "pod-storage"])
def test_every_machine_that_passes_power_on_is_drawn(name: str) -> None:
    moment = Moment(shipped(name))
    said = texts(power(moment, unfolded=True))
    local = [unit.rpartition("/")[2] for unit in serving(moment)]
    assert [unit for unit in local if unit not in said] == []


@pytest.mark.parametrize("name", ["pod", "hall", "tower-cooled-pod-economiser"])
def test_every_loop_and_every_branch_of_it_is_drawn(name: str) -> None:
    plant = shipped(name)
    drawn = {
        (loop.name, unit)
        for panel in panels(Moment(plant))
        for loop in panel.loops
        for branch in panel.plant + panel.loads
        for units, _ in branch.steps
        for unit in units
    }
    for loop in plant.loops.values():
        for branch in loop.branches():
            assert all((loop.name, element.unit) in drawn for element in branch)


def test_a_hall_is_folded_until_it_can_be_read_and_no_further() -> None:
    moment = Moment(shipped("hall"))
    found = folded(moment)
    assert columns(boxes(moment, 0)) > MOST_COLUMNS >= columns(found)
    units = [unit for box in found for unit in box.units]
    assert sorted(units) == sorted(serving(moment))
    assert [box.units for box in found if box.kind == "ups"] == [[f"ups-{k}"] for k in range(1, 6)]
    assert ["pdu-a-1", "pdu-b-1"] in [box.units for box in found]
    assert [box.units for box in boxes(moment, LINEUPS) if box.kind == "ups"] == [[f"ups-{k}" for k in range(1, 6)]]


def test_a_campus_comes_down_to_one_of_each() -> None:
    plant = Plant()
    for k in range(1, 31):
        plant.add(Unit(f"h{k:03d}/grid", "utility", {"rated_power": 1e6}))
        plant.add(Unit(f"h{k:03d}/board", "bus"))
        plant.add(Unit(f"h{k:03d}/load", "load", {"rated_power": 1e5}))
        plant.feed(f"h{k:03d}/board", [f"h{k:03d}/grid"])
        plant.feed(f"h{k:03d}/load", [f"h{k:03d}/board"])
    said = texts(power(Moment(plant)))
    assert "grid in 30 blocks" in " ".join(said)
    assert sum("rated" in text for text in said) == 1
    assert "rated 30 MW" in said


def test_before_the_fault_all_is_live_and_the_generators_stand_by(trace: Trace) -> None:
    moment = moment_of(trace, 4.0)
    assert {moment.tone(unit) for unit in ("utility-a", "board-1", "ups-1", "pdu-1", "incomer-1")} == {LIVE}
    assert (moment.tone("generator-1"), moment.word("generator-1")) == (DEAD, "standing by")


def test_after_it_the_culprit_is_red_what_it_fed_grey_and_reserves_amber(trace: Trace) -> None:
    moment = moment_of(trace, 6.0)
    assert moment.tone("utility-a") == LOST
    assert [moment.tone(unit) for unit in ("transformer-1", "incomer-1", "board-1")] == [DEAD] * 3
    assert (moment.tone("ups-1"), moment.word("ups-1")) == (STRAINED, "on battery")
    assert [moment.is_live(unit) for unit in ("ups-1", "pdu-1", "board-1")] == [True, True, False]
    assert moment_of(trace, 30.0).tone("cdu-2") == LOST
    said = texts(power(moment))
    assert {"lost", "on battery"} <= set(said)


def test_once_the_generators_carry_it_the_switch_stands_on_them(trace: Trace) -> None:
    moment = moment_of(trace, 39.0)
    assert moment.feeding("ats-1") == ["generator-bus"]
    assert moment.is_live("board-1")
    assert (moment.tone("generator-1"), moment.word("generator-1")) == (STANDBY, "on load")
    assert moment.tone("utility-a") == LOST


def test_the_values_are_those_of_the_trace(trace: Trace) -> None:
    moment = moment_of(trace, 4.0)
    drawn = trace["utility.power"].values[4, 0, 0] / 1e6
    assert any(text.startswith(f"{drawn:.3g} MW") for text in texts(power(moment)))
    tank = trace["tank.temperature"].values[4, 0, 0] - 273.15
    assert f"{tank:.1f} °C" in texts(cooling(moment))


def test_an_overloaded_machine_is_hatched() -> None:
    square = Shape(((0, 0), (20, 0), (20, 20), (0, 20)), LOST, hatched=True)
    strokes = hatching(square, 6.0)
    assert len(strokes) == 6
    for (x0, y0), (x1, y1) in strokes:
        assert x0 + y0 == pytest.approx(x1 + y1)
        assert all(-1e-9 <= place <= 20 + 1e-9 for place in (x0, y0, x1, y1))


def test_a_room_over_its_limit_is_red(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = moment_of(trace, 30.0)
    monkeypatch.setitem(moment.conditions, "pod-air", Condition(colours.STRAINED, "too hot"))
    assert moment.tone("pod-air") == LOST


def test_where_the_heat_of_a_loop_comes_from_is_said_whole() -> None:
    told = " ".join(mark.text for mark in cooling(Moment(shipped("hall"))).marks if isinstance(mark, Words))
    assert "heat from technology-a..b" in told


def test_an_svg_is_sound_needs_nothing_and_escapes_names() -> None:
    plant = Plant()
    plant.add(Unit("<b>&grid", "utility", {"rated_power": 1e6}))
    plant.add(Unit("load", "load", {"rated_power": 1e5}))
    plant.feed("load", ["<b>&grid"])
    text = svg(power(Moment(plant)), alone=True)
    root = ElementTree.fromstring(text)
    assert "<b>&grid" in [element.text for element in root.iter() if element.tag.endswith("text")]
    assert "url(" not in text
    assert "href" not in text


@pytest.mark.parametrize("side", ["power", "cooling"])
def test_a_picture_is_drawn_in_every_sort(trace: Trace, side: str, tmp_path: Path) -> None:
    made = [diagram(trace, output=tmp_path / f"d{sort}", side=side, at=6.0) for sort in (".svg", ".png", ".pdf")]
    assert made[0].read_text(encoding="utf-8").startswith("<svg")
    pixels = np.asarray(Image.open(made[1]).convert("L"))
    assert 0.005 < (pixels < 128).mean() < 0.3
    assert made[2].read_bytes().startswith(b"%PDF")


def test_what_cannot_be_drawn_is_a_sentence(trace: Trace, tmp_path: Path) -> None:
    for wish, said in (
        ({"side": "air"}, 'side "air" is not known; one of power, cooling is wanted'),
        ({"at": 900.0}, "lies outside it"),
    ):
        with pytest.raises(BadWish, match=said):
            diagram(trace, output=tmp_path / "d.svg", **wish)  # type: ignore[arg-type]
    with pytest.raises(BadWish, match=r"ends in none of \.svg, \.png, \.pdf"):
        diagram(trace, output=tmp_path / "d.gif")
    with pytest.raises(BadWish, match="no loops of coolant"):
        diagram(shipped("switchgear"), output=tmp_path / "d.svg", side="cooling")


def test_names_are_short() -> None:
    assert short(["rack-01", "rack-02", "rack-03", "rack-07"]) == "rack-01..03, 07"
    assert counted([f"ups-{k}" for k in range(1, 6)]) == "ups-1..5 (5)"
    assert counted(["rack-01", "rack-03", "rack-05", "rack-07"]) == "4 of rack-01..07"
    assert short(["board-mech-a", "board-mech-b"]) == "board-mech-a..b"
    assert short(["h1/ups-1", "h1/ups-2"]) == "ups-1..2"
    assert short(["h1/ups-1", "h2/ups-1"]) == "ups-1 in 2 blocks"
    assert stem("pdu-a-12") == "pdu-#-#"
    assert fitted(["a-very-long-name-of-a-machine-1", "another-long-name-2"], 90.0, 9.5)[0].startswith("2 like")
    assert between(300.15, 300.15, "K") == "27.0 °C"
    assert between(300.15, 303.15, "K") == "27.0 to 30.0 °C"
