"""Pictures: they come out, in size, in true colour; without OpenGL the cure is said and a floor plan drawn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twin.trace import Trace
from twin.view import LOOKS, BadWish, ViewUnavailable, gl_fault, picture
from twin.view.layout import arrange
from twin.view.probe import SWITCH
from twin.view.projection import looking
from twin.view.reading import read_moment
from twin.view.story import tell

SIZE = (640, 360)
wants_gl = pytest.mark.skipif(gl_fault() is not None, reason=str(gl_fault()))


@pytest.fixture
def no_gl(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which the probe says that OpenGL is missing."""
    monkeypatch.setenv(SWITCH, "off")
    gl_fault.cache_clear()
    yield
    gl_fault.cache_clear()


def pixels(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def looks_drawn(seen: np.ndarray) -> bool:
    """Whether the middle of a picture holds more than background."""
    height, width, _ = seen.shape
    middle = seen[height // 5 : -height // 5, width // 8 : -width // 4].astype(float)
    return float(middle.std()) > 12 and len(np.unique(middle.reshape(-1, 3), axis=0)) > 200


@wants_gl
@pytest.mark.parametrize("look", ["hall", "racks"])
def test_a_picture_is_drawn(drill: Path, tmp_path: Path, look: str) -> None:
    file = picture(drill, at=18.0, output=tmp_path / "hall.png", size=SIZE, look=look)
    seen = pixels(file)
    assert seen.shape == (SIZE[1], SIZE[0], 3)
    assert looks_drawn(seen)


@wants_gl
def test_the_same_moment_gives_the_same_picture(trace: Trace, tmp_path: Path) -> None:
    one, two = (picture(trace, at=18.0, output=tmp_path / f"{i}.png", size=SIZE, look="top") for i in (1, 2))
    assert one.read_bytes() == two.read_bytes()


@wants_gl
def test_a_level_face_has_its_colour_as_on_the_bar(trace: Trace) -> None:
    """Light and shade must not shift a value: the top of each rack is exact to one step of a byte."""
    from twin.view.scene import render

    layout = arrange(trace.plant)
    story = tell(trace.plant, layout, read_moment(trace, 18.0), "rack.die_temperature", "top")
    x0, y0, x1, y1 = layout.box
    ground = np.array([(x0, y0, 0.0), (x1, y1, 0.0)])
    view = looking(0.0, 90.0).fitted(ground, (10.0, 10.0, 790.0, 590.0))
    seen = render(layout, story, [], view, (800, 600), [], rich=True)
    for spot, colour in zip(layout.spots.values(), story.body, strict=True):
        if spot.kind == "rack":
            x, y = view.pixels(np.array([[spot.x, spot.y, spot.height]]))[0]
            found = seen[600 - 1 - int(y), int(x)]
            assert np.abs(found.astype(int) - colour.astype(int)).max() <= 1, spot.unit


def test_without_gl_a_floor_plan_is_drawn(drill: Path, tmp_path: Path, no_gl: None) -> None:
    file = picture(drill, at=18.0, output=tmp_path / "plan.png", size=SIZE, look="auto")
    assert looks_drawn(pixels(file))


def test_without_gl_a_hall_says_the_cure(drill: Path, tmp_path: Path, no_gl: None) -> None:
    with pytest.raises(ViewUnavailable, match=f'the look "hall" cannot be drawn: .*{SWITCH}=off') as caught:
        picture(drill, output=tmp_path / "hall.png", look="hall")
    assert caught.value.exit_code == 69
    assert not (tmp_path / "hall.png").exists()


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"look": "hal"}, 'look "hal" is not known; did you mean "hall"'),
        ({"size": (1600, 9)}, "1600 x 9 pixels was asked for"),
        ({"look": "plan", "colour": "rack.die_temprature"}, 'did you mean "rack.die_temperature"'),
        ({"look": "plan", "at": 3600.0}, r"a moment at 60 min lies outside it; the trace holds 0 s to 40 s"),
        ({"look": "plan", "member": 7}, "member 7 is not in it; one of 0 to 0 is wanted"),
        ({"look": "plan", "block": "h001"}, 'no block "h001"; the plant has no blocks'),
    ],
)
def test_a_wish_that_cannot_be_met_is_a_sentence(drill: Path, tmp_path: Path, wish: dict, said: str) -> None:
    with pytest.raises(BadWish, match=said) as caught:
        picture(drill, output=tmp_path / "hall.png", **wish)
    assert "\n" not in str(caught.value)


def test_a_missing_gl_is_found_out_in_a_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose trial picture ends with a signal is told what to install."""
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    monkeypatch.delenv(SWITCH, raising=False)
    gl_fault.cache_clear()
    said = gl_fault()
    gl_fault.cache_clear()
    assert said is not None
    assert "apt-get install --no-install-recommends libegl1 libgl1-mesa-dri" in said


def test_importing_the_room_costs_nothing() -> None:
    words = "import sys, twin.view; print(sorted({'pyvista', 'vtkmodules', 'matplotlib', 'h5py'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_looks_are_known() -> None:
    assert {"hall", "top", "racks", "power", "cooling", "plan", "fabric"} == set(LOOKS)
