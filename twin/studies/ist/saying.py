"""Saying: conditions that a step awaits, as people say them."""

from __future__ import annotations

import dataclasses
import re

from twin.declare import quantities
from twin.equipment import KINDS
from twin.plant import Plant
from twin.report.words import kinds, plural, words
from twin.scenario.names import expand
from twin.studies.ist.step import Await, Step

FLAG = re.compile(r"(?P<no>not )?(?P<target>\S+)\.(?P<name>\w+)")
LEVEL = re.compile(r"(?P<target>\S+)\.(?P<name>\w+) (?P<rest>[<>].*)")


def in_words(plant: Plant, step: Step) -> Step:
    """A step whose awaited conditions are told in words."""
    told = [dataclasses.replace(each, told=said(plant, each)) for each in step.awaited]
    return dataclasses.replace(step, awaited=told)


def said(plant: Plant, awaited: Await) -> str:
    """A condition in the words of its flag: "ups-1 goes to battery", "6 generators are up to speed"."""
    level = LEVEL.fullmatch(awaited.what)
    if level is not None:
        return f"{level['target']} has a {words(level['name'])} {level['rest']}"
    found = FLAG.fullmatch(awaited.what)
    if found is None:
        return ""
    target, number = found["target"], awaited.units
    kind = target if target in KINDS else plant.units[expand(target)[0]].kind
    flag = quantities(KINDS[kind].State)[found["name"]].flag
    if flag is None:
        return ""
    phrase = (flag.falls or f"no longer {flag.rises}") if found["no"] else flag.rises
    if number == 1:
        return f"{target} {phrase}" if target in plant.units else f"a first {kinds(kind, 1)} {phrase}"
    named = "" if target == kind else f": {target}"
    return f"{number} {kinds(kind, number)} {plural(phrase)}{named}"
