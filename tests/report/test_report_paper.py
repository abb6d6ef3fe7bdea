"""Paper, chain and stills: a PDF of numbered pages with nothing cut off, trees of causes, key moments."""

from __future__ import annotations

import base64
import io
import math
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_hall import RATINGS, small_data, small_events, small_plant, write

from twin.diagram.ink import LOST, SOFT, STANDBY, STRAINED, Disc, Words
from twin.plant import Unit
from twin.report import report, reports
from twin.report.chain import MOST, ROW, _that_matter, _tone, chain, joined
from twin.report.extremes import Extreme
from twin.report.findings import Findings
from twin.report.fold import Line
from twin.report.moments import first_row_showing
from twin.report.page import _diagrams
from twin.report.panels import panels
from twin.report.paper import UPRIGHT, _drawn, _pictures, _section, _table, _turn, _widths, paper
from twin.report.pictures import Picture
from twin.report.plots import STRETCHES, Swing
from twin.report.rows import _extreme
from twin.report.sections import Column, Section, TablePart
from twin.report.stills import moments
from twin.report.story import Fault, Span
from twin.trace import Event, Trace
from twin.view import BadWish


@pytest.fixture(scope="module")
def made(trace: Trace, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("paper")
    (path,) = reports(trace, [folder / "r.pdf"])
    assert [each.name for each in folder.iterdir()] == ["r.pdf"]
    return path.read_bytes()


def pages(made: bytes) -> tuple[list[int], list[int]]:
    """Widths of the upright and of the lying pages of a PDF [pt]."""
    boxes = [tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox \[ ([0-9. ]+) \]", made)]
    return [round(box[2]) for box in boxes if box[2] < box[3]], [round(box[2]) for box in boxes if box[2] > box[3]]


def test_a_pdf_has_upright_pages_where_its_diagrams_can_be_read_on_them(made: bytes) -> None:
    assert made.startswith(b"%PDF")
    upright, lying = pages(made)
    assert len(upright) >= 3
    assert (set(upright), lying) == ({595}, [])


def test_diagrams_that_are_too_large_lie_on_sheets_of_their_own(
    findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.report.paper.LEGIBLE", 1.5)
    upright, lying = pages(paper(findings, Section("hall", "The hall")))
    assert (set(upright), lying) == ({595}, [1191, 1191])


def test_a_short_table_is_not_broken_over_two_pages() -> None:
    part = TablePart([Column("balance"), Column("for")], [[f"t = {k}", "a law"] for k in range(8)])
    flow = _section(Section("ladder", "Stores", tables=[part, part]), 515.0, (1190.0, 842.0))
    breaks = [each for each in flow if type(each).__name__ == "CondPageBreak"]
    table = next(each for each in flow if type(each).__name__ == "LongTable")
    assert [round(each.height) for each in breaks[1:]] == [round(table.wrap(515.0, 1e9)[1])] * 2


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler's pdftotext is not installed")
def test_its_pages_are_numbered_and_tell_everything(made: bytes, tmp_path: Path) -> None:
    (tmp_path / "made.pdf").write_bytes(made)
    words = ["pdftotext", "-layout", "made.pdf", "-"]
    text = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    numbers = [(int(one), int(all_)) for one, all_ in re.findall(r"page (\d+) of (\d+)", text)]
    assert numbers == [(k, len(numbers)) for k in range(1, len(numbers) + 1)]
    squeezed = " ".join(text.split())
    for said in (
        "FAILED",
        "a digger found the cable",
        "The scenario as it was run",
        "run: {duration: 10 min, tick: 1 s}",
        "One-line diagram of the electrical side",
        "°C",
        "utility-a",
    ):
        assert said in squeezed, said


def test_columns_fill_the_page_and_none_is_lost() -> None:
    for rows in (
        [["a", "b"], ["1", "2"]],
        [["word " * 60, "x" * 200, "1.2 MW"]],
        [["word " * 60, "other " * 90, "1.2 MW", "x"]],
    ):
        widths = _widths(rows, len(rows[0]), 515.0)
        assert sum(widths) == pytest.approx(515.0)
        assert min(widths) > 5.0


def test_a_short_number_stays_in_one_line_however_long_its_neighbours_are() -> None:
    part = TablePart([Column("after", "k"), Column("why")], [["+10 min 42 s", "for this and that reason " * 30]])
    table = _table(part, 300.0)
    first, second = (
        cell.wrap(wide - 7.0, 800.0)[1] / cell.style.leading
        for cell, wide in zip(table._cellvalues[1], table._colWidths, strict=True)
    )
    assert first == 1
    assert second > 5


def test_the_round_off_of_a_solver_is_no_flow() -> None:
    dust = Extreme("cdu", "flow", "lowest", -5.8e-15, "m^3/s", "", 94.0, "cdu-1", None, None)
    assert _extreme(dust)[1] == "0 L/min"
    assert _extreme(replace(dust, value=1e-4))[1] == "6 L/min"


def test_a_folder_in_its_place_is_told(trace: Trace, tmp_path: Path) -> None:
    (tmp_path / "y.pdf").mkdir()
    with pytest.raises(IsADirectoryError, match="a file is wanted"):
        report(trace, tmp_path / "y.pdf")


def test_the_chain_hangs_each_line_under_the_one_that_led_to_it(findings: Findings) -> None:
    sheet = chain(findings)
    at = {mark.text: mark for mark in sheet.marks if isinstance(mark, Words)}
    first = at["utility-a is taken out of service (fail)"]
    lost = at["utility-a is lost"]
    battery = at["2 UPS go to battery: ups-1, ups-2"]
    assert first.x < lost.x < battery.x
    assert first.y < lost.y < battery.y
    tones = {round(mark.y): mark.tone for mark in sheet.marks if isinstance(mark, Disc)}
    assert [tones[round(mark.y - 4)] for mark in (first, lost, battery)] == [LOST, STRAINED, STRAINED]
    assert STANDBY in tones.values()


def test_what_takes_nothing_away_and_gives_nothing_back_is_neutral() -> None:
    tones = [
        _tone(Line(0.0, 0.0, 0, kind, what, "", ["u"], 1))
        for kind, what in (
            ("job", "waits for racks (scheduler)"), ("job", "gets its racks (scheduler)"),
            ("rack", "stops throttling, without power"), ("rack", "throttles"), ("rack", "runs at full clock again"),
        )
    ]  # fmt: skip
    assert tones == [SOFT, STANDBY, SOFT, STRAINED, STANDBY]


def test_a_tree_of_causes_is_cut_between_its_rows(findings: Findings) -> None:
    drawn = _drawn(chain(findings), 515.0, math.inf, ROW)
    one, other = drawn.split(515.0, 150.0)
    assert one.height <= 150.0
    assert one.height + other.height == pytest.approx(drawn.height)
    assert (one.end / ROW) % 1 == pytest.approx(0.5)
    assert one.split(515.0, 20.0) == []
    assert _drawn(chain(findings), 515.0, 600.0).split(515.0, 150.0) == [], "a diagram is never cut"


def test_sections_that_take_whole_pages_come_after_all_that_flows() -> None:
    told = [Section(each, each) for each in ("verdict", "ladder", "diagrams", "tokens", "plots", "hall", "energy")]
    ordered = [each.id for each in sorted(told, key=_turn)]
    assert ordered == ["verdict", "energy", "ladder", "tokens", "plots", "hall", "diagrams"]


def _still(wide: int, tall: int) -> Picture:
    made = io.BytesIO()
    Image.new("RGB", (wide, tall)).save(made, "PNG")
    return Picture(base64.b64encode(made.getvalue()).decode(), "a still", "The worst moment")


def test_one_more_picture_fits_a_page_where_all_are_a_little_smaller() -> None:
    natural = 515.0 * 9 / 16
    for number, scale in ((1, 1.0), (2, 1.0), (3, 0.75), (4, 0.75)):
        shown = _pictures(Section("hall", "The hall", pictures=[_still(160, 90)] * number), 515.0)
        tall = {each.tall for each in shown}
        assert len(tall) == 1, "pictures of one section are of one size"
        assert scale <= tall.pop() / natural <= (1.0 if scale == 1 else 0.85)
        assert sum(each.height for each in shown[:3]) <= UPRIGHT + 1e-6
    large = _pictures(Section("plots", "Plots", pictures=[_still(100, 120)] * 3), 515.0)
    assert {each.tall for each in large} == {618.0}, "two of them would be too small to be read"


def test_a_picture_takes_what_is_left_of_a_page_where_it_can_be_read_there() -> None:
    (shown,) = _pictures(Section("plots", "Plots", pictures=[_still(100, 120)]), 515.0)
    beneath = shown.height - 618.0
    for left, tall in ((780.0, 618.0), (500.0 + beneath, 500.0), (464.0 + beneath, 464.0), (400.0, 618.0)):
        assert shown.wrap(515.0, left) == (515.0, pytest.approx(tall + beneath))


def test_only_what_can_be_written_is(trace: Trace, tmp_path: Path) -> None:
    said = r"x\.docx ends in none of \.html, \.htm, \.pdf; e\.g\. .*x\.html is wanted"
    with pytest.raises(BadWish, match=said):
        report(trace, tmp_path / "x.docx")
    assert list(tmp_path.iterdir()) == []


def test_air_comes_into_a_rack_that_air_cools(tmp_path: Path) -> None:
    time, data = small_data()
    plant = small_plant()
    plant.add(Unit("air-1", "air_rack", dict(RATINGS["rack"])))
    data["air_rack"] = {name: np.full((len(time), 1, 1), 300.0) for name in ("die_temperature", "inlet_temperature")}
    shown = panels(Findings(write(tmp_path / "made.h5", time, data, small_events(), plant=plant)))
    (hot,) = [panel for panel in shown if panel.title.startswith("rack temperatures")]
    assert [curve.label for curve in hot.curves] == ["dies", "coolant out", "dies", "air in"]


def test_a_row_of_transfers_is_one_line_of_the_chain() -> None:
    def line(time: float, unit: str, cause: int | None) -> Line:
        return Line(time, time, 0, "ats", "transfers to its alternate feed", "", [unit], 1, cause)

    root = Line(0.0, 0.0, 0, "utility", "is lost", "", ["u"], 1)
    told = joined([root, line(5, "ats-1", 0), line(7, "ats-2", 0), line(9, "ats-3", 0), line(300, "ats-4", 0)])
    assert [(each.units, each.cause) for each in told[1:]] == [(["ats-1", "ats-2", "ats-3"], 0), (["ats-4"], 0)]


def test_a_long_tree_keeps_what_led_to_the_worst_moment() -> None:
    """A first loss is told of 70 times over; a second one, later, is the worst and has three lines."""

    def line(time: float, what: str, cause: int | None, kind: str = "rack") -> Line:
        return Line(time, time, 0, kind, what, "", [f"u-{time:g}"], 1, cause)

    many = [line(1 + k, "runs at full clock again", 0) for k in range(70)]
    second = [line(200, "is lost", None, "utility"), line(201, "loses power", 71), line(202, "shuts down", 72)]
    told = [line(0, "is lost", None, "utility"), *many, *second]
    rows = [(0, 0), *((1 + k, 1) for k in range(70)), (71, 0), (72, 1), (73, 2)]
    shown = _that_matter(told, rows, worst=202.0)
    assert len(shown) == MOST
    assert shown[-3:] == rows[-3:]
    assert shown == sorted(shown), "in the order of the tree"
    assert _that_matter(told, rows[:50], 202.0) == rows[:50]


def test_nothing_that_led_to_nothing_has_no_chain(tmp_path: Path) -> None:
    time, data = small_data()
    trace = write(tmp_path / "made.h5", time, data, [Event(0.0, 0, "site", "input:dry_bulb", 300.0)])
    assert not chain(Findings(trace)).marks


def test_key_moments_are_before_at_worst_and_at_the_end(findings: Findings) -> None:
    found = moments(findings)
    assert list(found.values()) == ["before the fault", "the worst moment", "the end of the run"]
    before, worst, end = found
    assert before < 60.0 < worst < end == 600.0


def test_the_worst_moment_is_drawn_from_a_row_in_which_it_stands(tmp_path: Path) -> None:
    """Within a tick, on a row that does not show it yet, and between rows when it is gone before the next."""
    time, data = small_data()
    data["rack"] = data["rack"] | {"unpowered": np.zeros((len(time), 1, len(data["rack"]["power"][0, 0])))}
    data["rack"]["unpowered"][(time > 80.2) & (time <= 90.0), 0, 0] = 1.0
    trace = write(tmp_path / "made.h5", time, data, [])
    story = Findings(trace).story
    unit = trace.units("rack")[0]
    for rise, fall, drawn in ((80.25, 90.0, 81.0), (80.0, 90.0, 81.0), (100.25, 100.5, 101.0), (80.25, 80.75, 81.0)):
        story.__dict__["spans_of"] = [{("rack", "unpowered"): [Span(unit, 0, rise, fall)]}]
        assert first_row_showing(story, rise, 0) == drawn
    findings = Findings(trace)
    findings.__dict__ |= {"worst": 80.25, "story": story}
    story.faults[0] = Fault(60.0, "utility", "in_service", "fails", True)
    story.__dict__["spans_of"] = [{("rack", "unpowered"): [Span(unit, 0, 80.25, 90.0)]}]
    assert findings.worst_row == 81.0
    assert 81.0 in moments(findings)
    assert "81 s into the run" in str([section.notes for section in [_diagrams(findings, None)]])


def test_a_curve_that_swings_is_drawn_as_its_mean_within_a_band() -> None:
    time = np.arange(0.0, 8 * STRETCHES)
    swing = Swing.of(time, np.where(time % 4 < 2, 1.0, 3.0))
    assert swing is not None
    assert swing.mean[5:-5] == pytest.approx(2.0, abs=0.05)
    assert (swing.low.min(), swing.high.max()) == (1.0, 3.0)
    assert Swing.of(time, time / 10.0) is None
    assert Swing.of(time[:100], np.where(time[:100] % 4 < 2, 1.0, 3.0)) is None


def test_a_curve_that_swings_between_its_rows_is_drawn_at_its_counted_mean() -> None:
    """Rows of 4 s that meet each iteration of 4 s at its peak: 3 in every row, 2 on average."""
    time = np.arange(0.0, 800.0, 4.0)
    works = time < 400
    peaks, mean = np.where(works, 3.0, 1.0), np.where(works, 2.0, 1.0)
    swing = Swing.of(time, peaks, mean)
    assert swing is not None
    np.testing.assert_allclose(swing.mean, mean)
    np.testing.assert_allclose(swing.low[:90], 2.0)
    np.testing.assert_allclose(swing.high[:90], 3.0)
    np.testing.assert_allclose(swing.high[110:], 1.0)
    assert Swing.of(time, mean, mean) is None, "a step is no swing"
    once = np.where(time == 400, 1.7, mean)
    assert Swing.of(time, mean, once) is None, "nor is one that falls between two rows"


def test_a_ramp_and_a_step_are_no_swing() -> None:
    """The mean since the row before lies between both: it says where a row is late, not that there was more."""
    rows = np.arange(13.0)
    for values in (rows, np.where(rows < 7, 1.0, 3.0)):
        between = np.concatenate((values[:1], 0.5 * (values[1:] + values[:-1])))
        assert Swing.of(rows, values, between) is None


def test_the_counted_mean_of_many_rows_is_weighed_by_how_long_they_last() -> None:
    """Rows of 4 s and, in a zoom, of 0.1 s: the mean of a stretch over both is that of the energy."""
    time = np.concatenate((np.arange(0.0, 8000.0, 4.0), 8000.0 + np.arange(0.0, 200.0, 0.1)))
    steps = np.diff(time, prepend=0.0)
    known = np.where(time < 8000, 2.0, 1.0)
    swing = Swing.of(time, np.where(np.arange(len(time)) % 2 > 0, 3.0, 0.0), known)
    assert swing is not None
    assert swing.mean[:140] == pytest.approx(2.0)
    assert swing.mean[160:] == pytest.approx(1.0)
    assert swing.mean.min() >= 1.0
    np.testing.assert_allclose(swing.weights, steps)
    np.testing.assert_allclose(swing.like(2 * known)[:140], 4.0)


def test_panels_in_which_nothing_ever_is_are_left_out(tmp_path: Path) -> None:
    time, data = small_data()
    data["ups"]["state_of_charge"][:] = 0.0
    shown = panels(Findings(write(tmp_path / "made.h5", time, data, small_events())))
    assert "battery charge, %" not in [panel.title for panel in shown]
    assert "rack temperatures, °C" in [panel.title for panel in shown]


def test_a_board_of_generators_is_a_curve_of_its_own(tmp_path: Path) -> None:
    time, data = small_data()
    data["bus"] = {"voltage": np.where(time > 74, 1.0, 0.0)[:, None, None]}
    shown = panels(Findings(write(tmp_path / "made.h5", time, data, small_events())))
    (voltage,) = [panel for panel in shown if panel.title.startswith("voltage")]
    assert "generator-bus" in [curve.label for curve in voltage.curves]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_opens_the_page_without_a_word_on_its_console(trace: Trace, tmp_path: Path) -> None:
    made = report(trace, tmp_path / "r.html")
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    words += ["--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,2000"]
    done = subprocess.run(
        [*words, f"--screenshot={tmp_path / 'r.png'}", made.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    assert (tmp_path / "r.png").stat().st_size > 50_000


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_timeline_is_no_wider_than_a_phone(trace: Trace, tmp_path: Path) -> None:
    report(trace, tmp_path / "r.html")
    ask = "const t = document.querySelector('iframe').contentDocument.querySelector('#timeline .scroll');"
    ask += "document.title = t.scrollWidth + ' of ' + t.clientWidth"
    frame = '<iframe src="r.html" style="width:390px;height:900px" onload="ask()"></iframe>'
    (tmp_path / "phone.html").write_text(
        f"<html><body><script>function ask() {{ {ask} }}</script>{frame}</body></html>"
    )
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    done = subprocess.run(
        [*words, "--virtual-time-budget=3000", (tmp_path / "phone.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    wide, room = re.search(r"<title>(\d+) of (\d+)</title>", done.stdout).groups()
    assert int(wide) <= int(room) < 390
