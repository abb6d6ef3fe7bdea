"""The shipped files are found, and named as people know them."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin import assets


def test_a_checkout_keeps_them_beside_the_package() -> None:
    root = Path(assets.__file__).parent.parent
    assert assets.assets_folder() == root / "assets"
    assert assets.scenarios_folder() == root / "scenarios"


def test_a_wheel_keeps_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twin" / "_shipped" / "assets").mkdir(parents=True)
    monkeypatch.setattr(assets, "PACKAGE", tmp_path / "twin")
    assert assets.assets_folder() == tmp_path / "twin" / "_shipped" / "assets"
    with pytest.raises(FileNotFoundError, match="the shipped scenarios are missing"):
        assets.scenarios_folder()


def test_shipped_files_are_named_shortly() -> None:
    assert assets.display(assets.assets_folder() / "weather" / "mild-spring.yaml") == "assets/weather/mild-spring.yaml"
    assert assets.display(Path("mine/hall.yaml")) == "mine/hall.yaml"


@pytest.mark.parametrize("folder", ["climates", "fluids", "traces", "weather"])
def test_every_shipped_data_file_says_where_it_is_from(folder: str) -> None:
    """Source, date, licence, and that it is an estimate where it is one."""
    wanted = {"climates": ["source: an estimate", "date: 20", "licence: "], "fluids": ["CoolProp", "licensed"],
              "traces": ["source: ", "date: 20", "mark: e (estimate)", "licence: "],
              "weather": ["source: ", "date: ", "licence: ", "estimate"]}  # fmt: skip
    files = [path for path in (assets.assets_folder() / folder).iterdir() if path.suffix in (".csv", ".yaml")]
    assert files
    for path in files:
        head = path.read_text(encoding="utf-8")[:1500].lower()
        assert [word for word in wanted[folder] if word.lower() not in head] == [], path.name
