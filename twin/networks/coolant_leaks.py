"""Coolant, leaks: what leaves the loops at holes, what flows on behind them, and the heat that goes with it.

A leak takes coolant as warm as it arrives; what it takes is missing behind it, and at the header to which its branch
runs it is replaced by what the loop's vessel feeds. Flows are those of the tight loop, less what leaks. A leak that is
larger than the flow of its branch takes the rest from the vessel's coolant, at the temperature of the fill.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import Array, gather_sum, library_of, stacked_with_spare, worth_doing
from twin.networks.coolant import CoolantNetwork
from twin.networks.coolant_pressure import PressureNetwork
from twin.networks.tables import AllPorts, AllRows
from twin.physics.thermal import TINY


class Drains(NamedTuple):
    """What leaks take from the branches in a tick.

    share: of a branch's flow, missing at the header to which it runs (member, branch) [1]; feed: temperature of what
    replaces it there (member, branch) [K]; taken: heat capacity rate that leaves at each stream (member, stream) [W/K];
    fill: temperature from which that heat counts (member, stream) [K].
    """

    share: Array
    feed: Array
    taken: Array
    fill: Array


def tell_leaks(
    vessels: PressureNetwork | None, net: CoolantNetwork, ports: AllPorts, state: AllRows, inputs: AllRows,
    flow: Array, rate: Array, dt: Any,
) -> tuple[Array, Drains | None]:  # fmt: skip
    """Tell units and vessels what leaks [m3/s], and those behind a leak what still flows.

    Args:
        flow: of every branch [m3/s], (member, branch).
        rate: heat capacity rate of every stream [W/K], (member, stream).

    Returns:
        The rates behind the leaks, and the drains; None where all is tight.
    """
    if vessels is None:
        return rate, None
    xp, t = library_of(flow), vessels.vessels
    leak = xp.zeros(rate.shape)
    for streams in vessels.leaking:
        each = streams.table
        leak[:, streams.columns] = each.machine.leaks(state[each.key], inputs[each.key], ports[each.key])  # type: ignore[attr-defined]
    wanted = gather_sum(stacked_with_spare(leak)[0], vessels.streams_of)
    if not worth_doing(leak):
        ports[t.key].flow["leak"] = wanted
        return rate, None
    most = t.machine.most_lost(state[t.key], inputs[t.key], dt)  # type: ignore[attr-defined]
    leak = leak * _of_stream(vessels, xp.minimum(most / xp.maximum(wanted, TINY), 1.0), 1.0)
    ports[t.key].flow["leak"] = gather_sum(stacked_with_spare(leak)[0], vessels.streams_of)
    for streams in vessels.leaking:
        ports[streams.table.key].flow["leak"] = leak[:, streams.columns]
    q = abs(flow.take(net.branch_of, axis=1)) * net.in_branch
    until = _until(vessels, net, leak, flow)
    kept = xp.maximum(q - until, 0.0)
    passes = xp.where(until > 0, kept / xp.maximum(q, TINY), 1.0)
    for streams in net.streams:
        port, here = ports[streams.table.key], streams.columns
        port.flow[streams.name] = port.flow[streams.name] * passes[:, here]
        port.capacity_rate[streams.name] = port.capacity_rate[streams.name] * passes[:, here]
    gone = xp.minimum(leak, xp.maximum(q - until + leak, 0.0))
    by_branch = gather_sum(stacked_with_spare(gone)[0], net.elements)
    fill = _of_stream(vessels, t.machine.fill_temperature + 0.0 * wanted, 0.0)  # type: ignore[attr-defined]
    feed = _of_stream(vessels, state[t.key].feed_temperature, 0.0).take(vessels.first, axis=1)
    share = by_branch / xp.maximum(abs(flow), TINY)
    return rate * passes, Drains(share, feed, gone * net.heat_capacity, fill)


def _of_stream(vessels: PressureNetwork, of_vessel: Array, otherwise: float) -> Array:
    """What is said of the vessels, for every stream of their loops, (member, stream)."""
    xp = library_of(of_vessel)
    padded = xp.full((len(of_vessel), of_vessel.shape[1] + 1), otherwise)
    padded[:, :-1] = of_vessel
    found: Array = padded.take(vessels.vessel_of, axis=1)
    return found


def _until(vessels: PressureNetwork, net: CoolantNetwork, leak: Array, flow: Array) -> Array:
    """What leaks in a branch until behind each stream, in the direction of its flow [m3/s], (member, stream)."""
    until = leak.copy()
    for here, before in vessels.positions:
        until[:, here] += until[:, before]
    back = flow < 0
    if worth_doing(back):
        whole = gather_sum(stacked_with_spare(leak)[0], net.elements).take(net.branch_of, axis=1)
        until = library_of(flow).where(back.take(net.branch_of, axis=1), whole - until + leak, until)
    return until * net.in_branch


def drained(vessels: PressureNetwork | None, drains: Drains | None, columns: int, net: CoolantNetwork,
            inlet: Array) -> Array | None:  # fmt: skip
    """Heat that leaks take out of the coolant in each unit, and what feeds them brings, (member, columns) [W].

    It counts from the temperature at which a loop was filled; a vessel that feeds colder coolant takes heat up, too.

    Args:
        inlet: of every stream [K], (member, stream).
    """
    if vessels is None or drains is None:
        return None
    xp, t = library_of(inlet), vessels.vessels
    heat = xp.zeros((len(inlet), columns))
    for streams in vessels.leaking:
        here = streams.columns
        heat[:, streams.table.columns] = drains.taken[:, here] * (inlet[:, here] - drains.fill[:, here])
    fed = drains.taken * (drains.feed.take(net.branch_of, axis=1) - drains.fill)
    heat[:, t.columns] = -gather_sum(stacked_with_spare(fed)[0], vessels.streams_of)
    return heat
