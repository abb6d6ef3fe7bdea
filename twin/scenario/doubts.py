"""Doubts about alarms and people: sensors that nobody reads, alarms that cannot be raised, crews that cannot come."""

from __future__ import annotations

from collections.abc import Iterator

from twin import units
from twin.faults import Fault, Where
from twin.scenario.case import Scenario
from twin.scenario.changes import Change
from twin.scenario.conditions import Condition
from twin.scenario.document import Map
from twin.scenario.sensors import BIAS, FAILED, FROZEN, is_reading


def doubts(scenario: Scenario, root: Map) -> Iterator[Fault]:
    """A doubt for each thing that can hardly be meant; `root` is the document, for the lines of alarms."""
    yield from _unseen(scenario, root)
    yield from _hidden(scenario)
    yield from _never(scenario, root)
    yield from _absent(scenario, root)


def _unseen(scenario: Scenario, root: Map) -> Iterator[Fault]:
    """Faults of sensors that nobody reads."""
    said = scenario.operations
    looked = [alarm.watch for alarm in said.alarms.values()]
    steps = [step for procedure in said.procedures.values() for step in procedure.steps]
    looked += [step.condition for step in steps if step.condition is not None]
    told = set()
    for change in _readings(scenario.changes):
        quantity = change.input.rpartition(".")[0]
        if (change.unit, quantity) in told or _read(change, looked):
            continue
        told.add((change.unit, quantity))
        text = f"no alarm and no step looks at {change.unit}.{quantity}; what its sensor shows changes nothing"
        yield Fault(change.where or root.where_of("draws" if change.verb == "draw" else "failures"), text, warning=True)


def _readings(changes: list[Change]) -> Iterator[Change]:
    return (change for change in changes if is_reading(change.input))


def _read(change: Change, looked: list[Condition]) -> bool:
    return any(each.reads(change.unit, change.input) for each in looked)


def _hidden(scenario: Scenario) -> Iterator[Fault]:
    """A bias of a sensor that is stuck or gives no signal all the same, and what is restored that never failed."""
    rows = [row for each in scenario.operations.procedures.values() for step in each.steps for row in step.rows]
    fails = {(unit, name) for unit, name, value in rows if value}
    stands: dict[tuple[str, str, int | None], float] = {}
    for change in sorted(_readings(scenario.changes), key=lambda each: each.time):
        quantity, _, wrong = change.input.rpartition(".")
        if change.value:
            fails.add((change.unit, change.input))
        at = change.where or Where(scenario.path, 1)
        if wrong == BIAS and change.value:
            for other, words in ((FROZEN, "stays at its last reading"), (FAILED, "gives no signal")):
                if stands.get((change.unit, f"{quantity}.{other}", change.member)):
                    text = f"the sensor of {change.unit}.{quantity} {words} by then; a bias of it does not show"
                    yield Fault(at, text, warning=True)
        elif wrong != BIAS and change.verb == "restore" and (change.unit, change.input) not in fails:
            text = f"{change.unit}.{change.input} is restored, and nothing in this scenario fails it before"
            yield Fault(at, text, warning=True)
        stands[change.unit, change.input, change.member] = change.value


def _never(scenario: Scenario, root: Map) -> Iterator[Fault]:
    """Alarms whose first poll after their delay lies behind the end of the run."""
    alarms = root.get("alarms")
    end = scenario.run.duration
    for alarm in scenario.operations.alarms.values():
        first = max(alarm.delay, alarm.polling)
        if first >= end and isinstance(alarms, Map):
            said = f"a delay of {units.show(alarm.delay, 's')} and a poll every {units.show(alarm.polling, 's')}"
            text = f"with {said} it cannot be raised before the end of the run ({units.show(end, 's')})"
            yield Fault(alarms.where_of(alarm.name), text, warning=True)


def _absent(scenario: Scenario, root: Map) -> Iterator[Fault]:
    """Crews that are never on duty in the run, and procedures that begin as it ends."""
    end, said = scenario.run.duration, scenario.operations
    crews, procedures = root.get("crews"), root.get("procedures")
    for crew in said.crews.values():
        if crew.off_duty(0.0) >= end and isinstance(crews, Map):
            text = f"they come on duty {units.show(crew.off_duty(0.0), 's')} after the start, when the run is over"
            yield Fault(crews.where_of(crew.name), text, warning=True)
    for each in said.procedures.values():
        if each.at is not None and each.at >= end and isinstance(procedures, Map):
            text = f"it begins as the run ends ({units.show(end, 's')}); nobody does anything"
            yield Fault(procedures.where_of(each.name), text, warning=True)
