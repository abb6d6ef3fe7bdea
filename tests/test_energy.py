"""Energy: books that close in every tick, whatever happens to the plant."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import (
    BESS,
    GENERATOR,
    TRANSFORMER,
    UPS,
    add,
    air_cooled,
    chain,
    pod,
    pressurised,
    staged,
    tied,
    water_cooled,
    wet_chain,
)
from twin import model as compiled
from twin.declare import quantities, replace
from twin.ledger import LIMIT, BrokenBalance
from twin.plant import Plant, SignalLine
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import settle, simulate
from twin.step import step
from twin.trace import open_trace

SPANS = {"balancing_valve": (0.05, 1), "flow_control": (0, 1), "hottest_die_luck": (-2, 2),
         "fouling": (0, 3), "sensor_bias": (-5, 5), "room_humidity": (0, 1), "pressure_setpoint": (1e4, 4e5),
         "dry_bulb": (260, 325), "wet_bulb": (260, 300), "supply_setpoint": (280, 325), "leaving_setpoint": (280, 315),
         "utilisation": (0, 1), "fans_failed": (0, 1),
         "opening": (0, 1), "hand_valve": (0, 1), "pump_speed": (0, 1), "speed": (0, 1),
         "ports_lost": (0, 1), "power_limit": (0.1, 1), "request_rate": (0, 60), "admission": (0, 1),
         "frequency": (50, 70), "battery_temperature": (250, 310),
         "power_setpoint": (-3e6, 3e6), "reactive_setpoint": (-2e6, 2e6),
         "peak": (0, 2), "smoothing": (0, 1), "power_floor": (0, 1)}  # fmt: skip


def shaken(asked, model, rng, members):
    """Inputs with one of them changed at random, for one unit of one member."""
    table = model.tables[rng.integers(len(model.tables))]
    said = quantities(table.machine.Inputs)
    if not said:
        return asked
    name = list(said)[rng.integers(len(said))]
    if said[name].choices:
        value = float(rng.choice(list(said[name].choices.values())))
    elif name in SPANS:
        value = rng.uniform(*SPANS[name])
    elif name == "fault_power":
        value = float(rng.choice([0.0, 1e6, 1e8]))
    elif name == "voltage":
        value = float(rng.choice([1.0, 1.0, 0.5, 0.0]))
    elif said[name].failure or name in ("in_service", "closed", "reset", "cleaned", "eco", "inhibit_recharge"):
        value = float(rng.integers(2))
    else:
        return asked
    changed = getattr(asked[table.key], name).copy()
    changed[rng.integers(members), rng.integers(table.size)] = value
    return asked | {table.key: replace(asked[table.key], **{name: changed})}


def shakable():
    """The pod with a UPS that counts sags and tells ATS and generators, cells that lose power within, and storage."""
    plant = pod()
    add(plant, "bess-1", "bess", **{**BESS, "battery_energy": 2e6 * 120, "overload_delay": 1.0})
    plant.feed("msb", ["ats-1", "bess-1"])
    for i in (1, 2):
        rise = {"temperature_rise": 75.0} if i == 1 else {}
        add(plant, f"leaf-{i}", "switch", ("pdu-1", "pdu-2")[:i], "hall", rated_power=4500, restart_delay=30, **rise)
    plant.units["ups-2"].parameters |= {
        "sag_count": 2.0, "discharge_loss": 0.05, "modules": 3.0, "redundant_modules": 1.0,
        "cutoff_charge": 0.1, "generator_recharge": 0.3, "battery_energy": 1.5e6 * 30,
    }  # fmt: skip
    plant.units["ups-2"].settings["sag_logic"] = 1.0
    add(plant, "sts", "sts", ("ups-2", "msb"), rated_power=1.5e6)
    plant.feed("pdu-2", ["sts"])
    plant.add_signal(SignalLine("ups-2", "start_request", "ats-1", "transfer"))
    plant.add_signal(SignalLine("ats-1", "alternate_time", "ups-2", "on_generator"))
    return plant


def guarded():
    """A plant of breakers with every element, two grids' worth of sources, a UPS and loads, and nothing to cool."""
    plant = Plant()
    unit_trip = {"curve": 4, "short_time_pickup": 4, "short_time_delay": 0.1, "instantaneous_pickup": 10,
                 "instantaneous_delay": 0.01, "opening_time": 0.03, "undervoltage_limit": 0.5,
                 "undervoltage_delay": 0.2}  # fmt: skip
    add(plant, "grid", "utility", rated_power=10e6, short_circuit_power=250e6)
    add(plant, "relay", "breaker", ("grid",), rated_power=3e6, curve=2, opening_time=0.06, disc_reset_time=5)
    add(plant, "tx", "transformer", ("relay",), **TRANSFORMER)
    for i in (1, 2):
        add(plant, f"gen-{i}", "generator", **GENERATOR)
    add(plant, "gbus", "bus", ("gen-1", "gen-2"))
    add(plant, "ats", "ats", ("tx", "gbus"))
    add(plant, "main", "breaker", ("ats",), rated_power=3e6, **{**unit_trip, "instantaneous_pickup": 0})
    add(plant, "board", "bus", ("main",))
    add(plant, "ups", "ups", ("board",), **UPS)
    for i, feed in enumerate(("board", "board", "ups", "ups")):
        add(plant, f"feeder-{i}", "breaker", (feed,), rated_power=1e6, **unit_trip)
        add(plant, f"pdu-{i}", "pdu", (f"feeder-{i}",), rated_power=1e6, no_load_loss=1e3, load_loss=5e3)
        add(plant, f"load-{i}", "load", (f"pdu-{i}", f"pdu-{i ^ 1}") if i % 2 else (f"pdu-{i}",), rated_power=0.4e6)
    run = {"length": 80, "resistance": 1e-4, "reactance": 8e-5, "ampacity": 800, "nominal_voltage": 415}
    add(plant, "cable", "cable", ("board",), **run)
    add(plant, "rectifier", "rectifier", ("cable",), rated_power=0.6e6, battery_energy=0.5e6 * 60, recharge_power=5e4)
    add(plant, "dc", "bus", ("rectifier",))
    add(plant, "dc-load", "load", ("dc",), rated_power=0.3e6, power_factor=1.0)
    for i in (1, 2):
        plant.add_signal(SignalLine("ats", "start_request", f"gen-{i}", "start"))
    return plant


def storm(seed, ticks, members=3, plant=shakable):
    """Random failures, modes and setpoints at random ticks from 1 ms to 300 s; the worst residual."""
    rng = np.random.default_rng(seed)
    model = compiled.compile(plant())
    asked = compiled.inputs(model, members)
    asked["site"] = replace(asked["site"], energy_price=asked["site"].energy_price + 2e-8)
    now, s, worst = 0.0, settle(model, asked, members), 0.0
    for _ in range(ticks):
        for _ in range(rng.integers(0, 3)):
            asked = shaken(asked, model, rng, members)
        if rng.random() < 0.02:
            asked = compiled.inputs(model, members)
        tick = float(rng.choice([0.001, 0.01, 0.1, 1, 1, 10, 60, 300]))
        s = step(model, s, asked, now, tick)
        now += tick
        for table in model.tables:
            for name, values in {**vars(s.rows[table.key]), **vars(s.outputs[table.key])}.items():
                assert name == "pue" or np.isfinite(values).all(), (table.key, name, now)
        worst = max(worst, float(s.outputs["site"].energy_residual.max()))
    return max(worst, unaccounted(s) if model.work.accounts else 0.0)


def unaccounted(s):
    """How far services, jobs and what nobody used are from all energy and its cost, of those; worst member."""
    site, whom = s.rows["site"], [s.rows[kind] for kind in ("service", "job") if kind in s.rows]
    found = []
    for name, whole in (("rack_energy", "rack_energy"), ("it_energy", "work_energy"),
                        ("facility_energy", "supplied_energy"), ("energy_cost", "energy_cost")):  # fmt: skip
        charged = sum(getattr(each, name).sum(axis=1) for each in whom) + getattr(site, f"unallocated_{name}")[:, 0]
        whole = getattr(site, whole)[:, 0]
        found.append(abs(charged - whole) / np.maximum(abs(whole), 1.0))
    return float(np.max(found))


@pytest.mark.parametrize("seed", [1, 2])
def test_books_close_through_any_storm_of_failures(seed):
    assert storm(seed, 300) <= LIMIT


def test_books_close_through_a_storm_over_cooling_towers():
    assert storm(3, 300, plant=wet_chain) <= LIMIT


@pytest.mark.parametrize("seed", [3, 6])
def test_books_close_through_a_storm_over_condenser_water(seed):
    assert storm(seed, 300, plant=water_cooled) <= LIMIT


@pytest.mark.parametrize("seed", [3, 7])
def test_books_close_through_a_storm_of_leaks_and_valves(seed):
    """Leaks of joints, pipe and CDU carry their heat out, make-up brings its own."""
    assert storm(seed, 300, plant=pressurised) <= 1e-11


@pytest.mark.parametrize("seed", [3, 8])
def test_books_close_through_a_storm_over_air_cooled_racks(seed):
    assert storm(seed, 300, plant=air_cooled) <= 1e-11


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_books_close_through_long_storms_over_air_cooled_racks(seed):
    """pytest -n0 -m slow tests/test_energy.py -k air: half a minute each."""
    assert storm(seed, 2000, plant=air_cooled) <= 1e-11


def test_books_close_through_a_storm_over_stages():
    assert storm(4, 200, plant=staged) <= 1e-11


def test_books_close_on_direct_current_too():
    assert storm(4, 300, plant=lambda: pod(dc=True)) <= LIMIT


def test_a_converter_that_falls_with_its_feed_gives_nothing_into_another_short_circuit() -> None:
    """A transformer and a PDU are short-circuited at once, and the rectifier between them has no battery (tick 171)."""
    assert storm(5, 175, plant=lambda: pod(dc=True)) <= LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_books_close_through_long_storms_on_direct_current(seed):
    assert storm(seed, 3000, plant=lambda: pod(dc=True)) <= LIMIT


@pytest.mark.parametrize("seed", [4, 5])
def test_books_close_through_a_storm_of_short_circuits(seed):
    assert storm(seed, 400, plant=guarded) <= LIMIT


@pytest.mark.parametrize("seed", [6, 7])
def test_books_close_through_a_storm_of_short_circuits_on_tied_boards(seed):
    assert storm(seed, 300, plant=tied) <= 1e-11


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_books_close_through_long_storms_on_tied_boards(seed):
    assert storm(seed, 3000, plant=tied) <= 1e-11


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_books_close_through_long_storms(seed):
    assert storm(seed, 3000) <= LIMIT


def test_books_close_over_a_whole_run_by_hand():
    """Energy in and out of the site, summed apart from the ledger, against the change of what is stored."""
    model = compiled.compile(pod())
    asked = compiled.inputs(model)
    s = settle(model, asked)
    asked["cdu"] = replace(asked["cdu"], duty_pump_failed=asked["cdu"].duty_pump_failed + 1.0)
    asked["chiller"] = replace(asked["chiller"], in_service=asked["chiller"].in_service * 0.0)
    begin, entered, left = s.stored.sum(), 0.0, 0.0
    for tick in range(600):
        s = step(model, s, asked, float(tick), 1.0)
        site = s.outputs["site"]
        entered += float(site.power[0, 0])
        left += float(site.heat_rejected[0, 0])
    assert entered - left - (s.stored.sum() - begin) == pytest.approx(0.0, abs=1e-9 * entered)


def test_a_law_that_makes_energy_ends_the_run_and_is_named(tmp_path, monkeypatch):
    """The ledger sees a unit that warms by itself: not a mock of physics but a wrong law, put in on purpose."""
    from twin.equipment.tank import Tank

    sound = Tank.advance

    def leaky(self, s, u, port, dt):
        after, out = sound(self, s, u, port, dt)
        return replace(after, temperature=after.temperature + 1e-3 * (port.now >= 30.0)), out

    monkeypatch.setattr(Tank, "advance", leaky)
    scenario = Scenario("leaky", "", chain(), RunSettings(60.0, 1.0), text="leaky")
    with pytest.raises(BrokenBalance, match=r"energy balance of tank broke in tick 31 \(30 s"):
        simulate(scenario, trace=tmp_path / "leaky.h5", device="cpu")
    assert open_trace(tmp_path / "leaky.h5").time[-1] < 31


def test_ticks_in_which_flow_stops_and_returns_close(tmp_path):
    changes = [
        Change(10.0, "pump", "mode", 0.0),
        Change(40.0, "pump", "mode", 1.0),
        Change(20.5, "rack-1", "isolated", 1.0, verb="fail"),
    ]
    scenario = Scenario("stop", "", chain(), RunSettings(90.0, 1.0), changes=changes, text="stop")
    result = simulate(scenario, trace=tmp_path / "stop.h5", device="cpu")
    assert result.energy_residual <= LIMIT
