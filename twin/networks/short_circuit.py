"""Short circuit: what flows into three-phase faults, and what voltage they leave to everyone else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.arrays import Array, gather_sum, library_of, to_host
from twin.declare import Supply, quantities
from twin.networks.injection import standing
from twin.networks.mesh import Mesh
from twin.networks.tables import AllPorts, AllRows, Table
from twin.networks.tied_faults import Hanging, hanging

BOLTED = 1e15
"""Admittance that stands for a short circuit without impedance [VA/pu^2]; it leaves a millionth of the voltage."""
LEAST_IMPEDANCE = 1e-18
"""Impedance that stands for none where feeds part a current by theirs [pu^2/VA]."""
COLLAPSED = 0.5
"""Voltage below which power supplies, drives and contactors let go: what is fed with less takes nothing [1]."""
STRUCK = "short_circuit"
"""The Input that puts a short circuit at a unit's terminals."""


@dataclass
class Short:
    """The short circuits of one tick; arrays are (member, unit + 1).

    factor: voltage left at each unit's terminals, of what it would hold there with its feed as it is [1];
    voltage: at its terminals [pu]; current: through it into short circuits, conj(S/V) [VA]; lost: voltage that
    this current loses along its series impedance [pu]; converts: 1 where a converter stands between [1];
    asked: what it gives them [VA]; drawn, delivered, burnt: real power that they take through each unit, and
    that it and the fault at its terminals turn into heat [W]; hangs: boards that are fed through a tie, None
    without ties. A tie's factor is of the voltage beyond it.
    """

    factor: Array
    voltage: Array
    current: Array
    lost: Array
    converts: Array
    asked: Array
    drawn: Array
    delivered: Array
    burnt: Array
    hangs: Array | None = None

    def along(self, m: Mesh) -> Array:
        """Voltage left beyond each tie, of what it would hold there [1], (member, T); a collapsed one is none."""
        where, here = library_of(self.factor).where, m.table.columns
        factor = self.factor[:, here]
        dips = (abs(self.voltage[:, here]) < COLLAPSED) & (abs(factor) < 1.0 - 1e-12)
        return where(dips, 0.0, factor)

    def sagged(self, t: Table, supply: Supply, dt: Any) -> Supply:
        """What a table offers while there are short circuits; a collapsed voltage counts as none.

        A converter works on then; `cut` tells those it feeds. A consumer has no busbar that joins its feeds: what
        they have left is already in what it is offered.
        """
        if not t.machine.serves:
            return supply
        where = library_of(self.factor).where
        left = abs(self.voltage[:, t.columns])
        lost = (left < COLLAPSED) & (left < abs(supply.voltage) * (1.0 - 1e-12))
        if self.hangs is not None:
            lost = lost & ~self.hangs[:, t.columns]  # what its own feeds offer is not what it holds
        voltage = where(lost, 0.0, supply.voltage * self.factor[:, t.columns])
        gap = where(lost & (self.converts[:, t.columns] == 0), dt, supply.gap)
        return Supply(voltage, gap, supply.split, supply.frequency, supply.injection)

    def cut(self, t: Table, offered: Supply, supply: Supply, was: Array, gap: Array, dt: Any) -> None:
        """Write the seconds without supply of what a table feeds: throughout, where a converter has collapsed.

        One that gives nothing of itself at the end of the tick and held its voltage before has not collapsed, its
        battery ran out or its feed died: until then it has fed all that hangs on it, whatever faults stand elsewhere.

        Args:
            offered, supply: what the table offers without what short circuits leave, and with it.
            was: voltage of every unit at the end of the last tick [pu]; it and `gap` [s] are (member, unit + 1).
        """
        here = t.columns
        lost = (self.converts[:, here] > 0) & (supply.voltage == 0) & ((offered.voltage != 0) | (was[:, here] == 0))
        gap[:, here] = library_of(gap).where(lost, dt, supply.gap)

    def carried(self, t: Table, load: Array) -> Array:
        """Power that a load takes along a table's impedance besides its own loss [VA].

        dS = z I_short conj(I_load),   where the short circuit has lowered the voltage at which the load is taken
        """
        where = library_of(self.voltage).where
        voltage = self.voltage[:, t.columns]
        return where(abs(voltage) >= COLLAPSED, self.lost[:, t.columns] * load / where(voltage == 0, 1.0, voltage), 0.0)


@dataclass
class Link:
    """How one table stands in the way of short circuits behind it.

    impedance: in series [pu^2/VA]; through: share of their current that its feeds bear, 0 for a source or a
    converter [1]; limit: current that it gives as a converter at most [VA], None where its impedance alone
    limits it; shares: of that current by feed; gains: voltage that it holds without them, over each feed's;
    tied: how its boards hang on each other, None without ties.
    """

    board: Any
    impedance: Any
    through: Any
    limit: Any
    shares: list[Array]
    gains: list[Array]
    tied: Hanging | None = None

    def left(self, Y: Array) -> Array:
        """Voltage left at its terminals, of what it would hold [1], with short circuits of admittance Y behind it.

        1/(1 + z Y), and min(1, I_limit/|Y|) for a converter
        """
        xp = library_of(Y)
        along = 1.0 / (1.0 + self.impedance * Y)
        if self.limit is None and (self.board.table.machine.source or type(self.through) is float):
            return along
        limit = 0.0 if self.limit is None else self.limit
        limited = limit / xp.maximum(xp.maximum(abs(Y), limit), 1.0)
        return along * self.through + xp.where(abs(Y) > 0, limited, 1.0) * (1.0 - self.through)


def follow(
    net: Any,
    ports: AllPorts,
    state: AllRows,
    inputs: AllRows,
    held: Array,
    dt: Any,
    fallen: tuple[Array, Array] | None = None,
) -> Short | None:
    """Currents of all short circuits, exact for a network that is radial at this instant; None without any.

    Admittances run up from the faults, summing at boards, and voltages run down from the sources:

        Y_in = Y/(1 + z Y),    V_out = V_in/(1 + z Y),    I = Y V_out

    Feeds in parallel (generators on a board) part a current by the impedances behind them, which is exact where
    they hold one voltage. A converter passes nothing on: it gives what its limit allows. The drops of the
    loads stand beside, as they were. Motors are taken to give nothing, and currents to stand at once.

    Args:
        net: the compiled power network.
        ports: with the splits that were found without a short circuit; they are told `fault_current`.
        held: voltage of every unit without one at the end of the tick [pu], (member, unit + 1). Whoever dies in the
            second half of the tick, for a breaker opens there, counts as alive in it.
        dt: length of the tick [s].
        fallen: converters that have nothing to give, and all that are converters, (member, unit + 1).

    Source: superposition, Thevenin's theorem; IEC 60909-0 besides takes a voltage factor c.
    """
    if not any(_strikes(board.table, inputs) for board in net.struck):
        return None
    held, tied = _until_half(net, ports, state, inputs, held, dt)
    held = standing(net, ports, held)
    if fallen is not None:
        held = _without(net, held, *fallen)
    links = _links(net, ports, state, inputs, held, tied)
    own = _own(net, inputs, held)
    behind = _up(net, links, own)
    factor, voltage = _down(links, behind, held)
    current, lost, converts = behind * voltage, behind * 0.0, abs(behind) * 0.0
    for link in links:
        t = link.board.table
        ports[t.key].fault_current = current[:, t.columns]
        lost[:, t.columns] = current[:, t.columns] * link.impedance * link.through
        if link.limit is not None:
            converts[:, t.columns] = 1.0 - link.through
        if link.tied is not None:
            _tell_ties(link.tied, ports, current, lost)
    hangs = _hanging(links, abs(held) < 0.0)
    return Short(factor, voltage, current, lost, converts, *_account(net, links, voltage, current), hangs)


def _hanging(links: list[Link], nobody: Array) -> Array | None:
    """Boards that are fed through a tie (member, unit + 1); None without ties."""
    found = None
    for link in links:
        if link.tied is not None:
            found = nobody if found is None else found
            found[:, link.tied.mesh.columns] = link.tied.child
    return found


def _tell_ties(tied: Hanging, ports: AllPorts, current: Array, lost: Array) -> None:
    """What flows through the ties of a mesh into short circuits, and the voltage that it loses there."""
    t, boards = tied.mesh.table, current.take(tied.mesh.columns, axis=1)
    current[:, t.columns] = ports[t.key].fault_current = tied.by_tie(boards)
    lost[:, t.columns] = tied.by_tie(tied.impedance * boards)


def can_be_struck(t: Table) -> bool:
    """Whether the units of a table have terminals at which a short circuit can strike."""
    return STRUCK in quantities(t.machine.Inputs)


def _strikes(t: Table, inputs: AllRows) -> bool:
    """Whether any unit of a table is short-circuited; asked once for each change of the Input."""
    return bool(t.machine.once(_any, inputs[t.key].short_circuit))


def _any(short_circuit: Array) -> bool:
    """An Input changes between ticks, and is asked when it has: nothing leaves a device within a tick."""
    return bool(to_host(short_circuit).any())


def _until_half(
    net: Any, ports: AllPorts, state: AllRows, inputs: AllRows, held: Array, dt: Any
) -> tuple[Array, dict[str, Hanging]]:
    """Voltages with those of units that have died in the second half of the tick [pu]; how tied boards hang, by key."""
    xp, tied = library_of(held), {}
    held = held.copy()
    for board in net.boards:
        here, port = board.table.columns, ports[board.table.key]
        dies = (held[:, here] == 0) & (port.gap < 0.5 * dt)
        for feed in board.feeds:
            held[:, here] = xp.where(dies & (held[:, here] == 0), held.take(feed, axis=1), held[:, here])
        if board.ties is not None:
            t = board.ties.table
            series = t.machine.series(state[t.key], inputs[t.key])
            tied[board.table.key] = hanging(board.ties, ports, held, series, dt)
    return held, tied


def _without(net: Any, held: Array, fell: Array, converts: Array) -> Array:
    """Voltages [pu] where fallen converters hold nothing, nor do those that hang on them alone."""
    where = library_of(held).where
    held = where(fell, 0.0, held)
    for board in net.boards:
        if board.table.machine.source or board.ties is not None or not board.feeds:
            continue
        here = board.table.columns
        lives = converts[:, here]
        for feed in board.feeds:
            lives = lives | (held.take(feed, axis=1) != 0)
        held[:, here] = where(lives, held[:, here], 0.0)
    return held


def _own(net: Any, inputs: AllRows, held: Array) -> Array:
    """Admittance of the short circuit at each unit's terminals [VA/pu^2]."""
    xp = library_of(held)
    own = xp.zeros(held.shape, dtype=complex)
    for board in net.struck:
        u = inputs[board.table.key]
        own[:, board.table.columns] = u.short_circuit * xp.where(u.fault_power > 0, u.fault_power, BOLTED)
    return own


def _links(
    net: Any, ports: AllPorts, state: AllRows, inputs: AllRows, held: Array, tied: dict[str, Hanging]
) -> list[Link]:
    """Every table in the way of a short circuit, in the order in which voltage runs down.

    A feed that is dead or switched off bears none, nor does that of a board that a tie feeds. Where several live
    ones join, each bears in proportion to the admittance towards its sources; who prefers one takes from that.
    """
    xp = library_of(held)
    inner = xp.zeros(held.shape, dtype=complex)
    links = []
    for board in net.boards:
        t, port = board.table, ports[board.table.key]
        s, u = state[t.key], inputs[t.key]
        own = held[:, t.columns]
        z, (through, limit) = t.machine.series(s, u), t.machine.passes(s, u)
        link = Link(board, 0.0 if z is None else z, 0.0 if t.machine.source else through, limit, [], [])
        link.tied, by_itself = tied.get(t.key), own != 0
        if link.tied is not None:
            by_itself[:, link.tied.mesh.columns - t.first] &= link.tied.root
        weights, beyond = [], []
        for feed, split in zip(board.feeds, port.split):
            outer = held.take(feed, axis=1)
            on = (outer != 0) & by_itself & (xp.zeros(own.shape) + split > 0)
            beyond.append(inner.take(feed, axis=1))
            weights.append(on * (split if t.machine.prefers else 1.0 / (beyond[-1] + LEAST_IMPEDANCE)))
            link.gains.append(own / xp.where(on, outer, 1.0))
        if weights:
            total = sum(weights[1:], weights[0])
            link.shares = [weight / xp.where(total == 0, 1.0, total) for weight in weights]
            # in parallel, every feed's share times its impedance is that of them all
            shared = [share * share * z_feed for share, z_feed in zip(link.shares, beyond)]
            inner[:, t.columns] = sum(shared[1:], shared[0]) * link.through
        inner[:, t.columns] += link.impedance
        if limit is not None:
            inner[:, t.columns] += (1.0 - link.through) / xp.maximum(limit, 1.0)
        if link.tied is not None:
            boards = link.tied.mesh.columns
            inner[:, boards] = link.tied.inner(inner.take(boards, axis=1))
        links.append(link)
    return links


def _up(net: Any, links: list[Link], own: Array) -> Array:
    """Admittance of all short circuits behind each unit's terminals, its own with them [VA/pu^2]."""
    behind = own.copy()
    edges = library_of(own).zeros((own.shape[0], net.edge_count + 1), dtype=complex)
    for link in reversed(links):
        board, here = link.board, link.board.table.columns
        if board.serves is not None:
            behind[:, here] += gather_sum(edges, board.serves)
        if link.tied is not None:
            boards = link.tied.mesh.columns
            behind[:, boards] = link.tied.behind(behind.take(boards, axis=1))
        Y = behind[:, here]
        seen = link.through * Y / (1.0 + link.impedance * Y)
        for edge, share, gain in zip(board.edges, link.shares, link.gains):
            edges[:, edge] = seen * share * gain
    return behind


def _down(links: list[Link], behind: Array, held: Array) -> tuple[Array, Array]:
    """Voltage left at each unit's terminals, of what it would hold with its feed as it is [1], and in all [pu]."""
    factor, voltage = library_of(held).ones(held.shape, dtype=complex), held.copy()
    for link in links:
        here = link.board.table.columns
        factor[:, here] = left = link.left(behind[:, here])
        along = sum(
            share * gain * voltage.take(feed, axis=1)
            for feed, share, gain in zip(link.board.feeds, link.shares, link.gains)
        )
        voltage[:, here] = (along * link.through + held[:, here] * (1.0 - link.through)) * left
        if link.tied is not None:
            boards, ties = link.tied.mesh.columns, link.tied.mesh.table.columns
            Y = behind.take(boards, axis=1)
            voltage[:, boards] = beyond = link.tied.voltage(voltage.take(boards, axis=1), Y)
            voltage[:, ties], factor[:, ties] = (
                link.tied.by_tie(beyond),
                1.0 + link.tied.by_tie(link.tied.left(Y) - 1.0),
            )
    return factor, voltage


def _account(net: Any, links: list[Link], voltage: Array, current: Array) -> tuple[Array, Array, Array, Array]:
    """Power that short circuits ask of converters [VA], and draw, deliver and burn in each unit [W]."""
    xp = library_of(voltage)
    edges = xp.zeros((voltage.shape[0], net.edge_count + 1), dtype=complex)
    asked = xp.zeros(voltage.shape, dtype=complex)
    drawn, delivered, burnt = xp.zeros((3, *voltage.shape))
    for link in reversed(links):
        board, here = link.board, link.board.table.columns
        flows = current[:, here]
        passed = gather_sum(edges, board.serves).real if board.serves is not None else 0.0
        for edge, feed, share in zip(board.edges, board.feeds, link.shares):
            edges[:, edge] = S = voltage.take(feed, axis=1) * (link.through * share * flows).conjugate()
            drawn[:, here] += S.real
        given = (1.0 - link.through) * voltage[:, here] * flows.conjugate()
        delivered[:, here] = passed
        if link.tied is not None:
            _account_ties(link.tied, voltage, current, drawn, delivered, burnt)
            passed = delivered[:, here]
        if board.table.machine.source and link.limit is None:
            continue  # it has no terminals to strike: all that it gives, its boards take
        burnt[:, here] = drawn[:, here] - passed + given.real
        if link.limit is not None:
            asked[:, here] = given
            delivered[:, here] -= given.real
    return asked, drawn, delivered, burnt


def _account_ties(tied: Hanging, voltage: Array, current: Array, drawn: Array, delivered: Array, burnt: Array) -> None:
    """Add what boards take from ties and give to them [W], and what ties take, give and turn into heat."""
    boards, ties = tied.mesh.columns, tied.mesh.table.columns
    taken, given, sent, arrived = tied.account(voltage.take(boards, axis=1), current.take(boards, axis=1))
    drawn[:, boards] += taken
    delivered[:, boards] += given
    drawn[:, ties], delivered[:, ties], burnt[:, ties] = sent, arrived, sent - arrived
