"""Declarations: a quantity said once, tables made of them, flags with their moments, laws that rest."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from twin.declare import (
    MODES,
    Equipment,
    Flag,
    Ports,
    Quantity,
    Real,
    Supply,
    flag,
    mode,
    quantities,
    quantity,
    replace,
    table,
)
from twin.report.words import sentence


@table
class Kettle(Equipment):
    """A kind that is none of the catalogue's."""

    kind = "kettle"
    feeds = (1, 1)

    rated_power: Real = quantity("W", "power of its coil", above=0, at_most=5e3)
    volume: Real = quantity("m^3", "water held", default=1e-3, at_least=0, below=0.1)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is plugged in", default=1.0, at_least=0, at_most=1)
        mode: Real = mode("where its switch stands", "off", "auto")
        scaled: Real = quantity("1", "1: full of lime", default=0.0, failure=True)

    @table
    class State:
        temperature: Real = quantity("K", "its water", default=293.15)
        boiling: Real = flag("boils", "has calmed down", because="{rated_power} for long enough", via="power")


def test_each_quantity_is_said_once_and_comes_in_its_order():
    said = quantities(Kettle)
    assert list(said) == ["rated_power", "volume"]
    assert said["rated_power"] == Quantity("rated_power", "W", "power of its coil", above=0, at_most=5e3)
    assert said["volume"].default == 1e-3
    assert quantities(Kettle.Inputs)["scaled"].failure


def test_a_table_takes_names_only_and_wants_what_has_no_default():
    kettle = Kettle(rated_power=2e3)
    assert (kettle.rated_power, kettle.volume) == (2e3, 1e-3)
    with pytest.raises(TypeError, match="rated_power"):
        Kettle()
    with pytest.raises(TypeError, match="rated_pover"):
        Kettle(rated_pover=1.0)
    with pytest.raises(TypeError):
        Kettle(2e3)


def test_a_flag_has_a_companion_that_holds_its_moment():
    state = quantities(Kettle.State)
    assert list(state) == ["temperature", "boiling", "boiling_at"]
    assert state["boiling"].flag == Flag("boils", "has calmed down", "{rated_power} for long enough", "power")
    assert state["boiling"].doc == "1 when it boils"
    assert state["boiling_at"].unit == "s"
    assert state["boiling_at"].doc == "when boiling last changed, since the start of the run"
    row = Kettle.State()
    assert (row.temperature, row.boiling, row.boiling_at) == (293.15, 0.0, 0.0)


def test_a_mode_offers_the_words_it_was_given_and_rests_in_auto():
    said = quantities(Kettle.Inputs)["mode"]
    assert said.choices == {"off": 0.0, "auto": 1.0}
    assert said.default == MODES["auto"] == 1.0
    assert quantities(table(type("Any", (), {"__annotations__": {"mode": Real}, "mode": mode()})))["mode"].choices == {
        "off": 0.0,
        "auto": 1.0,
        "hand": 2.0,
        "locked_out": 3.0,
    }


@pytest.mark.parametrize(
    ("bounds", "good", "bad", "words"),
    [
        ({"above": 0}, 1e-300, 0.0, "more than 0 W"),
        ({"at_least": 0}, 0.0, -1e-300, "at least 0 W"),
        ({"below": 1}, 0.999, 1.0, "less than 1 W"),
        ({"at_most": 1}, 1.0, 1.0001, "at most 1 W"),
        ({}, -1e30, float("inf"), "a finite number"),
        ({}, 0.0, -float("inf"), "a finite number"),
        ({"at_most": 1e6}, 5.0, float("inf"), "at most 1e+06 W"),
        ({}, 0.0, float("nan"), "a number"),
        ({"above": 0, "below": 1}, 0.5, float("nan"), "a number"),
        ({"choices": {"off": 0.0, "auto": 1.0}}, 1.0, 2.0, "one of off, auto"),
        ({"choices": {"off": 0.0}}, 0.0, float("nan"), "a number"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_words(bounds, good, bad, words):
    said = Quantity("power", "W", "", **bounds)
    assert said.fault(good) is None
    assert said.fault(bad) == words


def test_a_row_replaced_is_a_new_row():
    row = Kettle.State()
    hot = replace(row, temperature=373.15)
    assert type(hot) is Kettle.State
    assert (row.temperature, hot.temperature, hot.boiling) == (293.15, 373.15, 0.0)


def test_rows_are_compared_by_identity():
    """Arrays have no truth; two rows are never asked whether they are equal."""
    assert Kettle.State() != Kettle.State()


def test_a_sentence_is_filled_in():
    assert sentence("{a} and {b_c}, not {{", lambda name: name.upper()) == "A and B_C, not {{"


def test_ports_have_a_place_for_everything_and_for_nothing_else():
    port = Ports(now=5.0)
    with pytest.raises(AttributeError):
        port.temprature = 3.0
    other = Ports()
    port.flow["coolant"] = 1.0
    assert other.flow == {}, "no two units share a dictionary"


def test_a_plain_consumer_needs_no_law_of_its_own():
    """Any live feed serves it, it warms nobody, holds nothing and follows nobody."""
    kettle, row, inputs = Kettle(rated_power=2e3), Kettle.State(), Kettle.Inputs()
    port = Ports(feed_voltage=[np.array([[1.0 + 0j, 0.0]])], feed_gap=[np.array([[0.0, 1.0]])])
    supply = kettle.live(row, inputs, port, 1.0)
    assert isinstance(supply, Supply)
    assert supply.voltage.tolist() == [[1.0, 0.0]]
    assert kettle.actuate(row, inputs, port, 1.0) is None
    assert kettle.plan(row, inputs, port, 1.0) is None
    assert kettle.revise(row, inputs, port, 1.0) is None
    assert kettle.warm(row, inputs, port, 1.0) == kettle.stored(row, port) == kettle.rest(inputs).get("x", 0.0) == 0.0
    assert kettle.draw(row, inputs, port, 500.0, 1.0) == 500.0
    assert kettle.nominal_power() == 2e3
    assert kettle.pace() == {}
    after, out = kettle.advance(row, inputs, port, 1.0)
    assert after is row
    assert dataclasses.asdict(out) == {}
    for law in ("branch", "stream"):
        given = (row, inputs, port, "coolant", 1.0)[: 5 if law == "stream" else 4]
        with pytest.raises(NotImplementedError, match=f"kettle has a stream but no {law} law"):
            getattr(kettle, law)(*given)
    with pytest.raises(NotImplementedError, match="kettle cools air but has no coil law"):
        kettle.coil(row, inputs, port, 1.0)


def test_what_hangs_on_inputs_alone_is_worked_out_when_they_are_replaced():
    kettle, counted = Kettle(rated_power=2e3), []

    def law(one, other):
        counted.append(1)
        return one * other

    one, other = np.array([2.0]), np.array([3.0])
    first = kettle.once(law, one, other)
    assert kettle.once(law, one, other) is first
    assert kettle.once(law, one, other.copy()).tolist() == [6.0]
    assert kettle.once(law, one * 2.0, other).tolist() == [12.0]
    assert len(counted) == 3
    assert Kettle(rated_power=1e3).once(law, one, other).tolist() == [6.0], "machines do not share what they found"


@pytest.mark.parametrize(("in_service", "word", "runs"), [(1.0, "auto", 1.0), (1.0, "off", 0.0), (0.0, "auto", 0.0)])
def test_a_unit_is_asked_to_run_in_service_and_in_auto_or_hand(in_service, word, runs):
    inputs = Kettle.Inputs(in_service=np.array([in_service]), mode=np.array([MODES[word]]))
    assert Kettle(rated_power=1e3).asked(inputs).tolist() == [runs]
