"""The integrated systems test: what a plant's ratings ask for, that it can be run, and that it is scored."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from twin.plant import Plant
from twin.scenario import BadInput, read, read_plant
from twin.studies.ist import Acceptance, Conditions, Step, _taken, ist, script
from twin.studies.ist.score import INITIALS
from twin.studies.ist.site import MARGIN, Site
from twin.studies.ist.step import BEGIN, Action, Await, Gate

PLANTS = Path(__file__).parents[2] / "scenarios" / "plants"


@cache
def shipped(name: str) -> Plant:
    return read_plant(PLANTS / f"{name}.yaml")


@cache
def steps(name: str) -> list[Step]:
    return script(shipped(name))


def step(name: str, title: str) -> Step:
    return next(each for each in steps(name) if title in each.title)


def awaited(name: str, title: str, what: str) -> Await:
    return next(each for each in step(name, title).awaited if each.what == what)


def test_a_hall_is_tested_feed_by_feed_and_the_black_building_comes_last() -> None:
    titles = [each.title for each in steps("hall")]
    assert titles[:3] == [
        "Loss of utility feed utility-a",
        "Loss of utility feed utility-b",
        "generator-1 fails to start",
    ]
    assert titles[-1].startswith("Black building")
    assert [each.number for each in steps("hall")] == list(range(1, len(titles) + 1))
    for said in (
        "ups-1 is lost",
        "ats-mech-a does not transfer",
        "cdu-1 changes to its standby pump",
        "pump-1 is lost",
    ):
        assert said in titles


def test_one_feed_moves_only_what_hangs_on_it() -> None:
    site = Site(shipped("hall"))
    assert site.switches({"utility-a"}) == ["ats-mech-a", "ats-1", "ats-2", "ats-3"]
    assert site.switches({"utility-a", "utility-b"}) == [unit.name for unit in site.of("ats")]
    assert site.hanging("ups", {"utility-b"}) == ["ups-4", "ups-5"]
    assert len(site.called(["ats-1"])) == 6


def test_a_ups_on_its_battery_takes_nothing_else_out() -> None:
    """The starter's UPS hangs on the board that feeds its cooling: its own input is opened, not the board."""
    made = step("starter", "ups-1 on its battery")
    assert [action.target for action in made.actions] == ["ups-1.rectifier_failed"] * 2


def test_gates_count_from_what_is_done_first() -> None:
    """So that no highest value is one of the minute before the test."""
    gate = step("starter", "pump-1 is lost").gates[0]
    assert gate.written()["hold"] == f"{gate.hold} after 60 s"


def test_who_comes_back_is_named_so_that_nobody_else_counts() -> None:
    """Three of five UPS never leave their feed when utility-b is lost: two that are on it prove nothing."""
    assert awaited("hall", "utility-b", "not ups-4..5.on_battery").units == 2
    assert awaited("hall", "Black building", "not ups.on_battery").units == 5
    site = Site(shipped("hall"))
    assert site.returned("ups", ["ups-1", "ups-4"]) == ("ups", 5)
    assert site.returned("ups", ["ups-3"]) == ("ups-3", 1)
    assert site.returned("ups", ["ups-2", "ups-3", "ups-1"]) == ("ups-1..3", 3)


def test_a_leak_is_found_and_shut_off() -> None:
    made = step("pod", "cdu-1 leaks")
    assert [(action.target, action.after) for action in made.actions] == [("cdu-1.leak", 0.0), ("cdu-1.isolated", 60.0)]
    assert "technology has no vessel in this plant" in made.purpose
    assert [each.what for each in made.awaited] == ["cdu-1.leaking", "cdu-1.cut_off"]
    drill = read(PLANTS.parent / "drills" / "cdu-leak.yaml")
    (by_sensor,) = [each for each in script(drill.plant, ["cdu-2"]) if "leaks" in each.title]
    assert [action.target for action in by_sensor.actions] == ["cdu-2.leak"]
    assert by_sensor.awaited[1].within == pytest.approx(20.0 + MARGIN)
    assert any(gate.hold == "no vessel-1.vessel_empty" for gate in by_sensor.gates)
    assert not any("leaks" in each.title for each in steps("starter"))


@pytest.mark.parametrize(
    ("only", "titles"),
    [
        (["pump-3"], ["pump-3 is lost"]),
        (["pump-2..3", "crah-1"], ["pump-2 is lost", "pump-3 is lost", "crah-1 is lost"]),
        (["chiller-2"], ["chiller-2 trips"]),
        (["chiller"], [*(f"chiller-{i} trips" for i in (1, 2, 3)), "All of chiller-1..chiller-3 trip and restart"]),
        (["utility"], ["Black building: all utility feeds are lost, and come back"]),
    ],
)
def test_machines_are_tested_one_by_one(only: list[str], titles: list[str]) -> None:
    found = script(shipped("starter"), only)
    assert [each.title for each in found] == titles
    assert [each.number for each in found] == list(range(1, len(titles) + 1))
    assert all(len(each.typical_of) <= 1 for each in found)


def test_any_generator_or_switch_can_be_the_one_that_fails() -> None:
    titles = [each.title for each in script(shipped("hall"), ["generator-4", "ats-2", "utility-b"])]
    assert titles == [
        "Loss of utility feed utility-b",
        "generator-4 fails to start",
        "generator-4 is lost under load",
        "ats-2 does not transfer",
    ]


def test_times_are_the_sum_of_the_ratings() -> None:
    site = Site(shipped("hall"))
    sense, start, turn, slowest, contacts = 2.0, 10.0, 1.0, 16.0, 0.1
    everybody = awaited("hall", "Black building", "ats.on_alternate")
    assert everybody.within == pytest.approx(sense + start + turn + slowest + contacts + MARGIN)
    assert everybody.units == 7
    assert "transfer 16.1 s" in everybody.why
    assert awaited("hall", "Black building", "generator.ready").within == pytest.approx(sense + start + MARGIN)
    assert awaited("hall", "utility-b", "ats.on_alternate").units == 3
    chillers = site.restarted_within("chiller")[0]
    restarted = awaited("hall", "All of chiller-1", "not chiller-1..5.stopped")
    assert restarted.within == pytest.approx(30.0 + chillers)
    assert restarted.units == 5


def test_gates_are_numbers_of_the_plant() -> None:
    held = [gate.hold for gate in step("pod", "chiller-1 trips").gates]
    assert "max(rack.die_temperature) < 88 degC" in held
    assert "max(tank-1.temperature) < 24 degC" in held
    assert "max(pod-air.temperature) < 40 degC" in held
    assert "min(ups.state_of_charge) > 20 %" in held
    frequency = next(gate for gate in step("pod", "chiller-1 trips").gates if "frequency_dips" in gate.hold)
    assert (frequency.limit, frequency.bound("")) == ("55.8 Hz", ">= 55.8 Hz")


def test_every_limit_has_a_direction_before_anything_is_measured() -> None:
    """A number is a least or a most; flags, which must not come, have none."""
    for gate in step("hall", "chiller-1 trips").gates:
        assert re.search(r"[<>]=? [0-9.]+", gate.unmeasured()) or gate.hold.startswith("no "), gate
    assert Gate("max(a.b) < 5 K", "").bound("5 K") == "< 5 K"
    assert Gate("max(a.b) < 5 K", "").unmeasured() == "< 5 K"
    assert Gate("no a.b", "").unmeasured() == "none"
    assert Gate("no a.b", "", "n", "66 Hz", ("c", True)).unmeasured() == "<= 66 Hz (no a.b)"


def test_neighbours_carry_what_a_distribution_unit_leaves() -> None:
    """Eight racks of 119 L/min: 952 by one unit of two, 476 by each; nine tenths of it, once pumps are at rest."""
    lost, changed = step("pod", "cdu-1 is lost"), step("pod", "cdu-1 changes")
    (left,) = [gate for gate in lost.gates if ".flow" in gate.hold]
    assert (left.hold, left.after) == ("min(cdu-2.flow) > 856.8 L/min", pytest.approx(10.0 + MARGIN))
    (both,) = [gate for gate in changed.gates if ".flow" in gate.hold]
    assert (both.hold, both.after) == ("min(cdu-1..2.flow) > 428.4 L/min", pytest.approx(3.0 + 10.0 + MARGIN))
    assert [gate.hold for gate in lost.gates if "supply" in gate.hold] == ["final(cdu-2.supply_temperature) < 41 degC"]
    assert "final(chiller-2.leaving_temperature) < 19 degC" in [g.hold for g in step("pod", "chiller-1 trips").gates]


def test_a_battery_is_full_again_and_the_others_bear_a_lost_ups() -> None:
    """72 s (70 and 2) of 1.5 MW and losses are 116 MJ, at 150 kW 13 min and more."""
    alone = step("pod", "ups-1 on its battery")
    assert alone.gates[1].hold == "final(ups-1.state_of_charge) > 99 %"
    assert alone.length > 70.0 + 70.0 * 1.5e6 / 150e3
    lost = step("pod", "ups-1 is lost")
    assert [each.what for each in lost.awaited] == ["pdu-1.dead"]
    assert lost.gates[0].hold == "max(ups-2.load_fraction) < 100 %"


def test_the_grid_comes_back_to_a_site_whose_sets_cool_down() -> None:
    told = [each.what for each in step("pod", "Black building").awaited]
    assert told.index("generator.ready") < told.index("generator.closed") < told.index("ats.on_alternate")
    assert told[-2:] == ["not ats.on_alternate", "not generator.running"]
    site = Site(shipped("pod"))
    last = step("pod", "Black building").awaited[-1]
    assert last.within - step("pod", "Black building").awaited[-2].within == pytest.approx(
        site.most(["generator-1"], "cooldown") + MARGIN
    )


def test_a_pump_on_call_is_called_and_gives_flow() -> None:
    plant = read(PLANTS.parent / "drills" / "pump-manifold.yaml").plant
    (made,) = script(plant, ["pump-1"])
    assert [each.what.partition(" ")[0] for each in made.awaited] == ["pump-3.called", "pump-3.flow"]
    assert made.awaited[0].within < made.awaited[1].within


def test_a_plant_of_ones_own_is_tested_where_it_lies(tmp_path: Path) -> None:
    """Beside the plant that it varies; what is kept can be run by itself, from anywhere."""
    (tmp_path / "plants").mkdir()
    (tmp_path / "plants" / "base.yaml").write_text("title: Base\nvariant_of: switchgear\n", encoding="utf-8")
    (tmp_path / "plants" / "mine.yaml").write_text("title: Mine\nvariant_of: base\n", encoding="utf-8")
    at = Conditions(has_work=False)
    made = Step("t", "p", [Action("fail", "grid", 0.0, "opened")], [Await("grid.lost", 1.0, "opened")], [], 1.0)
    found = _taken(made, "mine.yaml", at, 0.01, tmp_path, "cpu", tmp_path / "plants")
    assert found.passed
    assert read(tmp_path / "step-00.yaml").plant.units.keys() == shipped("switchgear").units.keys()


def test_machines_of_a_dark_panel_say_that_nobody_controls_them() -> None:
    plant = read(PLANTS.parent / "drills" / "control-panel-lost.yaml").plant
    made = next(each for each in script(plant) if each.title == "panel-1 loses its supply")
    told = [each.what for each in made.awaited]
    assert told[0] == "panel-1.stopped"
    alone = [what for what in told if what.endswith(".uncontrolled") and not what.startswith("not ")]
    assert len(alone) >= 2
    assert told[1 + len(alone) :] == ["not panel-1.stopped", *(f"not {what}" for what in alone)]


def test_what_is_awaited_is_told_in_words() -> None:
    told = [each.said() for each in step("pod", "Black building").awaited]
    assert told[:5] == [
        "utility-a is lost",
        "2 UPS go to battery",
        "a first ATS asks for the generators",
        "2 generators are up to speed",
        "a first generator closes on its bus",
    ]
    assert told[-1] == "2 generators stop"
    plant = read(PLANTS.parent / "drills" / "pump-manifold.yaml").plant
    (made,) = script(plant, ["pump-1"])
    assert made.awaited[-1].said().startswith("pump-3 has a flow > ")


def test_units_are_told_in_few_ranges() -> None:
    site = Site(shipped("hall"))
    assert site.ranges(["ups-4", "ups-1", "ups-2"]) == ["ups-1..2", "ups-4"]
    assert site.ranges([]) == []


def test_a_plant_without_cooling_or_generators_has_the_steps_that_it_can_have() -> None:
    assert [each.title for each in steps("switchgear")] == ["Black building: all utility feeds are lost, and come back"]
    assert not any("generator" in each.title for each in steps("tower-cooled-pod"))
    assert any(each.title == "tower-1 is lost" for each in steps("tower-cooled-pod"))


@pytest.mark.parametrize("name", ["pod", "switchgear"])
def test_every_step_is_a_scenario_that_can_be_read(name: str, tmp_path: Path) -> None:
    at = Conditions(has_work=bool(Site(shipped(name)).work))
    for each in steps(name):
        file = tmp_path / f"{each.number}.yaml"
        file.write_text(each.scenario(name, at, 0.01), encoding="utf-8")
        scenario = read(file)
        assert len(scenario.expected) == len(each.awaited)
        assert len(scenario.criteria) == len(each.gates)
        assert scenario.run.duration == pytest.approx(BEGIN + each.length)


def test_windows_of_fine_ticks_are_joined_where_they_touch() -> None:
    made = Step("t", "p", [Action("fail", "a"), Action("fail", "b", 5.0), Action("restore", "a", 90.0)], [], [], 200.0)
    assert made.windows() == [(59.0, 73.0), (149.0, 158.0)]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Acceptance:
    """A short step of the pod, run: two of its gates cannot hold."""
    made = Step(
        "cdu-1 changes to its standby pump",
        "A duty pump fails.",
        [Action("fail", "cdu-1.duty_pump_failed", 0.0, "its drive is switched off")],
        [Await("cdu-1.standby_running", 5.0, "changeover 3 s + 2 s"), Await("cdu-1.pumps_lost", 6.0, "never")],
        [
            Gate("max(rack.die_temperature) < 88 degC", "throttle temperature", "dies stay cool"),
            Gate("max(rack.die_temperature) < 30 degC", "nobody's", "dies stay cold"),
            Gate("no generator.frequency_dips", "its class", "frequency", "55.8 Hz", ("frequency_low", False)),
            Gate("max(generator.load_fraction) < 100 %", "rated power", "sets within their rating"),
            Gate("min(ups.state_of_charge) > 20 %", "low-battery alarm", "batteries keep a reserve"),
            Gate("min(cdu-1.flow) > 400 L/min", "its share", "cdu-1 gives its flow again", after=8.0),
        ],
        10.0,
        number=1,
    )
    at = Conditions()
    found = _taken(made, "pod", at, 0.1, tmp_path_factory.mktemp("ist"), "cpu")
    return Acceptance("pod", at, [made], [found])


def test_a_step_is_scored_gate_by_gate(taken: Acceptance) -> None:
    (found,) = taken.scored
    assert [each.passed for each in found.sequence] == [True, False]
    assert [each.passed for each in found.gates] == [True, False, None, None, None, True]
    assert not taken.passed
    assert float(found.sequence[0].measured.removesuffix(" s")) == pytest.approx(3.2, abs=0.2)
    assert found.sequence[0].where.startswith("cdu-1, 00:00:03")
    assert found.sequence[1].measured == "never"
    assert found.gates[0].limit == "< 88 °C"
    assert (
        taken.sentence()
        == "1 of 1 step failed, 2 of 5 gates (3 more not applicable): 1 cdu-1 changes to its standby pump."
    )


def test_gates_of_sets_and_batteries_that_never_ran_are_not_applicable(taken: Acceptance) -> None:
    (found,) = taken.scored
    assert [each.tested for each in found.gates] == [True, True, False, False, False, True]
    assert found.gates[2].row()[3:] == ["-", "-", "no set ran", "not applicable", INITIALS]
    assert found.gates[4].row()[3:] == ["-", "-", "no battery carried load", "not applicable", INITIALS]
    assert len(found.failed) == 2
    assert "| - | - | no set ran | not applicable |" in taken.markdown()
    assert taken.html().count("<td>not applicable</td>") == 3
    assert [gate["tested"] for gate in taken.to_json()["steps"][0]["gates"]] == [True, True, *3 * [False], True]


def test_a_gate_may_count_from_later_on(taken: Acceptance) -> None:
    """While the standby pump starts, less flows than is asked for 8 s after."""
    (found,) = taken.scored
    made = taken.steps[0].gates[-1]
    assert made.written()["hold"] == "min(cdu-1.flow) > 400 L/min after 68 s"
    assert (found.gates[-1].limit, found.gates[-1].why) == ("> 400 L/min", "its share, from 8 s on")
    assert [gate["result"] for gate in taken.to_json()["steps"][0]["gates"]][1:3] == ["FAILED", "not applicable"]


def test_the_script_is_told_with_lines_for_witnesses(taken: Acceptance) -> None:
    text = taken.markdown()
    assert "## 1. cdu-1 changes to its standby pump - FAILED" in text
    assert "| dies stay cool | < 88 °C | throttle temperature |" in text
    assert "Witnessed by: ____" in text
    page = taken.html()
    assert page.count('class="witness"') == 1
    assert '<td class="broke">FAILED</td>' in page
    assert "<script" not in page
    records = json.loads(json.dumps(taken.to_json()))
    assert records["passed"] is False
    assert [gate["passed"] for gate in records["steps"][0]["gates"]] == [True, False, None, None, None, True]


def test_a_script_alone_is_not_scored() -> None:
    made = ist("pod", run=False)
    assert made.passed
    assert made.to_json()["passed"] is None
    assert made.sentence() == "14 steps, not run."
    assert "max(tank-1.temperature) < 24 degC" in made.markdown()


def test_what_cannot_be_tested_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match='only: there is no unit or kind "pmup-1"; did you mean "pump-1"'):
        ist("pod", only=["pmup-1"], run=False)
    with pytest.raises(BadInput, match="the test of pod has no step with rack-01; utility, generator, ats, ups, "):
        ist("pod", only=["rack-01"], run=False)
    with pytest.raises(BadInput, match="step 99 is not there; the test of pod has 1 to 14"):
        ist("pod", steps=[99], run=False)
    file = tmp_path / "drill.yaml"
    file.write_text("title: t\nplant: pod\nrun: {duration: 1 min, tick: 1 s}\nworkload: {utilisation: 50 %}\n"
                    "weather: {dry_bulb: 30 degC, relative_humidity: 30 %}\n", encoding="utf-8")  # fmt: skip
    with pytest.raises(BadInput, match="is a scenario; a plant is wanted"):
        ist(file, run=False)


@pytest.mark.slow
def test_the_pod_passes_all_but_the_switch_it_has_one_of() -> None:
    made = ist("pod")
    assert [each.step.title for each in made.scored if not each.passed] == ["ats-1 does not transfer"]
