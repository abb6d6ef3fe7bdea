"""The progress bar of a run: on stderr, with the time left and how much faster than life it goes."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from twin.cli.words import say

SECONDS = "s to simulate"


class Bar:
    """Shows a run's progress on a terminal; elsewhere one line at the start, and silence when told so.

    Call it with the seconds simulated so far and the seconds to simulate in all, or with what else `of` names.
    """

    def __init__(self, title: str, *, silent: bool = False, of: str = SECONDS) -> None:
        self.title, self.of = title, of
        self.silent = silent
        self.begun: float | None = None
        self._rich: Any = None
        self._task: Any = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._rich is not None:
            self._rich.stop()

    def __call__(self, simulated: float, duration: float) -> None:
        if self.silent:
            return
        if self.begun is None:
            self._begin(duration)
        if self._rich is not None and self.begun is not None:
            passed = max(time.perf_counter() - self.begun, 1e-9)
            self._rich.update(self._task, completed=simulated, ratio=self._pace(simulated / passed))

    def _pace(self, rate: float) -> str:
        return f"{rate:,.0f} x real time" if self.of == SECONDS else ""

    def _begin(self, duration: float) -> None:
        self.begun = time.perf_counter()
        if not sys.stderr.isatty():
            say(f"{self.title}: {duration:g} {self.of}")
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._rich = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("left", style="dim"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[ratio]}", style="dim"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._rich.add_task(self.title, total=duration, ratio="")
        self._rich.start()
