"""How the commands speak: data to stdout, messages to stderr, errors as sentences with an exit code."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

GOOD, FAILED, USAGE, BAD_INPUT, MISSING, BROKEN, CANNOT_WRITE, INTERRUPTED = 0, 1, 2, 65, 69, 70, 74, 130

CODES = {
    "UsageFault": USAGE,
    "BadWish": USAGE,
    "NotRecorded": USAGE,
    "BadInput": BAD_INPUT,
    "BadTrace": BAD_INPUT,
    "BadValue": BAD_INPUT,
    "DeviceUnavailable": MISSING,
    "ViewUnavailable": MISSING,
    "BrokenBalance": BROKEN,
    "ClosedLoop": BAD_INPUT,
    "TraceWriteError": CANNOT_WRITE,
}
"""The project's own errors -> exit codes; they carry sentences that people can act on."""

EXIT_CODES = """\
Exit codes: 0 good; 1 the drill's criteria failed; 2 usage; 65 bad input; 69 a wanted optional part is
missing (GPU, GL); 70 an invariant broke; 74 cannot write; 130 interrupted."""


PAPER = 140
"""Columns of a table that goes to a file or a pipe."""


class UsageFault(Exception):
    """The command line asks for something that cannot be; the message says what is wanted."""


class Tone:
    """How much this run of the command says."""

    debug = False


def emit(text: str) -> None:
    """Write data to stdout; a reader that left early (`| head`) ends the writing, not the command."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        hush()


def emit_json(value: Any) -> None:
    """Write one JSON document to stdout; numbers that are not finite become null."""
    emit(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """A value in pure JSON types; numbers that are not finite become null."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    """A table as text, as wide as the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return drawn(lambda width: made)


def drawn(make: Callable[[int], Any]) -> str:
    """What rich makes of something, in colour only on a terminal; elsewhere wide enough for whole words."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else PAPER, highlight=False)
    with console.capture() as captured:
        console.print(make(console.width))
    return "\n".join(line.rstrip() for line in captured.get().rstrip().split("\n")) + "\n"


def hush() -> None:
    """Send what is still to be written to nowhere, so that the interpreter ends without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Write a message to stderr."""
    with contextlib.suppress(OSError):  # nobody listens; the exit code still speaks
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def guarded(body: Callable[..., int | None]) -> Callable[..., None]:
    """Make a verb answer with an exit code, and tell errors as sentences."""

    @functools.wraps(body)
    def verb(*args: Any, **kwargs: Any) -> None:
        try:
            code = body(*args, **kwargs) or GOOD
        except KeyboardInterrupt:
            say("twin: interrupted")
            code = INTERRUPTED
        except Exception as error:
            if Tone.debug:
                raise
            code = told(error)
        leave(code)

    return verb


@contextlib.contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C: for work that has processes of its own, which are to end with it and leave nothing."""

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def told(error: Exception) -> int:
    """Say an error on stderr; return its exit code."""
    own = [kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("twin.")]
    for name in own:
        if name in CODES:
            say(str(error) if name in ("BadInput", "ClosedLoop") else f"twin: {error}")
            return CODES[name]
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        say(f"twin: {what}cannot write: {error.strerror or error}")
        return CANNOT_WRITE
    say(
        f"twin: a fault of the twin itself, not of your files: {type(error).__name__}: {error}; "
        "run it again with --debug and report what that shows"
    )
    return BROKEN


def leave(code: int) -> NoReturn:
    """End the command, past h5py's clean-up where a disk is full: it would crash there."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        hush()
    except OSError as error:
        code = told(error)
        hush()
    if code == CANNOT_WRITE:
        os._exit(code)
    sys.exit(code)
