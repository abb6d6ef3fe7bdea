"""The resolved text of a scenario: the document with its plant and includes written into it."""

from __future__ import annotations

import json
import re

from twin.scenario.document import Map, Node, Seq

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/*%^+()<=>-]*(?<! )")
WORDS = ("true", "false", "null", "~", "")


def text_of(root: Map, instead: dict[int, Map], settings: dict[str, int]) -> str:
    """Write a scenario document with everything it names in place.

    Args:
        root: the document.
        instead: id of a node -> the mapping that stands for it (a plant's name, a block's include).
        settings: keys of `run` that the caller set.
    """
    lines: list[str] = []
    for key, value in root.items():
        if key == "run" and isinstance(value, Map):
            merged = {each: _flow(node) for each, node in value.items()}
            merged |= {each: str(number) for each, number in settings.items()}
            lines.append("run: {" + ", ".join(f"{each}: {said}" for each, said in merged.items()) + "}")
        else:
            _block(key, value, 0, lines, instead, ())
    return "\n".join(lines) + "\n"


def _block(key: str, node: Node, depth: int, lines: list[str], instead: dict[int, Map], trail: tuple[int, ...]) -> None:
    """One key of a mapping, over as many lines as it wants."""
    indent = "  " * depth
    other = instead.get(id(node))
    if other is not None and id(other) not in trail:
        node, trail = other, (*trail, id(other))
    if isinstance(node, Map) and any(isinstance(each, Map | Seq) for each in node.values()) and not _short(node):
        lines.append(f"{indent}{_scalar(key)}:")
        for name, value in node.items():
            _block(name, value, depth + 1, lines, instead, trail)
    elif isinstance(node, Seq) and not _short(node):
        lines.append(f"{indent}{_scalar(key)}:")
        lines.extend(f"{indent}  - {_flow(each)}" for each in node)
    else:
        lines.append(f"{indent}{_scalar(key)}: {_flow(node)}")


def _short(node: Node) -> bool:
    """Whether a node goes on one line without losing its reader."""
    if isinstance(node, Map):
        inner = any(isinstance(each, Map) for each in node.values())
        return not inner and len(node) > 0 and len(_flow(node)) < 100
    return isinstance(node, Seq) and (not node or len(_flow(node)) < 100)


def _flow(node: Node) -> str:
    if isinstance(node, Map):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(value)}" for key, value in node.items()) + "}"
    if isinstance(node, Seq):
        return "[" + ", ".join(_flow(each) for each in node) + "]"
    return _scalar(str(node))


def _scalar(text: str) -> str:
    """A scalar as it was meant, quoted wherever YAML could see more in it."""
    if PLAIN.fullmatch(text) and text not in WORDS and len(text) < 200:
        return text
    return json.dumps(text, ensure_ascii=False)
