"""Cause chains of shipped drills: what led to what, worked out by hand, against what the timeline says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from twin.report.findings import Findings
from twin.report.timeline import Entry
from twin.studies.drill import run
from twin.trace import open_trace


@dataclass(frozen=True)
class Chain:
    """A fact of a drill and what led to it, back to the root; `*` stands for any letters.

    why: the physics behind it; occurrence: which of several facts of that name, from 0.
    """

    drill: str
    why: str
    facts: tuple[str, ...]
    occurrence: int = 0


def chain(drill: str, why: str, *facts: str, occurrence: int = 0) -> Chain:
    return Chain(drill, why, facts, occurrence)


CHAINS = [
    chain(
        "feeder-fault-cascade",
        "the stuck feeder makes the main take side a with it; every load has two cords, so that side b carries"
        " both on a main for one, whose thermal element takes minutes",
        "pdu-b-1 is dead", "board-b is dead", "main-b trips", "pdu-a-? is dead", "board-a is dead",
        "pdu-a-2 is short-circuited (fault)",
    ),
    chain(
        "feeder-fault-cascade",
        "the main would not have had to open, had the feeder done so",
        "main-a trips*", "feeder-a-2 fails to open", "feeder-a-2 fails: its contacts stay closed (fail)",
    ),
    chain(
        "feeder-fault-cascade",
        "the contacts are stuck since before the fault; that they do not open is theirs",
        "feeder-a-2 fails to open", "feeder-a-2 fails: its contacts stay closed (fail)",
    ),
    chain(
        "feeder-fault",
        "the bars sag for all until the feeder's own breaker has cleared the short circuit",
        "pdu-a-1 is alive again", "board-a is alive again", "feeder-a-2 trips on its instantaneous element",
        "pdu-a-2 is short-circuited (fault)",
    ),
    chain(
        "bus-fault-lockout",
        "the lockout relay hears of the main that opened on the fault, not of the dead board",
        "tie-12 is locked out", "main-1 trips on its short-time element", "board-1 is short-circuited (fault)",
    ),
    chain(
        "bus-fault-lockout",
        "mended bars alone bring nothing back: somebody has to reset the main",
        "pdu-1 is alive again", "board-1 is alive again", "main-1 is reset", "main-1 is told to reset (set)",
    ),
    chain(
        "main-tie-main",
        "the UPS comes home to its own board, which the tie feeds from the other side",
        "ups-a is back on its feed", "board-a is alive again", "tie-ab throws a board over to the other main",
        "board-a is dead", "transformer-a is taken out of service (fail)",
    ),
    chain(
        "main-tie-main",
        "the way home is open before it is closed: a second gap, made by what was mended",
        "ups-a goes to battery", "board-a is dead", "tie-ab throws it back",
        "transformer-a is put back in service (restore)",
        occurrence=1,
    ),
    chain(
        "pdu-fault",
        "the inverter feeds the short circuit until the PDU's main opens",
        "ups-1 is within its rating again", "main-1 trips on its short-time element",
        "pdu-1 is short-circuited (fault)",
    ),
    chain(
        "facility-water-lost",
        "the technology loop stores heat once the CDUs get no more water; that they open wide is no cause",
        "rack-01 shuts down", "pump-1 stops", "pump-1 is taken out of service (fail)",
    ),
    chain(
        "technology-flow-lost-25c",
        "a pump that is lost is felt, not the standby that would not have started",
        "rack-08 shuts down", "cdu-? loses its technology flow", "cdu-? fails: the duty pump is lost (fail)",
    ),
    chain(
        "cdu-pump-standby-stuck",
        "three CDUs hold the racks; the one that is switched off by mistake is the fourth to go",
        "rack-32 throttles", "cdu-2 loses its technology flow", "cdu-2 is switched to off (set)",
    ),
    chain(
        "cdu-pump-standby-stuck",
        "those that stay carry the load of the one that went, on the same headers",
        "cdu-5 has its facility valve wide open", "cdu-2 loses its technology flow", "cdu-2 is switched to off (set)",
    ),
    chain(
        "control-panel-lost",
        "chillers stop without control; the tank then carries for five minutes",
        "tank-1 is exhausted", "chiller-? stops", "panel-1 stops controlling",
        "panel-1 is taken out of service (fail)",
    ),
    chain(
        "control-panel-lost",
        "valves and pumps stay as they were, but nobody moves them",
        "pump-1 is without control", "panel-1 stops controlling", "panel-1 is taken out of service (fail)",
    ),
    chain(
        "condenser-water-lost",
        "without fans the condenser water warms until the machines cut out; the tank is the last store",
        "tank-1 is exhausted", "chiller-? stops", "chiller-? cuts out on high condensing pressure",
        "tower-? stops its fans", "tower-? fails: its fans stand (fail)",
    ),
    chain(
        "leak-with-isolation",
        "the charge goes first, then the pumps' suction, then all flow at once",
        "rack-06 shuts down", "cdu-? loses its technology flow", "cdu-? trips on low suction pressure",
        "vessel-1 has lost the loop's charge", "joint-06 leaks", "joint-06 fails: share of its hole that leaks (fail)",
    ),
    chain(
        "leak-with-isolation",
        "the couplings that stop the leak stop the rack's coolant, too",
        "rack-03 shuts down", "joint-03 is isolated", "joint-03 leaks",
        "joint-03 fails: share of its hole that leaks (fail)",
    ),
    chain(
        "cdu-leak",
        "with the first CDU gone the second is all; its blind sensor lets the loop run empty",
        "rack-01 shuts down", "cdu-2 loses its technology flow", "cdu-2 trips on low suction pressure",
        "vessel-1 is empty", "cdu-2 leaks", "cdu-2 fails: share of its hole that leaks (fail)",
    ),
    chain(
        "load-shedding",
        "three sets carry the boards as they return; the UPS that walks in is the load too many",
        "rack-33 loses power", "pdu-b-? is dead", "pdu-b-? is shed", "generator-? asks for load to be shed",
        "ups-3 is back on its feed", "board-3 is alive again", "ats-3 transfers to its alternate feed",
        "generator-bus is alive again", "generator-3 closes on its bus", "generator-3 is up to speed",
        "generator-3 starts cranking", "ats-* asks for the generators", "utility-? is lost",
        "utility-? is taken out of service (fail)",
    ),
    chain(
        "load-shedding",
        "a set that dies when loaded dies of its own fault, whatever loaded it",
        "generator-3 opens its breaker", "generator-3 is no longer ready", "generator-3 dies when it is loaded",
        "generator-3 fails: it starts, and dies when loaded (fail)",
    ),
    chain(
        "nerc-sags-counting",
        "nothing is wrong with the grid any more: the transfer comes of UPS that count, and breaks before it makes",
        "pump-1 trips on undervoltage", "board-1 is dead", "ats-1 transfers to its alternate feed",
        "generator-bus is alive again", "generator-1 closes on its bus", "generator-1 is up to speed",
        "generator-1 starts cranking", "ats-1 asks for the generators", "ups-? locks to its battery",
        "ups-? goes to battery", "utility-a sags to 28 % of its voltage",
        occurrence=3,
    ),
    chain(
        "pod-power-returns",
        "the return of power is the interruption",
        "tank-1 is exhausted", "chiller-? stops", "chiller-? trips on undervoltage",
        "ats-1 transfers back to its normal feed", "utility-a is back",
        "utility-a is put back in service (restore)",
    ),
    chain(
        "leaf-loses-power",
        "the leaf's one cord hangs on the PDU; the racks' jobs go at the share of the rails left",
        "pretrain goes slower", "rack-0? has 75 % of its bandwidth to other racks", "leaf-2 stops forwarding (rail 2)",
        "leaf-2 trips on undervoltage", "pdu-1 is dead", "pdu-1 is taken out of service (fail)",
    ),
    chain(
        "leaf-lost-in-serving",
        "readers wait for their ports: what fills them is the leaf, not what is asked of them",
        "free cannot keep up: requests wait", "readers is full",
        "rack-? has 50 % of its bandwidth to other racks", "leaf-2 stops forwarding (rail 2)",
        "leaf-2 fails: its chips are broken and forward nothing (fail)",
    ),
    chain(
        "leaf-lost-in-serving",
        "the caches lack the way: that readers, who stand for their ports, are full comes of the same",
        "free is held up by the fabric", "rack-? has 50 % of its bandwidth to other racks",
        "leaf-2 stops forwarding (rail 2)", "leaf-2 fails: its chips are broken and forward nothing (fail)",
    ),
    chain(
        "full-pool-by-tier",
        "146.8 GPUs are asked for: 58.4 by premium, 80 (2000/7000 + 400/900), and 88.4 by free, 160 (2000/7000 +"
        " 400/1500); there are 128",
        "free cannot keep up: requests wait", "chat is full",
    ),
    chain(
        "full-pool-by-tier",
        "those who leave after 20 s on average make the queue stand: 20 s (88.4/69.6 - 1) = 5 s with four racks, for"
        " as long as one likes; 20 s (88.4/37.6 - 1) = 27 s with three, and 20 s are promised",
        "free breaks its promise", "rack-4 is taken out of service (fail)",
    ),
    chain(
        "experts-over-racks",
        "what slows a model that racks hold together is the fabric, not the pool that fills with it",
        "premium goes slower", "rack-0? has 50 % of its bandwidth to other racks",
        "leaf-3 stops forwarding (rail 3)", "leaf-3 fails: its chips are broken and forward nothing (fail)",
    ),
    chain(
        "experts-over-racks",
        "a rack that is lost takes the rest of its replica with it",
        "writers has a replica that is not whole", "rack-03 is taken out of service (fail)",
    ),
    chain(
        "racks-return-in-turn",
        "a rack goes through its soft start, boot and checks one after the other, from the moment its boards live",
        "rack-05 works again", "rack-05 has checked its fabric", "rack-05 checks its fabric", "rack-05 has booted",
        "rack-05 boots", "rack-05 has started softly", "rack-05 begins its soft start", "pdu-? is alive again",
        "pdu-? is put back in service (restore)",
    ),
    chain(
        "feed-loss-brake",
        "half of its shelves carry what all did; the brake would have been in time",
        "rack-01 loses power", "rack-01 trips its power shelves", "rack-01 asks too much of its power shelves",
        "pdu-a-1 is dead", "pdu-a-1 is taken out of service (fail)",
    ),
    chain(
        "pump-manifold",
        "on a header the standby answers for whichever pump gives no flow",
        "pump-3 runs again", "pump-3 is called to run", "pump-1 is taken out of service (fail)",
    ),
    chain(
        "chiller-trip-staged",
        "the machine that is left is at its limit until the called one shares the load",
        "chiller-2 is at the limit of its capacity", "chiller-1 stops", "chiller-1 is taken out of service (fail)",
    ),
    chain(
        "storage-black-start",
        "neither grid nor generators: the store forms the dead board, and what hangs on it returns",
        "pod/fan-wall-1 moves air again", "pod/fan-wall-1 is free to run again", "board-1 is alive again",
        "bess-1 raises its dead board", "bess-1 forms its board alone", "pod/utility-a is lost",
        "pod/utility-a is taken out of service (fail)",
    ),
    chain(
        "training-rack-lost",
        "a gang that is whole again reads its last checkpoint before it goes on",
        "pretrain runs again", "pretrain reads its last checkpoint", "pretrain may run again",
        "rack-03 is put back in service (restore)",
    ),
    chain(
        "jobs-in-a-queue",
        "who gives way waits until the one before it is done, whoever else came and went",
        "long runs again", "long reads its last checkpoint", "long gets its racks (scheduler)",
        "urgent has finished (scheduler)",
    ),
    chain(
        "jobs-in-a-queue",
        "six racks are wanted, three are free: the long job saves, and gives its five",
        "urgent runs", "urgent starts from nothing", "urgent gets its racks (scheduler)",
        "long waits for racks (scheduler)", "long is asked to save and give its racks back (scheduler)",
        "urgent waits for racks (scheduler)",
    ),
    chain(
        "jobs-in-a-queue",
        "the scheduler has a rack left over for the one that is lost",
        "urgent runs again", "urgent reads its last checkpoint", "urgent may run again",
        "urgent gets its racks (scheduler)", "urgent stops, and loses what it has not saved",
        "rack-02 is taken out of service (fail)",
    ),
    chain(
        "storage-controller-lost",
        "a controller less reads two thirds of what the steps want",
        "train goes slower", "train waits for its storage", "store-1 serves at less than its full bandwidth",
        "store-1 fails: controllers lost (fail)",
    ),
    chain(
        "storage-controller-lost",
        "a storage that is put back boots for ten minutes first",
        "train has what it needs of its storage again", "store-1 serves again",
        "store-1 is put back in service (restore)",
        occurrence=1,
    ),
    chain(
        "weights-loaded-again",
        "services wait for a pool that is full because its GPUs have no weights",
        "standard breaks its promise", "chat is full", "chat has GPUs that cannot serve yet", "chat fails: *",
    ),
    chain(
        "cdu-lost-tokens",
        "half of the flow is left: dies warm, clocks fall, and the pool that reads prompts is full",
        "batch cannot keep up: requests wait", "readers is full", "rack-0? throttles",
        "cdu-2 loses its technology flow", "cdu-2 is taken out of service (fail)",
    ),
]  # fmt: skip


def told(entry: Entry) -> str:
    return f"{entry.unit} {entry.what}"


def test_there_are_enough_drills() -> None:
    assert len({each.drill for each in CHAINS}) >= 12


@pytest.mark.parametrize("wanted", CHAINS, ids=lambda each: f"{each.drill}: {each.facts[0]}")
def test_the_timeline_says_what_led_to_what(wanted: Chain, drilled: Callable[[str], tuple[Path, float]]) -> None:
    trace, _ = drilled(wanted.drill)
    judge(wanted, trace)


WATER_LOST = """
title: Cold and flow are lost
plant: {{title: A pod, variant_of: pod, units: {{tank-1: {{volume: {tank} m^3}}}}}}
run: {{duration: 135 s, tick: 1 s, record: 20 s}}
weather: {{dry_bulb: 44 degC, relative_humidity: 10 %}}
workload: {{utilisation: 100 %}}
events:
  - {{at: 10 s, fail: chiller-1..2}}
  - {{at: {later} s, fail: {pumps}}}
"""

WATER = [
    (
        10, "pump-1..2", 12,
        chain(
            "chillers and pumps lost together",
            "the loop is as cold as before, and stands: pumps alone give the same 89 s, chillers alone take minutes",
            "rack-08 throttles", "pump-1 stops", "pump-1 is taken out of service (fail)",
        ),
    ),
    (
        40, "pump-1..2", 12,
        chain(
            "chillers lost 30 s before the pumps",
            "the tank has given a tenth of its five minutes when the water stands",
            "rack-08 throttles", "pump-1 stops", "pump-1 is taken out of service (fail)",
        ),
    ),
    (
        10, "pump-1", 3,
        chain(
            "one pump of two goes with the chillers",
            "the other still sends round what the chillers no more cool: the tank runs out for want of them",
            "tank-1 is exhausted", "chiller-? stops", "chiller-? is taken out of service (fail)",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("later", "pumps", "tank", "wanted"), WATER, ids=lambda each: getattr(each, "drill", ""))
def test_a_chiller_speaks_only_where_water_flows(
    later: int, pumps: str, tank: int, wanted: Chain, tmp_path: Path
) -> None:
    case = tmp_path / "water.yaml"
    case.write_text(WATER_LOST.format(later=later, pumps=pumps, tank=tank))
    result = run(case, output=tmp_path / "water.h5", device="cpu")
    result.trace.close()
    judge(wanted, tmp_path / "water.h5")


PROTECTION = """
title: The short circuit that its own breaker does not see
plant: pod
run: {duration: 800 ms, tick: 5 ms, record: 1 s}
weather: {dry_bulb: 35 degC, relative_humidity: 10 %}
workload: {utilisation: 80 %}
events:
  - {at: 0 s, fail: main-1.protection_failed}
  - {at: 0 s, set: ups-2.mode, to: bypass}
  - {at: 200 ms, fault: pdu-1}
"""


def test_a_short_circuit_reaches_the_incomer_through_the_bypass(tmp_path: Path) -> None:
    """The inverter bears it for 200 ms; then it hangs on the board, whose incomer opens after 250 and 50 ms.

    The board is dead of it at once, and with it all that hangs on a bypass: the converter itself, and the other one.
    """
    case = tmp_path / "protection.yaml"
    case.write_text(PROTECTION)
    run(case, output=tmp_path / "protection.h5", device="cpu").trace.close()
    root = ("ups-1 goes to bypass", "ups-1 is overloaded", "pdu-1 is short-circuited (fault)")
    why = test_a_short_circuit_reaches_the_incomer_through_the_bypass.__doc__ or ""
    board = ("board-1 is dead", *root)
    for facts in (
        ("incomer-1 trips on its short-time element", *root),
        ("ups-1 drops its load", *board),
        ("pdu-2 is dead", "ups-2 drops its load", *board),
        ("ups-1 gives up its load", *root[1:]),
    ):
        judge(chain("protection failed", why, *facts), tmp_path / "protection.h5")


def judge(wanted: Chain, trace: Path) -> None:
    with open_trace(trace) as opened:
        entries = Findings(opened).entries
    found = [entry for entry in entries if fnmatchcase(told(entry), wanted.facts[0].replace("[", "?"))]
    assert len(found) > wanted.occurrence, wanted.facts[0]
    at: Entry | None = found[wanted.occurrence]
    said = []
    while at is not None:
        said.append(told(at))
        at = None if at.cause is None else entries[at.cause]
    assert len(said) == len(wanted.facts), said
    assert all(fnmatchcase(one, pattern) for one, pattern in zip(said, wanted.facts, strict=True)), said
