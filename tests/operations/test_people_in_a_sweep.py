"""People in a sweep: each case has its own, who take the times that they would take if it were run alone."""

from __future__ import annotations

import pytest

from twin.scenario.sweeping import Sweeping
from twin.simulation import Simulation
from twin.studies.sweep.base import air, base, scenario_of
from twin.studies.sweep.cases import enumerated
from twin.studies.sweep.fold import folded
from twin.studies.sweep.world import World, fingerprints

CREW = """\
crews:
  mechanics: {people: 1, travel: {uniform: [10 s, 60 s]}}
repairs:
  boards: {of: pdu, crew: mechanics, notice: 5 s, time: {lognormal: [30 s, 1.5]}}
"""


@pytest.mark.parametrize("draws", [1, 2])
def test_a_case_among_others_equals_itself_alone_bit_for_bit(readied, draws):
    scenario = readied(CREW, members=draws)
    found = base(scenario, Sweeping(at=(20.0,), after=300.0, kinds=("pdu",), modes=("in_service",), draws=draws))
    cases = enumerated(found.plant, found.wish, air(found))
    rows = World(found).run(cases)
    for case, row in zip(cases, rows, strict=True):
        alone = Simulation(scenario_of(found, [case]), device="cpu")
        alone.run()
        assert fingerprints(alone.state, 1) == [row.fingerprint], case.name
        mended = alone.inputs["pdu"].in_service
        assert (mended == 1.0).all(), "the crew has been there"
    assert len(cases) == (6 + 1) * draws


def test_cases_are_not_folded_where_people_act_or_states_differ(readied):
    wish = Sweeping(at=(20.0,), after=30.0, kinds=("pdu",), modes=("in_service",))
    sizes = {}
    for name, text in (("none", ""), ("people", CREW), ("start", "start: {pdu-2.heating: 50 %}\n")):
        found = base(readied(text), wish)
        sizes[name] = sorted(len(each) for each in folded(found, enumerated(found.plant, found.wish, air(found))))
    assert sizes["none"] == [1, 6]
    assert sizes["people"] == [1] * 7
    assert sizes["start"] == [1, 1, 5]
