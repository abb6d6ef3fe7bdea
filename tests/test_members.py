"""Members, chunks and order of kinds: what must change nothing, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import air_cooled, pod
from twin import equipment
from twin import model as compiled
from twin.declare import replace
from twin.networks import tables
from twin.simulation import settle
from twin.step import step

TICKS = 40
MEMBERS = 9


def asked_of(model, members):
    """Inputs in which every member differs: load, weather, and what fails."""
    asked = compiled.inputs(model, len(members))
    key = "rack" if "rack" in asked else "air_rack"
    rack, site = asked[key], asked["site"]
    load = np.array([[0.5 + 0.05 * m] for m in members])
    asked[key] = replace(rack, utilisation=rack.utilisation * 0.0 + load)
    asked["site"] = replace(site, dry_bulb=site.dry_bulb + np.array([[2.0 * m] for m in members]))
    return asked


def failing(asked, members, tick):
    """Failures that strike each member at its own moment."""
    pump = np.array([[1.0, 1.0] if tick >= 5 + m else [0.0, 0.0] for m in members])
    grid = np.array([[0.0] if m % 3 == 0 and 10 + m <= tick < 30 else [1.0] for m in members])
    asked = dict(asked)
    asked["cdu"] = replace(asked["cdu"], duty_pump_failed=pump, standby_pump_failed=pump * 1.0)
    asked["utility"] = replace(asked["utility"], in_service=grid)
    return asked


def failing_in_air(asked, members, tick):
    """CRAHs, the grid, racks, a controller of the storage, a job and a pool, at each member's own moments."""
    for key, name, start, length, value in (
        ("fan_wall", "in_service", 4, 50, 0.0), ("utility", "in_service", 10, 6, 0.0),
        ("air_rack", "in_service", 3, 9, 0.0), ("storage_system", "controllers_failed", 12, 20, 1.0),
        ("job", "crash", 20, 2, 1.0), ("pool", "crash", 6, 3, 1.0),
    ):  # fmt: skip
        values = getattr(asked[key], name).copy()
        for row, m in enumerate(members):
            if start + 2 * m <= tick < start + 2 * m + length:
                values[row, m % values.shape[1]] = value
        asked = asked | {key: replace(asked[key], **{name: values})}
    return asked


def drill(members, plant=None, fails=failing, ticks=TICKS, dt=1.0):
    """State rows at the end of a short drill, by table and quantity."""
    model = compiled.compile(plant or pod(4))
    asked = asked_of(model, members)
    now = settle(model, asked, len(members))
    for tick in range(ticks):
        now = step(model, now, fails(asked, members, tick), tick * dt, dt)
    flat = {}
    for table in model.tables:
        for name, values in vars(now.rows[table.key]).items():
            for column, unit in enumerate(table.names):
                flat[unit, name] = values[:, column]
    return flat


@pytest.fixture(scope="module")
def together():
    return drill(list(range(MEMBERS)))


@pytest.mark.parametrize("size", [1, 3, 7])
def test_any_chunk_of_members_equals_the_whole_bit_for_bit(together, size):
    chunks = [list(range(first, min(first + size, MEMBERS))) for first in range(0, MEMBERS, size)]
    for chunk in chunks if size > 1 else ([0], [4], [8]):
        alone = drill(chunk)
        for key, values in alone.items():
            np.testing.assert_array_equal(values, together[key][chunk], err_msg=f"{key} of members {chunk}")


def test_a_batch_of_256_holds_the_same_bits(together):
    many = drill([m % MEMBERS for m in range(256)])
    for key, values in many.items():
        np.testing.assert_array_equal(values[:MEMBERS], together[key], err_msg=str(key))


def test_members_take_different_courses(together):
    assert len(set(together["cdu-1", "pumps_lost_at"])) > 3


def test_the_order_of_kinds_changes_nothing(together, reordered_kinds):
    other = drill([0, 1, 2])
    for key, values in other.items():
        np.testing.assert_array_equal(values, together[key][:3], err_msg=str(key))


@pytest.mark.slow
@pytest.mark.parametrize("dt", [2.0, 20.0])
def test_air_cooled_racks_jobs_and_pools_on_a_storage_are_alone_as_together_bit_for_bit(dt):
    """Checkpoints, restarts, weights and air of each member, in short ticks and in those gone through again.

    pytest -n0 -m slow tests/test_members.py: 12 s.
    """
    said = {"plant": air_cooled(), "fails": failing_in_air, "ticks": 26, "dt": dt}
    whole = drill([0, 1, 2, 3], **said)
    assert len(set(whole["chat", "work_energy"])) == 4
    for member in (0, 3):
        for key, values in drill([member], **said).items():
            np.testing.assert_array_equal(values, whole[key][[member]], err_msg=f"{key} of member {member}")


@pytest.fixture
def reordered_kinds():
    """KINDS in reverse for the length of a test: the same classes in another order."""
    before = dict(equipment.KINDS)
    equipment.KINDS.clear()
    equipment.KINDS.update(reversed(list(before.items())))
    assert list(tables.KINDS) == list(reversed(before))
    yield
    equipment.KINDS.clear()
    equipment.KINDS.update(before)


def test_the_order_in_which_units_are_written_changes_nothing_but_round_off_free_sums(together):
    """Kinds and units read the world as it was; sums run by name, so the writing order cannot matter."""
    first, second = pod(4), pod(4)
    second.units = dict(reversed(list(second.units.items())))
    one, two = drill([0, 5], first), drill([0, 5], second)
    for key, values in one.items():
        np.testing.assert_array_equal(values, two[key], err_msg=str(key))
