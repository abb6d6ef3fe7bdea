"""Sensors of alarms that lie: late, early, never, and what is told of it, every moment by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.operations.test_watch import ASKED, MODEL, START, alarm, rows
from twin.declare import replace
from twin.equipment import KINDS
from twin.operations import Instruments, Watch
from twin.report import Findings
from twin.report.page import _alarms
from twin.report.rows import Rows
from twin.scenario import read
from twin.scenario.reader import check
from twin.scenario.sensors import WRONG, own, visible
from twin.scenario.sweeping import Sweeping
from twin.simulation import Simulation
from twin.studies.sweep.base import air, base, scenario_of
from twin.studies.sweep.cases import enumerated
from twin.studies.sweep.world import World, fingerprints
from twin.trace import open_trace
from twin.trace.layout import FLAG_BYTES

BOARDS = """\
events:
  - {at: 60 s, fail: pdu-1}
  - {at: 300 s, restore: pdu-1}
alarms:
  board-dead: {watch: pdu-1.dead, delay: 10 s, polling: 8 s, priority: critical}
  low: {watch: utility-a.voltage < 90 %, delay: 10 s, polling: 5 s}
"""


def with_events(*events: str, text: str = BOARDS) -> str:
    return text.replace("events:\n", "events:\n" + "".join(f"  - {{{each}}}\n" for each in events))


def told(at: dict, *names: str) -> dict:
    return {name: at[name] for name in (f"{how}:{n}" for n in names for how in HOWS) if name in at}


HOWS = ("alarm", "clear", "missed", "false")
SHORT = "duration: 330 s, tick: 1 s"


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        # sound: dead at 60, active at 70, polled at 72; alive from 300, polled at 304
        ((), {"alarm:board-dead": [72], "clear:board-dead": [304]}),
        # stuck while all was well: never; what it would have been is known by the same polls
        (("at: 30 s, fail: pdu-1.dead.sensor_frozen",), {"missed:board-dead": [72]}),
        # stuck while it was so, and never mended: it stands for ever, falsely from 304 on
        (("at: 80 s, fail: pdu-1.dead.sensor_frozen",), {"alarm:board-dead": [72], "false:board-dead": [304]}),
        # mended at 200: seen from 200 on, active at 210, polled at 216; 144 s late
        (
            ("at: 30 s, fail: pdu-1.dead.sensor_frozen", "at: 200 s, restore: pdu-1.dead.sensor_frozen"),
            {"missed:board-dead": [72], "alarm:board-dead": [216], "clear:board-dead": [304]},
        ),
        # no signal from 100 on: nothing is seen, it clears at the next poll, 104, and does not come again
        (
            ("at: 100 s, fail: pdu-1.dead.sensor_failed",),
            {"alarm:board-dead": [72], "clear:board-dead": [104], "missed:board-dead": [104]},
        ),
        # stuck at 110 while it gives no signal: from 150 on it shows what it stuck at; active at 160, polled at 160
        (
            (
                "at: 100 s, fail: pdu-1.dead.sensor_failed",
                "at: 110 s, fail: pdu-1.dead.sensor_frozen",
                "at: 150 s, restore: pdu-1.dead.sensor_failed",
            ),
            {"alarm:board-dead": [72, 160], "clear:board-dead": [104], "missed:board-dead": [104],
             "false:board-dead": [304]},
        ),
        # reads a fifth too low from 103 on: active at 113, polled at 115; right again at 180, polled at that moment,
        # which comes before the tick that begins then: 185
        (
            (
                "at: 103 s, set: utility-a.voltage.sensor_bias, to: -20 %",
                "at: 180 s, set: utility-a.voltage.sensor_bias, to: 0 %",
            ),
            {
                "alarm:board-dead": [72], "clear:board-dead": [304],
                "alarm:low": [115], "clear:low": [185], "false:low": [115],
            },
        ),
        # a real sag to 85 % that a sensor which reads a tenth too high hides
        (
            (
                "at: 100 s, set: utility-a.voltage.sensor_bias, to: 10 %",
                "at: 120 s, set: utility-a.voltage, to: 85 %",
            ),
            {"alarm:board-dead": [72], "clear:board-dead": [304], "missed:low": [135]},
        ),
    ],
)  # fmt: skip
def test_an_alarm_is_never_late_or_false_by_what_its_sensor_does(ran, when, events, wanted):
    assert told(when(ran(with_events(*events), SHORT)), "board-dead", "low") == wanted


def test_without_a_signal_an_alarm_may_be_raised_by_choice(ran, when):
    text = BOARDS.replace("priority: critical", "priority: critical, without_signal: raised")
    at = when(ran(with_events("at: 20 s, fail: pdu-1.dead.sensor_failed", "at: 50 s, restore: pdu-1.dead.sensor_failed",
                              text=text), SHORT))  # fmt: skip
    # no signal from 20 to 50: active at 30, polled at 32; a sound sensor at 50 says that all is well, polled at 56
    assert told(at, "board-dead") == {
        "alarm:board-dead": [32, 72], "clear:board-dead": [56, 304], "false:board-dead": [32],
    }  # fmt: skip


def test_the_sensor_of_one_unit_hides_that_unit_alone(ran, when):
    text = BOARDS.replace("pdu-1.dead", "pdu.dead")
    at = when(ran(with_events("at: 30 s, fail: pdu-1.dead.sensor_frozen", "at: 90 s, fail: pdu-2", text=text), SHORT))
    assert told(at, "board-dead") == {"missed:board-dead": [72], "alarm:board-dead": [104]}  # pdu-2, active at 100


def test_a_drift_carries_a_reading_over_the_limit_within_a_tick():
    # 0.30 and 0.01 more each second from 10 s on: 0.50 at 30 s; by ticks of 1.5 s that lie across it
    instruments, tick = Instruments(MODEL, 1), 1.5
    watch = Watch(alarm(2.0, polling=1.0), MODEL, rows(0.3), ASKED, START.outputs, instruments)
    now = rows(0.3), ASKED, START.outputs
    raised = []
    for step in range(40):
        start, end = step * tick, (step + 1) * tick
        instruments.put("pdu-1", "heating.sensor_bias", None, max(end - 10.0, 0.0) * 0.01, now)
        if not step:
            watch.doubt(None, now)
        watch.tick(start, end, *now)
        raised += [(each.raised, each.unit, each.since) for each in watch.poll(end)]
        assert watch.sound is not None
        assert watch.sound.poll(end) == []
    assert raised == [(True, "pdu-1", pytest.approx(30.0))]


def test_a_kind_that_reads_by_its_own_sensor_is_told_from_how_it_is():
    t = next(t for t in MODEL.tables if t.kind == "cdu")
    hot = replace(START.rows[t.key], supply_temperature=np.full((1, t.size), 320.0))
    seen = START.rows | {t.key: replace(hot, measured_temperature=np.full((1, t.size), 312.0))}
    biased = ASKED | {t.key: replace(ASKED[t.key], sensor_bias=np.full((1, t.size), -8.0))}
    said = alarm(polling=1.0, text="cdu.supply_temperature > 315")
    assert said.watch.reads("cdu-1", "sensor_bias")
    assert said.watch.reads("cdu-1", "sensor_frozen")
    assert not said.watch.reads("cdu-1", "sensor_failed"), "that is the leak sensor"
    watch = Watch(said, MODEL, seen, biased, START.outputs)
    watch.doubt_from_the_start((seen, biased, START.outputs))
    watch.tick(0.0, 1.0, seen, biased, START.outputs)
    assert watch.poll(1.0) == []
    assert watch.sound is not None
    assert [(each.raised, each.since) for each in watch.sound.poll(1.0)] == [(True, 0.0)]


def test_one_event_reaches_the_controller_and_the_alarm_of_the_same_sensor(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(
        "title: t\nplant: pod\nrun: {duration: 1 min, tick: 0.5 s}\n"
        "weather: {dry_bulb: 30 degC, relative_humidity: 30 %}\n"
        "events:\n  - {at: 10 s, ramp: cdu-1.supply_temperature.sensor_bias, to: -6 K, over: 30 s}\n"
        "  - {at: 10 s, fail: cdu.leaking.sensor_failed}\n",
        encoding="utf-8",
    )
    told = [(each.unit, each.input, each.value) for each in read(path).changes if each.verb in ("ramp", "fail")]
    assert told == [("cdu-1", "sensor_bias", -6.0), ("cdu-1", "sensor_failed", 1.0), ("cdu-2", "sensor_failed", 1.0)]


def test_every_sensor_that_a_kind_has_itself_is_an_input_of_it_and_fits_into_a_trace():
    for kind, made in KINDS.items():
        for quantity, faults in own(kind).items():
            assert quantity in visible(kind)
            assert all(hasattr(made.Inputs, "__dataclass_fields__") and f in visible_inputs(kind) for f in faults)
        for quantity in visible(kind):
            assert len(f"input:{quantity}.{max(WRONG, key=len)}".encode()) <= FLAG_BYTES, f"{kind}.{quantity}"


def visible_inputs(kind: str) -> set[str]:
    return set(KINDS[kind].Inputs.__dataclass_fields__)


MISLED = with_events(
    "at: 30 s, fail: pdu-1.dead.sensor_frozen, why: a loose wire",
    "at: 100 s, set: utility-a.voltage.sensor_bias, to: -20 %",
    text=BOARDS
    + """\
crews:
  hands: {people: 1}
procedures:
  look: {on: low, who: hands, steps: [{check: pdu-1.dead, else: stop}, {say: dead}]}
  swap: {at: 200 s, who: hands, steps: [{work: 20 s}, {restore: pdu-1.dead.sensor_frozen}]}
""",
)


def test_the_report_says_that_an_alarm_was_silent_or_false_and_why(ran, tmp_path):
    trace = ran(MISLED, SHORT)
    findings = Findings(trace)
    misled = findings.summary()["misled"]
    assert [(m["name"], m["silent"], m["since"], m["noticed"], m["until"], m["sensor"]) for m in misled] == [
        ("board-dead", True, 60.0, 72.0, 232.0, "stays at its last reading"),
        ("low", False, 100.0, 110.0, None, "reads 20 % too low"),
    ]
    entries = findings.entries
    silent = next(each for each in entries if "silent" in each.what)
    assert silent.what == "has alarm board-dead (critical) stay silent"
    assert silent.why == "pdu-1.dead for 10 s, but its sensor stays at its last reading"
    led = entries[silent.cause]
    assert (led.unit, led.what, led.why) == (
        "pdu-1", "fails: its sensor of dead stays at its last reading (fail)", "a loose wire",
    )  # fmt: skip
    false = next(each for each in entries if each.what == "raises alarm low (high)")
    assert false.why == "it is not so, but its sensor reads 20 % too low; seen by a poll every 5 s"
    assert entries[false.cause].what == "its sensor of voltage reads 20 % too low (set)"
    looked = next(each for each in entries if each.what.startswith("checked"))
    assert looked.what == "checked pdu-1.dead: no (pdu-1's sensor stays at its last reading)"
    swapped = next(each for each in entries if each.what.startswith("is mended: its sensor"))
    assert entries[swapped.cause].what == "mended pdu-1.dead.sensor_frozen"
    dead = next(each for each in entries if each.what == "is dead")
    assert entries[dead.cause].what == "is taken out of service (fail)", "no sensor makes anything happen"
    assert Rows(findings).misled()[0] == [
        "board-dead", "pdu-1", "silent", "00:01:00", "raised at 00:03:52", "stays at its last reading",
    ]  # fmt: skip
    section = _alarms(Rows(findings))
    assert section.notes[1].startswith("The second table has those that their sensors misled")
    assert [row[-1] for row in section.tables[1].rows] == ["stays at its last reading", "reads 20 % too low"]


def test_what_an_alarm_owes_to_its_sensor_is_put_down_to_it(ran):
    events = (
        "at: 20 s, set: pdu-1.load_fraction.sensor_bias, to: 10 %",
        "at: 80 s, fail: pdu-1.dead.sensor_failed", "at: 120 s, restore: pdu-1.dead.sensor_failed",
        "at: 103 s, set: utility-a.voltage.sensor_bias, to: -20 %",
        "at: 180 s, set: utility-a.voltage.sensor_bias, to: 0 %",
    )  # fmt: skip
    findings = Findings(ran(with_events(*events), SHORT))
    assert findings.measure["fault"]["time"] == 60, "a wrong sensor is not what went wrong"
    entries = findings.entries
    alarms = [each for each in entries if "alarm" in each.what]
    led = {(each.what.partition(" (")[0], each.time): entries[each.cause].what for each in alarms}
    assert led == {
        ("raises alarm board-dead", 72.0): "is dead",
        ("clears alarm board-dead", 88.0): "fails: its sensor of dead gives no signal (fail)",
        ("has alarm board-dead", 88.0): "fails: its sensor of dead gives no signal (fail)",
        ("raises alarm board-dead", 136.0): "is mended: its sensor of dead gives one again (restore)",
        ("raises alarm low", 115.0): "its sensor of voltage reads 20 % too low (set)",
        ("clears alarm low", 185.0): "its sensor of voltage reads right (set)",
        ("clears alarm board-dead", 304.0): "is alive again",
    }


def test_where_only_a_sensor_goes_wrong_seconds_count_from_there(ran):
    first, later = "at: 4 s, set: utility-a.voltage.sensor_bias, to: -20 %", "at: 6 s, set: site.dry_bulb, to: 20 degC"
    text = f"events:\n  - {{{first}}}\n  - {{{later}}}\n"
    assert Findings(ran(text, "duration: 10 s, tick: 1 s")).measure["fault"]["time"] == 4


def test_what_sensors_show_changes_no_tick(ran):
    plain = ran(BOARDS, SHORT)
    before = {name: np.asarray(plain[name].values) for name in ("pdu.power", "utility.power", "pdu.dead")}
    lied = ran(
        with_events("at: 30 s, fail: pdu.load_fraction.sensor_frozen", "at: 60 s, fail: pdu.dead.sensor_failed"), SHORT
    )
    for name, values in before.items():
        np.testing.assert_array_equal(np.asarray(lied[name].values), values)


def test_a_trace_keeps_since_when_an_alarm_was_so_within_the_second(ran):
    trace = ran(
        BOARDS.replace("at: 60 s", "at: 60.5 s").replace("at: 300 s", "at: 80 s"), "duration: 90 s, tick: 0.5 s"
    )
    assert [event.value for event in trace.events if event.flag == "alarm:board-dead"] == [60.5]


DRAWN = """\
draws:
  pdu-1.dead.sensor_frozen: {probability: 50 %}
  utility-a.voltage.sensor_bias: {uniform: [-20 %, 20 %]}
failures:
  pdu-2.dead.sensor_failed: {every: 3 min, repair: 30 s}
crews:
  hands: {people: 1, reaction: {uniform: [10 s, 60 s]}}
procedures:
  put-back: {on: [board-dead, low], who: hands, steps: [{walk: 20 s}, {restore: pdu}]}
"""


def test_members_draw_what_is_wrong_and_the_first_of_many_equals_the_first_alone(ran):
    text = BOARDS.replace("pdu-1.dead", "pdu.dead").replace("  - {at: 300 s, restore: pdu-1}\n", "") + DRAWN
    many = ran(text, SHORT, members=6)
    listed = [event for event in many.events if event.member == 0]
    drawn = {event.member: event.value for event in many.events if event.flag == "input:voltage.sensor_bias"}
    silent = {event.member for event in many.events if event.flag == "missed:board-dead"}
    stuck = {event.member for event in many.events if event.flag == "input:dead.sensor_frozen" and event.time == 0}
    assert len(set(drawn.values())) == 6
    assert {m for m, value in drawn.items() if value < -0.1} == {
        event.member for event in many.events if event.flag == "false:low"
    }
    assert silent == stuck
    assert 0 < len(stuck) < 6
    many.close()
    one = ran(text, SHORT)
    assert one.events == listed


def test_a_case_of_a_sweep_equals_itself_alone(readied):
    text = BOARDS.replace("pdu-1.dead", "pdu.dead") + DRAWN
    scenario = readied(text, SHORT, members=3)
    wish = Sweeping(at=(20.0,), after=280.0, kinds=("pdu",), units=("pdu-3",), modes=("in_service",), draws=3)
    found = base(scenario, wish)
    cases = enumerated(found.plant, found.wish, air(found))
    ends = set()
    for case, row in zip(cases, World(found).run(cases), strict=True):
        alone = Simulation(scenario_of(found, [case]), device="cpu")
        alone.run()
        assert fingerprints(alone.state, 1) == [row.fingerprint], case.name
        ends.add(row.fingerprint)
    assert len(ends) > 2, "what is drawn of sensors decides when somebody comes"


NIGHT = """\
crews: {night: {hours: {from: "22:00", to: "23:00"}}}
procedures: {late: {at: 10 min, who: night, steps: [{say: too late}]}}
"""


def test_check_tells_what_can_hardly_be_meant(tmp_path):
    path = tmp_path / "doubts.yaml"
    text = with_events(
        "at: 10 s, fail: pdu.current.sensor_failed",
        "at: 20 s, fail: utility-a.voltage.sensor_frozen",
        "at: 30 s, set: utility-a.voltage.sensor_bias, to: 5 %",
        "at: 40 s, restore: pdu-1.dead.sensor_failed",
        text=BOARDS.replace("delay: 10 s, polling: 5 s", "delay: 1 h, polling: 5 s"),
    )
    units = "utility-a: {kind: utility, rated_power: 1 MW}, pdu-1..2: {kind: pdu, feeds: utility-a, rated_power: 4 kW}"
    plant = f"title: t\nplant: {{units: {{{units}}}}}\n"
    rest = "weather: {dry_bulb: 35 degC, relative_humidity: 20 %}\nrun: {duration: 10 min, tick: 1 s}\n"
    text += NIGHT
    path.write_text(plant + rest + text, encoding="utf-8")
    found = [each for each in check(path) if each.warning]
    assert [each.text for each in found] == [
        "no alarm and no step looks at pdu-1.current; what its sensor shows changes nothing (and 1 more like it)",
        "the sensor of utility-a.voltage stays at its last reading by then; a bias of it does not show",
        "pdu-1.dead.sensor_failed is restored, and nothing in this scenario fails it before",
        "with a delay of 60 min and a poll every 5 s it cannot be raised before the end of the run (10 min)",
        "they come on duty 22 h after the start, when the run is over",
        "it begins as the run ends (10 min); nobody does anything",
    ]
    assert len(check(path)) == len(found)
    assert all(each.where is not None and each.where.line > 3 for each in found)


def test_the_drill_of_the_stuck_thermometer_by_hand(drilled):
    """Of 12 m3 in the tank and 0.6 m3 in the chillers, which the water crosses in V/q before it reaches the tank.

    Q warms both; the chillers' volume first takes the step that they made: t = t0 + 2 K (C1 + C2)/Q + V2/q.
    """
    with open_trace(drilled("stuck-tank-sensor")[0]) as trace:
        row = int(np.searchsorted(np.asarray(trace.time), 240.0))
        heat = float(np.asarray(trace["tank.heat"].values)[row, 0, 0])
        events = trace.events
        rose = {(e.member, e.flag): e.time for e in reversed(events)}
        since = next(e.value for e in events if e.flag == "alarm:tank-warm")
        missed = next(e.value for e in events if e.flag == "missed:tank-warm")
        air = next(e.value for e in events if e.flag == "alarm:air-warm")
        room = np.asarray(trace["zone.temperature"].values)[:, :, 0].max(axis=0) - 273.15
    assert since == missed, "the tank is the same in both until somebody acts"
    C = 12.0 * 998.6 * 4184.0
    steady = 120.0 + 2.0 * C / heat
    assert steady < since < steady + 40.0, "and the chillers' volume comes before it"
    poll = 5.0 * np.ceil((since + 10.0) / 5.0)
    assert rose[0, "alarm:tank-warm"] == rose[1, "missed:tank-warm"] == poll == 270.0
    assert (1, "alarm:tank-warm") not in rose
    assert rose[0, "does:reset-chillers:2"] == poll + 30.0 + 90.0
    later = 10.0 * np.ceil((air + 30.0) / 10.0)
    assert rose[1, "alarm:air-warm"] == later == 900.0
    assert rose[1, "does:look-at-water:2-"] == later + 30.0 + 60.0
    assert rose[1, "does:search-fan-walls:4"] == later + 90.0 + 30.0 + 180.0 + 90.0 == 1290.0
    assert (0, "alarm:air-warm") not in rose
    assert room == pytest.approx([28.0, 42.0], abs=0.2)


def test_the_alarm_of_the_biased_cdu_is_told_to_be_silent(drilled):
    with open_trace(drilled("biased-sensor-stuck-valve")[0]) as trace:
        findings = Findings(trace)
        (misled,) = findings.misled
        assert (misled.name, misled.silent, misled.sensor) == ("supply-hot", True, "reads 6 K too low")
        looked = [each.what for each in findings.entries if each.what.startswith("checked")]
        assert looked == ["checked cdu-1.supply_temperature > 45 °C: no (cdu-1's sensor reads 6 K too low)"]
