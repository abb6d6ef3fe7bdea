"""Routing: a fabric in a run - who loses bandwidth when a switch stops, when, in which member, and why."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import add, pod
from twin import model as compiled
from twin import report
from twin.declare import replace
from twin.plant import Plant
from twin.plant_fabric.generators import fat_tree
from twin.routing import Routes
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import Simulation, simulate
from twin.trace import open_trace

LEAVES = [f"leaf-{number}" for number in range(1, 9)]
SPINES = [f"spine-{number}" for number in range(1, 5)]


def wired(detection: float = 1.0) -> Plant:
    """The pod with a fat tree: leaf-2 (rail 2 of racks 1 to 4) hangs on one PDU, all else on both."""
    plant = pod()
    for name in LEAVES + SPINES:
        feeds = ("pdu-1",) if name == "leaf-2" else ("pdu-1", "pdu-2")
        add(plant, name, "switch", feeds, "hall", rated_power=4500, ports=144, restart_delay=30)
    fabric = fat_tree([f"rack-{number:02d}" for number in range(1, 9)], LEAVES, SPINES)
    fabric.detection = detection
    plant.add_fabric(fabric)
    return plant


def scenario(*changes: Change, plant: Plant | None = None, members: int = 1, duration: float = 60.0) -> Scenario:
    return Scenario(
        "fabric", "", plant or wired(), RunSettings(duration, 1.0, members=members), changes=list(changes), text="f"
    )


def test_a_pdu_that_kills_a_leaf_slows_racks_that_keep_their_power(tmp_path):
    story = scenario(Change(10.0, "pdu-1", "in_service", 0.0, verb="fail"), Change(20.0, "pdu-1", "in_service", 1.0))
    simulate(story, trace=tmp_path / "leaf.h5", device="cpu")
    trace = open_trace(tmp_path / "leaf.h5")
    share = np.asarray(trace["rack.bandwidth_share"].values)[:, 0]
    time = np.asarray(trace.time)
    assert (share[time <= 11.0] == 1.0).all()
    down = (time > 11.5) & (time < 50.0)
    assert (share[down][:, :4] == 0.75).all()
    assert (share[:, 4:] == 1.0).all()
    assert (share[time > 53.0] == 1.0).all()
    assert np.asarray(trace["rack.unpowered"].values).max() == 0.0
    links = np.asarray(trace["switch.links_alive"].values)[:, 0]
    assert (links[down][:, 1] == 0.0).all()
    assert links[down][:, 8:] == pytest.approx(np.full((down.sum(), 4), 7 / 8))


def test_the_timeline_says_which_leaf_took_the_bandwidth_and_which_fault_the_leaf(tmp_path):
    story = scenario(Change(10.0, "pdu-1", "in_service", 0.0, verb="fail"))
    simulate(story, trace=tmp_path / "leaf.h5", device="cpu")
    said = report.summary(open_trace(tmp_path / "leaf.h5"))
    lines = said["timeline"]
    slow = [each for each in lines if each["unit"] == "rack-03"]
    assert [each["what"] for each in slow] == ["has 75 % of its bandwidth to other racks"]
    stop = lines[slow[0]["cause"]]
    assert (stop["unit"], stop["what"]) == ("leaf-2", "stops forwarding (rail 2)")
    first = stop
    while first["cause"] is not None:
        first = lines[first["cause"]]
    assert first["unit"] == "pdu-1"
    assert said["metrics"]["fault"]["unit"] == "pdu-1"


@pytest.mark.parametrize("tick", [1.0, 5.0, 7.0])
def test_bandwidth_comes_and_goes_after_the_leaf_that_carries_it_at_any_tick(tmp_path, tick):
    """The leaf is lost at 10.02 s and boots for 30 s when its PDU is back; looks come every second."""
    story = scenario(Change(10.0, "pdu-1", "in_service", 0.0, verb="fail"), Change(23.9, "pdu-1", "in_service", 1.0))
    story.run = RunSettings(84.0, tick)
    simulate(story, trace=tmp_path / "leaf.h5", device="cpu")
    with open_trace(tmp_path / "leaf.h5") as trace:
        leaf = [each.time for each in trace.events if each.unit == "leaf-2" and each.flag in ("down", "stopped")]
        rack = [each.time for each in trace.events if each.unit == "rack-03" and "bandwidth_share" in each.flag]
    assert len(rack) == 2
    assert len(leaf) == 2
    assert all(0.0 <= felt - turned <= tick + 1.0 for felt, turned in zip(rack, leaf, strict=True))


def test_members_lose_what_their_own_switches_lost():
    changes = [
        Change(5.0, "leaf-2", "in_service", 0.0, member=1),
        Change(5.0, "spine-1", "in_service", 0.0, member=2),
        Change(5.0, "rack-06", "ports_lost", 0.5, member=2),
    ]
    run = Simulation(scenario(*changes, members=3, duration=10.0), device="cpu")
    run.run()
    share = run.inputs["rack"].bandwidth_share
    assert share[0].tolist() == [1.0] * 8
    assert share[1].tolist() == [0.75] * 4 + [1.0] * 4
    uplinks = 54 / 63  # racks 5 to 8 bring 63 ports a rail to a leaf that has 54 left
    assert share[2].tolist() == pytest.approx([0.75] * 4 + [uplinks, 0.5 * uplinks, uplinks, uplinks])


def test_jobs_that_send_alone_lose_only_what_their_own_racks_need():
    """A spine of four carries a quarter of what leaves a group of racks under one leaf, and none of what stays there.

    Job a lies under leaves 1 to 4 and never needs a spine; job b lies across, on racks 4 and 5, and its two racks bring
    36 ports a rail to leaves that have 54 left; leaf-1 takes one rail of four from racks 2, 3 and 4.
    """
    plant = wired()
    plant.fabrics["compute"].senders = "jobs"
    for job, racks in {"a": ("rack-02", "rack-03"), "b": ("rack-04", "rack-05")}.items():
        add(plant, job, "job", step_time=4.0)
        plant.gather(job, list(racks))
    share = looked(plant, ("spine-1", "leaf-1", "rack-08"))
    assert share[0, 1:5].tolist() == [1.0] * 4
    assert share[1].tolist() == [0.75] * 5 + [1.0] * 3, "rack 5 sends to rack 4 alone, which has three rails"
    assert share[2].tolist() == [1.0] * 7 + [0.5]


def test_the_groups_are_those_of_the_racks_that_a_scheduler_gives_in_each_member():
    """A spine is lost in all: who has racks under one leaf does not need it, who has them across does, a little."""
    plant = wired()
    plant.fabrics["compute"].senders = "jobs"
    under, across = [1, 1, 1, 1, 2, 2, 2, 2], [1, 2, 1, 2, 1, 2, 1, 2]
    share = looked(plant, ("spine-1", "spine-1", "spine-1"), np.array([under, across, [0.0] * 8]))
    assert share[0].tolist() == [1.0] * 8
    assert share[1].tolist() == [1.0] * 8, "54 ports up a rail carry the 36 of two racks"
    assert share[2].tolist() == [0.75] * 8, "and not the 72 of four"


def looked(plant: Plant, lost: tuple[str, ...], numbers: np.ndarray | None = None) -> np.ndarray:
    """Shares of the racks where each member lost one switch, or half of a rack's ports."""
    model, members = compiled.compile(plant), len(lost)
    asked = compiled.inputs(model, members)
    now = compiled.state(model, asked, members)
    for member, name in enumerate(lost):
        table = next(t for t in model.tables if name in t.names)
        rows, key, left = (asked, "ports_lost", 0.5) if table.machine.is_work else (now.outputs, "port_share", 0.0)
        values = getattr(rows[table.key], key).copy()
        values[member, table.names.index(name)] = left
        rows[table.key] = replace(rows[table.key], **{key: values})
    if numbers is not None:
        asked["rack"] = replace(asked["rack"], job_number=numbers)
    return Routes(model, plant.fabrics["compute"]).look(now, asked)["rack"].bandwidth_share


def test_what_is_lost_at_the_start_is_lost_from_the_start():
    story = scenario(duration=2.0)
    story.initial = [Change(0.0, "leaf-1", "in_service", 0.0)]
    run = Simulation(story, device="cpu")
    run.run()
    assert run.inputs["rack"].bandwidth_share[0, :4].tolist() == [0.75] * 4


def test_routes_are_looked_for_at_the_fabrics_own_pace():
    run = Simulation(scenario(Change(3.0, "leaf-2", "in_service", 0.0), plant=wired(20.0), duration=19.0), device="cpu")
    run.run()
    assert run.inputs["rack"].bandwidth_share.min() == 1.0
    run = Simulation(scenario(Change(3.0, "leaf-2", "in_service", 0.0), plant=wired(20.0), duration=22.0), device="cpu")
    run.run()
    assert run.inputs["rack"].bandwidth_share.min() == 0.75


def test_nothing_is_worked_out_while_no_port_comes_or_goes(monkeypatch):
    from twin import routing

    asked, worked_out = [], routing.shares
    monkeypatch.setattr(routing, "shares", lambda *given: asked.append(1) or worked_out(*given))
    story = scenario(Change(5.0, "rack-01", "utilisation", 0.3), duration=30.0)
    Simulation(story, device="cpu").run()
    assert len(asked) == 1


def test_a_plant_keeps_its_fabric_through_json():
    plant = wired(3.0)
    again = Plant.from_json(plant.to_json())
    assert again.fabrics["compute"] == plant.fabrics["compute"]
    assert not [fault for fault in again.faults() if not fault.warning]
