"""Cut sets, heat map, draws and page of a sweep, from rows made by hand and from a small plant."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from tests.small_plants import wet_chain
from twin.report.words import lasting
from twin.scenario import BadInput
from twin.scenario.sweeping import Sweeping
from twin.studies.audit import Audit, Conditions, Contingency, audit
from twin.studies.audit.found import OUT
from twin.studies.sweep import sweep
from twin.studies.sweep.agreement import Agreement, Apart, agreement
from twin.studies.sweep.cuts import breaks, cut_sets
from twin.studies.sweep.found import Sweep, Traced, against_baselines
from twin.studies.sweep.heat import NONE, heat, picture
from twin.studies.sweep.outcome import Outcome
from twin.studies.sweep.page import _ranked, page
from twin.studies.sweep.risk import frequency, rate_set, risks
from twin.studies.sweep.shown import (
    NET,
    expected,
    given,
    harm,
    how,
    power,
    quantity,
    ranked,
    slow_after,
    spreads,
    summary,
    whole,
)


def row(name, racks=0, passed=(1,), **more):
    fails = [] if name.startswith("nothing") else name.partition(", ")[0].split(" + ")
    units = [each.partition(".")[0] for each in fails]
    kinds = " + ".join(unit.rpartition("-")[0] for unit in units)
    modes = " + ".join("in_service" for _ in units)
    told = {"racks_lost": racks, "racks_lost_end": racks, "passed": passed, "failed": passed.count(0)}
    return Outcome(name, " + ".join(units), kinds, modes, 60.0, **told | more)


def found(*rows):
    return Sweep("by hand", tuple(rows), ("no rack.shut_down",), {"twin_version": "0", "sweep_sha256": "0"})


class TestRisk:
    """By hand: a UPS fails every 170,000 h for half an hour, a pump every 60,000 h for eight, a generator at 0.13 %."""

    @pytest.mark.parametrize(
        ("case", "kinds", "modes", "per_year"),
        [
            ("ups-1", "ups", "in_service", 8766 / 170e3),
            ("ups-1 + pump-1", "ups + pump", "in_service + in_service", 8766 / 170e3 * 8766 / 60e3 * 8.5 / 8766),
            ("utility + generator-1", "utility + generator", "closed + fails_to_start", 8766 / 8760 * 0.0013),
            ("generator-1", "generator", "fails_to_start", 0.0),
            ("ups-1 + rack-1", "ups + rack", "in_service + in_service", 0.0),
        ],
    )
    def test_how_often(self, case, kinds, modes, per_year):
        made = Outcome(case, case, kinds, modes, 60.0)
        assert frequency(made, rate_set("ieee-493")) == pytest.approx(per_year)

    def test_what_is_expected_is_how_often_times_what_it_costs_for_all_it_stands_for(self):
        made = found(
            row("nothing fails"), row("pump-1", energy_lost=3.6e9, stands_for=2, tokens_lost=10.0),
            row("ups-1", energy_lost=7.2e9), row("rack-1", 1, energy_lost=1e9),
        )  # fmt: skip
        first, second = risks(made, rate_set("ieee-493"))
        assert (first.outcome.case, second.outcome.case) == ("pump-1", "ups-1")
        assert first.energy == pytest.approx(2 * 8766 / 60e3 * 3.6e9)
        assert first.tokens == pytest.approx(2 * 8766 / 60e3 * 10.0)
        assert first.to_json()["per_year"] == first.per_year
        assert expected([first, second], "ieee-493", 20).row_count == 3

    def test_a_set_that_counts_by_gpu_or_is_none_is_refused(self):
        for name in ("rsc-1", "ieee-439"):
            with pytest.raises(BadInput, match="there is no set of rates of equipment"):
                rate_set(name)


class TestCuts:
    def test_a_pair_counts_only_where_neither_does_harm_alone(self):
        made = found(
            row("nothing fails"), row("bus-1", 8), row("ups-1"), row("ups-2"),
            row("bus-1 + ups-1", 8), row("ups-1 + ups-2", 4, stands_for=3, alike="ups-1 + ups-3; ups-2 + ups-3"),
        )  # fmt: skip
        assert [(cut.failures, cut.count) for cut in cut_sets(made)] == [(("bus-1",), 1), (("ups-1", "ups-2"), 3)]

    def test_singles_that_others_stand_for_count_as_themselves(self):
        made = found(row("nothing fails"), row("bus-1", 8, alike="bus-2"), row("bus-2 + ups-1", 8), row("ups-1"))
        assert [cut.failures for cut in cut_sets(made)] == [("bus-1",)]

    def test_each_world_has_its_own_singles(self):
        made = found(
            row("nothing fails"), row("nothing fails, ups-3 in maintenance"), row("ups-1"),
            row("ups-1, ups-3 in maintenance", 8), row("ups-1 + ups-2", 8), row("ups-2"),
        )  # fmt: skip
        assert {cut.outcome.case for cut in cut_sets(made)} == {"ups-1, ups-3 in maintenance", "ups-1 + ups-2"}

    @pytest.mark.parametrize(
        ("case", "does"),
        [
            (row("rack-1", 1), False), (row("rack-1", 2), True), (row("rack-1 + rack-2", 2), False),
            (row("ups-1", passed=(0,)), True), (row("rack-1", 1, passed=(0,)), True),
            (row("ups-1", throttled=8), False), (row("ups-1", fault="broken"), True),
            (row("air_rack-1", 1), False), (row("air_rack-1", 2), True), (row("air_rack-1 + rack-2", 2), False),
        ],
    )  # fmt: skip
    def test_harm_is_what_goes_beyond_the_failed_racks_themselves(self, case, does):
        assert breaks(case, row("nothing fails")) is does

    def test_a_criterion_that_fails_anyway_is_no_harm(self):
        assert not breaks(row("ups-1", passed=(0,)), row("nothing fails", passed=(0,)))

    def test_harm_in_words(self):
        assert harm(row("ups-1", 8, passed=(0, 0))) == "8 racks down; 2 criteria fail"
        assert harm(row("ups-1", 8, racks_lost_end=2)) == "8 racks down, 2 at the end"
        assert harm(row("ups-1", throttled=3, passed=(0,))) == "3 racks slower; 1 criterion fails"


class TestHeat:
    def test_the_worst_of_all_modes_by_unit_both_ways(self):
        made = heat(found(
            row("ups-1", 1), row("ups-1.battery_failed", 3), row("ups-1 + bus-1", 2),
            row("ups-1.battery_failed + bus-1", 5), row("ups-1 + ups-1.battery_failed", 4, alike="ups-2 + ups-2.x"),
        ))  # fmt: skip
        assert made.names == ["bus-1", "ups-1", "ups-2"]
        assert made.alone.tolist() == [NONE, 3, NONE]
        assert made.pairs.tolist() == [[NONE, 5, NONE], [5, 4, NONE], [NONE, NONE, 4]]

    def test_racks_that_fail_themselves_are_no_harm(self):
        made = heat(found(row("rack-1", 1), row("rack-2", 3), row("rack-1 + rack-2", 4), row("rack-1 + bus-1", 1)))
        assert made.alone.tolist() == [NONE, 0, 2]
        assert made.pairs.tolist() == [[NONE, 0, NONE], [0, NONE, 2], [NONE, 2, NONE]]

    def test_many_units_are_shown_by_kind(self):
        made = heat(found(*(row(f"ups-{i} + bus-{i}", i) for i in range(1, 30))))
        assert made.by_kind
        assert made.names == ["bus", "ups"]
        assert made.pairs.max() == 29

    def test_the_picture_is_one_and_only_of_pairs(self, tmp_path):
        assert picture(found(row("ups-1", 1)), tmp_path / "x.png") is None
        drawn = picture(found(row("ups-1", 1), row("ups-1 + bus-1", 2)), tmp_path / "x.png")
        assert drawn.read_bytes()[:4] == b"\x89PNG"


def test_losses_are_against_the_world_that_stands_for_the_case_s_own():
    rows = against_baselines(
        [
            row("nothing fails, rack-1 in maintenance", alike="nothing fails, rack-2 in maintenance", work_energy=9.0),
            row("ups-1, rack-2 in maintenance", work_energy=7.0),
        ]
    )
    assert rows[1].energy_lost == 2.0


def test_percentiles_over_draws():
    made = found(*(row(f"nothing fails, draw {i}", i, draw=i, to_throttle=float("nan")) for i in range(101)))
    lost = spreads(made)[0]
    assert lost == ["racks lost", "101 of 101", "5", "50", "95"]
    assert "to throttle" not in [each[0] for each in spreads(made)]
    assert spreads(found(row("ups-1", 1))) == []


def test_page_and_terminal_of_a_small_plant(tmp_path):
    made = sweep(wet_chain(), Sweeping(order=2, kinds=("pump",), modes=("in_service",), at=(2.0,), after=260.0))
    assert [cut.failures for cut in cut_sets(made)] == [("pump-1", "pump-2")]
    agreed = Agreement(["utility"], ["ups-1"], [Apart("board", False, "for a reason")], ["pump-9"], 3)
    made = replace(made, traced=(Traced("pump-1", "s-worst/pump-1.h5"), Traced("pump-2", fault="it broke")))
    text = page(made, tmp_path / "s.html", agreed).read_text()
    assert "pump-1 + pump-2" in text
    for row in (
        ("board", "no rack stops", "racks stop", "for a reason"), ("racks stop by both", "1", "utility"),
        ("racks stop, and the audit does not try it", "1", "pump-9"), ("pump-2", "-", "it broke"),
        ("pump-1", "s-worst/pump-1.h5", "as its row says, bit for bit"),
    ):  # fmt: skip
        assert re.search("</td><td[^>]*>".join(map(re.escape, row)), text), row
    both = next(each for each in made.outcomes if each.case == "pump-1 + pump-2")
    under = f'<td class="under" colspan="10">{how(both)}'
    assert under in text
    assert both.harm_chain.startswith("pump-")
    assert f"{both.harm_unit} {both.harm}" in both.harm_chain
    (cells,) = re.findall("<tr>(<td[^>]*>1</td><td>pump-1 [+] pump-2</td>.*)</tr>", text)
    shown = re.findall("<td[^>]*>([^<]*)</td>", cells)[2:7]
    down = [str(both.racks_lost), lasting(both.harm_after), str(both.racks_lost_end)] if both.racks_lost else ["-"] * 3
    assert shown == [str(both.throttled_peak), lasting(both.to_throttle), *down]
    assert "Failures strike 2 s into the run, which ends 260 s later." in text
    assert "Failures strike 2 s into the run" in given(made)
    assert "They differ on 1 failure." in text
    assert "Beside the audit" not in page(made, tmp_path / "s.html").read_text()
    assert "<script" not in text
    assert "data:image/png;base64" in text
    assert "a criterion fails in 1" in summary(made)
    assert whole(made, 80).renderables
    assert np.isfinite([each.energy_residual for each in made.outcomes]).all()


def test_of_two_failures_at_once_the_chain_names_both():
    told = "ups-2 is lost > rack-1 loses power (after 2 s)"
    assert how(row("ups-1 + ups-2", harm_chain=told)) == (
        "ups-2 is lost → rack-1 loses power (after 2 s), with ups-1 failed as well"
    )
    stuck = row("pump-1 + cdu-2.valve_stuck", harm_chain="pump-1 stops > rack-1 throttles")
    stuck = replace(stuck, modes="in_service + valve_stuck")
    assert how(stuck).endswith(", with cdu-2 failed (the facility valve stays where it is) as well")
    short = replace(stuck, units="pump-1 + pdu-2", kinds="pump + pdu", modes="in_service + short_circuit")
    assert how(short).endswith("rack-1 throttles, with pdu-2 short-circuited as well")
    assert how(row("ups-2", harm_chain=told)) == "ups-2 is lost → rack-1 loses power (after 2 s)"
    assert how(row("ups-1 + ups-2")) == ""


def test_what_a_report_calls_no_power_is_none_and_a_brake_has_its_moment():
    told = {"power_before": 1e6, "throttled": 8, "harm_after": 0.3}
    assert power(row("ups-1", **told, power_lost=4.9e3)) == "-"
    assert power(row("ups-1", **told, power_lost=5.1e3)) == "5.1 kW"
    assert power(row("ups-1", power_lost=999.0)) == "-"
    assert slow_after(row("ups-1", **told)) == "300 ms"
    assert slow_after(row("ups-1", 2, **told)) == "-", "that is when the first stopped"
    assert slow_after(row("ups-1", 2, **told, to_throttle=2.0)) == "2 s"
    assert slow_after(row("ups-1")) == "-"


@pytest.mark.parametrize(
    ("value", "sign", "said"),
    [
        (0.4, "", "-"), (12.34, "$", "$12.34"), (-1234.6, "$", "-$1,235"), (1.2345e6, "", "1.234 M"),
        (3.21e9, "", "3,210 M"), (999999.7, "", "1,000,000"),
    ],
)  # fmt: skip
def test_what_is_lost_is_said_without_powers_of_ten(value, sign, said):
    assert quantity(value, 1.0, sign) == said


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1200, 900])
def test_no_table_is_cut_at_the_edge_of_a_window(tmp_path, width):
    """`pytest -n0 -m slow tests/studies/test_sweep_cuts.py`: names, numbers, tokens and money as long as they come."""
    long = {"tokens": 1.0, "tokens_lost": 1.234e9, "revenue_lost": 1.2e5, "energy_lost": 1e12, "power_lost": 1.234e6}
    more = long | {"to_throttle": 583.4, "harm_after": 700.0, "harm_chain": "ups-1 is lost > " * 20, "throttled": 64}
    page(found(row("nothing fails"), row("transformer-1 + main-board-12", 64, **more)), tmp_path / "s.html")
    ask = "const t = document.querySelector('iframe').contentDocument.querySelector('#ranked .scroll');"
    ask += "document.title = t.scrollWidth + ' of ' + t.clientWidth"
    frame = f'<iframe src="s.html" style="width:{width}px;height:900px" onload="ask()"></iframe>'
    (tmp_path / "framed.html").write_text(
        f"<html><body><script>function ask() {{ {ask} }}</script>{frame}</body></html>"
    )
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    done = subprocess.run(
        [*words, "--virtual-time-budget=3000", (tmp_path / "framed.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    wide, room = map(int, re.search(r"<title>(\d+) of (\d+)</title>", done.stdout).groups())
    assert wide <= room < width


class TestBesideTheAudit:
    """Both fail what feeds four racks; the audit's sentence and the sweep's must be told from one another."""

    def test_they_agree_on_what_feeds_all(self):
        plant = wet_chain()
        made = sweep(plant, Sweeping(kinds=("utility", "bus", "pump"), at=(2.0,), after=60.0))
        found = agreement(made, audit(plant, Conditions(hold=60.0)))
        assert found.agree
        assert {"utility", "board"} <= set(found.stop)
        assert found.not_tried == sum(row.kinds == "pump" for row in made.cases)
        assert found.beyond == []

    @pytest.mark.parametrize(
        ("stops", "case", "why"),
        [
            ((), row("ups-1", 4, to_shutdown=2000.0), "comes after 33 min 20 s, and the audit watches 16 min"),
            ((), row("ups-1", 4, to_unpowered=100.0, recovery=300.0), "down from 100 s to 300 s"),
            (("rack-1",), row("ups-1", throttled=3), "3 racks only go slower"),
            (("rack-1",), row("ups-1", fault="it broke"), "the sweep could not run it: it broke"),
            ((), row("ups-1", 4, to_unpowered=1.0), "lets its ticks grow"),
        ],
    )
    def test_each_difference_has_its_reason(self, stops, case, why):
        struck = Contingency("ups-1", "ups", OUT, False, stops, (), (), None, (), (), ())
        held = Audit("x", 1, "", Conditions(), (), (), (struck,), (), (), (), "")
        found = agreement(Sweep("x", (row("nothing fails"), case), ()), held)
        assert why in found.apart[0].why
        assert any("ups-1 stops racks by the" in each for each in found.sentences())


def test_money_lost_in_net_has_a_column_where_anything_costs_any() -> None:
    """GPU time of a job is worth 12 USD: no tokens, and yet it costs."""
    told = {"first": "trips", "first_unit": "ups-1", "racks_lost": 1}
    for lost, has in ((12.0, True), (0.0, False), (float("nan"), False)):
        rows = (Outcome("ups-1", "ups-1", "ups", "in_service", 60.0, net_revenue_lost=lost, **told),)
        found = Sweep("by hand", rows, (), {})
        made = ranked(found, 140, 5)
        assert (NET in [str(column.header) for column in made.columns]) is has
        (part,) = _ranked(found).tables
        heads = [column.name for column in part.columns]
        assert (NET in heads) is has
        assert all(len(row) == len(heads) for row in part.rows)
        assert not has or part.rows[0][heads.index(NET)] == "$12"
