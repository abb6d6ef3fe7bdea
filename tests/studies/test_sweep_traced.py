"""The worst cases run again: each trace says what the row of its case says, bit for bit, and tells what was done."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from tests.small_plants import chain
from twin.report.findings import Findings
from twin.report.told import read_told
from twin.scenario import BadInput, read
from twin.scenario.sweeping import Sweeping
from twin.simulation import Simulation
from twin.studies.sweep import sweep
from twin.studies.sweep.base import base
from twin.studies.sweep.cases import Case, Failure, Start
from twin.studies.sweep.shown import whole
from twin.studies.sweep.traced import OTHERWISE, drill_of, file_name, folder_of, run_again
from twin.studies.sweep.world import World, fingerprints
from twin.trace import open_trace

WISH = Sweeping(kinds=("bus",), modes=("in_service",), at=(2.0,), after=95.0, keep=2)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return sweep("pod", WISH, output=tmp_path_factory.mktemp("traced") / "pod-sweep.h5")


def test_the_worst_have_traces_beside_the_table_named_by_case(found):
    worst = found.ranked()[:2]
    assert [each.case for each in found.traced] == [each.case for each in worst]
    assert all(each.fault == "" for each in found.traced), "each ended in the state of its row"
    folder = folder_of(found.path)
    assert folder == found.path.with_name("pod-sweep-worst")
    assert {each.trace for each in found.traced} == {str(path) for path in folder.iterdir()}
    assert folder / f"{worst[0].case}.h5" in folder.iterdir()
    assert not found.path.with_name("pod-sweep.h5.part").exists()


LATER = re.compile(r" \(after [^)]*\)$")


def chain_to(entries, entry):
    """What the timeline of a run alone puts an entry down to, from the first cause on."""
    said = [f"{entry.unit} {entry.what}"]
    while entry.cause is not None:
        entry = entries[entry.cause]
        said.insert(0, f"{entry.unit} {entry.what}")
    return said


def test_a_trace_says_what_its_row_says_bit_for_bit(found):
    rows = {row.case: row for row in found.outcomes}
    for each in found.traced:
        row, trace = rows[each.case], open_trace(each.trace)
        told = Findings(trace)
        lost, first = told.measure["lost"], told.measure["first"]
        assert (row.racks_lost, row.racks_lost_end) == (lost["units_peak"], lost["units_end"])
        assert (row.power_lost, row.power_lost_end) == (lost["power_lost_peak"], lost["power_lost_end"])
        work = trace["site.work_energy"].values[:, 0, 0]
        assert row.work_energy == float(work[-1] - work[0])
        assert row.energy_residual >= float(trace["site.energy_residual"].values.max())
        for name, key in (("to_throttle", "first_throttle"), ("to_unpowered", "first_unpowered")):
            moment = first[key]["seconds"] if first[key] else math.nan
            assert getattr(row, name) == moment or (math.isnan(getattr(row, name)) and math.isnan(moment)), name
        judged = told.verdict.judgements
        assert [int(one.passed) for one in judged] == list(row.passed)
        assert repr([math.nan if one.margin is None else float(one.margin) for one in judged]) == repr([*row.margins])
        told_first = [entry for entry in told.entries if (entry.unit, entry.what) == (row.first_unit, row.first)]
        assert bool(told_first) == bool(row.first)
        harmed = [
            e for e in told.entries if (e.unit, e.what, e.time - 2.0) == (row.harm_unit, row.harm, row.harm_after)
        ]
        links = [LATER.sub("", link) for link in row.harm_chain.split(" > ") if link]
        assert (chain_to(told.entries, harmed[0]) if harmed else []) == links
        trace.close()
    worst = rows[found.traced[0].case]
    assert worst.racks_lost or worst.throttled, "something comes of the worst"
    assert worst.harm_chain.count(" > ") > 2, "and how is told"


def test_a_trace_tells_which_case_it_is(found):
    trace = open_trace(found.traced[0].trace)
    told = Findings(trace)
    assert trace.provenance["title"] == f"pod: {found.traced[0].case}"
    assert told.measure["fault"]["unit"] == found.traced[0].case
    assert any(entry.why == "tried by the sweep" for entry in told.entries)
    assert trace.time[-1] == 97.0
    trace.close()


def test_terminal_and_json_name_them(found):
    titles = [str(part.title) for part in whole(found, 140).renderables if hasattr(part, "title")]
    assert titles[-1].startswith("Run again alone, with a trace")
    assert found.to_json()["traces"][0] == dataclasses.asdict(found.traced[0])


def test_the_table_is_the_same_whatever_is_kept(tmp_path):
    wish = dataclasses.replace(WISH, kinds=("pump",), after=2.0)
    made = [sweep(chain(), dataclasses.replace(wish, keep=k), output=tmp_path / f"{k}.h5") for k in (0, 1)]
    assert (tmp_path / "0.h5").read_bytes() == (tmp_path / "1.h5").read_bytes()
    assert [len(each.traced) for each in made] == [0, 1]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["0.h5", "1-worst", "1.h5"]
    assert sweep(chain(), wish).traced == (), "without a table nothing is kept"


@pytest.mark.parametrize("wish", [{"keep": -1}, {"order": 3}])
def test_wishes_that_cannot_be_are_told(wish):
    with pytest.raises(BadInput, match="was found; "):
        base(chain(), dataclasses.replace(WISH, kinds=("pump",), **wish))


class TestAgain:
    """Cases by hand, on a plant of ten units."""

    WISH = Sweeping(kinds=("pump",), at=(2.0,), after=6.0)

    def again(self, cases, rows, folder):
        return run_again(base(chain(), self.WISH), list(zip(cases, rows, strict=True)), folder)

    def test_one_that_ends_otherwise_than_its_row_is_told(self, tmp_path):
        ground = base(chain(), self.WISH)
        case = Case((Failure("pump", "in_service", 0.0),), 2.0)
        row = World(ground).run([case])[0]
        told: list[float] = []
        right = run_again(ground, [(case, row)], tmp_path, told=told.append)
        wrong = run_again(ground, [(case, dataclasses.replace(row, fingerprint="0"))], tmp_path)
        assert (right[0].fault, wrong[0].fault) == ("", OTHERWISE)
        assert told[-1] == 8.0
        assert told == sorted(told)

    def test_one_that_cannot_be_run_has_a_trace_of_what_went_before(self, tmp_path):
        bad = Case((Failure("rack-1", "utilisation", math.nan),), 5.0)
        row = World(base(chain(), self.WISH)).run([bad])[0]
        told = self.again([bad], [row], tmp_path)[0]
        assert "the energy balance of site broke in tick 6 (5 s, member 0)" in told.fault
        trace = open_trace(told.trace)
        assert 0 < trace.time[-1] <= 5.0
        assert np.isfinite(trace["rack.power"].values).all()
        trace.close()


def test_names_are_of_files_and_no_two_are_the_same():
    taken: set[str] = set()
    ups = "h001/ups-1 in maintenance"
    same = [f"pump, {ups}, 50 % load", f"Pump, {ups.replace('/', ' ')}, 50 % load"]
    cases = ["pump + board.short_circuit", *same, "x" * 300]
    assert [file_name(each, taken) for each in cases] == [
        "pump+board.short_circuit.h5",
        "pump,h001-ups-1-in-maintenance,50-%-load.h5",
        "Pump,h001-ups-1-in-maintenance,50-%-load-2.h5",
        f"{'x' * 120}.h5",
    ]


SAID = """\
title: pumps
plant: pod
run: {duration: 30 s, tick: 1 s}
weather: {dry_bulb: 30 degC, relative_humidity: 30 %}
workload: {utilisation: 60 %}
EVENTS
criteria: [no rack.throttled]
sweep: {kinds: pump, fault_at: 5 s, after: 10 s, keep: 1, restore_after: 4 s}
"""


@pytest.mark.parametrize(
    "events",
    [
        "events: [{at: 8 s, set: rack.utilisation, to: 50 %}]\n",
        "events:\n" + "".join(f"  - {{at: {k} s, set: rack.utilisation, to: {k} %, why: less}}\n" for k in (7, 8, 9)),
    ],
)
def test_the_text_in_a_trace_is_the_drill_itself(tmp_path, events):
    """Read and run as a scenario of its own, it ends in the very state that its row tells."""
    path = tmp_path / "said.yaml"
    path.write_text(SAID.replace("EVENTS\n", events))
    ground = base(path)
    assert ground.wish.keep == 1
    case = Case((Failure("pump-1", "in_service", 0.0), Failure("pump-2", "fails_to_restart", 1.0)), 5.0)
    row = World(ground).run([case])[0]
    drill = drill_of(ground, case)
    again = tmp_path / "again.yaml"
    again.write_text(drill.text)
    scenario = read(again)
    assert scenario.title == "pumps: pump-1 + pump-2.fails_to_restart"
    if "why: less" in events:
        simulation = Simulation(scenario, device="cpu")
        simulation.run()
        assert fingerprints(simulation.state, 1) == [row.fingerprint]
    assert len(scenario.changes) == len(ground.scenario.changes) + 4
    reasons = read_told(drill.text, drill.plant).reasons
    assert reasons["pump-1", "in_service", 5.0] == reasons["pump-1", "in_service", 9.0] == "tried by the sweep"
    assert reasons["pump-2", "fails_to_restart", 9.0] == "tried by the sweep"


def test_the_text_says_where_a_case_begins_otherwise():
    ground = base(chain(), Sweeping(kinds=("pump",), at=(2.0,), after=6.0))
    text = drill_of(ground, Case((Failure("utility", "closed", 0.0),), 2.0, Start(load=0.5), told=("50 % load",))).text
    assert "# what else sets it apart: 50 % load" in text
    assert 'set: "utility.closed", to: 0' in text
