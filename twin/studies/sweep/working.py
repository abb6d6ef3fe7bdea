"""Workers: chunks of cases run in processes of their own; one that dies costs its chunk a second try, no more."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from twin.studies.sweep.base import Base
from twin.studies.sweep.cases import Case
from twin.studies.sweep.outcome import Outcome, poisoned
from twin.studies.sweep.world import World

Chunk = list[tuple[int, Case]]
"""Cases that run together, each with its place in the sweep."""
Done = Callable[[Chunk, list[Outcome]], None]
Told = Callable[[float], None]
"""Told the member-seconds done in all."""
LOOK = 0.25
"""Seconds between two looks at how far the workers are."""
DIED = "the process that ran it died, by a signal or for want of memory"

_world: Any = None
_count: Any = None


def run_chunks(base: Base, chunks: list[Chunk], jobs: int, device: str, done: Done, told: Told) -> None:
    """Run chunks and hand over what comes of each, in whatever order they end.

    Args:
        base: what all cases share.
        chunks: cases that run together.
        jobs: processes; one runs everything here.
        device: cpu, gpu or auto.
        done: takes a chunk and its outcomes.
        told: told now and then how far it is.
    """
    if jobs <= 1 or len(chunks) <= 1:
        _run_here(base, chunks, device, done, told)
        return
    _Pool(base, min(jobs, len(chunks)), device, done, told).run(chunks)


def _run_here(base: Base, chunks: list[Chunk], device: str, done: Done, told: Told) -> None:
    """Run all chunks in this process; what the listener raises is no fault of a case, and is raised between two."""
    world, total = World(base, device), 0.0
    raised: list[Exception] = []

    def more(seconds: float) -> None:
        nonlocal total
        total += seconds
        try:
            told(total)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is raised again)
            raised.append(error)

    for chunk in chunks:
        done(chunk, world.run([case for _, case in chunk], more))
        if raised:
            raise raised[0]


class _Pool:
    """Processes that are made again when one of them dies; what it had in hand is then tried alone."""

    def __init__(self, base: Base, jobs: int, device: str, done: Done, told: Told) -> None:
        self.base, self.jobs, self.device, self.done, self.told = base, jobs, device, done, told
        self.context = multiprocessing.get_context("spawn")
        self.count = self.context.Value("d", 0.0)

    def run(self, chunks: list[Chunk]) -> None:
        waiting, suspects = list(chunks), list[Chunk]()
        while waiting or suspects:
            if suspects:
                suspects += self._alone(suspects.pop())
            else:
                suspects += self._side_by_side(waiting)

    @contextmanager
    def _opened(self, jobs: int) -> Iterator[ProcessPoolExecutor]:
        pool = ProcessPoolExecutor(
            jobs, mp_context=self.context, initializer=_begin, initargs=(self.base, self.device, self.count)
        )
        try:
            yield pool
        except BaseException:  # interrupted: nobody waits for what is in hand
            for process in list((pool._processes or {}).values()):
                process.kill()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _side_by_side(self, waiting: list[Chunk]) -> list[Chunk]:
        """Run all chunks that wait; those that were in hand when a process died come back."""
        with self._opened(self.jobs) as pool:
            in_hand: dict[Future[list[Outcome]], Chunk] = {}
            try:
                while waiting or in_hand:
                    while waiting and len(in_hand) < self.jobs:
                        chunk = waiting.pop(0)
                        in_hand[pool.submit(_run, [case for _, case in chunk])] = chunk
                    for future in wait(in_hand, LOOK, FIRST_COMPLETED).done:
                        found = future.result()
                        self.done(in_hand.pop(future), found)
                    self.told(self.count.value)
            except BrokenProcessPool:
                return list(in_hand.values())
        return []

    def _alone(self, chunk: Chunk) -> list[Chunk]:
        """Run one chunk by itself; its halves come back where its process died, and a single case is given up."""
        found = self._outlived(chunk)
        if found is None and len(chunk) > 1:
            half = len(chunk) // 2
            return [chunk[half:], chunk[:half]]
        self.done(chunk, [poisoned(self.base, chunk[0][1], DIED)] if found is None else found)
        return []

    def _outlived(self, chunk: Chunk) -> list[Outcome] | None:
        """What comes of a chunk in a process of its own; None where that dies of it."""
        try:
            with self._opened(1) as pool:
                return pool.submit(_run, [case for _, case in chunk]).result()
        except BrokenProcessPool:
            return None


def _begin(base: Base, device: str, count: Any) -> None:
    """Make this process ready; it ends when the one that began it does."""
    global _world, _count
    threading.Thread(target=_follow, daemon=True).start()
    _world, _count = World(base, device), count


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _run(cases: list[Case]) -> list[Outcome]:
    def more(seconds: float) -> None:
        with _count.get_lock():
            _count.value += seconds

    found: list[Outcome] = _world.run(cases, more)
    return found
