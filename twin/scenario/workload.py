"""The section `workload`: what the racks are asked to do at the start."""

from __future__ import annotations

from twin.equipment import KINDS
from twin.scenario.changes import Change, inputs_of
from twin.scenario.document import Node
from twin.scenario.faults import Faults
from twin.scenario.forms import Workload, fill
from twin.scenario.names import Directory

WORKERS = tuple(kind for kind in KINDS if "utilisation" in inputs_of(kind))
"""Kinds whose work can be asked for."""


def lower(node: Node, directory: Directory, faults: Faults) -> list[Change]:
    """Initial Changes of all racks."""
    form = fill(Workload, node, faults)
    if form is None or not isinstance(form.utilisation, float):
        return []
    racks = [name for kind in WORKERS for name in directory.of_kind.get(kind, ())]
    return [Change(0.0, name, "utilisation", form.utilisation, verb="workload") for name in racks]
