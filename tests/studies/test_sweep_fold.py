"""Folding: only what a map of the whole plant onto itself makes equal is folded, and it comes out equal."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_plants import add, chain, pod, tied
from twin.assets import scenarios_folder
from twin.plant import Element, Loop, Plant, SignalLine
from twin.plant_fabric import Fabric
from twin.scenario import Change, read, read_plant
from twin.scenario.sweeping import Sweeping
from twin.studies.sweep import sweep
from twin.studies.sweep.base import base
from twin.studies.sweep.cases import enumerated
from twin.studies.sweep.fold import folded
from twin.studies.sweep.symmetry import Symmetry

SHORT = Sweeping(at=(2.0,), after=12.0)


def buses(count: int, lines: list[tuple[int, int]]) -> Plant:
    """Boards with signals between them: a graph like any other."""
    plant = Plant()
    for i in range(count):
        add(plant, f"b-{i}", "bus")
    for one, other in lines:
        plant.add_signal(SignalLine(f"b-{one}", "x", f"b-{other}", "y"))
    return plant


def brute_orbits(count, lines, fixed=()):
    """First of each node's class, over all permutations."""
    edges, first = sorted(lines), list(range(count))
    for order in itertools.permutations(range(count)):
        if all(order[each] == each for each in fixed) and sorted((order[a], order[b]) for a, b in lines) == edges:
            for node, goes in enumerate(order):
                low = min(first[node], first[goes])
                first = [low if each in (first[node], first[goes]) else each for each in first]
    return first


def groups(plant, wish=SHORT):
    found = base(plant, wish)
    return {group[0].name: len(group) for group in folded(found, enumerated(found.plant, wish, []))}


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=10))
def test_classes_are_those_of_all_permutations(pairs):
    lines = sorted((a, b) for a, b in pairs if a != b)
    whole, true = Symmetry(buses(6, lines)), brute_orbits(6, lines)
    first = [int(whole.first_of(f"b-{i}")[2:]) for i in range(6)]
    assert [first[each] == first[other] for each in range(6) for other in range(6)] == [
        true[each] == true[other] for each in range(6) for other in range(6)
    ]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8))
def test_pairs_are_those_of_all_permutations(pairs):
    lines = sorted((a, b) for a, b in pairs if a != b)
    whole = Symmetry(buses(5, lines))
    every = list(itertools.combinations(range(5), 2))
    ours = {pair: whole.standing_for("", [(f"b-{each}", "") for each in pair]) for pair in every}
    edges = sorted(lines)
    maps = [
        order
        for order in itertools.permutations(range(5))
        if sorted((order[a], order[b]) for a, b in lines) == edges
    ]  # fmt: skip
    for one, other in itertools.combinations(every, 2):
        alike = any({order[one[0]], order[one[1]]} == set(other) for order in maps)
        assert (ours[one] == ours[other]) == alike, (one, other)


def test_what_refinement_alone_cannot_tell_apart_is_not_folded():
    """A hexagon and two triangles: every node has two neighbours, in all of them."""
    ring = [(i, (i + 1) % 6) for i in range(6)]
    triangles = [(6 + i, 6 + (i + 1) % 3) for i in range(3)] + [(9 + i, 9 + (i + 1) % 3) for i in range(3)]
    whole = Symmetry(buses(12, ring + triangles))
    assert {whole.first_of(f"b-{i}") for i in range(6)} == {"b-0"}
    assert {whole.first_of(f"b-{i}") for i in range(6, 12)} == {"b-6"}


def test_a_map_that_breaks_an_edge_is_no_proof():
    whole = Symmetry(buses(4, [(0, 1), (2, 3)]))
    number = whole.names.index
    assert whole.proven({number("b-0"): number("b-2"), number("b-2"): number("b-0"),
                         number("b-1"): number("b-3"), number("b-3"): number("b-1")})  # fmt: skip
    assert not whole.proven({number("b-0"): number("b-2"), number("b-2"): number("b-0")})
    assert not whole.proven({number("b-0"): number("b-1"), number("b-1"): number("b-0")})


class TestPlants:
    def test_racks_of_one_row_are_one_and_their_pairs_too(self):
        found = groups(chain(), dataclasses.replace(SHORT, kinds=("rack",), modes=("in_service", "isolated"), order=2))
        assert found["rack-1"] == 4
        assert found["rack-1 + rack-2"] == 6
        assert found["rack-1 + rack-1.isolated"] == 4
        assert found["rack-1 + rack-2.isolated"] == 12
        assert sum(found.values()) == 1 + 8 + 28

    def test_a_rating_a_setting_an_event_or_a_criterion_tells_units_apart(self):
        plant = chain()
        plant.units["rack-2"].parameters["rated_power"] *= 1 + 1e-12
        assert groups(plant, dataclasses.replace(SHORT, kinds=("rack",), modes=("in_service",)))["rack-1"] == 3
        found = base(chain(), dataclasses.replace(SHORT, kinds=("rack",), modes=("in_service",)))
        cases = enumerated(found.plant, found.wish, [])
        for marked in (
            dataclasses.replace(found.scenario, initial=[Change(0.0, "rack-3", "utilisation", 0.5)]),
            dataclasses.replace(found.scenario, changes=[Change(5.0, "rack-3", "utilisation", 0.5)]),
            dataclasses.replace(
                found.scenario, criteria=[dataclasses.replace(found.scenario.criteria[0], target="rack-3")]
            ),
        ):
            told = folded(dataclasses.replace(found, scenario=marked), cases)
            assert [len(group) for group in told] == [1, 3, 1]

    def test_maintenance_is_part_of_what_is_alike(self):
        wish = dataclasses.replace(SHORT, kinds=("rack",), modes=("in_service",), maintenance=("rack-1..4",))
        assert groups(chain(), wish) == {
            "nothing fails": 1, "rack-1": 4, "nothing fails, rack-1 in maintenance": 4,
            "rack-2, rack-1 in maintenance": 12,
        }  # fmt: skip

    def test_worlds_with_draws_of_their_own_are_not_folded(self):
        found = base(chain(), dataclasses.replace(SHORT, kinds=("rack",), modes=("in_service",)))
        drawn = dataclasses.replace(found.scenario, changes=[Change(0.0, "rack-1", "utilisation", 0.5, member=0)])
        cases = enumerated(found.plant, found.wish, [])
        assert len(folded(dataclasses.replace(found, scenario=drawn), cases)) == len(cases)

    def test_ties_that_choose_by_their_order_are_like_no_other(self):
        assert set(groups(tied(), dataclasses.replace(SHORT, kinds=("tie",))).values()) == {1}

    def test_dies_that_are_drawn_by_name_tell_racks_apart(self):
        plant = chain()
        for i in (1, 2):
            plant.units[f"rack-{i}"].parameters |= {"die_masses": 1.0, "die_groups": 4.0}
        first = Symmetry(plant).first_of
        assert [first(f"rack-{i}") for i in range(1, 5)] == ["rack-1", "rack-2", "rack-3", "rack-3"]

    def test_the_hall_folds_as_its_wiring_says(self):
        plant = read_plant(scenarios_folder() / "plants" / "hall.yaml")
        first = Symmetry(plant).first_of
        assert {first(f"chiller-{i}") for i in range(1, 6)} == {"chiller-1"}
        assert first("rack-02") == first("rack-03") == "rack-01"
        assert first("rack-04") == "rack-04", "it hangs on other boards"
        assert first("generator-2") == "generator-2", "it has its own turn"

    def test_every_relation_of_a_plant_tells_alike_units_apart(self):
        def unlike(relate):
            """Whether two units, alike until one of them is related to a third, are told apart."""
            plant = Plant()
            for name, kind in (("one", "bus"), ("other", "bus"), ("third", "bus")):
                add(plant, name, kind)
            assert Symmetry(plant).first_of("other") == "one"
            relate(plant)
            return Symmetry(plant).first_of("other") == "other"

        relations = {
            "feeds": lambda plant: plant.feed("third", ["one"]),
            "joins": lambda plant: plant.join("third", ["one"]),
            "loops": lambda plant: plant.add_loop(Loop("loop", "water", [[Element("one", "")]], [])),
            "signals": lambda plant: plant.add_signal(SignalLine("one", "x", "third", "y")),
            "pools": lambda plant: plant.gather("third", ["one"]),
            "scheduled": lambda plant: plant.schedule("third", ["one"]),
            "served": lambda plant: plant.serve("third", ["one"], []),
            "stores": lambda plant: plant.store("third", ["one"]),
            "fabrics": lambda plant: plant.add_fabric(Fabric("fabric", ["one"], {}, [], 4e11)),
        }
        assert relations.keys() == json.loads(Plant().to_json()).keys() - {"units", "redundancy"}
        assert [name for name, relate in relations.items() if not unlike(relate)] == []


TIMES = ("to_trip", "to_throttle", "to_shutdown", "to_unpowered", "to_dark", "recovery", "harm_after")


def close(one, other):
    """Whether two rows are the same but for round-off: 1e-9, and one tick of 1 s for moments."""
    for name in ("power_lost", "power_lost_end", "work_energy", "worst_margin"):
        a, b = getattr(one, name), getattr(other, name)
        assert (math.isnan(a) and math.isnan(b)) or a == pytest.approx(b, rel=1e-9, abs=1e-4), name
    for name in TIMES:
        a, b = getattr(one, name), getattr(other, name)
        assert (math.isnan(a) and math.isnan(b)) or a == b or abs(a - b) <= 1.0, name
    for name in (
        "racks_lost",
        "racks_lost_end",
        "throttled",
        "throttled_peak",
        "failed",
        "passed",
        "first",
        "harm",
        "fault",
    ):
        assert getattr(one, name) == getattr(other, name), name


def equal(plant, wish):
    """Run folded and unfolded, and hold every case against the one that stands for it."""
    few, every = sweep(plant, wish), sweep(plant, wish, fold=False)
    rows = {row.case: row for row in every.outcomes}
    assert sum(row.stands_for for row in few.outcomes) == len(rows)
    assert len(few.outcomes) < len(rows)
    for row in few.outcomes:
        for name in [row.case, *filter(None, row.alike.split("; "))]:
            close(row, rows[name])
    return few


def test_folded_equals_unfolded():
    found = equal(chain(), Sweeping(at=(2.0,), after=120.0, kinds=("rack", "pump", "cdu")))
    assert any(row.stands_for == 4 and row.throttled for row in found.outcomes)


SCHEDULED = """\
title: Two of four racks work
plant:
  units:
    utility: {kind: utility, rated_power: 2 MW}
    rack-1..4: {like: gb300-nvl72, feeds: utility, air_fraction: 0 %, shelf_count: 0, storage_capacity: 0 J}
    pump: {like: pump-25lps, feeds: utility}
    cooler: {like: dry-cooler-2900kw, feeds: utility}
  coolant:
    technology: {fluid: pg25, plant: [[pump, cooler]], loads: [rack-1..4]}
run: {duration: 2 min, tick: 5 s}
weather: {dry_bulb: 20 degC, relative_humidity: 50 %}
scheduler: {racks: rack-1..4, period: 5 s}
workload:
  jobs:
    a: {racks: 2, work: 10 min, step_time: 1 s, resume_time: 0 s}
criteria: [no a.stopped]
"""


def test_racks_that_a_scheduler_gives_to_jobs_are_not_folded(tmp_path):
    """A job has rack-1 and rack-2 and neither of the others: each rack is run, and it matters which of them fails."""
    path = tmp_path / "scheduled.yaml"
    path.write_text(SCHEDULED)
    wish = Sweeping(kinds=("rack",), modes=("in_service",), at=(60.0,), after=20.0)
    few, every = sweep(read(path), wish), sweep(read(path), wish, fold=False)
    assert [repr(row) for row in few.outcomes] == [repr(row) for row in every.outcomes]
    assert {row.units: row.failed for row in few.outcomes if row.units} == {
        "rack-1": 1, "rack-2": 1, "rack-3": 0, "rack-4": 0,
    }  # fmt: skip


def test_folded_pairs_equal_unfolded_ones():
    equal(pod(3), dataclasses.replace(SHORT, order=2, kinds=("rack", "pump"), modes=("in_service", "isolated")))


@pytest.mark.slow
def test_the_hall_folded_equals_the_hall_unfolded():
    """`pytest -n0 -m slow tests/studies/test_sweep_fold.py`: every unit, every failure; three minutes."""
    few = equal("hall", Sweeping(after=600.0))
    assert sum(row.stands_for for row in few.cases) == 713
    assert any(row.stands_for > 1 and row.racks_lost for row in few.cases)
