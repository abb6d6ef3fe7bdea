"""Network as lines of words, the same for the terminal and for the page: what services and jobs sent."""

from __future__ import annotations

from typing import Any

from twin.equipment.service import LONGEST
from twin.report.sections import Section, TablePart, columns_of
from twin.report.words import lasting, say

SERVICES = ("service", "KV caches sent, mean", "at most", "one prompt's takes at most", "held up for")
JOBS = ("job", "waits for the network", "at most", "slowest pace")
EXPERTS = ("service", "answers wait for experts", "at most", "prompts at most", "slower for")
NOTE = (
    "A KV cache goes from the racks that read its prompt to those that answer. A job waits for what computing does not "
    "hide, a share of an iteration; a model whose experts stand on several GPUs likewise, a share of a token's time."
)
Lines = list[list[str]]


def service_lines(found: dict[str, Any] | None) -> Lines:
    """By service: bandwidth that its KV caches took, how long one took, how long the network held it up."""
    return [
        [
            name,
            *(say(each[key], "bit/s") for key in ("mean_rate", "highest_rate")),
            "cut off" if each["longest_handover"] >= LONGEST else say(each["longest_handover"], "s"),
            lasting(each["held_up_time"]),
        ]
        for name, each in (found or {"services": {}})["services"].items()
    ]


def job_lines(found: dict[str, Any] | None) -> Lines:
    """By job: share of an iteration that waits for the network while it works, and its slowest pace."""
    return [
        [name, *(say(each[key], "1", share=True) for key in ("mean_share", "highest_share", "lowest_pace"))]
        for name, each in (found or {"jobs": {}})["jobs"].items()
    ]


def expert_lines(found: dict[str, Any] | None) -> Lines:
    """By service: share of a token's time that waits for the network between experts, and how long it went slower."""
    return [
        [
            name,
            *(say(each[key], "1", share=True) for key in ("mean_share", "highest_share", "highest_prompt_share")),
            lasting(each["slow_time"]),
        ]
        for name, each in (found or {}).get("experts", {}).items()
    ]


def network_section(found: dict[str, Any] | None) -> Section:
    """The part of a page."""
    tables = [
        TablePart(columns_of(*SERVICES, n=range(1, 5)), service_lines(found)),
        TablePart(columns_of(*JOBS, n=range(1, 4)), job_lines(found)),
        TablePart(columns_of(*EXPERTS, n=range(1, 5)), expert_lines(found)),
    ]
    shown = [part for part in tables if part.rows]
    return Section("network", "Between racks", [NOTE] if shown else [], shown)
