"""The catalogue by hand: what its machines give at the points that public documents state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from twin.declare import Ports, quantities
from twin.driven import Drive
from twin.equipment import KINDS
from twin.equipment.cdu import Pumps
from twin.physics.drive import steady
from twin.physics.fluids import HEAT_CAPACITY
from twin.physics.hydraulic import branch_flow
from twin.scenario.catalog import MARKS, Record, records

ALL = {record.name: record for record in records()}
LPM = 1 / 60e3
ZERO = 273.15


def machine(name: str) -> Any:
    record = ALL[name]
    return KINDS[record.kind](**record.parameters)


@pytest.mark.parametrize("record", ALL.values(), ids=lambda record: record.name)
def test_every_value_is_declared_within_bounds_and_says_how_it_is_known(record: Record) -> None:
    known = quantities(KINDS[record.kind])
    assert record.title
    assert record.licence
    for name, value in record.values.items():
        assert known[name].fault(value.value) is None, f"{name} = {value.text}"
        assert value.source, name
        assert value.date, name
        assert value.mark in MARKS, name
        guessed = "estimate" in value.source or "textbook" in value.source
        assert value.estimate or not guessed, f"{name} is an estimate and is not marked as one"


def test_york_yk_5465_at_its_reference_point() -> None:
    """V5: 6.67 degC leaving, 26.11 degC condenser entering, full load: 801.6 kW (EnergyPlus)."""
    chiller = machine("york-yk-5465")
    leaving, condenser = 6.67 + ZERO, 26.11 + ZERO
    capacity, _, inside = chiller.rating(leaving, condenser)
    assert inside
    assert capacity == pytest.approx(5536.4e3, rel=1e-3)
    assert chiller.power(capacity, leaving, condenser) == pytest.approx(801.6e3, rel=1e-3)


def test_york_ycal0033ee_at_its_reference_point() -> None:
    """By hand: 100.582 kW x 1.04916 at COP 3.1/1.02081."""
    chiller = machine("york-ycal0033ee")
    capacity, cop, inside = chiller.rating(6.67 + ZERO, 35 + ZERO)
    assert inside
    assert capacity == pytest.approx(105.527e3, rel=1e-4)
    assert cop == pytest.approx(3.0368, rel=1e-4)


def test_carnot_chillers_at_their_notes() -> None:
    """COP = eta T_e/(T_c - T_e), by hand: 0.5 x 303.15/17, 0.5 x 303.15/26, 0.45 x 289.15/31 and /40."""
    warm, cold = machine("chiller-2300kw"), machine("chiller-500kw")
    assert warm.rating(32 + ZERO, 35 + ZERO)[1] == pytest.approx(8.92, rel=2e-3)
    assert warm.rating(32 + ZERO, 44 + ZERO)[1] == pytest.approx(warm.rated_cop, rel=0.01)
    assert cold.rating(18 + ZERO, 35 + ZERO)[1] == pytest.approx(4.20, rel=2e-3)
    assert cold.rating(18 + ZERO, 44 + ZERO)[1] == pytest.approx(cold.rated_cop, rel=0.02)


def test_bac_dry_cooler() -> None:
    """V8: water of 46.11 -> 40.55 degC with air of 35 degC: 2,931 kW with 117.68 kW of fans."""
    cooler = machine("dry-cooler-2900kw")
    flow = cooler.nominal_flow
    C_flow = flow * HEAT_CAPACITY["water"]
    heat = C_flow * cooler.share(1.0, C_flow, flow) * (46.11 - 35.0)
    assert heat == pytest.approx(2931e3, rel=0.02)
    assert 46.11 - heat / C_flow == pytest.approx(40.55, abs=0.05)
    assert cooler.fan_power == 117.68e3


def test_xdu1350_gives_its_heat_at_4_kelvin_approach() -> None:
    """V18: 1,368 kW at 1,200 L/min, 4 K between facility inlet and supply, 17.1 K of PG25, 13.7 kW."""
    cdu = machine("cdu-1300kw")
    flow = 1200 * LPM
    C_technology, C_facility = flow * HEAT_CAPACITY["pg25"], flow * HEAT_CAPACITY["water"]
    K = cdu.conductance(flow, flow, C_technology, C_facility)
    # heat with the supply 4 K above the facility inlet: K (4 + Q/C) = Q
    heat = 4.0 * K / (1.0 - K / C_technology)
    assert heat == pytest.approx(1368e3, rel=0.05)
    assert heat / C_technology == pytest.approx(17.1, rel=0.05)
    assert cdu.pump_power == 13.7e3


def test_xdu1350_pump_gives_244_kpa_at_1200_lpm_and_falls() -> None:
    cdu = machine("cdu-1300kw")
    port = Ports()
    port.drive = Pumps(None, None, None, None, None, mean_speed=1.0)
    branch = cdu.branch(cdu.State(), cdu.Inputs(), port, "technology")
    flows = np.linspace(0.0, 1400.0, 15) * LPM
    heads = branch.head - branch.laminar * flows - branch.turbulent * flows * flows
    assert (np.diff(heads) < 0).all()
    assert np.interp(1200 * LPM, flows, heads) == pytest.approx(244e3, rel=0.05)
    published = 476.46e3 + 92.1 * 800 - 0.234 * 800 * 800
    assert np.interp(800 * LPM, flows, heads) == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize(("inlet", "flow"), [(25, 59), (30, 71), (35, 89), (40, 119), (45, 177)])
def test_gb300_flow_of_lenovo_table_27(inlet: float, flow: float) -> None:
    """V4: the table's flows all return at 55 degC with the heat of the rating point."""
    rack = machine("gb300-nvl72")
    nominal = rack.nominal_flow / LPM * (55 - 40) / (55 - inlet)
    assert nominal == pytest.approx(flow, rel=0.01)


@pytest.mark.parametrize(("flow", "psi"), [(59, 2.3), (177, 18.4)])
def test_gb300_pressure_of_lenovo_table_27(flow: float, psi: float) -> None:
    """V4: 2.3 psi at 59 L/min, 18.4 psi at 177 L/min."""
    rack = machine("gb300-nvl72")
    branch = rack.branch(rack.State(), rack.Inputs(), Ports(), "coolant")
    pressure = psi * 6894.757
    assert branch.laminar * flow * LPM + branch.turbulent * (flow * LPM) ** 2 == pytest.approx(pressure, rel=0.05)
    passed, _ = branch_flow(np.array([[pressure]]), branch.laminar, branch.turbulent)
    assert passed[0, 0] / LPM == pytest.approx(flow, rel=0.03)


@pytest.mark.parametrize("name", ["gb200-nvl72", "gb300-nvl72"])
def test_die_at_full_load_and_40_degc(name: str) -> None:
    """Steady state by hand: plate = inlet + P/K, die = plate + P_die/G, leakage iterated; 70 to 85 degC."""
    rack = machine(name)
    C_flow = rack.nominal_flow * HEAT_CAPACITY["pg25"]
    K, _ = rack.conductance(C_flow, rack.nominal_flow)
    gpu, other = rack.asked_power(1.0)
    to_plate = other - rack.air_fraction * rack.rated_power
    die = 350.0
    for _ in range(50):
        hot = gpu * (1.0 + rack.leakage * (die - rack.leakage_reference))
        die = 313.15 + (hot + to_plate) / K + hot * rack.die_resistance / rack.gpu_count
    assert 70 < die - ZERO < 85
    assert hot + other == pytest.approx(rack.rated_power, rel=0.02)


def test_gb300_warms_by_two_kelvin_a_second_without_flow() -> None:
    rack = machine("gb300-nvl72")
    gpu, _ = rack.asked_power(1.0)
    rate = gpu / rack.gpu_count / (rack.die_heat_capacity + rack.plate_heat_capacity)
    assert rate == pytest.approx(2.0, rel=0.2)


def test_ups_efficiencies_and_autonomy() -> None:
    ups = machine("ups-2500kw")
    for load, efficiency in ((0.25, 0.959), (0.5, 0.972), (0.75, 0.975), (1.0, 0.976)):
        assert ups.efficiency(load * ups.rated_power) == pytest.approx(efficiency, abs=1e-3)
    assert ups.autonomy(ups.rated_power) == pytest.approx(300, rel=0.01)


def test_ups_in_eco_mode_lies_within_published_efficiencies() -> None:
    """98.5 to 99.3 % between a quarter of the load and all of it."""
    ups = machine("ups-2500kw")
    found = [ups.efficiency(2.5e6 * x, eco=True) for x in (0.25, 0.5, 0.75, 1.0)]
    assert 0.985 < min(found) < max(found) < 0.993


def test_genset_burns_what_its_sheet_says_and_lasts_a_day() -> None:
    genset = machine("genset-3000kw")
    gallon = 3.785412e-3
    assert genset.fuel_flow(3e6) * 3600 / gallon == pytest.approx(212.9, rel=1e-3)
    assert genset.endurance(3e6) == pytest.approx(24 * 3600, rel=0.01)


def test_transformers_lose_what_their_notes_say() -> None:
    small, large = machine("transformer-3000kva"), machine("transformer-150mva")
    assert small.efficiency(1.5e6) == pytest.approx(0.9945, abs=1e-4)
    resistance = small.load_loss / small.rated_power
    assert 6 < math.sqrt(small.impedance**2 - resistance**2) / resistance < 10
    assert large.efficiency(150e6) == pytest.approx(0.996, abs=1e-4)


def test_fan_wall_takes_its_rating_from_a_room_of_36_degc() -> None:
    """280 kW with 16 K between air and water, by its own coil law at nominal flows."""
    wall = machine("fan-wall-280kw")
    port = Ports()
    port.drive = Drive(None, steady(0.0, 1.0, 1.0), True)
    port.flow = {"coolant": wall.nominal_flow}
    port.capacity_rate = {"coolant": wall.nominal_flow * HEAT_CAPACITY["water"]}
    K, _ = wall.coil(wall.State(inlet_temperature=20 + ZERO), wall.Inputs(), port, 1.0)
    heat = 16 * K
    assert heat == pytest.approx(280e3, rel=0.1)


def test_pumps_meet_their_duty_points() -> None:
    for name in ("pump-12lps", "pump-25lps"):
        pump = machine(name)
        assert pump.head(1.0, pump.nominal_flow) == pytest.approx(pump.nominal_head)
        assert math.isclose(pump.nominal_power() * pump.efficiency, pump.nominal_flow * pump.nominal_head)


def test_gensets_burn_what_their_sheets_say_and_keep_their_class() -> None:
    """212.9 and 173.1 gal/h at full load; a step of 60 % within G3 (7 %), of 30 % on gas within G2 (10 %)."""
    from twin.physics import engine as law

    gallon = 3.785411784e-3 / 3600
    assert machine("genset-3000kw").fuel_flow(3e6) == pytest.approx(212.9 * gallon, rel=2e-3)
    assert machine("genset-2500kw").fuel_flow(2.5e6) == pytest.approx(173.1 * gallon, rel=2e-3)
    for name, group in (("genset-3000kw", "G3"), ("genset-2500kw", "G3"), ("gas-engine-2500kw", "G2")):
        g = machine(name)
        zero = np.zeros((1, 1))
        start = law.Speed(zero, zero, zero)
        seen = law.swing(g._engine, start, zero + g.block_step, zero + g.engine_limit, zero + 5.0)
        dip = -float(seen.lowest[0, 0])
        assert 0.2 * g.frequency_dip_limit < dip < g.frequency_dip_limit == law.ISO_8528_5[group].frequency_dip, name
