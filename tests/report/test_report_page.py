"""The page, the plots and the tables: self-contained, escaped, bounded, and readable as plain text."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from small_hall import RACKS, small_data, small_events, small_plant, write

from twin.plant import Unit
from twin.report import report, show
from twin.report.findings import Findings
from twin.report.page import LARGEST, page
from twin.report.plots import close_ups, plot
from twin.report.rows import Rows
from twin.report.words import clock, lasting, names, plural, say
from twin.trace import Event, Trace


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that tags close in order."""

    VOID = ("meta", "img", "source", "br", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def made(findings: Findings) -> str:
    return page(findings)


def test_the_page_tells_everything_in_order(made: str) -> None:
    headings = re.findall(r"<h2>(.*?)</h2>", made)
    assert headings == [
        "Verdict",
        "What happened",
        "Seconds left, and what was lost",
        "Ride-through: seconds left of each store",
        "One-line diagrams",
        "Highest and lowest",
        "Plots",
        "Energy ledger",
        "Assumptions and estimates",
        "Provenance",
    ]
    text = " ".join(" ".join(read(made).text).split())
    for said in (
        "FAILED",
        "120.2 s",
        "a die reached 88 °C",
        "tank-1 is exhausted",
        "250 kW",
        "a digger found the cable",
    ):
        assert said in text, said


def test_nothing_is_fetched_and_nothing_runs(made: str) -> None:
    for tag, attributes in read(made).tags:
        assert tag not in ("script", "iframe", "object", "embed", "link", "form", "base")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "srcset", "href"):
                assert str(value).startswith(("data:image/", "#")), value
    without_pictures = re.sub(r"base64,[A-Za-z0-9+/=]+", "", made)
    assert not re.search(r"(https?:)?//[a-z]", without_pictures)
    assert "url(" not in without_pictures
    assert "default-src 'none'" in made


def test_the_page_is_small(made: str) -> None:
    assert len(made.encode()) < LARGEST / 2


def test_pictures_come_in_light_and_dark_with_words_for_who_cannot_see(made: str) -> None:
    tags = read(made).tags
    images = [attributes for tag, attributes in tags if tag == "img"]
    assert images
    assert all(image["alt"] for image in images)
    assert sum(tag == "source" for tag, _ in tags) == len(images)
    for image in images:
        raw = base64.b64decode(str(image["src"]).partition("base64,")[2])
        assert Image.open(io.BytesIO(raw)).width == 1300


def test_names_and_texts_from_a_trace_are_escaped(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    plant = small_plant()
    plant.units.pop("hall")
    plant.add(Unit(bad, "zone", {}))
    events = [Event(60.0, 0, bad, "too_hot", 1), Event(61.0, 0, bad, "<img src=x onerror=alert(2)>", 1)]
    scenario = f'title: "{bad}"\ndescription: "{bad} & more"\ncriteria: []\n'
    time, data = small_data()
    few = {kind: data[kind] for kind in ("rack", "zone")}
    trace = write(tmp_path / "bad.h5", time, few, events, plant=plant, scenario=scenario, title=bad)
    path = report(trace, tmp_path / "bad.html")
    text = path.read_text(encoding="utf-8")
    reader = read(text)
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script"})
    assert all("onerror" not in attributes for _, attributes in reader.tags)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert bad in "".join(reader.text)


def test_a_picture_is_taken_in_and_made_smaller_where_it_is_large(tmp_path: Path) -> None:
    time, data = small_data()
    trace = write(tmp_path / "few.h5", time, {"zone": data["zone"]}, [])
    noise = np.random.default_rng(1).integers(0, 255, (1000, 1700, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "hall.png", compress_level=1)
    path = report(trace, tmp_path / "r.html", tmp_path / "hall.png")
    text = path.read_text(encoding="utf-8")
    assert "<h2>The hall</h2>" in text
    assert "data:image/jpeg;base64," in text
    assert path.stat().st_size <= LARGEST
    with pytest.raises(ValueError, match="is not a picture that can be read"):
        report(trace, tmp_path / "r.html", Path(__file__))
    assert path.read_text(encoding="utf-8") == text


def test_a_page_that_cannot_be_written_leaves_nothing(trace: Trace, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        report(trace, tmp_path / "nowhere" / "r.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        report(trace, tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


def test_estimates_of_the_catalogue_and_defaults_are_told(made: str) -> None:
    assert "Ratings that the plant does not state" in made
    assert "Physics left out" in made
    assert "coast time 2 s" in made


def test_close_ups_hold_where_much_happens(tmp_path: Path) -> None:
    time, data = small_data()
    far = [Event(4000.0 + i, 0, "rack-1", "throttled", 1 - i % 2) for i in range(12)]
    trace = write(tmp_path / "slow.h5", time * 10, data, [*small_events(), *far])
    first, *others = close_ups(Findings(trace))
    assert first[0] < 60.0
    assert 400.0 < first[1] < 1000.0
    assert len(others) <= 1


def test_plots_of_a_trace_with_nothing_to_draw(tmp_path: Path) -> None:
    time, data = small_data()
    one = {"rack": {"power": data["rack"]["power"][:1]}}
    trace = write(tmp_path / "one.h5", time[:1], one, [])
    assert plot(Findings(trace)) is None
    assert "<h2>Plots</h2>" not in page(Findings(trace))


def test_a_long_run_is_drawn_without_losing_its_spike(tmp_path: Path) -> None:
    from twin.report.plots import _thinned

    y = np.zeros(100_000)
    y[54_321] = 7.0
    x, thin = _thinned(np.arange(100_000.0), y)
    assert len(x) == len(thin) < 3000
    assert thin.max() == 7.0


@pytest.mark.parametrize("width", [40, 72, 100, 160])
def test_tables_fit_the_terminal_and_hide_no_verdict(trace: Trace, width: int) -> None:
    out = io.StringIO()
    show(trace, Console(file=out, width=width, no_color=True))
    lines = out.getvalue().splitlines()
    assert max(len(line) for line in lines) <= width
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("FAILED") >= 3
    assert "held" in out.getvalue()


def test_markup_in_a_name_is_text(tmp_path: Path) -> None:
    events = [Event(60.0, 0, "[bold]x[/]", "lost", 1)]
    trace = write(tmp_path / "markup.h5", *small_data(), events, title="[red]t[/red]")
    out = io.StringIO()
    show(trace, Console(file=out, width=140, no_color=True))
    assert "[bold]x[/]" in out.getvalue()
    assert "[red]t[/red]" in out.getvalue()


def test_rows_say_never_and_name_what_was_first(findings: Findings) -> None:
    rows = {row[0]: row[1:] for row in Rows(findings).seconds()}
    assert rows["first rack throttles"] == ["120.2 s", "00:03:00.250", "rack-3"]
    assert rows["first UPS empty"] == ["never", "", ""]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (lasting(0.004), "4 ms"),
        (lasting(1.234), "1.23 s"),
        (lasting(120.25), "120.2 s"),
        (lasting(723.0), "12 min 03 s"),
        (lasting(900.0), "15 min"),
        (lasting(11100.0), "3 h 05 min"),
        (lasting(None), "-"),
        (clock(60.0), "00:01:00"),
        (clock(3661.2504), "01:01:01.250"),
        (clock(59.9999), "00:01:00"),
        (say(361.15, "K"), "88 °C"),
        (say(-9.0, "K", difference=True), "-9 K"),
        (say(1.2e6, "W"), "1.2 MW"),
        (say(0.0, "1", share=True), "0 %"),
        (say(float("nan"), "W"), "-"),
        (say(-3.4e-13, "s"), "0 s"),
        (say(-9.8e-8, "m^3/s"), "0 L/min"),
        (say(-1e-9, "K", difference=True), "0 K"),
        (say(65 / 3.6e9, "USD/J"), "65 USD/MWh"),
        (names(RACKS), "rack-1..rack-8"),
        (names(["rack-1", "rack-3", "rack-2", "cdu-1"]), "cdu-1, rack-1..rack-3"),
        (names([f"u{i}" for i in range(0, 40, 2)], most=2), "u0, u2, and 18 more"),
        (names(["h001/rack-09", "h001/rack-10", "h001/rack-11"]), "h001 / rack-09..rack-11"),
        (names([f"h{i}/rack-{j}" for i in range(1, 5) for j in range(1, 4)]), "h1..h4 / rack-1..rack-3"),
        (plural("loses its technology flow"), "lose their technology flow"),
        (plural("is lost"), "are lost"),
        (plural("has booted and works"), "have booted and work"),
        (plural("must boot before it works"), "must boot before they work"),
        (plural("closes on its bus"), "close on their bus"),
        (plural("goes to battery"), "go to battery"),
    ],
)
def test_words(said: str, wanted: str) -> None:
    assert said == wanted
