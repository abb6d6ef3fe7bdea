"""Short circuits along ties: who hangs on whom through them, and what runs up and down between tied boards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.arrays import Array, library_of
from twin.networks import mesh
from twin.networks.mesh import Mesh
from twin.networks.tables import AllPorts


@dataclass
class Hanging:
    """How the boards of a mesh hang on each other while a short circuit stands; arrays (member, B).

    root: fed by its own feeds; slot: the neighbour that feeds it, K for none; used: the tie there, T for none;
    below (member, B, K): which neighbours hang on it; gain: voltage that it holds without short circuits, over that
    of the board that feeds it; impedance: of the tie that feeds it [pu^2/VA].
    """

    mesh: Mesh
    root: Array
    slot: Array
    used: Array
    below: Array
    gain: Array
    impedance: Array

    @property
    def child(self) -> Array:
        """Whether a board is fed through a tie."""
        return self.slot < self.mesh.tie.shape[1]

    def _above(self, values: Array, none: Any) -> Array:
        """What stands at the board that feeds each."""
        return mesh.at_slot(mesh.with_none(values, none).take(self.mesh.other, axis=1), self.slot, none)

    def _gathered(self, seen: Array) -> Array:
        """Sum over the boards that hang on each, in one order."""
        terms = library_of(seen).where(self.below, mesh.with_none(seen, 0.0).take(self.mesh.other, axis=1), 0.0)
        found = terms[..., 0]
        for slot in range(1, terms.shape[-1]):
            found = found + terms[..., slot]
        return found

    def inner(self, own: Array) -> Array:
        """Impedance towards the sources [pu^2/VA]: that of the board above, and the tie's."""
        where, found = library_of(own).where, own
        for _ in range(self.mesh.rounds):
            found = where(self.child, self._above(found, 0.0) + self.impedance, own)
        return found

    def left(self, Y: Array) -> Array:
        """Voltage left beyond the tie that feeds each board, 1/(1 + z Y) [1]; 1 at a root."""
        return library_of(Y).where(self.child, 1.0 / (1.0 + self.impedance * Y), 1.0)

    def behind(self, own: Array) -> Array:
        """Admittance of all short circuits at each board and behind it, those beyond its ties among them [VA/pu^2]."""
        found = own
        for _ in range(self.mesh.rounds):
            found = own + self._gathered(self.gain * found * self.left(found))
        return found

    def voltage(self, own: Array, Y: Array) -> Array:
        """Voltage of each board [pu], from that of the roots."""
        where, along, found = library_of(own).where, self.gain * self.left(Y), own
        for _ in range(self.mesh.rounds):
            found = where(self.child, self._above(found, 0.0) * along, own)
        return found

    def by_tie(self, values: Array) -> Array:
        """What boards say of the tie that feeds them, by tie (member, T)."""
        xp, index = library_of(values), library_of(values).arange(self.mesh.table.size)
        found = 0.0
        for end in self.mesh.ends:
            here = self.child.take(end, axis=1) & (self.used.take(end, axis=1) == index)
            found = found + xp.where(here, values.take(end, axis=1), 0.0)
        return found

    def account(self, voltage: Array, current: Array) -> tuple[Array, Array, Array, Array]:
        """Power that short circuits take along ties [W].

        Returns:
            What each board takes from the tie that feeds it, and gives to ties (member, B); what each tie
            takes and gives (member, T).
        """
        xp = library_of(voltage)
        flows = xp.where(self.child, current, 0.0).conjugate()
        taken, sent = (voltage * flows).real, (self._above(voltage, 0.0) * flows).real
        return taken, self._gathered(sent), self.by_tie(sent), self.by_tie(taken)


def hanging(m: Mesh, ports: AllPorts, held: Array, series: Array, dt: Any) -> Hanging:
    """The orientation that short circuits follow in a tick: the one at its end.

    Boards that lose their supply in the second half of the tick count as alive in it, as all units do; they hang as
    they did before, and get their voltage into `held`.

    Args:
        held: voltage of every unit without short circuits [pu], (member, unit + 1).
        series: impedance of the ties [pu^2/VA], (1, T).
    """
    xp = library_of(held)
    course, width = ports[m.table.key].drive, m.tie.shape[1]
    before, after = course.before, course.after
    dies = (course.voltage == 0) & (before.seconds + after.seconds > 0.5 * dt)
    root, slot = xp.where(dies, before.root, after.root), xp.where(dies, before.slot, after.slot)
    ties = xp.broadcast_to(m.tie, (held.shape[0], *m.tie.shape))
    used = mesh.at_slot(ties, slot, m.table.size)
    below = mesh.hanging_on(m, used)
    child = slot < width
    impedance = mesh.with_none(series + 0j, 0.0)[0].take(used)
    found = Hanging(m, root, slot, used, below, 0j * course.voltage, impedance)
    along = mesh.at_slot(course.bends, slot, 1.0)
    own = xp.where(child & dies, 0.0, held.take(m.columns, axis=1))
    for _ in range(m.rounds):
        own = xp.where(child & dies, found._above(own, 0.0) * along, own)
    held[:, m.columns] = own
    above = found._above(own, 0.0)
    found.gain = xp.where(child & (above != 0), own / xp.where(above == 0, 1.0, above), 0.0)
    return found
