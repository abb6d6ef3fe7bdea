"""The scenario room: documents in, a Scenario or a list of faults out."""

from twin.scenario.case import ControllerSpec, RunSettings, Scenario, Zoom
from twin.scenario.changes import Change
from twin.scenario.criteria import Criterion
from twin.scenario.faults import BadInput
from twin.scenario.reader import check, read, read_plant

__all__ = [
    "BadInput",
    "Change",
    "ControllerSpec",
    "Criterion",
    "RunSettings",
    "Scenario",
    "Zoom",
    "check",
    "read",
    "read_plant",
]
