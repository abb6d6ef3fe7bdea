"""Recorded requests: a CSV file of arrivals with their tokens, in the format of the Azure LLM inference traces."""

from __future__ import annotations

import contextlib
import csv
import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from twin import units
from twin.faults import Where
from twin.scenario.faults import Faults

LARGEST = 200_000_000
COLUMNS = {"timestamp": "arrival", "contexttokens": "prompt", "generatedtokens": "answer"}
WANTED = 'the header "TIMESTAMP,ContextTokens,GeneratedTokens" is wanted'
LONGEST = 3.2e8
GAP, RATHER = 60.0, 100.0
"""A silence of at least so many seconds, and of so many times the mean distance of requests, is told as a gap."""


@dataclass(frozen=True)
class Requests:
    """Requests in the order of their arrival: seconds since the first, tokens of prompt and answer, arrays (n,)."""

    arrival: np.ndarray
    prompt: np.ndarray
    answer: np.ndarray

    def until(self, end: float) -> Requests:
        """Those that come before a moment [s], the first at least."""
        count = max(int(np.searchsorted(self.arrival, end)), 1)
        return Requests(self.arrival[:count], self.prompt[:count], self.answer[:count])

    def binned(self, width: float) -> np.ndarray:
        """Requests, tokens of prompts and of answers in each interval of `width` [s], (interval, 3)."""
        place = np.floor(self.arrival / width).astype(np.int64)
        count = int(place[-1]) + 1
        ones = np.ones(len(place))
        return np.stack([np.bincount(place, said, count) for said in (ones, self.prompt, self.answer)], axis=1)


def read_requests(raw: bytes, name: str, faults: Faults) -> Requests | None:
    """Read a trace of requests; None after a fault.

    Args:
        raw: the bytes of a CSV file with the columns TIMESTAMP (ISO 8601, or seconds), ContextTokens and
            GeneratedTokens, in any order; further columns and lines that begin with # are left out.
        name: what messages call the file.
        faults: takes what is wrong, with the line: a header or number that is missing, times that go backwards, and
            as a warning lines left empty between requests and long times without any.

    Source: Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.
    """
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not rows:
        faults.add(Where(name, 1), f"the file is empty; {WANTED}, and a line for each request")
        return None
    header = [word.strip().lower() for word in rows[0][1].split(",")]
    missing = [key for key in COLUMNS if key not in header]
    if missing:
        faults.add(Where(name, rows[0][0]), f"{units.quoted(rows[0][1])} was found; {WANTED}")
        return None
    if len(rows) == 1:
        faults.add(Where(name, rows[0][0]), "there is no request after the header; a line for each is wanted")
        return None
    places = [header.index(key) for key in COLUMNS]
    before = len(faults.errors)
    _mixed(rows[1:], places[0], name, faults)
    found: list[tuple[float, float, float]] = []
    for number, line in rows[1:]:
        read = _row(_cells(line), places, Where(name, number), faults)
        if read is not None and found and read[0] < found[-1][0]:
            text = f"this request comes {units.show(found[-1][0] - read[0], 's')} before the one above"
            faults.add(Where(name, number), f"{text}; times in order are wanted")
        found += [read] if read is not None else []
    if len(faults.errors) > before:
        return None
    table = np.array(found)
    table[:, 0] -= table[0, 0]
    if table[-1, 0] > LONGEST:
        text = (
            f"the trace is {units.show(float(table[-1, 0]), 's')} long; times in seconds, ten years at most, are wanted"
        )
        faults.add(Where(name, rows[-1][0]), text)
        return None
    _blank(lines, rows[0][0], rows[-1][0], name, faults)
    _gaps(table[:, 0], [number for number, _ in rows[1:]], name, faults)
    _silent(table, [number for number, _ in rows[1:]], name, faults)
    return Requests(*table.T)


def _cells(line: str) -> list[str]:
    """The values of a line; none where its quotation marks are not closed."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def _row(cells: list[str], places: list[int], where: Where, faults: Faults) -> tuple[float, float, float] | None:
    if len(cells) <= max(places):
        faults.add(where, f"{len(cells)} values were found; {max(places) + 1} are wanted, as in the header")
        return None
    moment = _moment(cells[places[0]].strip())
    if moment is None:
        text = f'{units.quoted(cells[places[0]])} is no time; one like "2023-11-16 18:15:46.68", or seconds, is wanted'
        faults.add(where, text)
        return None
    tokens = []
    for place, word in zip(places[1:], ("prompt", "answer"), strict=True):
        text = cells[place].strip()
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            faults.add(
                where,
                f"{units.quoted(text)} tokens of the {word} were found; a whole number from 0 to 999999999 is wanted",
            )
            return None
        tokens.append(float(text))
    return moment, tokens[0], tokens[1]


def _moment(text: str) -> float | None:
    """Seconds of a time stamp; None where it is none."""
    with contextlib.suppress(ValueError):  # no number: a date, then
        value = float(text)
        return value if math.isfinite(value) and value >= 0 else None
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def _mixed(rows: list[tuple[int, str]], place: int, name: str, faults: Faults) -> None:
    """Tell where time stamps with a time zone stand among some without."""
    zones: list[bool] = []
    for number, line in rows:
        cells = _cells(line)
        with contextlib.suppress(ValueError, IndexError):
            zones.append(datetime.fromisoformat(cells[place].strip()).tzinfo is not None)
            if zones[-1] != zones[0]:
                found = "a time zone" if zones[-1] else "no time zone"
                text = f"this time has {found}, unlike that of the first request; all with one or all without is wanted"
                faults.add(Where(name, number), text)
                return


def _silent(table: np.ndarray, numbers: list[int], name: str, faults: Faults) -> None:
    """Tell of requests without any token: they are counted and cost nothing."""
    empty = np.flatnonzero((table[:, 1] <= 0) & (table[:, 2] <= 0))
    if empty.size:
        count = "1 request asks" if empty.size == 1 else f"{empty.size} requests ask"
        text = f"{count} for no token at all, this one first; they make the mean lengths shorter"
        faults.add(Where(name, numbers[int(empty[0])]), text, warning=True)


def _blank(lines: list[str], first: int, last: int, name: str, faults: Faults) -> None:
    """Tell of empty lines between the header and the last request: something may have been cut out."""
    empty = [number for number in range(first, last) if not lines[number - 1].strip()]
    if empty:
        more = "" if len(empty) == 1 else f", and so are {len(empty) - 1} more below"
        text = f"this line is empty{more}; is a request missing?"
        faults.add(Where(name, empty[0]), text, warning=True)


def _gaps(arrival: np.ndarray, numbers: list[int], name: str, faults: Faults) -> None:
    """Tell where long times pass without a request."""
    silence = np.diff(arrival)
    long = max(GAP, RATHER * float(arrival[-1]) / max(len(arrival) - 1, 1))
    for place in np.flatnonzero(silence >= long)[:3]:
        text = f"no request comes for {units.show(float(silence[place]), 's')} before this one; is a part missing?"
        faults.add(Where(name, numbers[place + 1]), text, warning=True)
