"""A YAML document as nodes that know their line: the one door to ruamel.yaml; strict and bounded."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twin import units
from twin.faults import Where
from twin.scenario.faults import Faults, nearest

LARGEST = 2_000_000
"""Bytes of a document; a gigawatt campus takes 10,000, so what is larger is not one."""
LONGEST = 20_000
"""Characters of a line; some of YAML's rules take time by the square of it."""
DEEPEST = 24
"""Levels of nesting; a scenario needs 8."""
FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SYNTAX = {
    "mapping values are not allowed": 'a ":" stands where none may; put a value with one in quotation marks',
    "expected <block end>": "the line does not fit what stands above it; check its indentation",
    "could not find expected ':'": 'the line has no ":" after its key',
    "found unexpected end of stream": "a quotation mark is opened here and never closed",
    "expected ',' or": 'a bracket "[" or "{" is opened here and not closed, or a "," is missing',
    "cannot start any token": "the value begins with a sign that wants quotation marks around the value",
    "expected the node content": "a value is missing here, or a bracket is not closed",
    "expected '<document start>'": "text stands after the end of the document",
    "incompatible YAML document": "YAML 1.2 is wanted",
}
"""What ruamel calls a syntax error -> what a person can do about it."""


UNCLEAR = re.compile(r"(?P<key>[A-Za-z_][\w.-]*)(?P<sign>:| )\s*(?P<value>.*)", re.DOTALL)
"""A key of a flow mapping that swallowed its value, since no space stands after its colon, or no colon at all."""


class Text(str):
    """A scalar as it is written; `plain` where it stands without quotation marks."""

    __slots__ = ("plain", "where")
    where: Where
    plain: bool

    @property
    def empty(self) -> bool:
        return self.plain and self in ("", "~", "null", "Null", "NULL")


class Seq(list):
    """A list of nodes."""

    where: Where


class Map(dict):
    """A mapping of keys to nodes; `keys_at` knows the line of each key."""

    where: Where
    keys_at: dict[str, int]
    partial: bool = False
    """Whether some of its keys are lost to a fault that is told."""
    elsewhere: dict[str, Where] | None = None
    """Where keys stand that came from another mapping."""

    def where_of(self, key: str) -> Where:
        """Where a key stands, or, if it is missing, the mapping itself with the key in the path."""
        if self.elsewhere is not None and key in self.elsewhere:
            return self.elsewhere[key]
        path = f"{self.where.key}.{safe(key)}" if self.where.key else safe(key)
        return Where(self.where.file, self.keys_at.get(key, self.where.line), path)


class Broken(str):
    """Stands for a node whose fault is already told; whoever meets it looks away."""

    where: Where


Node = Text | Seq | Map | Broken


class _Stop(Exception):
    """The file cannot be read further."""


def safe(text: str) -> str:
    """A key as it may stand in a message: one printable line, not too long."""
    return units.quoted(text)[1:-1]


def describe(node: Node) -> str:
    """What was found, as the start of a sentence."""
    if isinstance(node, Map):
        return "a mapping"
    if isinstance(node, Seq):
        return "a list"
    return "nothing" if isinstance(node, Text) and node.empty else units.quoted(node)


class Documents:
    """The files that one reading opens: their nodes, their hashes, and all their faults."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.hashes: dict[str, str] = {}

    def load(self, path: Path, name: str, asked: Where | None = None) -> Map | None:
        """Read one document.

        Args:
            path: the file.
            name: what messages call it.
            asked: who names the file, for the fault that it is not there.

        Returns:
            Its mapping, or None where it cannot be read; the faults say why.
        """
        try:
            text = self._text(path, name, asked)
            root = self._root(text, name)
        except _Stop:
            return None
        if isinstance(root, Map) and root:
            return root
        if not isinstance(root, Broken):
            found = "an empty mapping" if isinstance(root, Map) else describe(root)
            found = "the file is empty" if isinstance(root, Text) and root.empty else f"{found} was found"
            self.faults.add(Where(name, root.where.line), f'{found}; keys with values are wanted, e.g. "title: ..."')
        return None

    def _stop(self, where: Where | None, text: str) -> None:
        self.faults.add(where, text)
        raise _Stop

    def bytes_of(self, path: Path, name: str, asked: Where | None, largest: int) -> bytes | None:
        """The bytes of an ordinary file that is not too large, hashed; None after a fault."""
        try:
            return self._bytes(path, name, asked, largest)
        except _Stop:
            return None

    def _bytes(self, path: Path, name: str, asked: Where | None, largest: int = LARGEST) -> bytes:
        def unread(why: str) -> None:
            self._stop(asked, f"{units.quoted(name)} {why}" if asked else f"{name} {why}")

        sort = {".csv": "a CSV file", ".epw": "an EPW file"}.get(path.suffix.lower(), "a YAML file")
        if largest != LARGEST and sort == "a YAML file":
            sort = "a file"
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                unread(f"is a folder; {sort} is wanted")
            if not stat.S_ISREG(status.st_mode):
                unread(f"is not an ordinary file; {sort} is wanted")
            if status.st_size > largest:
                size = f"{status.st_size / 1e6:.1f} MB"
                unread(f"is too large ({size}); at most {largest / 1e6:g} MB is wanted")
            raw = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            there = sorted(each.name for each in path.parent.glob("*.*")) if path.parent.is_dir() else []
            if path.suffix in ("", ".yaml", ".yml"):
                there = [name for name in there if name.endswith((".yaml", ".yml"))]
            near = nearest(path.name, there) or (nearest(path.stem, there) if path.suffix else "")
            unread("is not there" + (f'; did you mean "{near}"?' if near else ""))
        except (OSError, ValueError) as error:
            unread(f"cannot be read: {getattr(error, 'strerror', None) or error}")
        self.hashes[name] = hashlib.sha256(raw).hexdigest()
        return raw

    def _text(self, path: Path, name: str, asked: Where | None) -> str:
        raw = self._bytes(path, name, asked)
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            self._stop(Where(name, 1), "the file is UTF-16; save it as UTF-8")
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self._stop(Where(name, line), f"byte 0x{raw[error.start]:02x} is not UTF-8; a text file is wanted")
        bad = FORBIDDEN.search(text)
        if bad:
            line = text.count("\n", 0, bad.start()) + 1
            letter = f"U+{ord(bad.group()):04X}"
            self._stop(Where(name, line), f"control character {letter} was found; a text file is wanted")
        lines = list(enumerate(text.split("\n"), 1))
        for number, each in lines:
            if len(each) > LONGEST:
                text = f"the line has {len(each)} characters; at most {LONGEST} are wanted"
                self._stop(Where(name, number), text)
        tabs = [number for number, each in lines if "\t" in each[: len(each) - len(each.lstrip())]]
        if tabs:
            more = f" ({len(tabs)} lines have one)" if len(tabs) > 1 else ""
            self._stop(Where(name, tabs[0]), f"a tab stands in the indentation; spaces are wanted{more}")
        return text

    def _root(self, text: str, name: str) -> Node:
        import ruamel.yaml  # only when a document is read
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        events = ruamel.yaml.YAML(typ="safe", pure=True).parse(text)
        builder = _Builder(self.faults, name)
        try:
            root = builder.document(iter(events))
        except MarkedYAMLError as error:
            problem = " ".join(str(error.problem or error.context).split())
            mark = error.problem_mark or error.context_mark
            if "end of stream" in problem or "expected ',' or" in problem:
                mark = error.context_mark or mark
            said = next((cure for sign, cure in SYNTAX.items() if sign in problem), f"this is not YAML: {problem}")
            self._stop(Where(name, mark.line + 1 if mark else 0), said)
        except (ValueError, OverflowError):
            self._stop(Where(name, builder.line), "an escape in quotation marks names no character")
        except (YAMLError, RecursionError) as error:
            self._stop(Where(name, builder.line), f"this is not YAML: {' '.join(str(error).split())[:120]}")
        finally:
            builder.tell_counted()
        return root


class _Builder:
    """Turns ruamel's events into nodes, refusing anchors, aliases, tags and depth on the way."""

    def __init__(self, faults: Faults, name: str) -> None:
        self.faults = faults
        self.name = name
        self.line = 1
        self.counted: dict[str, list[Any]] = {}

    def tell_counted(self) -> None:
        """Tell what may stand a million times in a file once, with its number."""
        for where, text, number in self.counted.values():
            self.faults.add(where, text + (f" ({number} times in this file)" if number > 1 else ""))
        self.counted.clear()

    def count(self, sort: str, where: Where, text: str) -> None:
        self.counted.setdefault(sort, [where, text, 0])[2] += 1

    def document(self, events: Iterator[Any]) -> Node:
        root: Node | None = None
        for event in events:
            self.line = event.start_mark.line + 1
            sort = type(event).__name__
            if sort == "DocumentStartEvent":
                if event.version is not None and tuple(event.version) != (1, 2):
                    version = ".".join(str(part) for part in event.version)
                    self.faults.add(Where(self.name, self.line), f"%YAML {version} was found; YAML 1.2 is wanted")
                if root is not None:
                    self.stop(Where(self.name, self.line), "a second document begins here; one is wanted")
                root = self.node(next(events), events, "", 1)
        if root is None:
            nothing: Text = self.mark(Text(""), 1, "")
            nothing.plain = True
            return nothing
        return root

    def stop(self, where: Where, text: str) -> None:
        self.faults.add(where, text)
        raise _Stop

    def mark(self, node: Any, line: int, key: str) -> Any:
        node.where = Where(self.name, line, key)
        return node

    def node(self, event: Any, events: Iterator[Any], key: str, depth: int) -> Node:
        self.line = line = event.start_mark.line + 1
        sort = type(event).__name__
        where = Where(self.name, line, key)
        if depth > DEEPEST:
            self.stop(Where(self.name, line), f"the file is nested deeper than {DEEPEST} levels; a scenario needs 8")
        if sort == "AliasEvent":
            self.count("alias", where, f'an alias "*{safe(event.anchor)}" was found; write the value out')
            broken: Broken = self.mark(Broken(""), line, key)
            return broken
        if event.anchor is not None:
            self.count("anchor", where, f'an anchor "&{safe(event.anchor)}" was found; anchors are not read here')
        if event.tag is not None:
            tag = units.quoted(str(event.tag).replace("tag:yaml.org,2002:", "!!", 1))
            self.count("tag", where, f"a tag {tag} was found; plain values are wanted")
        if sort == "ScalarEvent":
            text: Text = self.mark(Text(event.value), line, key)
            text.plain = event.style is None and event.tag is None
            return text
        if sort == "SequenceStartEvent":
            return self.sequence(events, line, key, depth)
        return self.mapping(events, line, key, depth, bool(event.flow_style))

    def sequence(self, events: Iterator[Any], line: int, key: str, depth: int) -> Seq:
        found: Seq = self.mark(Seq(), line, key)
        for event in events:
            if type(event).__name__ == "SequenceEndEvent":
                break
            found.append(self.node(event, events, f"{key}[{len(found) + 1}]", depth + 1))
        return found

    def mapping(self, events: Iterator[Any], line: int, key: str, depth: int, flow: bool) -> Map:
        found: Map = self.mark(Map(), line, key)
        found.keys_at = {}
        for event in events:
            if type(event).__name__ == "MappingEndEvent":
                break
            name = self.node(event, events, key, depth + 1)
            path = f"{key}.{safe(name)}" if key and isinstance(name, str) else safe(str(name))
            value = self.node(next(events), events, path, depth + 1)
            self.enter(found, *(self.parted(found, name, value) if flow else (name, value)))
        return found

    def parted(self, found: Map, name: Node, value: Node) -> tuple[Node, Node]:
        """A key and its value; to YAML the key of {size:1 TB} is "size:1 TB", and of {size:, a: 1} it is "size:"."""
        plain = isinstance(name, Text) and name.plain and isinstance(value, Text) and value.plain and value.empty
        parts = UNCLEAR.fullmatch(name) if plain and isinstance(name, Text) else None
        if parts is None:
            return name, value
        line, key = name.where.line, self.mark(Text(parts["key"]), name.where.line, name.where.key)
        where = Where(self.name, line, found.where_of(key).key)
        if parts["value"]:
            missing = "a space is missing after the colon"
            if parts["sign"] != ":":
                missing = "a colon and a space are missing after the key"
            pair = units.quoted(f"{key}: {parts['value']}")
            self.faults.add(where, f"{missing}; {pair} is wanted")
        swallowed = self.mark(Text(parts["value"]), line, where.key)
        key.plain = swallowed.plain = True
        return key, swallowed

    def enter(self, found: Map, name: Node, value: Node) -> None:
        where = name.where
        if not isinstance(name, str):
            self.faults.add(where, f"{describe(name)} was found as a key; a word is wanted")
        elif isinstance(name, Broken):
            return
        elif name == "<<" and name.plain:
            self.count("merge", where, 'a merge key "<<" was found; write the values out')
            found.partial = True
        elif name.empty:
            self.faults.add(where, "a key is missing before the colon; a word is wanted")
        elif name in found:
            first = found.keys_at[name]
            here = Where(where.file, where.line, found.where_of(name).key)
            self.faults.add(here, f"the key stands twice in this mapping; it stands in line {first} too")
        else:
            if isinstance(value, Text) and value.empty:
                value.where = Where(where.file, where.line, value.where.key)  # ruamel gives the next token's line
            found[str(name)] = value
            found.keys_at[str(name)] = where.line
