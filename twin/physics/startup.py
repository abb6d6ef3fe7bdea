"""Starting IT equipment: from supply back through soft start, boot and checks, with the energy of each stage."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of

Real = Any
STAGES = {"off": 0.0, "soft_start": 1.0, "boot": 2.0, "check": 3.0, "ready": 4.0, "draining": 5.0}
"""Stages of a rack, as numbers."""
INSTANT = 1e-9
"""A time taken for none [s]."""


class Start(NamedTuple):
    """How long stages take [s], and what they draw [W]; soft start rises in a straight line to the power of boot."""

    delay: Real
    soft: Real
    boot: Real
    check: Real
    boot_power: Real
    check_power: Real

    def energy(self, clock: Real) -> Real:
        """Energy drawn in the first `clock` seconds of unbroken supply [J]."""
        xp = library_of(clock)
        since = xp.maximum(clock - self.delay, 0.0)
        soft = xp.minimum(since, self.soft)
        rising = 0.5 * self.boot_power * soft * soft / xp.maximum(self.soft, INSTANT)
        booting = xp.minimum(xp.maximum(since - self.soft, 0.0), self.boot)
        checking = xp.maximum(since - self.soft - self.boot, 0.0)
        return rising + self.boot_power * booting + self.check_power * checking

    def stage(self, clock: Real) -> Real:
        """Stage after `clock` seconds of unbroken supply: off until its turn, soft start, boot, check."""
        since, begun = clock - self.delay, has_begun(clock, self.delay)
        return begun * 1.0 + (begun & (since >= self.soft)) + (begun & (since >= self.soft + self.boot))

    @property
    def begins(self) -> tuple[Real, Real, Real]:
        """Seconds of unbroken supply after which soft start, boot and check begin."""
        return self.delay, self.delay + self.soft, self.delay + self.soft + self.boot


def has_begun(clock: Real, delay: Real) -> Real:
    """Whether a machine has begun to start; while it waits for its turn its clock stands at `delay` [s]."""
    return clock > delay + INSTANT


def drawn(start: Start, before: Real, after: Real, dt: Real) -> Real:
    """Power of a starting machine, mean over a tick in which its clock goes from one time to another [W]."""
    return library_of(after).maximum(start.energy(after) - start.energy(before), 0.0) / dt
