"""What makes the signals of a plant sound: they run between units that speak and units that listen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Fault, near


def dangling_signals(plant: Any) -> Iterator[Fault]:
    """Every signal runs from an Output measured in seconds, or as its ear wants it, to an input that listens."""
    for line in plant.signals:
        for name in (line.source, line.target):
            if name not in plant.units:
                yield Fault(line.where, f"a signal names {name}, which is not a unit{near(name, plant.units)}")
        if line.source in plant.units:
            ears = getattr(KINDS[plant.units[line.target].kind], "adds", {}) if line.target in plant.units else {}
            said_in = ears.get(line.input, "s")
            outputs = quantities(KINDS[plant.units[line.source].kind].Outputs)
            ages = [n for n, q in outputs.items() if q.unit == said_in]
            if line.output not in ages:
                offer = f"it offers {', '.join(ages)}" if ages else "it offers none"
                yield Fault(line.where, f"the signal {line.source}.{line.output} does not exist; {offer}")
            if line.delay and line.input in ears:
                said = f"the signal {line.source}.{line.output} has a delay of {line.delay:g} s"
                ear = f"{line.target}.{line.input} takes amounts as they are"
                yield Fault(line.where, f"{said}, but {ear}; no delay is wanted")
        if line.target in plant.units:
            heard = KINDS[plant.units[line.target].kind].signals
            if line.input not in heard:
                said = f"it listens to {', '.join(heard)}" if heard else "it listens to none"
                yield Fault(line.where, f"the signal input {line.target}.{line.input} does not exist; {said}")
