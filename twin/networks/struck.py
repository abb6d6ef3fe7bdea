"""Struck: voltage down from the sources with the short circuits of a tick in it, and converters that fall with them."""

from __future__ import annotations

from typing import Any

from twin.arrays import Array, worth_doing
from twin.networks import power, short_circuit
from twin.networks.power import PowerNetwork, Shares
from twin.networks.short_circuit import Short
from twin.networks.tables import AllPorts, AllRows


def energise(
    net: PowerNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, was: tuple[Array, Any], dt: Any
) -> tuple[tuple[Array, Any], Shares, Short | None]:
    """As `power.energise` has it, twice where there are short circuits: without them, and with what they leave.

    A converter whose own feed falls with a short circuit, and that has no battery, gives nothing into another
    one: then both are gone through once more without it.

    Returns:
        Voltage and frequency, the shares of the leaves, and the short circuits, None without any.
    """
    grid, shares = power.energise(net, ports, state, inputs, was, dt)
    short = short_circuit.follow(net, ports, state, inputs, grid[0], dt)
    if short is None:
        return grid, shares, None
    grid, shares = power.energise(net, ports, state, inputs, was, dt, short)
    fell = _fallen(net, ports, short, dt)
    if worth_doing(fell):
        grid, _ = power.energise(net, ports, state, inputs, was, dt)
        short = short_circuit.follow(net, ports, state, inputs, grid[0], dt, (fell, short.converts > 0))
        grid, shares = power.energise(net, ports, state, inputs, was, dt, short)
    return grid, shares, short


def _fallen(net: PowerNetwork, ports: AllPorts, short: Short, dt: Any) -> Array:
    """Converters that were to give into a short circuit and turn out dead throughout, (member, unit + 1)."""
    fell = short.converts < 0.0
    for t in (board.table for board in net.boards):
        gives = (short.converts[:, t.columns] > 0) & (abs(short.asked[:, t.columns]) > 0)
        fell[:, t.columns] = gives & (ports[t.key].gap >= dt)
    return fell
