"""The option `--json`, the same for all commands: alone it prints one document, with OUT.json it writes it there."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from twin.cli.words import emit, plain, say

STDOUT = "-"
"""What `--json` says where it names no file."""
SUFFIX = ".json"
TAKES_ANY = ("audit", "year")
"""Commands that always took the word behind `--json` for a file, whatever it ends in."""

Json = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="[OUT.json]", show_default=False,
        help="Print one JSON document in place of the tables; with OUT.json write it there, beside them.",
    ),
]  # fmt: skip


class Verb(TyperCommand):
    """A command whose `--json` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spelled(args, self.name in TAKES_ANY))


def spelled(args: list[str], any_file: bool = False) -> list[str]:
    """Arguments with what `--json` means said: the file behind it, else stdout.

    Only what ends in .json is taken for its file, so that `twin run --json drill.yaml` runs the drill.
    """
    end = args.index("--") if "--" in args else len(args)
    made: list[str] = []
    for place, word in enumerate(args):
        made.append(word)
        if word == "--json" and place < end:
            after = args[place + 1] if place + 1 < end else ""
            named = after.lower().endswith(SUFFIX) or after == STDOUT
            if not (named or (any_file and after and not after.startswith("-"))):
                made.append(STDOUT)
    return made


def alone(asked: str | None) -> bool:
    """Whether one JSON document is all that goes to stdout; a folder that is not there is told at once.

    Raises:
        OSError: the file cannot be written.
    """
    if asked is None or asked == STDOUT:
        return asked == STDOUT
    path = Path(asked)
    for wrong, code in ((path.is_dir(), errno.EISDIR), (not path.absolute().parent.is_dir(), errno.ENOENT)):
        if wrong:
            raise OSError(code, os.strerror(code), asked)
    return False


def put(asked: str, document: Any) -> None:
    """Print or write one JSON document; numbers that are not finite become null."""
    text = json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)
    if asked == STDOUT:
        emit(text)
        return
    Path(asked).write_text(text + "\n", encoding="utf-8")
    say(f"json: {asked}")
