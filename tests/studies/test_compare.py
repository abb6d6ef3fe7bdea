"""Comparing: the same is the same, what was changed is found where and when it shows, and harm that is new is told."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import typer.testing

from tests.small_plants import chain, wet_chain
from twin.cli import app
from twin.report.findings import Findings
from twin.report.verdict import Judgement
from twin.scenario import Change, RunSettings, Scenario
from twin.scenario.sweeping import Sweeping
from twin.simulation import simulate
from twin.studies.compare import compare
from twin.studies.compare.numbers import _worth_telling, unit_of
from twin.studies.compare.shown import sections, sentence, whole
from twin.studies.compare.sweeps import compare as compare_sweeps
from twin.studies.compare.traces import Held, Metric, Traces, _difference, scale
from twin.studies.compare.traces import compare as compare_traces
from twin.studies.sweep import sweep
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.outcome import Outcome
from twin.trace import open_trace

WORK = [Change(0.0, f"rack-{i}", "utilisation", 0.9, verb="workload") for i in range(1, 5)]


def drill(path, plant=None, changes=(), **run):
    """A trace of four racks for some seconds."""
    settings = RunSettings(**{"duration": 20.0} | run)
    simulate(Scenario("t", "", plant or chain(), settings, list(WORK), list(changes)), trace=path, device="cpu")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("traces")
    drill(place / "a.h5")
    drill(place / "late.h5", changes=[Change(12.0, "rack-3", "utilisation", 0.5)])
    drill(place / "pump.h5", changes=[Change(8.0, "pump", "in_service", 0.0, verb="fail")])
    drill(place / "slow.h5", tick=2.0)
    drill(place / "short.h5", duration=10.0)
    drill(place / "two.h5", members=2)
    drill(place / "other.h5", plant=wet_chain())
    return place


def told(*words):
    return typer.testing.CliRunner().invoke(app, ["compare", *map(str, words), "--quiet"])


class TestTraces:
    def test_a_trace_is_the_same_as_itself(self, folder):
        found = compare(folder / "a.h5", folder / "a.h5")
        assert found.same
        assert found.rows == 21
        assert all(each.share == 0.0 for each in found.metrics)
        assert sentence(found) == "They are the same in all that is compared."
        assert found.beyond(0.0, criteria=True) == []

    def test_they_part_where_and_when_the_change_was_made(self, folder):
        found = compare(folder / "a.h5", folder / "late.h5")
        first = found.first[0]
        assert first.first == 13.0, "the row that ends the tick of the change"
        by_name = {f"{each.kind}.{each.name}": each for each in found.differences}
        asked = by_name["rack.utilisation"]
        assert (asked.first_unit, asked.first_a, asked.first_b, asked.units) == ("rack-3", np.float32(0.9), 0.5, 1)
        assert asked.share == pytest.approx(0.4 / 0.9, rel=1e-6)
        assert by_name["rack.power"].where == "rack-3"
        assert not found.only

    def test_events_that_one_alone_has_are_told(self, folder):
        found = compare(folder / "a.h5", folder / "pump.h5")
        assert found.events_a == []
        assert (found.events_b[0].unit, found.events_b[0].time) == ("pump", 8.0)

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ("slow", "11 rows of one moment are compared; A has 21 up to 20 s, B has 11 up to 20 s"),
            ("short", "11 rows of one moment are compared; A has 21 up to 20 s, B has 11 up to 10 s"),
            ("two", "A has 1 member and B 2; the first is compared"),
            ("other", "only A has the units pump (pump)"),
            ("other", "only B has units of the kinds cooling_tower, pipe"),
        ],
    )
    def test_what_only_one_has_is_said_and_the_rest_compared(self, folder, other, said):
        found = compare(folder / "a.h5", folder / f"{other}.h5")
        assert said in found.only
        assert found.rows in (11, 21)
        assert not found.same

    def test_a_longer_tick_differs_little_where_nothing_happens(self, folder):
        found = compare(folder / "a.h5", folder / "slow.h5")
        assert all(each.share < 1e-3 for each in found.differences if each.unit in ("W", "K"))

    def test_thresholds_are_sentences(self, folder):
        found = compare(folder / "a.h5", folder / "late.h5")
        said = "2 numbers beyond 1000 %: lost.power_lost_peak_time, pue.during"
        assert found.beyond(10.0, criteria=True) == [said], "only B has a fault, and so a moment of most power lost"
        assert "rack.utilisation" in found.beyond(0.4, criteria=False)[0]
        assert "numbers beyond 1 %" in found.beyond(0.01, criteria=False)[1]


class TestGate:
    @pytest.mark.parametrize("other", ["slow", "short", "two", "other"])
    def test_what_only_one_has_is_beyond(self, folder, other):
        found = compare(folder / "a.h5", folder / f"{other}.h5")
        assert found.only
        assert set(found.only) <= set(found.beyond(10.0, criteria=False))
        assert found.beyond(None, criteria=False) == []

    def test_columns_that_only_one_records_are_beyond(self):
        found = Traces("a", "b", ["only B records of a rack: power"], rows=3)
        assert found.beyond(0.1, criteria=False) == found.only

    def test_a_limit_that_is_tightened_and_failed_is_beyond(self):
        was, now = (
            Held("max(x) < 80", True, None, "2", "not asked"),
            Held("max(x) < 70", None, False, "not asked", "-8"),
        )
        found = Traces("a", "b", rows=3, criteria=[was, now])
        assert not found.same
        assert found.beyond(None, criteria=True) == ["B fails what A does not ask: max(x) < 70"]
        assert Traces("a", "b", rows=3, criteria=[was]).beyond(None, criteria=True) == []

    def test_a_step_of_the_expected_sequence_that_no_longer_comes_is_beyond(self, folder):
        came = Judgement("pump.stopped within 9 s", True, "", "s", 8.0, 9.0, 1.0, 8.0, "pump", 0, 1, 1)
        late = dataclasses.replace(came, passed=False, value=None, margin=None, time=None)
        with open_trace(folder / "a.h5") as trace:
            a, b = Findings(trace), Findings(trace)
            a.verdict = dataclasses.replace(a.verdict, sequence=[came, came])
            b.verdict = dataclasses.replace(b.verdict, sequence=[came, late])
            found = compare_traces(a, b, "a", "b")
        assert not found.same
        assert found.beyond(None, criteria=True) == ["B fails what A holds: the expected step pump.stopped within 9 s"]
        told = found.to_json()["sequence"]
        assert [(each["a"], each["b"]) for each in told] == [(True, True), (True, False)]
        assert (told[1]["margin_a"], told[1]["margin_b"]) == ("1 s", "-")
        (section,) = (each for each in sections(found, 9) if each.id == "criteria")
        assert section.tables[-1].rows[1] == ["pump.stopped within 9 s", "held", "1 s", "FAILED", "-"]

    def test_a_run_that_broke_off_proves_no_criterion(self, folder):
        with open_trace(folder / "a.h5") as trace:
            whole, part = Findings(trace), Findings(trace)
            part.verdict = dataclasses.replace(whole.verdict, finished=False)
            assert whole.verdict.finished
            found = compare_traces(whole, part, "a", "b")
            back = compare_traces(part, whole, "b", "a")
        assert not found.same
        assert found.beyond(None, criteria=True)[0] == "B's run broke off, A's did not: what it holds is not proven"
        assert not any("broke off" in text for text in back.beyond(None, criteria=True))

    def test_a_run_that_ended_earlier_proves_no_criterion(self, folder):
        found = compare(folder / "a.h5", folder / "short.h5")
        assert found.beyond(None, criteria=True)[0] == (
            "B ended after 10 s, A after 20 s: from there on nothing of B is proven"
        )
        for one, other in (("short", "a"), ("a", "slow"), ("slow", "a")):
            back = compare(folder / f"{one}.h5", folder / f"{other}.h5")
            assert back.ended_early is None

    def test_numbers_and_criteria_are_part_of_the_same(self):
        assert Traces("a", "b", rows=3, metrics=[Metric("pue", "1", 1.0, 1.0)]).same
        assert not Traces("a", "b", rows=3, metrics=[Metric("pue", "1", 1.0, 1.2)]).same
        round_off = Traces("a", "b", rows=3, metrics=[Metric("t", "s", 10.0, 10.0 - 3.4e-13)])
        assert round_off.same
        numbers = next(part for part in sections(round_off, 12) if part.id == "numbers")
        assert (numbers.notes, numbers.tables[0].rows) == (["1 of 1 number are the same."], [])
        assert not Traces("a", "b", rows=3, criteria=[Held("x", True, False, "", "")]).same
        assert Metric("t", "s", 1.0, float("inf")).share == Metric("t", "s", float("nan"), 1.0).share == float("inf")

    def test_nothing_compared_is_no_success(self):
        assert Traces("a", "b").beyond(0.1, criteria=False) == ["nothing was compared"]
        assert Traces("a", "b", rows=3).beyond(None, criteria=True) == ["nothing was compared"]
        assert Traces("a", "b", rows=3).beyond(0.1, criteria=True) == []

    def test_power_lost_that_the_report_calls_none_is_none(self):
        """Leakage follows temperature: 0.06 W against 0.015 W of 256 kW is no difference."""

        def lost(most, end):
            return _worth_telling(
                {"lost.power_before": 256e3, "lost.power_lost_peak": most, "lost.power_lost_peak_time": 9.0}
                | {"lost.power_lost_end": end}
            )

        assert lost(0.0622, -1.0) == lost(0.01528, 0.0)
        assert lost(1270.0, 0.0)["lost.power_lost_peak_time"] is None
        assert lost(1290.0, 1300.0)["lost.power_lost_peak"] == 1290.0
        assert lost(1290.0, 1300.0)["lost.power_lost_peak_time"] == 9.0
        assert lost(1290.0, 1300.0)["lost.power_lost_end"] == 1300.0


class TestUnits:
    @pytest.mark.parametrize(
        ("key", "unit"),
        [
            ("schedule.low.started", "s"), ("schedule.low.preempted", "1"), ("training.low.goodput", "1"),
            ("training.low.saving_time", "s"), ("tokens.all.served_answers", "token"), ("tokens.all.lost_share", "1"),
            ("tokens.all.lost_revenue", "USD"), ("tokens.all.energy_per_token_it", "J/token"), ("energy.it", "J"),
            ("lost.power_lost_end", "W"), ("lost.units_peak", "1"), ("first.ups_empty.seconds", "s"),
            ("rack.power.highest", "W"), ("network.premium.mean_rate", "bit/s"),
            ("network.premium.highest_rate", "bit/s"), ("network.premium.longest_handover", "s"),
            ("network.premium.held_up_time", "s"), ("network.pretrain.mean_share", "1"),
        ],
    )  # fmt: skip
    def test_a_number_has_the_unit_of_its_name(self, folder, key, unit):
        with open_trace(folder / "a.h5") as trace:
            assert unit_of(Findings(trace), key) == unit


class TestScale:
    """A difference is a share of the larger value; a temperature counts from freezing, and at least 10 K."""

    def test_by_hand(self):
        assert scale("W", 200.0, 0.0) == 200.0
        assert scale("W", 1e-5, 0.0) == 1.0
        assert scale("K", 353.15, 80.0) == 80.0
        assert scale("K", 275.15, 2.0) == 10.0
        assert scale("K", 5.0, 268.15) == 5.0, "a difference of temperatures"

    def test_first_and_worst_by_hand(self):
        one, time = np.zeros((4, 1, 2)) + 100.0, np.array([0.0, 1.0, 2.0, 3.0])
        other = one.copy()
        other[1, 0, 1], other[3, 0, 0] = 101.0, 90.0
        found = _difference("rack", "power", "W", ["r-1", "r-2"], one, other, time)
        assert (found.first, found.first_unit, found.first_b) == (1.0, "r-2", 101.0)
        assert (found.worst, found.time, found.where, found.units) == (10.0, 3.0, "r-1", 2)
        assert found.share == pytest.approx(10.0 / 101.0)

    def test_what_holds_no_value_in_one_of_them_differs_wholly(self):
        one = np.array([[[1.0]], [[np.nan]], [[3.0]]])
        other = np.array([[[1.0]], [[np.nan]], [[np.nan]]])
        found = _difference("rack", "x", "W", ["r"], one, other, np.arange(3.0))
        assert found.first == 2.0
        assert np.isinf(found.share)
        assert _difference("rack", "x", "W", ["r"], one, one, np.arange(3.0)) is None

    def test_seven_digits_are_equal(self):
        one = np.full((1, 1, 1), 300.0)
        assert _difference("rack", "x", "K", ["r"], one, one + 1e-4, np.zeros(1)) is None
        assert _difference("rack", "x", "K", ["r"], one, one + 1e-2, np.zeros(1)) is not None


WISH = Sweeping(kinds=("pump",), modes=("in_service",), at=(2.0,), after=250.0)


@pytest.fixture(scope="module")
def both():
    """Two pumps, each with its tower; and the same plant whose second pump stands still."""
    lame = wet_chain()
    lame.units["pump-2"].settings["in_service"] = 0.0
    return sweep(wet_chain(), WISH), sweep(lame, WISH)


class TestSweeps:
    def test_a_change_that_costs_the_spare_is_found(self, both):
        found = compare_sweeps(*both, "a", "b")
        assert [each.name for each in found.lost] == ["pump-1"]
        assert found.beyond(None) == ["pump-1 does harm in B and did none in A"]
        assert found.harm == (0, 1)
        back = compare_sweeps(both[1], both[0], "b", "a")
        assert back.beyond(None) == []
        assert [each.name for each in back.cases if each.won] == ["pump-1"]

    def test_a_sweep_is_the_same_as_itself(self, both):
        assert compare_sweeps(both[0], both[0], "a", "a").same

    def test_cases_that_only_one_has_are_told(self, both):
        more = sweep(wet_chain(), dataclasses.replace(WISH, modes=(), after=20.0))
        found = compare_sweeps(both[0], more, "a", "b")
        assert found.only[0].startswith("only B has")

    def test_tables_are_compared_by_the_command(self, both, tmp_path):
        for found, name in zip(both, "ab", strict=True):
            found.write(tmp_path / f"{name}.h5")
        done = told(tmp_path / "a.h5", tmp_path / "b.h5", "-o", tmp_path / "d.html")
        assert done.exit_code == 1
        assert "pump-1 does harm in B and did none in A" in done.stdout
        assert "pump-1" in (tmp_path / "d.html").read_text()
        assert told(tmp_path / "b.h5", tmp_path / "a.h5").exit_code == 0
        assert told(tmp_path / "a.h5", tmp_path / "a.h5", "--within", "0 %").exit_code == 0


def row(case, passed=(1,), **more):
    units = "" if case.startswith("nothing") else case.partition(",")[0]
    return Outcome(case, units, units and "cdu", units and "in_service", 60.0, passed=passed, **more)


def table(*rows, criteria=("c", "d")):
    return Sweep("by hand", rows, criteria[: len(rows[0].passed)], {})


def beyond(a, b):
    found = compare_sweeps(a, b, "a", "b")
    assert found.same is (a == b)
    assert "same" in sentence(found) or not found.same
    assert whole(found, []).renderables
    return found.beyond(None)


class TestAtRest:
    """A plant that is worse where nothing fails is worse, whatever its failures add to that."""

    good = table(row("nothing fails"), row("cdu-1"))

    def test_a_criterion_that_fails_at_rest_is_told_once(self):
        bad = table(row("nothing fails", (0,)), row("cdu-1", (0,)))
        assert beyond(self.good, bad) == ["nothing fails: B fails what A does not: c"]
        assert beyond(bad, self.good) == []
        assert beyond(bad, bad) == []

    def test_a_world_that_cannot_be_run_excuses_nothing(self):
        bad = table(row("nothing fails", (-1,), fault="no numbers"), row("cdu-1", (0,)))
        assert beyond(self.good, bad) == [
            "nothing fails: B was not run: no numbers", "cdu-1 does harm in B and did none in A",
        ]  # fmt: skip

    def test_one_more_criterion_of_a_failure_that_does_harm_anyway(self):
        one = table(row("nothing fails", (1, 1)), row("cdu-1", (0, 1)))
        other = table(row("nothing fails", (1, 1)), row("cdu-1", (0, 0)))
        assert beyond(one, other) == ["cdu-1: B fails what A does not: d"]

    def test_criteria_are_held_by_their_words_not_by_their_place(self):
        one = table(row("nothing fails", (1, 1)), row("cdu-1", (0, 1)))
        other = table(row("nothing fails", (1, 1)), row("cdu-1", (1, 0)), criteria=("d", "c"))
        assert compare_sweeps(one, other, "a", "b").same

    def test_work_that_is_less_at_rest_counts(self):
        less = table(row("nothing fails", tokens=1e6), row("cdu-1"))
        more = table(row("nothing fails", tokens=2e6), row("cdu-1"))
        assert compare_sweeps(more, less, "a", "b").beyond(0.01) == ["nothing fails differs beyond 1 %: tokens"]

    def test_each_world_is_held_against_its_own(self):
        hot = [row("nothing fails"), row("cdu-1"), row("nothing fails, 38 degC", (0,)), row("cdu-1, 38 degC", (0,))]
        found = compare_sweeps(table(*hot), table(*hot), "a", "b")
        assert found.harm == (0, 0), "as cut sets see it: in the heat the criterion fails anyway"

    def test_what_led_to_harm_and_who_went_slower_at_once_are_compared(self):
        """Other causes of the same harm are told; other seconds of the same causes are numbers."""
        said = {"racks_lost": 2, "throttled": 8, "harm_unit": "rack-1", "harm": "loses power"}
        before, later, other = (
            row("cdu-1", **said, throttled_peak=peak, harm_after=at, harm_chain=f"{why}, rack-1 stops (after {at:g} s)")
            for peak, at, why in ((8, 10.0, "a fails"), (4, 20.0, "a fails"), (8, 10.0, "b trips"))
        )
        (case,) = compare_sweeps(table(before), table(later), "a", "b").cases
        assert case.numbers == {"throttled_peak": (8.0, 4.0), "harm_after": (10.0, 20.0)}
        assert case.how == ("", "")
        (case,) = compare_sweeps(table(before), table(other), "a", "b").cases
        assert (case.numbers, case.how) == ({}, (before.harm_chain, other.harm_chain))

    def test_sweeps_under_other_conditions_are_not_the_same(self):
        cold, hot = (dataclasses.replace(table(row("cdu-1")), words={"description": f"{t} outdoors"}) for t in (25, 44))
        found = compare_sweeps(cold, hot, "a", "b")
        assert found.conditions == ("25 outdoors.", "44 outdoors.")
        assert not found.same
        notes = next(each.notes for each in sections(found, 12) if each.id == "conditions")
        assert notes == ["A: 25 outdoors.", "B: 44 outdoors."]
        assert compare_sweeps(cold, cold, "a", "b").same

    def test_nothing_compared_is_no_success(self):
        none = table(row("nothing fails"))
        for empty in (none, dataclasses.replace(none, outcomes=())):
            found = compare_sweeps(empty, empty, "a", "b")
            assert found.beyond(None) == ["nothing was compared: no failure was tried in both"]
            assert sentence(found) == "Nothing was compared: no failure was tried in both."
            assert not found.same
        drawn = table(row("nothing fails, draw 0"), row("nothing fails, draw 1", draw=1))
        assert beyond(drawn, drawn) == []


class TestCommand:
    def test_a_scenario_says_what_is_swept_and_options_go_before(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "one.yaml").write_text(
            "title: one\nplant: pod\nrun: {duration: 5 s, tick: 1 s}\nworkload: {utilisation: 50 %}\n"
            "weather: {dry_bulb: 30 degC, relative_humidity: 30 %}\nsweep: {n: 2, kinds: [ups], after: 30 s}\n"
        )
        asked = []
        monkeypatch.setattr(
            "twin.studies.compare.sweep", lambda given, wish, **_: asked.append(wish) or TestAtRest.good
        )
        assert told("one.yaml", "pod", "--sweep").exit_code == 0
        assert told("one.yaml", "pod", "--sweep", "--kinds", "cdu", "--after", "40 s").exit_code == 0
        assert [(each.order, each.kinds, each.after) for each in asked] == [
            (2, ("ups",), 30.0), (1, (), None), (2, ("cdu",), 40.0), (1, ("cdu",), 40.0),
        ]  # fmt: skip

    def test_exit_codes_and_the_page(self, folder, tmp_path):
        done = told(folder / "a.h5", folder / "late.h5", "-o", tmp_path / "d.html")
        assert done.exit_code == 0, done.output
        assert "They part at 00:00:13" in done.stdout
        page = (tmp_path / "d.html").read_text()
        assert "<script" not in page
        assert "data:image/png;base64" in page
        assert told(folder / "a.h5", folder / "late.h5", "--within", "1 %").exit_code == 1
        assert told(folder / "a.h5", folder / "a.h5", "--within", "0 %").exit_code == 0

    def test_json_is_one_document(self, folder):
        done = told(folder / "a.h5", folder / "late.h5", "--json", "--within", "1 %")
        said = json.loads(done.stdout)
        assert said["same"] is False
        assert said["beyond"]
        assert said["first"][0]["first"] == 13.0

    def test_scenarios_are_run_on_the_spot(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for name, share in (("one", 80), ("two", 90)):
            (tmp_path / f"{name}.yaml").write_text(
                f"title: {name}\nplant: pod\nrun: {{duration: 5 s, tick: 1 s}}\nworkload: {{utilisation: {share} %}}\n"
                "weather: {dry_bulb: 30 degC, relative_humidity: 30 %}\ncriteria: [max(site.it_power) < 1 MW]\n"
            )
        done = told("one.yaml", "two.yaml", "--criteria")
        assert done.exit_code == 1
        assert "B fails what A holds: max(site.it_power) < 1 MW" in done.stdout
        assert sorted(each.name for each in tmp_path.iterdir()) == ["one.yaml", "two.yaml"]

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("a.h5", "none.h5"), 65, "no such file"),
            (("pod", "pod"), 65, "a plant does nothing by itself; --sweep compares what its failures do"),
            (("a.h5", __file__), 65, "test_compare.py:1: "),
            (("a.h5", "pod", "--sweep"), 65, "a.h5 is a trace; two tables, or --sweep with plants"),
            (("a.h5", "a.h5", "--within", "much"), 2, "--within"),
            (("a.h5", "a.h5", "--after", "1 kW"), 2, "--after"),
            (("starter", "starter", "--sweep", "--after", "-100 s"), 2, 'after: "-100 s" was found; a time of at'),
        ],
    )
    def test_what_cannot_be_compared_is_told(self, folder, words, code, said, monkeypatch):
        monkeypatch.chdir(folder)
        done = told(*words)
        assert done.exit_code == code, done.output
        assert said in done.stderr


def test_everything_can_be_shown(folder):
    found = compare(folder / "a.h5", folder / "pump.h5")
    assert whole(found, found.beyond(0.01, criteria=True)).renderables


def test_a_case_whose_numbers_alone_differ_does_no_harm():
    quiet, bad = row("nothing fails"), {"passed": (0,)}
    a = table(quiet, row("pump-1", power_lost=1e4), row("pump-2", power_lost=1e4, **bad), criteria=("c",))
    b = table(quiet, row("pump-1", power_lost=9e4), row("pump-2", power_lost=9e4, **bad), criteria=("c",))
    found = compare_sweeps(a, b, "a", "b")
    (part,) = sections(found, 5)[-1].tables
    assert {cells[0]: cells[1] for cells in part.rows} == {"pump-1": "neither", "pump-2": "both"}
