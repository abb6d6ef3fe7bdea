"""YAML text to nodes: lines are kept, and hostile files end in one sentence, quickly."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from twin.scenario.document import DEEPEST, LARGEST, Documents, Map

Save = Callable[..., str]
NO_KEYS = 'keys with values are wanted, e.g. "title: ..."'


def load(name: str) -> tuple[Map | None, list[str]]:
    documents = Documents()
    root = documents.load(Path(name), name)
    return root, [str(fault) for fault in documents.faults.found.values()]


def test_every_key_and_value_knows_its_line(save: Save) -> None:
    root, faults = load(save("a: 1\nb:\n  - x\n  - {c: 'd', e: [f]}\n"))
    assert root is not None
    assert faults == []
    assert root == {"a": "1", "b": ["x", {"c": "d", "e": ["f"]}]}
    assert str(root.where_of("b")) == "try.yaml:2: b"
    deep = root["b"][1]
    assert str(deep.where_of("c")) == "try.yaml:4: b[2].c"
    assert str(deep["e"][0].where) == "try.yaml:4: b[2].e[1]"
    assert root["a"].plain
    assert not deep["c"].plain
    assert str(root.where_of("missing")) == "try.yaml:1: missing"


def test_the_bytes_are_hashed(save: Save) -> None:
    documents = Documents()
    documents.load(Path(save("a: 1\n")), "a.yaml")
    assert list(documents.hashes) == ["a.yaml"]
    assert len(documents.hashes["a.yaml"]) == 64


def test_a_byte_order_mark_is_no_matter(save: Save) -> None:
    assert load(save(b"\xef\xbb\xbfa: 1\n")) == ({"a": "1"}, [])


def test_a_folder(save: Save, tmp_path: Path) -> None:
    save("a: 1\n")
    (tmp_path / "hall.yaml").mkdir()
    assert load("hall.yaml") == (None, ["hall.yaml is a folder; a YAML file is wanted"])


def test_a_missing_file(save: Save) -> None:
    save("a: 1\n")
    assert load("tri.yaml") == (None, ['tri.yaml is not there; did you mean "try.yaml"?'])
    assert load("none/at/all.yaml") == (None, ["none/at/all.yaml is not there"])
    assert load("try.yaml/more.yaml") == (None, ["try.yaml/more.yaml is not there"])


def test_a_pipe_is_not_waited_for(save: Save) -> None:
    save("a: 1\n")
    os.mkfifo("pipe.yaml")
    assert load("pipe.yaml") == (None, ["pipe.yaml is not an ordinary file; a YAML file is wanted"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything, so nothing is refused")
def test_an_unreadable_file(save: Save) -> None:
    Path(save("a: 1\n")).chmod(0)
    assert load("try.yaml") == (None, ["try.yaml cannot be read: Permission denied"])


def test_twenty_megabytes(save: Save) -> None:
    name = save(b"a: 1\n" * 4_000_000)
    assert load(name) == (None, ["try.yaml is too large (20.0 MB); at most 2 MB is wanted"])


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"\x00\x01\x02\xff", "try.yaml:1: byte 0xff is not UTF-8; a text file is wanted"),
        (b"a: 1\nb: \x00\n", "try.yaml:2: control character U+0000 was found; a text file is wanted"),
        (b"\x89HDF\r\n\x1a\n", "try.yaml:1: byte 0x89 is not UTF-8; a text file is wanted"),
        ("a: 1\n".encode("utf-16"), "try.yaml:1: the file is UTF-16; save it as UTF-8"),
        (b"a: 1\n\xef\xbf\xbf", "try.yaml:2: control character U+FFFF was found; a text file is wanted"),
        (b"", f"try.yaml:1: the file is empty; {NO_KEYS}"),
        (b"\n\n# words\n", f"try.yaml:1: the file is empty; {NO_KEYS}"),
    ],
)
def test_what_is_no_text(save: Save, raw: bytes, sentence: str) -> None:
    assert load(save(raw)) == (None, [sentence])


@pytest.mark.parametrize("text", ["[" * 10_000, "{a: " * 4_000, "- " * 10_000, "? " * 10_000])
def test_ten_thousand_levels(save: Save, text: str) -> None:
    sentence = f"try.yaml:1: the file is nested deeper than {DEEPEST} levels; a scenario needs 8"
    assert load(save(text)) == (None, [sentence])


def test_levels_over_many_lines(save: Save) -> None:
    text = "".join(" " * depth + "a:\n" for depth in range(1_000))
    sentence = f"try.yaml:{DEEPEST}: the file is nested deeper than {DEEPEST} levels; a scenario needs 8"
    assert load(save(text)) == (None, [sentence])


def test_an_alias_bomb_is_told_once_and_not_unfolded(save: Save) -> None:
    lines = ["a0: &a0 [boom]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    _, faults = load(save("\n".join(lines)))
    assert faults == [
        'try.yaml:1: a0: an anchor "&a0" was found; anchors are not read here (10 times in this file)',
        'try.yaml:2: a1[1]: an alias "*a0" was found; write the value out (81 times in this file)',
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "x" * 19_000,
        "a: [" + "1, " * 6_000 + "1]\n" + "b: 1\n",
        "!" * 19_000 + "\n",
        "a: |\n" + " x\n" * 100_000,
        "# words\n" * 200_000,
        "a: '" + "x\n " * 100_000 + "'",
        "&a " * 6_000,
        "".join(f"k{n}: {{a: {n}}}\n" for n in range(10_000)),
    ],
)
def test_odd_files_do_not_take_long(save: Save, text: str) -> None:
    began = time.process_time()
    load(save(text))
    assert time.process_time() - began < 8.0


def test_a_line_is_not_endless(save: Save) -> None:
    _, faults = load(save("!" * (LARGEST - 1)))
    assert faults == ["try.yaml:1: the line has 1999999 characters; at most 20000 are wanted"]


def test_random_bytes_never_end_in_a_traceback(save: Save) -> None:
    import random

    signs = [
        *"abc: \n\t-[]{}#&*!|>'\"%@`,?~0.5\\",
        "\n  ",
        ": ",
        "- ",
        "\x85",
        "é",
        "\u2028",
        "---\n",
        "...\n",
    ]
    chance = random.Random(7)
    for _ in range(1500):
        load(save("".join(chance.choices(signs, k=chance.randrange(40)))))
