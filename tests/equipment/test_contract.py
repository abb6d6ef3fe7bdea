"""One file that questions every kind: what it declares, what it answers, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections import defaultdict

import numpy as np
import pint
import pytest
from wet_bench import WetBench

from tests.small_plants import (
    ADIABATIC_COOLER,
    AIR_RACK,
    BESS,
    CDU,
    CHILLER,
    COOLING_TOWER,
    DRY_COOLER,
    FAN_WALL,
    GENERATOR,
    HEAT_EXCHANGER,
    HEAT_SINK,
    JOINT,
    PIPE,
    PUMP,
    RACK,
    SERVICE,
    STORE,
    STRAINER,
    TRANSFORMER,
    UPS,
    VALVE,
    VESSEL,
    WATER_COOLED_CHILLER,
)
from twin.declare import MODES, Branch, Equipment, Flag, Nothing, Ports, Quantity, Stream, Supply, quantities
from twin.equipment import KINDS
from twin.equipment.service import Asked, Prefilled
from twin.networks.serving import Pooled, Served
from twin.physics.serving import Queued
from twin.physics.training import Gang
from twin.units import parse

RATINGS = {
    "site": {}, "bess": BESS, "utility": {"rated_power": 12e6}, "transformer": TRANSFORMER, "bus": {}, "ats": {},
    "sts": {"rated_power": 1e6},
    "breaker": {"rated_power": 3e6}, "generator": GENERATOR, "ups": UPS, "pdu": {"rated_power": 2e6}, "rack": RACK,
    "cdu": CDU, "chiller": CHILLER, "dry_cooler": DRY_COOLER, "pump": PUMP, "fan_wall": FAN_WALL,
    "cooling_tower": COOLING_TOWER, "pipe": PIPE, "valve": VALVE, "check_valve": VALVE, "strainer": STRAINER,
    "quick_disconnect": JOINT, "expansion_vessel": VESSEL,
    "busway": {"ampacity": 1200, "nominal_voltage": 415},
    "rectifier": {"rated_power": 2e6, "battery_energy": 5e8, "recharge_power": 1e5},
    "tank": {"volume": 8, "useful_temperature": 305}, "zone": {"volume": 800, "mass_heat_capacity": 3e6},
    "water_cooled_chiller": WATER_COOLED_CHILLER, "adiabatic_cooler": ADIABATIC_COOLER,
    "heat_exchanger": HEAT_EXCHANGER, "heat_sink": HEAT_SINK,
    "sequencer": {"machines": 4, "machine_capacity": 1e6},
    "load": {"rated_power": 5e4}, "control_panel": {}, "switch": {"rated_power": 1720, "ports": 64},
    "cable": {"length": 400, "resistance": 1e-4, "ampacity": 400, "nominal_voltage": 13.8e3},
    "tie": {"rated_power": 2e6, "nominal_voltage": 480},
    "capacitor": {"rated_reactive_power": 3e5},
    "air_rack": AIR_RACK, "storage_system": STORE,
    "pool": {}, "service": SERVICE, "job": {"step_time": 4.0},
}  # fmt: skip
FEW = {"tie": 2, "rectifier": 2, "ats": 2, "ups": 2, "bus": 3, "pdu": 2}
ROWS = ("Inputs", "State", "Outputs")

REGISTRY = pint.UnitRegistry()
for made in ("var = volt * ampere", "token = [token]", "request = [request]", "USD = [currency]"):
    REGISTRY.define(made)

every_kind = pytest.mark.parametrize("kind", list(KINDS))


def declared(kind: str) -> list[tuple[str, Quantity]]:
    """(row, quantity) of all that a kind declares; parameters have the row ""."""
    cls = KINDS[kind]
    tables = [("", cls), *((row, getattr(cls, row)) for row in ROWS)]
    return [(row, said) for row, table in tables for said in quantities(table).values()]


def machine(kind: str, n: int = 1) -> Equipment:
    """A table of n units; each rating an array (1, n)."""
    said = {name: q.default for name, q in quantities(KINDS[kind]).items()} | RATINGS[kind]
    return KINDS[kind](**{name: np.full((1, n), float(value)) for name, value in said.items()})


# What a kind declares


@every_kind
def test_every_quantity_has_a_unit_that_pint_reads_and_a_doc_in_words(kind):
    for row, said in declared(kind):
        label = f"{kind}.{row}.{said.name}"
        text = "1" if said.unit == "1" else f"1 {said.unit}"
        assert parse(text, said.unit) == 1.0, label
        assert said.doc == said.doc.strip().rstrip("."), f"{label}: one phrase, no full stop"
        assert said.doc, label
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", said.name), label


@every_kind
def test_units_are_si(kind):
    """Nothing but SI inside: pint makes 1 of each in base units."""
    for row, said in declared(kind):
        size = REGISTRY.Quantity(1.0, said.unit).to_base_units().magnitude
        assert size == pytest.approx(1.0, rel=1e-12), f"{kind}.{row}.{said.name}: {said.unit}"


@every_kind
def test_a_name_stands_once_in_a_kind(kind):
    """Inputs, State and Outputs share a group of the trace, and a scenario names all of them alike."""
    names = [said.name for _, said in declared(kind)]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


@every_kind
def test_defaults_stand_within_their_bounds(kind):
    for row, said in declared(kind):
        if said.default is not None:
            assert said.fault(said.default) is None, f"{kind}.{row}.{said.name} = {said.default}"


@every_kind
def test_bounds_leave_room(kind):
    for row, said in declared(kind):
        low = max(b for b in (said.above, said.at_least, -np.inf) if b is not None)
        high = min(b for b in (said.below, said.at_most, np.inf) if b is not None)
        assert low < high, f"{kind}.{row}.{said.name}"


@every_kind
def test_ratings_are_bounded_below(kind):
    """A rating without a sign check lets a negative machine through; signed ones are named here."""
    signed = re.compile(r"(_c\d$)|(_slope$)|(_offset$)|(_temperature$)|(_leaving$)|(_condenser$)|(_reference$)")
    for row, said in declared(kind):
        if row == "" and said.choices is None and not signed.search(said.name):
            assert said.above is not None or said.at_least is not None, f"{kind}.{said.name}"


@every_kind
def test_inputs_and_state_can_stand_without_being_told(kind):
    """Every Input and Output has a default; a State has one or a value at rest."""
    unit = machine(kind)
    inputs = {name: np.zeros((1, 1)) + said.default for name, said in quantities(unit.Inputs).items()}
    rest = unit.rest(unit.Inputs(**inputs))
    for row in ROWS:
        for name, said in quantities(getattr(unit, row)).items():
            assert said.default is not None or (row == "State" and name in rest), f"{kind}.{row}.{name}"
    assert set(rest) <= set(quantities(unit.State))


OPERABLE = [kind for kind, cls in KINDS.items() if "in_service" in quantities(cls.Inputs)]
"""Whatever can be taken out of service. Tank, zone and site are there or are not built."""
WITHOUT_A_SWITCH = {"busway", "utility", "transformer", "bus", "pdu", "load", "cable"}
"""Out of service or in it, and nothing between: no selector of their own."""


@every_kind
def test_what_draws_or_delivers_power_can_be_taken_out_of_service(kind):
    cls = KINDS[kind]
    acts = cls.source or cls.feeds[1] > 0 or cls.joins > 0
    assert (kind in OPERABLE) == acts, f"{kind}: in_service is wanted where a unit acts, and only there"
    if acts:
        said = quantities(cls.Inputs)["in_service"]
        assert (said.default, said.at_least, said.at_most) == (1.0, 0, 1)


@every_kind
def test_every_operable_kind_has_a_mode_with_the_trades_words(kind):
    inputs = quantities(KINDS[kind].Inputs)
    wants = kind in OPERABLE and kind not in WITHOUT_A_SWITCH
    assert ("mode" in inputs) == wants
    if wants:
        choices = inputs["mode"].choices
        assert choices is not None
        assert choices.items() <= MODES.items()
        assert {"off", "auto", "locked_out"} <= set(choices)
        assert inputs["mode"].default == MODES["auto"], "left alone, a unit stands in auto"


@every_kind
def test_failures_are_switches_that_rest_at_zero(kind):
    for row, said in declared(kind):
        if said.failure:
            assert row == "Inputs", f"{kind}.{said.name}"
            assert (said.default, said.unit) == (0.0, "1"), f"{kind}.{said.name}"


@every_kind
def test_every_flag_says_that_it_rises_and_falls_and_has_its_moment(kind):
    state = quantities(KINDS[kind].State)
    names = {said.name for row, said in declared(kind) if row in ("", "Inputs")}
    for row, said in declared(kind):
        flag = said.flag
        if flag is None:
            continue
        label = f"{kind}.{said.name}"
        assert isinstance(flag, Flag)
        assert row == "State", label
        assert (said.unit, said.default) == ("1", 0.0), label
        assert flag.rises, label
        assert flag.falls, f"{label}: what it says when it falls is wanted"
        assert flag.via in ("self", "power", "coolant", "air", "signal", "load", "work"), label
        assert flag.because or kind == "utility", f"{label}: a cause is wanted"
        told = flag.because if isinstance(flag.because, str) else " ".join(flag.because)
        assert set(re.findall(r"\{(\w+)\}", told)) <= names, f"{label}: {told}"
        assert isinstance(flag.because, str) or all(": " in each for each in flag.because[1:]), label
        at = state[f"{said.name}_at"]
        assert (at.unit, at.default, at.flag) == ("s", 0.0, None), label
        assert f"{said.name}_at" not in names, label


@every_kind
def test_its_docstring_says_what_is_left_out(kind):
    text = KINDS[kind].__doc__ or ""
    assert len(text.split()) > 8, kind
    if kind not in ("site",):
        assert "left out" in text, f"{kind}: what its law leaves out is wanted in its docstring"


def test_one_word_has_one_unit():
    """The same name in two kinds has the same unit; W and VA are one dimension, active and apparent."""
    seen: dict[str, set[str]] = defaultdict(set)
    for kind in KINDS:
        for _, said in declared(kind):
            seen[said.name].add(said.unit.replace("VA", "W"))
    assert {name: found for name, found in seen.items() if len(found) > 1} == {}


MEANINGS = {
    "air_flow": r"air moved at",
    "alternate_clock": r"^time that alternate is live",
    "ampacity": r"current that it carries for ever",
    "asked_for": r"time since it (was )?asked( for)?",
    "auto_restart": r"starts again",
    "autonomy": r"^time that (the battery|its charge)",
    "battery_energy": r"energy .*battery",
    "battery_failed": r"battery gives and takes nothing",
    "carried_load": r"^load in the last tick",
    "check_valve_failed": r"check valve stays open",
    "charge_efficiency": r"^energy stored over energy taken",
    "closed": r"clos",
    "coast_time": r"half speed",
    "coil_conductance": r"^UA",
    "crash": r"^1 when its software",
    "current": r"current",
    "dead": r"dead",
    "direct_current": r"^1 on direct current",
    "drop_in_phase": r"^voltage lost .*in phase",
    "drop_in_quadrature": r"^voltage lost .*at right angles",
    "efficiency_at_10": r"at 10 % of load",
    "efficiency_at_100": r"at full load",
    "efficiency_at_20": r"at 20 % of load",
    "efficiency_at_50": r"at 50 % of load",
    "energy_cost": r"^cost of",
    "energy": r"energy in the battery",
    "curve_share": r"fall of head .* in proportion to flow",
    "exchanger_conductance": r"^UA of the clean plates",
    "exchanges": r"^all-to-alls in",
    "expert_parallel": r"^GPUs that exchange with each other; 0: all",
    "exposed_communication": r"^share of .* that waits for the network",
    "fabric_latency": r"^of one step of a collective between racks",
    "fails_to_restart": r"stays off",
    "fails_to_start": r"does not (fire|start)",
    "fan_power": r"electric power of the fans",
    "fan_speed": r"^speed of (its|the) fans",
    "fault_power": r"power of that at nominal voltage",
    "flow": r"flow",
    "flow_coefficient": r"^Kv",
    "fouling_loss": r"^conductance lost with",
    "frequency": r"^frequency",
    "frequency_band": r"frequency refused beyond, off nominal",
    "gpu_time": r"^time of single GPUs",
    "heat": r"^heat",
    "heating": r"^heating.* 1 at rated",
    "highest_voltage": r"voltage refused above",
    "idle_power": r"^power at no (load|utilisation)",
    "chip_temperature": r"chips",
    "overheated": r"cuts its power off",
    "in_service": r"^1 (runs|feeds|is in service), 0",
    "initial_charge": r"charge of the battery at the start",
    "inlet_temperature": r"entering, mean of the last tick",
    "inverter_failed": r"inverter is broken",
    "isolated": r"(quick disconnects|valves) are shut",
    "leak_flow": r"^coolant that leaves the loop",
    "leaving_setpoint": r"leaving temperature wanted",
    "leaving_temperature": r"leaving",
    "length": r"^length of",
    "limited_for": r"^time (that it has been )?at (its current|the) limit",
    "linear_loss": r"^loss in proportion to load, of rating",
    "load_fraction": r"over (rat|ampacity)",
    "load_loss": r"loss",
    "load_shed": r"is shed",
    "loss": r"heat",
    "lost_for": r"^time that it (was|is|cannot|has|could)",
    "low_for": r"^time (that the voltage has been too low|its supply has been low)",
    "lowest_voltage": r"voltage taken for dead",
    "mode": r"selector|auto",
    "need": r"load and losses",
    "no_load_loss": r"loss",
    "network_share": r"^share of .* that waits for the network",
    "nominal_flow": r"flow|water through",
    "nominal_frequency": r"frequency",
    "nominal_head": r"pressure",
    "nominal_pressure_drop": r"^lost in .* at nominal flow",
    "nominal_voltage": r"voltage",
    "normal_clock": r"^time that normal is live",
    "on_alternate": r"transfers to its alternate feed",
    "on_battery": r"the battery bears",
    "open_for": r"until its contacts close",
    "npsh_margin": r"keeps it from cavitating",
    "npsh_required": r"above the vapour",
    "overload_delay": r"until it trips$",
    "overload_limit": r"just trips",
    "overload_used": r"share of its overload time",
    "overloaded": r"overload",
    "position": r"^1 closed, 0 open",
    "retransfer_delay": r"^time that .* must be (live|good) again",
    "sense_delay": r"must be dead before it acts",
    "power": r"power",
    "power_factor": r"^power factor",
    "pressure_lost": r"^lost in it",
    "primary_voltage": r"^nominal voltage of",
    "ramp_time": r"^time (from|to)",
    "rack_energy": r"^energy of racks",
    "rated_power": r"power|rating",
    "reactance_ratio": r"^X/R",
    "reactive": r"^reactive power",
    "recharge_power": r"from the feed to recharge",
    "relative_density": r"over 1000 kg/m3",
    "ready": r"^1 where it can take work|^1 when it is up to speed",
    "reset": r"clears a latched",
    "reset_seen": r"the reset as it was",
    "restart_delay": r"^time from supply to",
    "run_clock": r"allowed to run",
    "secondary_voltage": r"^nominal voltage of",
    "reversed": r"backward",
    "shutdown_temperature": r"power is cut",
    "short_circuit": r"shorted at its terminals",
    "shutoff_head": r"at no flow",
    "standing_loss": r"^loss without load, of rating",
    "start_request": r"^time since it asked for the generators",
    "state_of_charge": r"^energy in the battery over",
    "stopped": r"stops",
    "stroke_time": r"^time of the valve from shut to open",
    "stuck": r"contacts do not move",
    "cavitating": r"cavitates",
    "dead_clock": r"turned without flow",
    "deadheaded": r"deadheaded",
    "low_suction": r"trips on low suction",
    "suction_clock": r"suction pressure has been low",
    "suction_delay": r"until it trips",
    "suction_limit": r"at its suction below which it trips",
    "temperature": r"in the tank|room air",
    "terminal_voltage": r"^voltage at its terminals",
    "thermal_time_constant": r"time constant",
    "transfer_time": r"^time without contact in a transfer",
    "tripped": r"trips",
    "undervoltage_delay": r"^time (that the voltage must be too low|of low or no supply)",
    "undervoltage_limit": r"^(feed|supply) voltage below which",
    "valve_stuck": r"valve stays where it is",
    "voltage": r"voltage",
    "voltage_droop": r"^voltage lost at rated reactive power",
    "volume": r"coolant|water|air in",
    "walk_in_time": r"^ramp of the",
    "walked": r"walk-in ramp",
    "without_control": "^what (it|its drives) do(es)? while",
}
"""What a word that several kinds use means in all of them, as a pattern that each doc must match."""


def test_one_word_has_one_meaning():
    docs: dict[str, dict[str, str]] = defaultdict(dict)
    for kind in KINDS:
        for _, said in declared(kind):
            docs[said.name][kind] = said.doc
    for name, by_kind in docs.items():
        if len(set(by_kind.values())) == 1 or (name.endswith("_at") and name.removesuffix("_at") in docs):
            continue
        assert name in MEANINGS, f"{name} is used by {', '.join(by_kind)}: say here what it means in all of them"
        for kind, doc in by_kind.items():
            assert re.search(MEANINGS[name], doc), f"{kind}.{name}: {doc!r} is not {MEANINGS[name]!r}"
    assert set(MEANINGS) <= {name for name, by_kind in docs.items() if len(by_kind) > 1}


@every_kind
def test_what_it_declares_can_be_written_as_json(kind):
    for _, said in declared(kind):
        text = json.dumps(dataclasses.asdict(said), allow_nan=False)
        assert Quantity(**{**json.loads(text), "flag": said.flag}) == said


@every_kind
def test_its_class_facts_fit_together(kind):
    cls = KINDS[kind]
    least, most = cls.feeds
    assert 0 <= least <= most
    assert not (cls.source and most), "a source has no feeds"
    assert set(cls.pumps) <= set(cls.streams)
    assert len(cls.streams) <= 2
    assert set(cls.disturbs) <= {"power", "flow", "heat"}
    assert not cls.storage or cls.streams == ("coolant",)
    assert typing.get_type_hints(cls) is not None
    for law in ("branch", "stream"):
        if cls.streams and not (law == "branch" and cls.storage):
            assert getattr(cls, law) is not getattr(Equipment, law), f"{kind} has streams and no {law} law"
    if cls.cools_air:
        assert cls.coil is not Equipment.coil


@every_kind
def test_its_pace_is_in_seconds_and_in_words(kind):
    for upset, (seconds, words) in KINDS[kind](**RATINGS[kind]).pace().items():
        assert upset in ("power", "flow", "heat", "fault")
        assert 0 < float(seconds) < 1e5
        assert words


def test_every_kind_is_questioned_with_ratings_of_its_own():
    assert set(RATINGS) == set(KINDS)
    for kind, ratings in RATINGS.items():
        said = quantities(KINDS[kind])
        assert {name for name, q in said.items() if q.default is None} <= set(ratings), kind
        for name, value in ratings.items():
            assert said[name].fault(float(value)) is None, f"{kind}.{name} = {value}"


# What a kind answers


def row(table, members, n, given=None):
    said = quantities(table)
    start = {name: q.default for name, q in said.items()} | (given or {})
    return table(**{name: np.zeros((members, n)) + value for name, value in start.items()})


def snapshot(table):
    return {name: np.array(value, copy=True) for name, value in vars(table).items()}


def worked(unit, members, n):
    """What the network of work tells a service or a pool; racks that stand in no pool are told nothing."""
    some = np.full((members, n), 1e3)
    if unit.kind == "service":
        read = Prefilled(Queued(some, some, some, some * 0.0), some, some, some)
        return Served(Asked(some, some, some * 0.0, some * 0.0), read, some * 0.0, some, some * 0.0, some, some)
    if unit.kind == "job":
        gang = Gang(some, some, some / 1e3, some / 1e3)
        return gang, unit.ran(row(unit.State, members, n), row(unit.Inputs, members, n), gang, 1.0)
    return Pooled(*[some] * 11) if unit.kind == "pool" else None


def ports_of(unit, members, n, dt):
    """Ports as the networks would fill them: live feeds, nominal flows, a little of everything."""
    port = Ports(now=60.0)
    ones = np.ones((members, n))
    port.dry_bulb, port.wet_bulb = 303.15 * ones, 293.15 * ones
    count = FEW.get(unit.kind, unit.feeds[0])
    port.feed_voltage = [ones * (0.99 + 0.01j) for _ in range(count)]
    port.feed_gap = [np.where(np.arange(n) == n - 1, 0.3 * dt, 0.0) * ones for _ in range(count)]
    port.served_voltage = 0.0 * ones
    port.signal = dict.fromkeys(unit.signals, 12.0 * ones)
    port.zone_temperature, port.air_heat = 300.15 * ones, 2e4 * ones
    for stream in unit.streams:
        port.flow[stream], port.heat_capacity[stream] = 0.02 * ones, 4.17e6 * np.ones((1, n))
        port.capacity_rate[stream] = port.flow[stream] * 4.17e6
        port.pressure[stream], port.inlet[stream] = 1e5 * ones, 305.15 * ones
    port.work = worked(unit, members, n)
    return port


def fields_of(answer):
    return {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}


def fits(value, members, n, label):
    """A plain number, or an array that is (member, n) or broadcasts to it from the ratings' own (1, n)."""
    if isinstance(value, int | float | complex):
        return
    shape = np.shape(value)
    assert np.broadcast_shapes(shape, (members, n)) == (members, n), f"{label} has shape {shape}"


@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("n", [1, 3])
@every_kind
def test_every_law_answers_in_shape_and_leaves_what_it_reads_alone(kind, n, members):
    dt, unit = 1.0, machine(kind, n)
    u = row(unit.Inputs, members, n)
    s = row(unit.State, members, n, unit.rest(u))
    port = ports_of(unit, members, n, dt)
    held = {name: np.array(value, copy=True) for name, value in vars(unit).items() if name in RATINGS[kind]}
    before = snapshot(s), snapshot(u)
    if unit.feeds[1] or unit.source:
        supply = unit.live(s, u, port, dt)
        assert isinstance(supply, Supply)
        for name in ("voltage", "gap"):
            fits(getattr(supply, name), members, n, f"{kind}.live.{name}")
        for share in supply.split:
            fits(share, members, n, f"{kind}.live.split")
        port.voltage, port.gap, port.split = supply.voltage, supply.gap, supply.split
    port.drive = unit.actuate(s, u, port, dt)
    for stream in unit.streams if not unit.storage else ():
        answer = unit.branch(s, u, port, stream)
        assert isinstance(answer, Branch)
        for name, value in fields_of(answer).items():
            fits(value, members, n, f"{kind}.branch.{name}")
        assert np.all(np.asarray(answer.laminar) > 0), f"{kind}: a finite slope at no flow"
    port.plan = unit.plan(s, u, port, dt)
    if unit.joins:
        port.plan = unit.couple(s, u, port, dt), 0j * port.feed_gap[0], 0j * port.feed_gap[0], 0.0 * port.feed_gap[0]
    if unit.serves or unit.source:
        alive = 1.0 - np.zeros((members, n)) - port.gap / dt
        port.load, port.load_reactive = 5e5 * alive, 1e5 * alive
    if unit.feeds[1]:
        load = port.load + 1j * port.load_reactive if unit.serves else 0.0
        power = unit.draw(s, u, port, load, dt)
        fits(power, members, n, f"{kind}.draw")
        port.power, port.reactive = np.real(power), np.imag(power)
    fits(unit.warm(s, u, port, dt), members, n, f"{kind}.warm")
    if type(unit).coil is not Equipment.coil:
        for value in unit.coil(s, u, port, dt):
            fits(value, members, n, f"{kind}.coil")
    for stream in unit.streams:
        answer = unit.stream(s, u, port, stream, dt)
        assert isinstance(answer, Stream)
        for name, value in fields_of(answer).items():
            fits(value, members, n, f"{kind}.stream.{name}")
        port.outlet[stream] = answer.alpha + (answer.beta + answer.gamma) * port.inlet[stream]
    unit.revise(s, u, port, dt)
    after, out = unit.advance(s, u, port, dt)
    assert isinstance(after, unit.State)
    assert isinstance(out, Nothing if kind == "site" else unit.Outputs), "the ledger writes the site's totals"
    for label, table in (("State", after), ("Outputs", out)):
        assert set(vars(table)) == set(quantities(type(table))), f"{kind}.{label}: all of it, and nothing else"
        for name, value in vars(table).items():
            where = f"{kind}.{label}.{name}"
            shape = np.shape(value)
            assert shape == (members, n) or (label == "Outputs" and shape in ((1, n), ())), f"{where}: {shape}"
            assert np.isfinite(value).all(), where
            assert not np.iscomplexobj(value), where
    fits(unit.stored(after, port), members, n, f"{kind}.stored")
    fits(unit.rejected(s, u, port, out, dt), members, n, f"{kind}.rejected")
    for was, table in zip(before, (s, u), strict=True):
        for name, value in was.items():
            np.testing.assert_array_equal(getattr(table, name), value, err_msg=f"{kind}.{name} was written into")
    for name, value in held.items():
        np.testing.assert_array_equal(getattr(unit, name), value, err_msg=f"{kind}.{name} was written into")
    assert port.now == 60.0


@every_kind
def test_its_state_shares_no_memory_with_its_inputs(kind):
    """An event replaces an Input's array; a State that is the same array would not notice, one written into would."""
    unit = machine(kind, 2)
    b = WetBench(unit, (1, 2)) if unit.streams or kind == "zone" else None
    if b is None:
        return
    b.tick(1.0, dict.fromkeys(unit.streams, 0.01), room=300.0, air_heat=1e3 if kind == "zone" else None)
    for name, value in vars(b.state).items():
        for other, given in vars(b.inputs).items():
            assert not np.may_share_memory(value, given), f"{kind}: State.{name} is Inputs.{other}"


@pytest.mark.parametrize("kind", [kind for kind, cls in KINDS.items() if cls.streams])
def test_one_machine_in_plain_floats_ticks(kind):
    """The same class with floats is one machine: a notebook needs no arrays."""
    unit = KINDS[kind](**RATINGS[kind])
    floats, arrays = WetBench(unit, None), WetBench(machine(kind), (1, 1))
    for b in (floats, arrays):
        for _ in range(3):
            b.tick(1.0, dict.fromkeys(unit.streams, 0.01), dict.fromkeys(unit.streams, 305.15), room=300.15)
    for name in quantities(unit.State):
        assert floats.is_(name) == pytest.approx(arrays.is_(name), rel=1e-13), name
    for name in quantities(unit.Outputs):
        assert floats.gives(name) == pytest.approx(arrays.gives(name), rel=1e-13), name


def test_nothing_is_a_table_of_nothing():
    assert quantities(Nothing) == {}
    assert vars(Nothing()) == {}
