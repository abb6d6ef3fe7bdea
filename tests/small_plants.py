"""Small plants made in Python, for tests that look inside a run; their ratings are round numbers."""

from __future__ import annotations

from typing import Any

from twin.plant import Element, Loop, Plant, SignalLine, Unit

RACK = {
    "rated_power": 135e3, "idle_power": 30e3, "gpu_count": 72, "gpu_power_share": 0.72, "air_fraction": 0.10,
    "die_resistance": 0.010, "plate_resistance": 0.0093, "die_heat_capacity": 150, "plate_heat_capacity": 450,
    "coolant_volume": 0.02, "nominal_flow": 119 / 60e3, "nominal_pressure_drop": 60e3,
    "throttle_temperature": 361.15, "slowdown_temperature": 364.15, "shutdown_temperature": 366.15,
    "release_temperature": 358.15,
}  # fmt: skip
AIR_RACK = {
    "rated_power": 40e3, "idle_power": 9e3, "gpu_count": 32, "gpu_power_share": 0.56, "air_flow": 2.5,
    "die_resistance": 0.025, "sink_resistance": 0.03, "die_heat_capacity": 100, "sink_heat_capacity": 900,
    "fan_share": 0.3, "throttle_temperature": 360.15, "slowdown_temperature": 362.15, "shutdown_temperature": 368.15,
    "release_temperature": 357.15,
}  # fmt: skip
STORE = {"read_bandwidth": 8e10, "write_bandwidth": 4e10, "idle_power": 1500, "rated_power": 2200}
CDU = {
    "exchanger_conductance": 330e3, "technology_volume": 1.0, "facility_volume": 0.3, "nominal_flow": 0.02,
    "nominal_head": 244e3, "shutoff_head": 470e3, "pump_power": 13.7e3, "facility_flow": 0.025,
    "facility_pressure_drop": 100e3, "heat_capacity_rating": 1.368e6,
}  # fmt: skip
CHILLER = {
    "cooling_capacity": 1.5e6, "rated_cop": 5, "carnot_effectiveness": 0.5, "condenser_approach": 12,
    "nominal_flow": 0.036, "nominal_pressure_drop": 60e3, "volume": 0.5,
}  # fmt: skip
WATER_COOLED_CHILLER = {
    **CHILLER, "condenser_approach": 6, "rating_ambient": 299.26, "rating_leaving": 291.15, "leaving_gain": 0.02,
    "condenser_flow": 0.045, "condenser_pressure_drop": 60e3, "isolation_stroke": 30,
}  # fmt: skip
HEAT_EXCHANGER = {
    "exchanger_conductance": 300e3, "nominal_flow": 0.036, "nominal_pressure_drop": 50e3, "cold_flow": 0.045,
    "cold_pressure_drop": 50e3,
}  # fmt: skip
HEAT_SINK = {"rated_heat": 2e5, "nominal_flow": 0.01, "nominal_pressure_drop": 30e3}
DRY_COOLER = {
    "coil_conductance": 250e3, "air_flow": 110, "fan_power": 60e3, "nominal_flow": 0.036,
    "nominal_pressure_drop": 60e3,
}  # fmt: skip
ADIABATIC_COOLER = {**DRY_COOLER, "pad_effectiveness": 0.85}
COOLING_TOWER = {
    "nominal_flow": 0.036, "nominal_pressure_drop": 60e3, "nominal_range": 5.55, "nominal_approach": 3.9,
    "air_flow": 20, "fan_power": 8e3,
}  # fmt: skip
PIPE = {"length": 40, "diameter": 0.15, "fittings": 4, "wall_heat_capacity": 5e5, "loss_conductance": 40}
VALVE = {"flow_coefficient": 250 / 3600}
SERVICE = {
    "prefill_rate": 26156.0, "decode_rate": 13386.0, "batch": 768.0, "least_token_time": 0.01, "price": 2.2,
    "prompt_price": 0.5,
}  # fmt: skip
STRAINER = {"nominal_flow": 0.036, "nominal_pressure_drop": 10e3, "clogging_rate": 1e-5}
VESSEL = {"vessel_volume": 0.3, "precharge": 2e5, "fill_pressure": 2.6e5, "relief_pressure": 6e5, "makeup_flow": 2e-4,
          "makeup_start": 2.2e5, "makeup_stop": 2.6e5, "makeup_store": 0.5}  # fmt: skip
JOINT = {"flow_coefficient": 20 / 3600}
PUMP = {"nominal_flow": 0.036, "nominal_head": 300e3, "shutoff_head": 400e3, "efficiency": 0.7}
PANEL = {"undervoltage_limit": 0.7, "undervoltage_delay": 0.05}
"""Of the first unit of each driven kind in `pod`; the others say nothing, or stay off after a trip."""
UPS = {"rated_power": 1.5e6, "battery_energy": 1.5e6 * 300, "recharge_power": 150e3}
SHELVES = {"shelf_count": 8, "lowest_voltage": 0.85, "storage_capacity": 4680}
RECTIFIER = {"rated_power": 1.5e6, "battery_energy": 1.2e6 * 240, "battery_power": 1.2e6, "recharge_power": 120e3}
GENERATOR = {"rated_power": 3e6, "fuel_tank": 10, "full_load_fuel": 2e-4, "idle_fuel": 2e-5}
BESS = {"rated_power": 2e6, "battery_energy": 2e6 * 1800, "ramp_rate": 20e6, "auxiliary_power": 10e3}
TRANSFORMER = {"rated_power": 3e6, "impedance": 0.0575, "no_load_loss": 3e3, "load_loss": 24e3}
FAN_WALL = {
    "fan_power": 5e3, "air_flow": 20, "coil_conductance": 15e3, "nominal_flow": 0.004, "nominal_pressure_drop": 80e3,
}  # fmt: skip


def branch(*elements: str) -> list[Element]:
    """A branch from "unit" or "unit.stream" words."""
    return [Element(*(word.split(".") if "." in word else (word, "coolant"))) for word in elements]


def add(
    plant: Plant, name: str, kind: str, feeds: tuple[str, ...] = (), zone: str | None = None, **ratings: Any
) -> None:
    """Add a unit and its feeds."""
    plant.add(Unit(name, kind, {key: float(value) for key, value in ratings.items()}, zone))
    if feeds:
        plant.feed(name, list(feeds))


def pod(racks: int = 8, dc: bool = False) -> Plant:
    """A pod with everything: two generators, two UPS, two CDUs, two cooling trains, a tank, a room.

    With `dc` two rectifiers stand in place of the UPS, racks have power shelves with a store, and the tank two layers.
    """
    rack = {**RACK, **SHELVES, "power_factor": 1.0, "die_groups": 18, "standby_power": 2e3} if dc else RACK
    plant = Plant()
    add(plant, "utility-a", "utility", rated_power=5e6)
    add(plant, "tx-a", "transformer", ("utility-a",), **TRANSFORMER)
    for i in (1, 2):
        add(plant, f"gen-{i}", "generator", closing_order=i - 1, **GENERATOR)
    add(plant, "gbus", "bus", ("gen-1", "gen-2"))
    add(plant, "ats-1", "ats", ("tx-a", "gbus"))
    add(plant, "msb", "bus", ("ats-1",))
    for i in (1, 2):
        if dc:
            add(plant, f"rectifier-{i}", "rectifier", ("msb",), **(RECTIFIER if i == 1 else {"rated_power": 1.5e6}))
        else:
            add(plant, f"ups-{i}", "ups", ("msb",), **UPS)
        feed = f"rectifier-{i}" if dc else f"ups-{i}"
        add(plant, f"pdu-{i}", "pdu", (feed,), rated_power=1.5e6, direct_current=float(dc))
    add(plant, "hall", "zone", volume=800, mass_heat_capacity=3e6)
    for i in range(1, racks + 1):
        add(plant, f"rack-{i:02d}", "rack", ("pdu-1", "pdu-2"), "hall", **rack)
    panels = {1: PANEL, 2: {}, 3: {**PANEL, "auto_restart": 0.0}}
    add(plant, "panel", "control_panel", ("msb",), "hall", restart_delay=30)
    acts = {1: {"valve_without_control": 1.0, "without_control": 3.0}, 2: {}}
    for i in (1, 2):
        add(plant, f"cdu-{i}", "cdu", (f"pdu-{i}",), "hall", **CDU, **panels[i], **acts[i])
    for i in (1, 2, 3):
        add(plant, f"fw-{i}", "fan_wall", ("msb",), "hall", **FAN_WALL, **panels[i])
    for i in (1, 2):
        add(plant, f"pump-{i}", "pump", ("msb",), **PUMP, **panels[i])
        add(plant, f"dry-{i}", "dry_cooler", ("msb",), **DRY_COOLER, **panels[i])
        add(plant, f"ch-{i}", "chiller", ("msb",), **CHILLER, **panels[i])
    add(plant, "tank", "tank", volume=8, useful_temperature=305, stratified=float(dc))
    trains = [branch(f"pump-{i}", f"dry-{i}", f"ch-{i}") for i in (1, 2)]
    loads = [branch(f"cdu-{i}.facility") for i in (1, 2)] + [branch(f"fw-{i}") for i in (1, 2, 3)]
    plant.add_loop(Loop("facility", "water", trains, loads, "tank"))
    cdus = [branch(f"cdu-{i}.technology") for i in (1, 2)]
    plant.add_loop(Loop("technology", "pg25", cdus, [branch(f"rack-{i:02d}") for i in range(1, racks + 1)]))
    for i in (1, 2):
        plant.add_signal(SignalLine("ats-1", "start_request", f"gen-{i}", "start"))
        plant.add_signal(SignalLine(f"gen-{i}", "shed_request", "pdu-2", "shed", 2.0))
        plant.add_signal(SignalLine("panel", "down_time", f"cdu-{i}", "uncontrolled"))
    return plant


def air_cooled() -> Plant:
    """Air-cooled racks in a room whose mass follows slowly: two CRAHs, one UPS, two jobs and a pool on one storage."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e6)
    add(plant, "board", "bus", ("utility",))
    add(plant, "ups", "ups", ("board",), **{**UPS, "rated_power": 2e5, "battery_energy": 2e5 * 120})
    add(plant, "room", "zone", volume=200, mass_heat_capacity=4e6, mass_conductance=4e3)
    supplies = {"shelf_count": 18, "shelf_power": 3.3e3, "lowest_voltage": 0.85, "standby_power": 400, "die_groups": 4}
    for i in (1, 2, 3, 4):
        feeds, more = (("ups", "board"), supplies) if i < 3 else (("ups",), {})
        add(
            plant,
            f"rack-{i}",
            "air_rack",
            feeds,
            "room",
            **AIR_RACK,
            **more,
            die_masses=float(i == 2),
            boots_when_on=float(i < 3),
        )
    for i in (1, 2):
        add(plant, f"crah-{i}", "fan_wall", ("board",), "room", **{**FAN_WALL, "air_flow": 10})
        add(plant, f"pump-{i}", "pump", ("board",), **{**PUMP, "nominal_flow": 0.004, "volume": 0.1})
        slim = {"cooling_capacity": 0.12e6, "nominal_flow": 0.004, "volume": 0.1}
        add(plant, f"chiller-{i}", "chiller", ("board",), **{**CHILLER, **slim})
        plant.units[f"chiller-{i}"].settings["leaving_setpoint"] = 285.15
    add(plant, "store", "storage_system", ("ups", "board"), "room", **STORE, restart_delay=60)
    saves = {"step_time": 4.0, "step_data": 2e11, "checkpoint_size": 8e11, "checkpoint_interval": 60.0}
    for k in (1, 2):
        add(plant, f"train-{k}", "job", resume_time=30.0, checkpoint_time=5.0 * k, **saves)
        plant.gather(f"train-{k}", [f"rack-{k}"])
        plant.store(f"train-{k}", ["store"])
    trains = [branch(f"pump-{i}", f"chiller-{i}") for i in (1, 2)]
    plant.add_loop(Loop("chilled", "water", trains, [branch(f"crah-{i}") for i in (1, 2)]))
    add(plant, "chat", "pool", weights=8e10)
    plant.gather("chat", ["rack-4"])
    plant.store("chat", ["store"])
    add(plant, "api", "service", prefill_rate=1000, decode_rate=500, batch=64, least_token_time=0.01)
    plant.serve("api", ["chat"], ["chat"])
    plant.units["api"].settings["request_rate"] = 8.0
    return plant


def four_racks() -> Plant:
    """A board, four racks without air heat and their CDU, not yet in any loop."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "board", "bus", ("utility",))
    for i in range(1, 5):
        add(plant, f"rack-{i}", "rack", ("board",), **{**RACK, "air_fraction": 0.0})
    add(plant, "cdu", "cdu", ("board",), **CDU)
    return plant


def chain(tank_volume: float = 8.0) -> Plant:
    """The shortest chain from die to chiller: four racks without air heat, one CDU, one pump, one chiller, a tank."""
    plant = four_racks()
    add(plant, "pump", "pump", ("board",), **PUMP)
    add(plant, "chiller", "chiller", ("board",), **CHILLER)
    add(plant, "tank", "tank", volume=tank_volume, useful_temperature=305)
    plant.add_loop(Loop("facility", "water", [branch("pump", "chiller")], [branch("cdu.facility")], "tank"))
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], [branch(f"rack-{i}") for i in range(1, 5)]))
    return plant


def wet_chain() -> Plant:
    """From die to evaporating water: four racks, one CDU, two pumps each with a tower, by Merkel and by York."""
    plant = four_racks()
    for i in (1, 2):
        add(plant, f"pump-{i}", "pump", ("board",), **PUMP)
        add(plant, f"tower-{i}", "cooling_tower", ("board",), correlation=i, **COOLING_TOWER)
    add(plant, "pipe", "pipe", **PIPE)
    trains = [branch("pump-1", "tower-1", "pipe"), branch("pump-2", "tower-2")]
    plant.add_loop(Loop("facility", "water", trains, [branch("cdu.facility")]))
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], [branch(f"rack-{i}") for i in range(1, 5)]))
    return plant


def tied() -> Plant:
    """Main-tie-main and a ring behind it: mains, feeders and ties of every sort, and short circuits on any board."""
    plant = Plant()
    unit_trip = {"short_time_pickup": 4, "short_time_delay": 0.3, "instantaneous_pickup": 12, "opening_time": 0.05}
    add(plant, "grid", "utility", rated_power=10e6, short_circuit_power=250e6, nominal_voltage=13.8e3)
    for i in (1, 2):
        add(plant, f"tx-{i}", "transformer", ("grid",), **TRANSFORMER, secondary_voltage=480)
        add(plant, f"main-{i}", "breaker", (f"tx-{i}",), rated_power=3e6, **unit_trip)
    for i in range(1, 5):
        add(plant, f"board-{i}", "bus", (f"main-{i}",) if i < 3 else ())
        add(plant, f"feeder-{i}", "breaker", (f"board-{i}",), rated_power=1e6, **unit_trip)
        add(plant, f"pdu-{i}", "pdu", (f"feeder-{i}",), rated_power=1e6, no_load_loss=1e3, load_loss=5e3)
        add(plant, f"load-{i}", "load", (f"pdu-{i}",), rated_power=0.4e6)
    add(plant, "ups", "ups", ("board-3",), **UPS)
    add(plant, "ups-load", "load", ("ups",), rated_power=0.3e6)
    add(plant, "throw", "tie", rated_power=3e6, auto_throw=1, retransfer_delay=20)
    plant.join("throw", ["board-1", "board-2"])
    for name, ends in (("ring-1", (2, 3)), ("ring-2", (3, 4)), ("ring-3", (4, 1))):
        add(plant, name, "tie", rated_power=2e6, series_resistance=0.002, series_reactance=0.003)
        plant.units[name].settings["closed"] = float(name == "ring-1")
        plant.join(name, [f"board-{i}" for i in ends])
    return plant


def water_cooled() -> Plant:
    """Every way out: water-cooled chillers and an economiser on a tower's water, a heat network, wet pads."""
    plant = four_racks()
    for name in ("pump-1", "pump-2", "pump-3", "far-1", "far-2", "far-3", "net"):
        add(plant, name, "pump", ("board",), **PUMP)
    slim = {"cooling_capacity": 0.5e6, "least_load": 0.15}
    for i in (1, 2):
        more = {"most_lift": 45.0} if i == 1 else {"hot_gas_bypass": 1.0, "surge_lift": 10.0, "surge_slope": 0.02}
        add(plant, f"wc-{i}", "water_cooled_chiller", ("board",), **{**WATER_COOLED_CHILLER, **slim, **more})
        plant.add_signal(SignalLine(f"wc-{i}", "heat", "staging", "load"))
        plant.add_signal(SignalLine(f"wc-{i}", "limited_for", "staging", "short"))
        plant.add_signal(SignalLine(f"wc-{i}", "lost_for", "staging", f"lost_{i}"))
        for unit in (f"wc-{i}", f"pump-{i}"):
            plant.add_signal(SignalLine("staging", f"standby_{i}", unit, "standby"))
    add(plant, "staging", "sequencer", ("board",), machines=2, machine_capacity=0.5e6)
    for name in ("economiser", "reuse"):
        add(plant, name, "heat_exchanger", **HEAT_EXCHANGER)
    plant.units["reuse"].settings["leaving_setpoint"] = 296.15
    add(plant, "tower", "cooling_tower", ("board",), **COOLING_TOWER)
    follows = {"outdoor_reset": 1.0, "outdoor_from": 288.15, "outdoor_to": 308.15, "outdoor_setpoint": 298.15}
    add(plant, "wet", "adiabatic_cooler", ("board",), **ADIABATIC_COOLER, **follows)
    add(plant, "town", "heat_sink", **HEAT_SINK)
    plant.units["town"].settings["leaving_setpoint"] = 293.15
    add(plant, "tank", "tank", volume=8, useful_temperature=305)
    chilled = [branch(f"pump-{i}", f"wc-{i}.evaporator") for i in (1, 2)] + [branch("pump-3", "economiser.warm")]
    plant.add_loop(Loop("chilled", "water", chilled, [branch("cdu.facility")], "tank"))
    outer = [branch("far-1", "tower"), branch("far-2", "wet"), branch("far-3", "reuse.warm")]
    takers = [branch("wc-1.condenser"), branch("wc-2.condenser"), branch("economiser.cold")]
    plant.add_loop(Loop("condenser", "water", outer, takers))
    plant.add_loop(Loop("network", "water", [branch("net", "town")], [branch("reuse.cold")]))
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], [branch(f"rack-{i}") for i in range(1, 5)]))
    return plant


def pressurised(**vessel: float) -> Plant:
    """`wet_chain` with a vessel at each loop, and each rack behind a quick disconnect that a leak sensor shuts."""
    plant = wet_chain()
    for name in plant.loops:
        add(plant, f"vessel-{name}", "expansion_vessel", **{**VESSEL, **vessel})
        plant.loops[name].pressurisation = f"vessel-{name}"
    for i in range(1, 5):
        add(plant, f"joint-{i}", "quick_disconnect", isolation_delay=float(20 * (i < 3)), **JOINT)
        plant.loops["technology"].loads[i - 1] = branch(f"joint-{i}", f"rack-{i}")
    add(plant, "strainer", "strainer", **STRAINER)
    plant.loops["facility"].plant[0].insert(1, *branch("strainer"))
    add(plant, "valve", "valve", **VALVE)
    plant.loops["facility"].loads = [branch("cdu.facility", "valve")]
    add(plant, "bypass", "valve", flow_coefficient=20 / 3600, characteristic=1.0)
    add(plant, "check", "check_valve", **VALVE)
    plant.loops["facility"].loads.append(branch("bypass", "check"))
    return plant


def staged() -> Plant:
    """Three pumps manifolded before two chillers, each chiller with its valve and one of them behind plates.

    Their water-cooled neighbour beside them gives to a condenser loop, whose pumps and towers are manifolded, too.
    """
    plant = four_racks()
    for i in (1, 2, 3):
        add(plant, f"pump-{i}", "pump", ("board",), on_call=float(i == 3), restart_delay=1.0, **PUMP)
    for i in (1, 2):
        add(plant, f"valve-{i}", "valve", **VALVE)
        add(plant, f"far-{i}", "pump", ("board",), **PUMP)
        add(plant, f"tower-{i}", "cooling_tower", ("board",), **COOLING_TOWER)
        plant.add_signal(SignalLine(f"pump-{i}", "lost_for", "pump-3", "call", 2.0))
    add(plant, "economiser", "heat_exchanger", **HEAT_EXCHANGER)
    add(plant, "past", "valve", **VALVE)
    add(plant, "chiller-1", "chiller", ("board",), **CHILLER)
    add(plant, "wc-1", "water_cooled_chiller", ("board",), **WATER_COOLED_CHILLER)
    add(plant, "tank", "tank", volume=8, useful_temperature=305)
    pumps, before = [branch(f"pump-{i}") for i in (1, 2, 3)], [branch("economiser.warm"), branch("past")]
    chillers = [branch("valve-1", "chiller-1"), branch("valve-2", "wc-1.evaporator")]
    stages = [("pumps", 3), ("economiser", 2), ("chillers", 2)]
    plant.add_loop(
        Loop("facility", "water", [*pumps, *before, *chillers], [branch("cdu.facility")], "tank", stages=stages)
    )
    far = [branch(f"far-{i}") for i in (1, 2)] + [branch(f"tower-{i}") for i in (1, 2)]
    takers = [branch("economiser.cold"), branch("wc-1.condenser")]
    plant.add_loop(Loop("condenser", "water", far, takers, stages=[("pumps", 2), ("towers", 2)]))
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], [branch(f"rack-{i}") for i in range(1, 5)]))
    return plant
