"""The numbers: seconds, losses, PUE, energy and percentiles, each against a hand-made answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_hall import small_data, small_events, small_trace, write

from twin.report import summary
from twin.report.findings import Findings
from twin.report.rows import Rows
from twin.report.words import glued
from twin.trace import Event, Trace


def test_seconds_from_the_fault_are_exact(findings: Findings) -> None:
    found = findings.measure
    assert found["fault"]["time"] == 60.0
    assert found["fault"]["unit"] == "utility-a"
    seconds = {name: moment and moment["seconds"] for name, moment in found["first"].items()}
    assert seconds == {
        "first_throttle": 120.25,
        "first_slowdown": 140.5,
        "first_shutdown": 141.75,
        "first_unpowered": None,
        "ups_on_battery": 0.0,
        "ups_empty": None,
        "tank_exhausted": 90.0,
    }
    assert found["first"]["first_throttle"]["unit"] == "rack-3"


def test_every_flag_is_counted(findings: Findings) -> None:
    rows = {(row["kind"], row["flag"]): row for row in findings.measure["flags"]}
    throttled = rows["rack", "throttled"]
    assert (throttled["units"], throttled["times"], throttled["standing_at_end"]) == (8, 8, 2)
    assert throttled["longest_seconds"] == pytest.approx(600 - 180.25)
    assert rows["ups", "on_battery"]["longest_seconds"] == 15.5


def test_batteries(findings: Findings) -> None:
    found = findings.measure["batteries"]
    assert found["units_on_battery"] == 2
    assert found["longest_on_battery"] == 15.5
    assert found["lowest_charge"] == pytest.approx(1 - 15.5 * 0.5e6 / 360e6)
    assert found["lowest_charge_time"] == 76.0
    assert found["seconds_left"] == pytest.approx((1 - 15 * 0.5e6 / 360e6) * 720)


def test_what_was_lost(findings: Findings) -> None:
    assert findings.measure["lost"] == {
        "units_total": 8,
        "units_peak": 2,
        "units_peak_time": 202.0,
        "units_end": 2,
        "power_before": 1e6,
        "power_lost_peak": 0.25e6,
        "power_lost_peak_time": 203.0,
        "power_lost_end": 0.25e6,
    }


def test_power_that_is_missing_by_round_off_alone_is_none(at: Path) -> None:
    time, data = small_data()
    data["site"]["it_power"][:, 0, 0] = 1e6 + 1e-7 * (time < 200)
    lost = Findings(write(at, time, data, small_events())).measure["lost"]
    assert (lost["power_lost_peak"], lost["power_lost_end"]) == (0.0, 0.0)


def test_a_rack_that_is_lost_twice_over_is_lost_once(at: Path) -> None:
    events = [
        Event(10.0, 0, "rack-1", "unpowered", 1),
        Event(12.0, 0, "rack-1", "shut_down", 1),
        Event(20.0, 0, "rack-1", "unpowered", 0),
        Event(30.0, 0, "rack-2", "unpowered", 1),
        Event(40.0, 0, "rack-1", "shut_down", 0),
        Event(50.0, 0, "rack-2", "unpowered", 0),
    ]
    lost = Findings(write(at, *small_data(), events)).measure["lost"]
    assert (lost["units_peak"], lost["units_peak_time"], lost["units_end"]) == (2, 30.0, 0)


def test_pue_before_during_and_after(findings: Findings) -> None:
    pue = findings.measure["pue"]
    assert pue["before"] == pytest.approx(1.25)
    assert pue["after"] == pytest.approx(1.25)
    assert pue["end"] == pytest.approx(1.25)
    work = 121.0 * 1e6 + 21.0 * 0.9e6 + 98.0 * 0.75e6
    from_batteries = 2 * 15.5 * 0.5e6
    assert pue["during"] == pytest.approx(((work - 15e6) * 1.25 + from_batteries) / work)


def test_the_ledger_closes(findings: Findings) -> None:
    found = findings.measure["energy"]
    assert found["from_utility"] + found["from_generator"] == pytest.approx(found["supplied"])
    assert found["rejected"] == pytest.approx(0.98 * found["supplied"])
    assert found["residual"] == pytest.approx(0.0, abs=1e-3)
    assert found["worst_residual"] == 1e-13


def test_rows_of_unequal_length_weigh_by_their_length(at: Path) -> None:
    time, data = small_data()
    keep = np.r_[0:61, 61:601:9]
    kept = {kind: {name: values[keep] for name, values in named.items()} for kind, named in data.items()}
    kept["site"]["power"] = np.full_like(kept["site"]["power"], 2e6)
    energy = Findings(write(at, time[keep], kept, [])).measure["energy"]
    assert energy["supplied"] == pytest.approx(2e6 * (time[keep][-1] - time[0]))


def test_extremes_know_their_unit_moment_and_limit(findings: Findings) -> None:
    rows = {(row["kind"], row["name"], row["which"]): row for row in findings.measure["extremes"]}
    die = rows["rack", "die_temperature", "highest"]
    assert die["value"] == pytest.approx(370.15)
    assert (die["where"], die["time"], die["limit"]) == ("rack-1", 202.0, 361.15)
    assert die["limit_name"] == "throttle_temperature"
    assert rows["transformer", "voltage", "lowest"]["value"] == 0.0
    assert rows["tank", "temperature", "highest"]["limit"] == 303.15


def test_what_is_so_from_the_start_is_no_fault_while_something_follows(at: Path) -> None:
    latent = Event(0.0, 0, "generator-1", "input:fails_to_start", 1.0)
    found = Findings(write(at, *small_data(), [latent, *small_events()])).measure
    assert (found["fault"]["unit"], found["fault"]["time"]) == ("utility-a", 60.0)


def test_without_a_fault_seconds_run_from_the_start(at: Path) -> None:
    found = Findings(write(at, *small_data(), [Event(7.0, 0, "rack-1", "throttled", 1)])).measure
    assert found["fault"] is None
    assert found["first"]["first_throttle"]["seconds"] == 7.0


def test_a_flag_that_stands_at_the_start_is_seen(at: Path) -> None:
    time, data = small_data()
    data["rack"]["shut_down"] = np.zeros_like(data["rack"]["power"])
    data["rack"]["shut_down"][:, 0, 4] = 1.0
    found = Findings(write(at, time, data, [])).measure["lost"]
    assert (found["units_peak"], found["units_peak_time"], found["units_end"]) == (1, 0.0, 1)


def ensemble(path: Path, members: int) -> Trace:
    """Member m throttles m + 1 seconds after the fault; the last member never does."""
    time, data = small_data()
    many = {k: {n: np.repeat(v, members, axis=1) for n, v in named.items()} for k, named in data.items()}
    events = [Event(60.0, m, "utility-a", "input:in_service", 0.0) for m in range(members)]
    events += [Event(61.0 + m, m, "rack-1", "throttled", 1) for m in range(members - 1)]
    return write(path, time, many, events)


def test_percentiles_over_the_members_in_which_it_happened(at: Path) -> None:
    found = Findings(ensemble(at, 22))
    row = next(row for row in found.across if row["metric"] == "first.first_throttle.seconds")
    assert (row["known"], row["members"]) == (21, 22)
    assert (row["p5"], row["p50"], row["p95"]) == pytest.approx((2.0, 11.0, 20.0))
    assert row["values"][:3] == [1.0, 2.0, 3.0]
    assert row["values"][-1] is None


def test_the_summary_is_pure_json_without_nan(at: Path) -> None:
    time, data = small_data()
    data["site"]["pue"] = np.full_like(data["site"]["power"], np.nan)
    data["cdu"]["supply_temperature"][:] = np.nan
    told = summary(write(at, time, data, small_events()))
    text = json.dumps(told, allow_nan=False)
    assert json.loads(text) == told
    assert told["verdict"] == "failed"
    assert len(told["timeline"]) == len(small_events())
    assert told["timeline"][0] == {
        "time": 60.0,
        "member": 0,
        "unit": "utility-a",
        "what": "is taken out of service (fail)",
        "why": "a digger found the cable",
        "cause": None,
        "led_by": None,
        "since_fault": 0.0,
    }


def test_a_plant_without_cooling_ups_or_site_is_reported_too(at: Path) -> None:
    time, data = small_data()
    found = Findings(write(at, time, {"rack": data["rack"]}, []))
    assert found.measure["batteries"] is None
    assert found.measure["lost"]["power_before"] == pytest.approx(1e6)
    assert found.summary()["verdict"] == "failed"


def test_a_trace_of_one_row(tmp_path: Path) -> None:
    time, data = small_data()
    one = {kind: {name: values[:1] for name, values in named.items()} for kind, named in data.items()}
    told = summary(write(tmp_path / "one.h5", time[:1], one, []))
    assert told["simulated_seconds"] == 0.0
    assert told["metrics"]["pue"]["before"] == pytest.approx(1.25)


def test_the_same_trace_gives_the_same_summary(tmp_path: Path) -> None:
    path = tmp_path / "small.h5"
    assert summary(small_trace(path)) == summary(small_trace(path))


def test_nothing_is_on_a_battery_that_is_empty(at: Path) -> None:
    """On battery from 60 s; empty at 70 s, while its feed stays dead to 200 s: it bore its load for 10 s."""
    events = [
        Event(60.0, 0, "utility-a", "input:in_service", 0),
        Event(60.0, 0, "ups-1", "on_battery", 1),
        Event(70.0, 0, "ups-1", "depleted", 1),
        Event(200.0, 0, "ups-1", "on_battery", 0),
    ]
    found = Findings(write(at, *small_data(), events)).measure["batteries"]
    assert found["longest_on_battery"] == 10.0


def test_numbers_and_their_units_stay_in_one_line() -> None:
    told = glued("12 m³ at 18 °C, 2 racks, 1.5 kW; 190.1 s as loaded after 3 min 04 s")
    assert told.replace("\u00a0", "_") == "12_m³ at 18_°C, 2 racks, 1.5_kW; 190.1_s as loaded after 3_min 04_s"


@pytest.mark.parametrize(("name", "out"), [("in_service", 0.0), ("mode", 3.0)])
def test_a_machine_out_of_service_gives_no_highest_temperature(at: Path, name: str, out: float) -> None:
    """cdu-2 is in maintenance and as warm as its room; cdu-1 gives what it gives."""
    time, data = small_data()
    data["cdu"]["supply_temperature"][:, 0, :] = (300.0, 320.0)
    data["cdu"][name] = np.broadcast_to(np.array([1.0, out]), (len(time), 1, 2)).copy()
    rows = {(row["name"], row["which"]): row for row in Findings(write(at, time, data, [])).measure["extremes"]}
    assert (rows["supply_temperature", "highest"]["value"], rows["supply_temperature", "highest"]["where"]) == (
        300.0, "cdu-1",
    )  # fmt: skip


def test_the_pue_of_a_table_says_that_charging_is_apart(findings: Findings) -> None:
    assert {row[0].partition(", ")[2] for row in Rows(findings).pue()} == {"charging of batteries apart"}
