"""Sources: frequency runs down with voltage, boards obey forced injection and share by rating, weak grids sag."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import GENERATOR, TRANSFORMER, UPS, add
from twin import model as compiled
from twin.declare import Equipment, Nothing, Ports, Real, Supply, quantity, replace, table
from twin.equipment import KINDS
from twin.plant import Plant
from twin.plant_electrics import capacities
from twin.plant_loads import nominal_loads
from twin.simulation import settle
from twin.step import step


@table
class Follower(Equipment):
    """A source for these tests that forces its `injection` into the board; nan: it bears its share."""

    kind = "follower"
    source = True
    serves = True

    rated_power: Real = quantity("W", "rating", above=0)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 runs", default=1.0)
        injection: Real = quantity("W", "forced in", default=0.0)
        reactive_injection: Real = quantity("var", "forced in", default=0.0)

    def live(self, s, u, port, dt):
        voltage = u.in_service * 1.1 + 0j
        return Supply(voltage, (u.in_service == 0) * dt, [], 1.02, u.injection + 1j * u.reactive_injection)

    def advance(self, s, u, port, dt):
        return s, Nothing()


@pytest.fixture
def follower(monkeypatch):
    monkeypatch.setitem(KINDS, "follower", Follower)


def bar(*sources, load=1e6, power_factor=1.0):
    """Some sources on one board with a constant load."""
    plant = Plant()
    for name, kind, ratings in sources:
        add(plant, name, kind, **ratings)
    add(plant, "board", "bus", tuple(name for name, _, _ in sources))
    add(plant, "load", "load", ("board",), rated_power=load, power_factor=power_factor)
    return plant


def run(plant, ticks=1, dt=1.0, asked=None, members=1):
    """Ticks from rest; the model, Inputs, state and the ports of the last tick."""
    model = compiled.compile(plant)
    given = asked(compiled.inputs(model, members)) if asked else compiled.inputs(model, members)
    now = compiled.state(model, given, members)
    for tick in range(ticks):
        now = step(model, now, given, tick * dt, dt)
    return model, given, now


def gives(model, now, unit, quantity="power", member=0):
    key, column = model.seats[unit]
    return float(np.broadcast_to(getattr(now.outputs[key], quantity), (member + 1, model.table(key).size))[-1, column])


def column(model, unit):
    key, row = model.seats[unit]
    return model.table(key).first + row


def setting(kind, **values):
    """A function that sets Inputs of one kind; lists go by member."""

    def given(asked):
        said = {name: getattr(asked[kind], name) * 0.0 + np.array(value) for name, value in values.items()}
        return asked | {kind: replace(asked[kind], **said)}

    return given


GRID = ("utility", "utility", {"rated_power": 5e6})


def two_grids():
    plant = Plant()
    for side, rated in (("a", 1e6), ("b", 3e6)):
        add(plant, f"utility-{side}", "utility", rated_power=rated)
    add(plant, "board", "bus", ("utility-a", "utility-b"))
    add(plant, "ups", "ups", ("board",), **UPS)
    add(plant, "tx", "transformer", ("board",), **TRANSFORMER)
    add(plant, "far", "bus", ("tx",))
    add(plant, "load", "load", ("far",), rated_power=1e6)
    add(plant, "critical", "load", ("ups",), rated_power=0.5e6)
    return plant


def test_frequency_runs_down_to_every_consumer_weighted_by_the_feeds():
    """A quarter from 57 Hz and three from 61.8 Hz: (0.25 x 0.95 + 0.75 x 1.03) of nominal everywhere below."""
    seen = {}
    model = compiled.compile(two_grids())
    asked = setting("utility", frequency=[[57.0, 61.8]])(compiled.inputs(model))
    now = compiled.state(model, asked)
    now = step(model, now, asked, 0.0, 1.0)
    mixed = 0.25 * 57 / 60 + 0.75 * 61.8 / 60
    for unit in ("board", "tx", "far"):
        seen[unit] = now.frequency[0, column(model, unit)]
    assert seen == {unit: pytest.approx(mixed, rel=1e-15) for unit in seen}
    assert now.frequency[0, column(model, "utility-a")] == 57 / 60


def test_a_dead_feed_has_no_say_in_the_frequency():
    asked = setting("utility", frequency=[[57.0, 61.8]], in_service=[[0.0, 1.0]])
    model, _, now = run(two_grids(), asked=asked)
    assert now.frequency[0, column(model, "far")] == 61.8 / 60


def test_consumers_hear_the_frequency(monkeypatch):
    from twin.equipment.load import Load

    heard = []
    monkeypatch.setattr(Load, "warm", lambda self, s, u, port, dt: heard.append(port.frequency) or port.power)
    run(bar(GRID), asked=setting("utility", frequency=59.0))
    run(bar(GRID))
    np.testing.assert_allclose(heard[0], 59 / 60, rtol=1e-15)
    assert heard[1] == 1.0


def test_at_nominal_frequency_nothing_is_worked_out_and_members_do_not_disturb_each_other():
    """A member at 60 Hz beside one at 59 Hz has the bits of one alone."""
    asked = setting("utility", frequency=[[60.0, 60.0], [59.0, 60.0]])
    model, _, now = run(two_grids(), asked=asked, members=2)
    assert (now.frequency[0] == 1.0).all()
    assert now.frequency[1, column(model, "far")] == pytest.approx(0.25 * 59 / 60 + 0.75)
    _, _, alone = run(two_grids())
    assert type(alone.frequency) is float
    np.testing.assert_array_equal(alone.voltage[0], now.voltage[0])


def test_fifty_hertz_is_nominal_where_it_is_said_to_be():
    european = bar(("utility", "utility", {"rated_power": 5e6, "nominal_frequency": 50.0}))
    european.units["utility"].settings["frequency"] = 50.0
    _, _, now = run(european)
    assert type(now.frequency) is float


def test_a_source_hears_its_board_as_it_was(monkeypatch):
    from twin.equipment.generator import Generator

    heard = []
    live = Generator.live

    def listening(self, s, u, port, dt):
        heard.append(port.served_frequency)
        return live(self, s, u, port, dt)

    monkeypatch.setattr(Generator, "live", listening)
    plant = bar(GRID, ("gen", "generator", GENERATOR))
    model = compiled.compile(plant)
    asked = setting("utility", frequency=59.0)(compiled.inputs(model))
    now = compiled.state(model, asked)
    for tick in range(2):
        now = step(model, now, asked, float(tick), 1.0)
    assert heard[0] == 1.0
    np.testing.assert_allclose(heard[1], 59 / 60, rtol=1e-15)


# Sharing by what each can bear


def test_boards_share_in_proportion_to_what_each_feed_can_bear():
    model, _, now = run(bar(("a", "utility", {"rated_power": 1e6}), ("b", "utility", {"rated_power": 3e6})))
    assert gives(model, now, "a") == pytest.approx(0.25e6, rel=1e-14)
    assert gives(model, now, "b") == pytest.approx(0.75e6, rel=1e-14)


def test_the_least_rating_on_the_way_says_what_a_feed_can_bear():
    plant = Plant()
    for side, rated in (("a", 9e6), ("b", 5e6)):
        add(plant, f"utility-{side}", "utility", rated_power=rated)
        add(plant, f"tx-{side}", "transformer", (f"utility-{side}",), **TRANSFORMER)
    add(plant, "small", "utility", rated_power=1e6)
    add(plant, "board", "bus", ("tx-a", "tx-b", "small"))
    add(plant, "load", "load", ("board",), rated_power=7e5)
    bears = capacities(plant)
    assert (bears["tx-a"], bears["tx-b"], bears["small"], bears["board"]) == (3e6, 3e6, 1e6, 7e6)
    load = nominal_loads(plant)
    assert [load[name] for name in ("tx-a", "tx-b", "small")] == pytest.approx([3e5, 3e5, 1e5])
    model, _, now = run(plant)
    assert gives(model, now, "small") == pytest.approx(1e5, rel=1e-14)


def test_feeds_alike_share_to_the_bit_as_without_weights():
    alike = bar(("a", "utility", {"rated_power": 2e6}), ("b", "utility", {"rated_power": 2e6}))
    model = compiled.compile(alike)
    assert all(board.weight is None for board in model.power.boards)


# Forced injection


FOLLOWER = ("bess", "follower", {"rated_power": 5e6})


@pytest.mark.parametrize(("P", "Q"), [(3e5, 0.0), (-4e5, 0.0), (1.5e6, 2e5)])
def test_a_board_takes_what_is_forced_in_and_the_grid_bears_the_rest(follower, P, Q):
    """The load is 1 MW: the grid gives 0.7 MW, 1.4 MW (the store charges), or takes 0.5 MW back."""
    model, _, now = run(bar(GRID, FOLLOWER), 3, asked=setting("follower", injection=P, reactive_injection=Q))
    assert gives(model, now, "utility") == pytest.approx(1e6 - P, rel=1e-12)
    assert gives(model, now, "utility", "reactive") == pytest.approx(-Q, abs=1e-6)
    assert now.voltage[0, column(model, "board")] == 1.0, "the follower's 1.1 does not hold the board up"
    assert type(now.frequency) is not float
    assert now.frequency[0, column(model, "board")] == 1.0, "nor does its frequency"


def test_alone_on_the_board_it_bears_its_share_as_any_feed(follower):
    def dark(asked):
        return setting("utility", in_service=0.0)(setting("follower", injection=3e5)(asked))

    model, _, now = run(bar(GRID, FOLLOWER), asked=dark)
    assert now.voltage[0, column(model, "board")] == 1.1
    assert now.frequency[0, column(model, "board")] == 1.02
    assert float(now.outputs["site"].power[0, 0]) == pytest.approx(1e6, rel=1e-12)


def test_nan_says_that_it_shares_unit_by_unit_and_member_by_member(follower):
    asked = setting("follower", injection=[[2e5], [np.nan]])
    _, _, now = run(bar(GRID, FOLLOWER), asked=asked, members=2)
    grid = now.outputs["utility"].power[:, 0]
    assert grid[0] == pytest.approx(8e5, rel=1e-12)
    assert grid[1] == pytest.approx(5e5, rel=1e-12), "two feeds of 5 MW share 1 MW"


def test_it_goes_through_a_breaker_and_not_through_an_open_one(follower):
    plant = Plant()
    add(plant, *GRID[:2], **GRID[2])
    add(plant, "bess", "follower", rated_power=5e6)
    add(plant, "breaker", "breaker", ("bess",), rated_power=2e6)
    add(plant, "board", "bus", ("utility", "breaker"))
    add(plant, "load", "load", ("board",), rated_power=1e6, power_factor=1.0)
    model, asked, now = run(plant, asked=setting("follower", injection=3e5))
    assert gives(model, now, "breaker") == pytest.approx(3e5, rel=1e-12)
    asked = setting("breaker", closed=0.0)(asked)
    now = step(model, now, asked, 1.0, 1.0)
    assert gives(model, now, "breaker") == 0.0
    assert gives(model, now, "utility") == pytest.approx(1e6, rel=1e-12)


def test_within_a_tick_it_forces_its_power_only_while_another_feed_lives(follower):
    """The grid lives 0.25 s of the tick: 0.25 x (1 MW - 0.2 MW) from it, the rest from the store."""
    from twin.networks.injection import parted

    port = Ports(gap=np.zeros((1, 1)), feed_gap=[np.full((1, 1), 0.75), np.zeros((1, 1))])
    port.feed_injection = [np.full((1, 1), np.nan + 0j), np.full((1, 1), 2e5 + 0j)]
    port.split = [np.full((1, 1), 0.2), np.full((1, 1), 0.8)]
    grid, store = parted(np.full((1, 1), 1e6 + 0j), port, 1.0)
    assert grid[0, 0] == pytest.approx(0.25 * 0.8e6, rel=1e-14)
    assert store[0, 0] == pytest.approx(0.25 * 0.2e6 + 0.75 * 1e6, rel=1e-14)


def test_energy_closes_while_a_store_charges_and_gives(follower):
    plant = bar(GRID, FOLLOWER, ("weak", "utility", {"rated_power": 1e6}))
    model = compiled.compile(plant)
    now = compiled.state(model, compiled.inputs(model))
    rng = np.random.default_rng(5)
    given = compiled.inputs(model)
    for tick in range(50):
        forced = rng.choice([np.nan, -1e6, 1e6, 3e5])
        asked = setting("follower", injection=forced, in_service=rng.integers(2))(given)
        asked = setting("utility", in_service=rng.integers(0, 2, (1, 2)))(asked)
        now = step(model, now, asked, float(tick), 1.0)
        assert float(now.outputs["site"].energy_residual[0, 0]) <= 1e-11


# The grid's own impedance


WEAK = {"rated_power": 5e6, "short_circuit_power": 2e7, "reactance_ratio": 5.0}


def test_a_weak_grid_gives_way_as_the_two_bus_power_flow_says():
    plant = bar(("utility", "utility", WEAK), load=2e6, power_factor=0.9)
    model, _, now = run(plant, 40, asked=setting("utility", voltage=1.03))
    z = model.table("utility").machine.series(None, None)[0, 0]
    assert abs(z) == pytest.approx(1 / 2e7, rel=1e-14)
    assert z.imag / z.real == pytest.approx(5.0, rel=1e-14)
    P, Q = 2e6, 2e6 * np.sqrt(1 / 0.81 - 1)
    half = 1.03**2 / 2 - (P * z.real + Q * z.imag)
    V2 = half + np.sqrt(half**2 - (P * P + Q * Q) * abs(z) ** 2)
    assert gives(model, now, "utility", "terminal_voltage") == pytest.approx(np.sqrt(V2), abs=1e-12)
    assert gives(model, now, "utility") == pytest.approx(2e6, rel=1e-14), "what the grid loses is not the site's"


def test_a_stiff_grid_holds_its_voltage():
    model, _, now = run(bar(GRID, load=4.9e6), 10)
    assert gives(model, now, "utility", "terminal_voltage") == 1.0
    assert model.table("utility").machine.series(None, None)[0, 0] == 0


def test_a_weak_grid_lost_and_back_stays_sound():
    plant = bar(("utility", "utility", WEAK))
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    now = settle(model, asked)
    before = gives(model, now, "utility", "terminal_voltage")
    for tick in range(60):
        lost = 20 <= tick < 40
        now = step(model, now, setting("utility", in_service=0.0)(asked) if lost else asked, float(tick), 1.0)
        assert np.isfinite(now.voltage).all()
        assert (gives(model, now, "utility", "terminal_voltage") == 0) == lost
    assert gives(model, now, "utility", "terminal_voltage") == pytest.approx(before, abs=1e-12)
