"""The resolved text: one document that stands by itself and means the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twin.scenario import read

Save = Callable[..., str]
ROOM = """\
units:
  utility-a: {kind: utility, rated_power: 1 MW}
  pdu-1: {kind: pdu, feeds: utility-a, rated_power: 400 kW}
"""


def test_it_reads_as_the_same_scenario(save: Save, small: str) -> None:
    first = read(save(small))
    again = read(save(first.text, "again.yaml"))
    assert (again.initial, again.changes, again.criteria, again.run) == (
        first.initial,
        first.changes,
        first.criteria,
        first.run,
    )
    assert again.text == first.text
    assert list(again.plant.units) == list(first.plant.units)


def test_it_holds_what_other_files_said(save: Save, head: str) -> None:
    save(ROOM, "plants/room.yaml")
    save("blocks: {room: {include: room.yaml}}\nplace: {r1..2: {block: room}}\n", "plants/site.yaml")
    first = read(save("title: A try\nplant: site\n" + head[head.index("run:") :]))
    alone = read(save(first.text, "elsewhere/alone.yaml"))
    assert list(alone.plant.units) == list(first.plant.units)
    assert list(alone.inputs) == ["elsewhere/alone.yaml"]


def test_it_says_the_seed_and_members_that_were_run(save: Save, small: str) -> None:
    first = read(save(small), members=7, seed=5)
    again = read(save(first.text, "again.yaml"))
    assert (again.run.members, again.run.seed) == (7, 5)
    assert again.changes == first.changes


@pytest.mark.parametrize(
    "title",
    ['"a: b"', "'# not a comment'", '"quote \\" in it"', '"true"', '"1.5"', '"- x"', '"é, ü"', '"a "'],
)
def test_words_are_quoted_where_yaml_would_misread_them(save: Save, head: str, title: str) -> None:
    first = read(save(head.replace("A try", title)))
    assert read(save(first.text, "again.yaml")).title == first.title
