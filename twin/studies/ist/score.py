"""The score of a test: each step's sequence and gates as measured, in Markdown, in HTML and as records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twin.report.findings import Findings
from twin.report.page import render
from twin.report.sections import Column, Section, TablePart
from twin.report.verdict import FAILED, GOOD, NO_CRITERIA, Judgement
from twin.report.words import clock, count, lasting, names, say
from twin.studies.ist.step import BEGIN, Conditions, Gate, Step

HEADS = ("what", "limit", "from the ratings", "measured", "margin", "where, when", "result", "witness")
UNTESTED = "not applicable"
"""What a gate is called that nothing tested: of sets that never ran, say."""
INITIALS = "______"
"""Where a witness signs one line, having seen it on site."""
WITNESS = "Witnessed by: ______________________   Date: ____________   Signature: ______________________"


@dataclass(frozen=True)
class Measured:
    """One awaited event or one gate, held against what came; tested: whether there was anything to hold it against."""

    what: str
    limit: str
    why: str
    measured: str
    margin: str
    where: str
    passed: bool | None
    tested: bool = True

    def row(self) -> list[str]:
        return [self.what, self.limit, self.why, self.measured, self.margin, self.where, self.result, INITIALS]

    @property
    def result(self) -> str:
        return {True: "held", False: "FAILED", None: ""}[self.passed] if self.tested else UNTESTED

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"result": self.result}


@dataclass(frozen=True)
class Scored:
    """One step as it came: its sequence and its gates."""

    step: Step
    sequence: list[Measured]
    gates: list[Measured]

    @property
    def passed(self) -> bool:
        return not self.failed

    @property
    def counted(self) -> list[Measured]:
        """What was tested."""
        return [each for each in self.sequence + self.gates if each.tested]

    @property
    def failed(self) -> list[Measured]:
        return [each for each in self.counted if not each.passed]


def scored(step: Step, findings: Findings) -> Scored:
    """A step's own words beside what its trace says of them."""
    verdict = findings.verdict
    sequence = [
        _measured(each.said(), f"within {lasting(each.within)}", each.why, judged)
        for each, judged in zip(step.awaited, verdict.sequence, strict=True)
    ]
    gates = [_gate(gate, judged, findings) for gate, judged in zip(step.gates, verdict.judgements, strict=True)]
    return Scored(step, sequence, gates)


def _gate(gate: Gate, judged: Judgement, findings: Findings) -> Measured:
    limit, why = gate.bound(judged.limit_said()), gate.said_why()
    untested = _idle(findings, gate) if judged.passed else ""
    if untested:
        return Measured(gate.name or gate.hold, limit, why, "-", "-", untested, None, tested=False)
    return _measured(gate.name or gate.hold, limit, why, judged, _read(findings, gate))


def _idle(findings: Findings, gate: Gate) -> str:
    """Why nothing could show whether a gate holds: it asks for what sets on load show, or batteries that carry."""
    if "(generator." in gate.hold or gate.hold.startswith("no generator."):
        running = [findings.story.values("generator", name) for name in ("ready", "closed")]
        return "no set ran" if all(each is not None and not (each > 0.5).any() for each in running) else ""
    if ".state_of_charge" in gate.hold:
        battery = findings.story.values("ups", "on_battery")
        return "no battery carried load" if battery is not None and not (battery > 0.5).any() else ""
    return ""


def _read(findings: Findings, gate: Gate) -> str:
    """The extreme of what a gate reads of the sets on load, in words; nothing where none ever was."""
    story = findings.story
    closed = story.values("generator", "closed")
    values = None if gate.reads is None else story.values("generator", gate.reads[0])
    if gate.reads is None or values is None or closed is None or not (closed > 0.5).any():
        return ""
    found = values[closed > 0.5]
    value = float(np.nanmax(found) if gate.reads[1] else np.nanmin(found))
    unit = story.trace.columns("generator")[gate.reads[0]].unit
    return say(value, unit, share=unit == "1")


def _measured(what: str, limit: str, why: str, judged: Judgement, read: str = "") -> Measured:
    at = "" if judged.time is None else clock(judged.time - BEGIN)
    where = ", ".join(filter(None, (judged.where or "", at, judged.note)))
    took = lasting(judged.value) if judged.unit == "s" and judged.value is not None else ""
    margin = lasting(judged.margin) if judged.unit == "s" and judged.margin is not None else judged.margin_said()
    return Measured(what, limit, why, read or took or judged.value_said(), margin, where, judged.passed)


@dataclass(frozen=True)
class Acceptance:
    """The script of a plant and, where it was run, its score."""

    plant: str
    conditions: Conditions
    steps: list[Step]
    scored: list[Scored]

    @property
    def passed(self) -> bool:
        """Whether every gate of every step that was run held."""
        return all(each.passed for each in self.scored)

    def sentence(self) -> str:
        """The score in one line."""
        if not self.scored:
            return f"{count(len(self.steps), 'step')}, not run."
        failed = [each for each in self.scored if not each.passed]
        gates = sum(len(each.counted) for each in self.scored)
        rest = sum(len(each.gates) + len(each.sequence) for each in self.scored) - gates
        aside = f" ({rest} more {UNTESTED})" if rest else ""
        if not failed:
            return f"All {count(len(self.scored), 'step')} passed, {gates} gates{aside}."
        broken = sum(len(each.failed) for each in failed)
        said = "; ".join(f"{each.step.number} {each.step.title}" for each in failed)
        return f"{len(failed)} of {count(len(self.scored), 'step')} failed, {broken} of {gates} gates{aside}: {said}."

    def held_at(self) -> str:
        at = self.conditions
        work = f", {100 * at.utilisation:.3g} % of full work" if at.has_work else ", all loads at rating"
        return f"{say(at.dry_bulb, 'K')} outdoors at {100 * at.humidity:.3g} % humidity{work}"

    def rows(self, step: Step) -> tuple[list[Measured], list[Measured]]:
        """The sequence and the gates of a step; measured where it was run."""
        for each in self.scored:
            if each.step.number == step.number:
                return each.sequence, each.gates
        sequence = [Measured(a.said(), f"within {lasting(a.within)}", a.why, "", "", "", None) for a in step.awaited]
        return sequence, [
            Measured(g.name or g.hold, g.unmeasured(), g.said_why(), "", "", "", None) for g in step.gates
        ]

    def to_json(self) -> dict[str, Any]:
        """Everything in pure JSON types."""
        steps = []
        for step in self.steps:
            sequence, gates = self.rows(step)
            scores = [each for each in self.scored if each.step.number == step.number]
            steps.append(
                {
                    "number": step.number,
                    "title": step.title,
                    "purpose": step.purpose,
                    "typical_of": step.typical_of,
                    "actions": [asdict(action) for action in step.actions],
                    "sequence": [each.to_json() for each in sequence],
                    "gates": [each.to_json() for each in gates],
                    "passed": scores[0].passed if scores else None,
                }
            )
        passed = self.passed if self.scored else None
        return {"plant": self.plant, "conditions": asdict(self.conditions), "passed": passed, "steps": steps}

    def markdown(self) -> str:
        """The script, with what was measured, as Markdown."""
        lines = [f"# Integrated systems test of {self.plant}", "", f"{self.held_at()}. {self.sentence()}", ""]
        for step in self.steps:
            sequence, gates = self.rows(step)
            lines += [f"## {step.number}. {step.title}{self._mark(step)}", "", step.purpose, ""]
            lines += [f"- {each}" for each in _before(step)] + [""]
            for title, rows in (("Expected sequence", sequence), ("Gates", gates)):
                if rows:
                    lines += [f"**{title}**", "", _line(HEADS), _line(["---"] * len(HEADS))]
                    lines += [_line(each.row()) for each in rows] + [""]
            lines += [WITNESS, ""]
        return "\n".join(lines)

    def _mark(self, step: Step) -> str:
        found = [each for each in self.scored if each.step.number == step.number]
        return "" if not found else " - held" if found[0].passed else " - FAILED"

    def html(self) -> str:
        """The same as one page that needs nothing else."""
        sections = [self._summary()]
        for step in self.steps:
            sequence, gates = self.rows(step)
            styles = {"measured": "n", "margin": "n", "limit": "n"}
            columns = [Column(head, styles.get(head, "")) for head in HEADS]
            tables = [
                TablePart(columns, [each.row() for each in rows], title)
                for title, rows in (("Expected sequence", sequence), ("Gates", gates))
                if rows
            ]
            notes = [step.purpose, *_before(step)]
            title = f"{step.number}. {step.title}{self._mark(step)}"
            sections.append(Section(f"step-{step.number}", title, notes, tables, witness=WITNESS))
        outcome = NO_CRITERIA if not self.scored else GOOD if self.passed else FAILED
        return render(
            f"Integrated systems test of {self.plant}",
            self.held_at(),
            outcome,
            self.sentence(),
            "From the plant's own ratings. Steps begin in the steady state; times count from what is done first.",
            sections,
        )

    def summary(self) -> list[list[str]]:
        """Each step: number, title, result, and what did not hold."""
        rows = []
        for step in self.steps:
            found = [each for each in self.scored if each.step.number == step.number]
            failed = "; ".join(f"{each.what}: {each.measured}" for each in found[0].failed) if found else ""
            result = "" if not found else "held" if found[0].passed else "FAILED"
            rows.append([str(step.number), step.title, result, failed])
        return rows

    def _summary(self) -> Section:
        columns = [Column("", "n"), Column("step"), Column("result"), Column("what did not hold")]
        return Section("summary", "Steps", tables=[TablePart(columns, self.summary())])


def _before(step: Step) -> list[str]:
    """What is done and when, and whom the step speaks for."""
    said = [f"At {lasting(action.after)}: {action.said()}." for action in sorted(step.actions, key=lambda a: a.after)]
    if len(step.typical_of) > 1:
        said.append(f"Typical of {names(step.typical_of)}: to be repeated for each.")
    said.append(f"Watched for {lasting(step.length)}.")
    return said


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |"
