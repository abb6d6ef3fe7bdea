"""Criteria: a small grammar, checked against what the kinds declare."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from twin.plant import Plant
from twin.scenario import Criterion, read
from twin.scenario.criteria import lower
from twin.scenario.document import Documents
from twin.scenario.faults import Faults
from twin.scenario.names import Directory

Save = Callable[..., str]


def one(save: Save, small: str, text: str) -> Criterion:
    said = json.dumps(text, ensure_ascii=False)
    (found,) = read(save(small[: small.index("criteria:")] + f"criteria: [{said}]\n")).criteria
    return found


def test_a_limit_is_si(save: Save, small: str) -> None:
    text = "max(rack.die_temperature) < 88 degC"
    found = one(save, small, text)
    assert found == Criterion(text, "max", "rack", "die_temperature", "<", 361.15, unit="K", kind="rack")
    assert found.written() == text


def test_spaces_are_free(save: Save, small: str) -> None:
    found = one(save, small, "  final ( rack-01.die_temperature )>=300 K ")
    assert (found.function, found.target, found.operator, found.limit) == ("final", "rack-01", ">=", 300.0)


def test_no_asks_that_a_flag_never_rises(save: Save, small: str) -> None:
    found = one(save, small, "no rack.shut_down")
    assert (found.function, found.quantity) == ("no", "shut_down")
    assert found.holds(0.0)
    assert not found.holds(1.0)


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_it_is_judged_as_written(operator: str, below: bool, at: bool, above: bool) -> None:
    made = Criterion("", "max", "rack", "x", operator, 10.0)
    assert [made.holds(value) for value in (9.0, 10.0, 11.0)] == [below, at, above]
    assert not made.holds(float("nan"))


@pytest.mark.parametrize(
    ("text", "kind", "flags"),
    [
        ("no racks trip", "rack", ("tripped", "shut_down")),
        ("no rack trips", "rack", ("tripped", "shut_down")),
        ("no rack throttles", "rack", ("throttled",)),
        ("no racks throttle", "rack", ("throttled",)),
        ("no racks lose power", "rack", ("unpowered",)),
        ("no rack loses power", "rack", ("unpowered",)),
        ("no rack shuts down", "rack", ("shut_down",)),
        ("no rack is slowed down", "rack", ("slowed",)),
        ("no racks are drained", "rack", ("drained",)),
        ("no generator runs out of fuel", "generator", ("out_of_fuel",)),
        ("no tank-1 runs empty", "tank", ("exhausted",)),
        ("no dry coolers stop", "dry_cooler", ("stopped",)),
        ("no dry_cooler stops", "dry_cooler", ("stopped",)),
        ("no rack-01..02.throttled", "rack", ("throttled",)),
        ("no rack-*.throttled", "rack", ("throttled",)),
    ],
)
def test_what_units_do_is_said_in_words(save: Save, small: str, text: str, kind: str, flags: tuple[str, ...]) -> None:
    if "dry coolers" in text:
        text = text.replace("dry coolers", "dry_coolers")
    found = one(save, small, text)
    assert (found.function, found.kind, found.flags or (found.quantity,)) == ("no", kind, flags)


def test_time_to_a_flag_of_racks_that_a_unit_feeds(save: Save, small: str) -> None:
    found = one(save, small, "time to throttle of tank-1's racks >= 60 s")
    assert (found.function, found.quantity, found.operator, found.limit) == ("time", "throttled", ">=", 60.0)
    assert found.units == ("rack-01", "rack-02")
    whole = one(save, small, "time to rack.shut_down > 2 min 30 s")
    assert (whole.quantity, whole.limit, whole.units) == ("shut_down", 150.0, ())
    everyone = one(save, small, "time to throttle >= 60 s before 20 min")
    assert (everyone.kind, everyone.window) == ("rack", (-inf, 1200.0))
    assert one(save, small, "time to shut_down of rack-02 > 1 min").units == ("rack-02",)


def test_loads_energy_and_windows(save: Save, small: str) -> None:
    loads = one(save, small, "all loads restored within 15 min")
    assert (loads.function, loads.operator, loads.limit, loads.kind) == ("restored", "<=", 900.0, "")
    assert one(save, small, "all racks restored within 15 min").kind == "rack"
    energy = one(save, small, "energy (generators) < 1 MWh after 10 min")
    assert (energy.target, energy.limit, energy.window) == ("generator", 3.6e9, (600.0, inf))
    assert one(save, small, "mean(rack.power) > 10 kW between 1 min and 5 min").window == (60.0, 300.0)
    assert one(save, small, "cost < 1000 USD").limit == 1000.0
    assert one(save, small, "cost of energy < 1000 USD").function == "cost of energy"


def test_tokens_by_share_and_by_number(save: Save, small: str) -> None:
    rates = "prefill_rate: 1e4 token/s, decode_rate: 1e3 token/s, batch: 10, least_token_time: 10 ms"
    units = "".join(f"    {name}: {{kind: service, pools: all-racks, {rates}}}\n" for name in ("premium", "batch"))
    pool = "    all-racks: {kind: pool, racks: rack-01..02}\n"
    made = small.replace("  coolant:\n", pool + units + "  coolant:\n", 1)
    share = one(save, made, "tokens lost (premium) < 0.1 %")
    assert (share.function, share.target, share.unit, share.units) == ("tokens lost", "premium", "1", ("premium",))
    assert share.limit == pytest.approx(1e-3, rel=1e-15)
    number = one(save, made, "tokens lost < 2e6 token")
    assert (number.unit, number.limit, number.units) == ("token", 2e6, ())
    assert one(save, made, "tokens deferred (batch) < 3 Mtoken").limit == 3e6
    assert one(save, made, "energy per token < 2 J/token").unit == "J/token"
    assert one(save, made, "revenue lost < 10 USD").unit == "USD"


def test_a_criterion_may_have_a_name(save: Save, small: str) -> None:
    head = small[: small.index("criteria:")]
    entry = "{name: dies stay cool, hold: max(rack.die_temperature) < 88 degC}"
    (found,) = read(save(head + f"criteria: [{entry}]\n")).criteria
    assert (found.name, found.text) == ("dies stay cool", "max(rack.die_temperature) < 88 degC")
    assert found.written() == {"name": "dies stay cool", "hold": "max(rack.die_temperature) < 88 degC"}


def of_plant_with(save: Save, text: str, *kinds: str) -> tuple[list[Criterion], list[str]]:
    """What criteria mean in a plant with a unit of some kinds, and what is said of them."""
    root = Documents().load(Path(save(f"criteria: [{json.dumps(text)}]\n")), "try.yaml")
    faults = Faults()
    assert root is not None
    directory = Directory((f"{kind}-1", kind) for kind in kinds)
    return lower(root["criteria"], directory, faults, Plant()), [str(fault) for fault in faults.found.values()]


@pytest.mark.parametrize(
    "text", ["no racks throttle", "max(rack.die_temperature) < 88 degC", "all racks restored within 5 min"]
)
def test_racks_are_those_cooled_by_air_where_there_are_no_others(save: Save, text: str) -> None:
    (found,), told = of_plant_with(save, text, "air_rack", "pdu")
    assert (found.kind, found.units, told) == ("air_rack", (), [])


def test_of_two_sorts_of_racks_the_one_that_no_criterion_speaks_of_is_told(save: Save) -> None:
    (found,), told = of_plant_with(save, "no racks throttle", "rack", "air_rack")
    assert found.kind == "rack"
    assert told == [
        'try.yaml:1: criteria[1]: warning: "no racks throttle" speaks of kind rack; no criterion speaks of the 1 '
        "of kind air_rack, e.g. no air_racks throttle"
    ]
