"""The scheduler in runs: jobs come, wait, run, give way and finish on racks of a plant, in each member by itself."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import twin
from twin.equipment.job import PHASES
from twin.plant import Plant
from twin.report.reliability import band_rows
from twin.report.schedule import schedule, schedule_rows
from twin.scenario import check, read
from twin.simulation import Simulation
from twin.studies.drill import DrillResult

SITE = """\
title: A queue
plant:
  units:
    utility-a: {kind: utility, rated_power: 2 MW}
    rack-01..06: {like: gb300-nvl72, feeds: utility-a, air_fraction: 0 %, shelf_count: 0, storage_capacity: 0 J,
      restart_time: 0 s, soft_start_time: 0 s, check_time: 0 s, ramp_time: 0 s, drain_time: 0 s}
    pump-1: {like: pump-25lps, feeds: utility-a}
    cooler-1: {like: dry-cooler-2900kw, feeds: utility-a}
  coolant:
    technology: {fluid: pg25, plant: [[pump-1, cooler-1]], loads: [rack-01..06]}
run: {duration: 25 min, tick: 5 s, record: 1 min}
weather: {dry_bulb: 20 degC, relative_humidity: 50 %}
"""
RATINGS = (
    "step_time: 4 s, exposed_communication: 0 %, checkpoint_interval: 10 min, checkpoint_time: 20 s, resume_time: 2 min"
)
JOBS = f"""\
workload:
  jobs:
    low: {{racks: 4, work: 60 min, {RATINGS}}}
    high: {{racks: 4, work: 30 min, arrives: 15 min, priority: 1, {RATINGS}}}
    small: {{racks: 2, work: 300, arrives: 15 min, {RATINGS}}}
"""


def ran(tmp_path: Path, text: str, members: int | None = None, minutes: int = 25) -> DrillResult:
    path = tmp_path / "queue.yaml"
    path.write_text(SITE.replace("25 min", f"{minutes} min") + text)
    return twin.run(path, output=tmp_path / "queue.h5", members=members)


def test_a_schedule_by_hand(tmp_path: Path) -> None:
    """low: 120 s to resume, then cycles of 620 s. At 15 min high wants 4 of 2 free racks: low saves 20 s and goes.

    It had worked 600 + 160 s. high runs 120 + 1,800 s of work and 2 pauses (its third is not begun when it ends);
    low stands before small, which came later, and goes on with 3,600 - 760 s of work when high ends; small beside it.
    """
    drill = ran(tmp_path, JOBS + "scheduler: {racks: rack-01..06, period: 10 s}\n", minutes=100)
    found = drill.findings.measure["schedule"]
    assert found is not None
    assert (found["low"]["arrived"], found["low"]["started"]) == (0.0, 0.0)
    assert found["high"]["arrived"] == 900.0
    assert found["high"]["started"] == 920.0
    assert found["high"]["finished"] == 920.0 + 120 + 1800 + 40
    assert (found["small"]["started"], found["small"]["waited"]) == (2880.0, 2880.0 - 900.0)
    assert found["small"]["finished"] == 2880.0 + 120 + 1200 + 20
    assert (found["low"]["preempted"], found["low"]["requeued"]) == (1, 0)
    assert found["low"]["waited"] == pytest.approx(2880.0 - 920.0)
    left = 3600.0 - 760.0
    assert found["low"]["finished"] == pytest.approx(2880.0 + 120 + left + 20 * (left // 600), abs=10.0)
    training = drill.findings.measure["training"]
    assert training["low"]["lost_steps"] == 0.0
    own_span = {"high": 1800 / (120 + 1800 + 40), "small": 1200 / (120 + 1200 + 20)}
    assert {name: training[name]["goodput"] for name in own_span} == pytest.approx(own_span, rel=1e-9)
    assert [training[name]["mean_pace"] for name in ("low", *own_span)] == pytest.approx([1.0] * 3, rel=1e-6)
    told = [(entry.unit, entry.what.split(" (")[0], entry.why) for entry in drill.findings.entries if entry.time < 1000]
    assert ("low", "is asked to save and give its racks back", "high goes before it") in told
    assert ("high", "gets its racks", "on 4 racks: rack-01..rack-04; waited 20 s") in told


def test_only_the_time_with_racks_counts_for_the_reliability_of_a_job(tmp_path: Path) -> None:
    """brief has racks for 120 s to resume and 120 s of work, of 25 min; never does not come to have any."""
    text = f"workload: {{jobs: {{brief: {{racks: 6, work: 2 min, {RATINGS}}}, "
    text += f"never: {{racks: 6, work: 2 min, arrives: 24.9 min, {RATINGS}}}}}}}\n"
    text += "scheduler: {racks: rack-01..06, period: 10 s}\n"
    text += "events: [{at: 20 min, fail: rack-01}]\n"
    found = ran(tmp_path, text, members=2).findings.reliability
    assert found is not None
    brief, never = found["jobs"]["brief"], found["jobs"]["never"]
    assert brief["effective_training_time"]["values"] == pytest.approx([0.5, 0.5], abs=0.03)
    assert brief["goodput"]["values"] == pytest.approx([0.5, 0.5], abs=0.03)
    assert brief["availability"]["values"] == [1.0, 1.0]
    assert (never["goodput"], never["effective_training_time"], never["availability"]) == (None, None, None)
    assert not [row for row in band_rows(found) if row[0].startswith("never: availability")]


def test_a_job_of_a_scheduler_does_what_one_with_racks_of_its_own_does(tmp_path: Path) -> None:
    """The same steps, tick by tick, as soon as it has had the time to resume."""
    alone = Simulation(
        read(
            _write(
                tmp_path,
                "workload: {jobs: {a: {racks: 6, work: 1e6, " + RATINGS + "}}}\nscheduler: {racks: rack-01..06}\n",
            )
        )
    )
    alone.run()
    units = SITE.replace("    pump-1:", "    a: {kind: job, racks: rack-01..06, " + RATINGS + "}\n    pump-1:")
    path = tmp_path / "own.yaml"
    path.write_text(units)
    own = Simulation(read(path))
    own.run()
    late = 120.0 / 620.0 * 600.0 / 4.0
    one, other = (float(each.state.rows["job"].steps[0, 0]) for each in (alone, own))
    assert other - one == pytest.approx(late, abs=6.0)
    assert float(alone.state.outputs["site"].it_power[0, 0]) == pytest.approx(
        float(own.state.outputs["site"].it_power[0, 0]), rel=0.02
    )


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "queue.yaml"
    path.write_text(SITE + text)
    return path


def test_members_differ_and_each_is_as_it_is_alone(tmp_path: Path) -> None:
    text = JOBS + "scheduler: {racks: rack-01..06, backfill: true, period: 20 s}\n"
    text += "failures: {rack.in_service: {every: 40 min, repair: 5 min}}\n"
    many = Simulation(read(_write(tmp_path, text), members=3))
    many.run()
    steps = np.asarray(many.state.rows["job"].steps)
    assert len({tuple(row) for row in steps.tolist()}) > 1
    one = Simulation(read(_write(tmp_path, text), members=1))
    one.run()
    assert np.array_equal(np.asarray(one.state.rows["job"].steps)[0], steps[0])
    assert np.array_equal(one.inputs["rack"].job_number[0], many.inputs["rack"].job_number[0])
    assert np.array_equal(
        np.asarray(one.state.rows["rack"].die_temperature)[0], many.state.rows["rack"].die_temperature[0]
    )


def test_a_lost_rack_costs_the_work_since_the_checkpoint_and_another_takes_its_place(tmp_path: Path) -> None:
    text = (
        "workload: {jobs: {a: {racks: 4, work: 5 h, " + RATINGS + "}}}\nscheduler: {racks: rack-01..06, period: 10 s}\n"
    )
    text += "events: [{at: 1000 s, fail: rack-02}]\n"
    drill = ran(tmp_path, text)
    job = drill.findings.measure["training"]["a"]
    assert job["lost_steps"] == pytest.approx((1000.0 - 120.0 - 620.0) / 4.0, abs=3.0)
    assert job["interruptions"] == 1.0
    told = [
        entry.why for entry in drill.findings.entries if entry.unit == "a" and entry.what.startswith("gets its racks")
    ]
    assert told[-1] == "rack-02 lost, rack-05 in its place"
    racks = drill.trace["rack.job_number"].values[-1, 0]
    assert racks.tolist() == [1, 0, 1, 1, 1, 0]


def test_jobs_of_a_queue_share_a_storage_and_give_way_as_fast_as_it_takes_their_data(tmp_path: Path) -> None:
    """By hand: 600 GB at 5 GB/s take 120 s, not 20, and a restart reads them back at 10 GB/s in 60 s.

    low begins anew: 120 s to resume, 600 s of work, 120 s of saving, 60 s of work until 15 min; then it saves 120 s
    and high begins at 17 min. low has racks again when high has done its 300 s of work, at 24 min, and 3 min to go.
    """
    stored = RATINGS + ", storage: store-1, checkpoint_size: 600 GB"
    path = tmp_path / "queue.yaml"
    path.write_text(f"""\
title: A queue on storage
plant: starter
run: {{duration: 30 min, tick: 5 s, record: 1 min}}
weather: {{dry_bulb: 20 degC, relative_humidity: 50 %}}
workload:
  jobs:
    low: {{racks: 4, work: 60 min, {stored}}}
    high: {{racks: 4, work: 5 min, arrives: 15 min, priority: 1, {stored}}}
scheduler: {{racks: rack-1..4, period: 10 s}}
""")
    drill = twin.run(path, output=tmp_path / "queue.h5")
    found, trained = drill.findings.measure["schedule"], drill.findings.measure["training"]
    assert found["high"]["started"] == 17 * 60.0
    assert found["high"]["finished"] == 24 * 60.0
    written = drill.trace["store-1.data_written"].values[-1, 0, 0] / 8e9
    assert written == pytest.approx(1200.0)
    read_back = drill.trace["store-1.data_read"].values[-1, 0, 0] / 8e9
    assert read_back == pytest.approx(600.0), "low's, once; high began anew"
    assert trained["low"]["lost_steps"] == 0.0
    assert trained["low"]["saving_time"] == pytest.approx(240.0)
    assert drill.trace["low.steps"].values[-1, 0, 0] == pytest.approx((660.0 + 180.0) / 4.0, abs=1.0)
    assert drill.run.energy_residual < 1e-11


def test_who_is_dead_from_upstream_or_has_no_cold_water_carries_no_gang(tmp_path: Path) -> None:
    """Four jobs of a rack of 40.8 kW each: how many start in each of four worlds.

    pdu-a is dead behind its breaker, and pdu-b carries 100 kW; one CRAH of three takes 5.5 kW/K of 20 K, from water of
    10 degC to a room of 30, less 2.8 kW of its fans; with no water nothing.
    """
    path = tmp_path / "queue.yaml"
    jobs = ", ".join(f"job-{k}: {{racks: 1, work: 1 h, arrives: 54 s, {RATINGS}}}" for k in range(1, 5))
    lost = ("main-a.closed", "crah-1..2.in_service", "pump-1..3.in_service")
    events = ", ".join(f"{{at: 2 s, set: {name}, to: 0, member: {k}}}" for k, name in enumerate(lost))
    path.write_text(f"""\
title: A queue with little behind it
plant: {{variant_of: starter, units: {{pdu-b: {{rated_power: 100 kW}}, room: {{limit_temperature: 30 degC}}}}}}
run: {{duration: 1 min, tick: 2 s, members: 4}}
weather: {{dry_bulb: 20 degC, relative_humidity: 50 %}}
workload: {{jobs: {{{jobs}}}}}
events: [{events}]
scheduler: {{racks: rack-1..4, place: [cooling, power]}}
""")
    world = Simulation(read(path))
    world.run()
    running = np.asarray(world.inputs["job"].phase) == PHASES["running"]
    assert running.sum(axis=1).tolist() == [2, 2, 0, 4]


def test_a_job_that_shrank_grows_again_when_its_rack_is_back(tmp_path: Path) -> None:
    text = f"workload: {{jobs: {{a: {{racks: 6, work: 5 h, shrink: 4, {RATINGS}}}}}}}\n"
    text += "scheduler: {racks: rack-01..06, period: 10 s}\n"
    text += "events: [{at: 900 s, fail: rack-02}, {at: 1080 s, restore: rack-02}]\n"
    drill = ran(tmp_path, text)
    able = drill.trace["a.racks_able"].values[:, 0, 0]
    assert able[[14, 17, -1]].tolist() == [6, 5, 6]
    assert drill.trace["a.pace"].values[-1, 0, 0] == pytest.approx(1.0, abs=0.02)
    schedule, trained = drill.findings.measure["schedule"]["a"], drill.findings.measure["training"]["a"]
    assert (schedule["grown"], schedule["preempted"], schedule["requeued"]) == (1, 0, 0)
    assert trained["lost_steps"] == pytest.approx(40.0, abs=2.0), "the loss of the rack; it saves before it grows"
    told = [entry.why for entry in drill.findings.entries if entry.unit == "a"]
    assert "grows to 6 racks, which are free again" in told


def test_a_job_that_shrinks_goes_on_more_slowly(tmp_path: Path) -> None:
    text = (
        "workload: {jobs: {a: {racks: 6, work: 5 h, shrink: 4, "
        + RATINGS
        + "}}}\nscheduler: {racks: rack-01..06, period: 10 s}\n"
    )
    text += "events: [{at: 1000 s, fail: rack-02}]\n"
    drill = ran(tmp_path, text)
    pace = drill.trace["a.pace"].values[:, 0]
    assert pace[10, 0] == pytest.approx(1.0, abs=0.02)
    assert pace[-1, 0] == pytest.approx(5 / 6, abs=0.02)


def test_maintenance_drains_racks_without_a_rollback(tmp_path: Path) -> None:
    text = "workload: {jobs: {a: {racks: 4, work: 5 h, " + RATINGS + "}}}\n"
    text += (
        "scheduler: {racks: rack-01..06, period: 10 s, maintenance: [{racks: rack-01..02, at: 600 s, for: 8 min}]}\n"
    )
    drill = ran(tmp_path, text)
    assert drill.findings.measure["training"]["a"]["lost_steps"] == 0.0
    assert drill.findings.measure["schedule"]["a"]["preempted"] == 1
    drained = drill.trace["rack.drained"].values[:, 0]
    minutes = drill.trace.time / 60.0
    assert drained[(minutes > 12) & (minutes < 17.5)][:, :2].all()
    assert not drained[minutes > 19].any()
    assert not drained[:, 2:].any()


def test_racks_without_a_job_idle_and_a_plant_keeps_its_queue_in_a_trace(tmp_path: Path) -> None:
    drill = ran(
        tmp_path, "workload: {jobs: {a: {racks: 2, work: 5 h, " + RATINGS + "}}}\nscheduler: {racks: rack-01..06}\n"
    )
    power = drill.trace["rack.power"].values[-1, 0]
    assert power[2:] == pytest.approx(30e3, rel=0.05)
    assert power[:2].min() > 100e3
    kept = Plant.from_json(drill.trace.plant.to_json())
    assert kept.scheduled == {"a": [f"rack-0{k}" for k in range(1, 7)]}


def test_energy_of_a_queue_closes(tmp_path: Path) -> None:
    text = JOBS + "scheduler: {racks: rack-01..06}\nfailures: {rack.in_service: {every: 30 min, repair: 5 min}}\n"
    assert ran(tmp_path, text, 3).run.energy_residual < 1e-11


def test_it_reads_without_a_doubt(tmp_path: Path) -> None:
    assert check(_write(tmp_path, JOBS + "scheduler: {racks: rack-01..06, place: [fabric, cooling, power]}\n")) == []


def test_a_job_that_comes_after_the_end_has_an_empty_row() -> None:
    story = SimpleNamespace(plant=SimpleNamespace(scheduled=("late",)), events_of=[[]], end=300.0, chances={})
    (row,) = schedule_rows(schedule(story, 0))  # type: ignore[arg-type]
    assert row == ["late", "not yet", "not yet", "not yet", "0 s", "0 s", "0", "0", "0"]
