"""GPUs of a rack and what stands beside them: power and clock of their work, its limits, and its speed."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, stacked, worth_doing
from twin.declare import Real, quantity, table
from twin.equipment.parts.startup import Startup
from twin.physics import gpu
from twin.physics.throttle import Course
from twin.units import show

PROFILES = {"max_p": 0.0, "max_q": 1.0}
"""Power profiles: most performance, and most of it per watt; `set: rack.power_profile, to: max_q`."""
SAME = 1e-9
"""GPUs that draw all but this share of what their work asks run at full clock: round-off, no throttling."""


class Lines(NamedTuple):
    """GPU power as straight lines in die temperature, p0 + p1 T: at full clock and in slowdown [W], [W/K]."""

    full0: Real
    full1: Real
    slow0: Real
    slow1: Real


class Asked(NamedTuple):
    """What Inputs alone ask of the GPUs and of the rest; powers are of the rack, at reference temperature [W].

    By work (training, prefill, decode) on the first axis: `weight` of the GPUs' time, `mix` of their work [1];
    `clock` that nothing hinders [of nominal]; `activity`, `full`: power beyond idle at nominal clock and at that.
    `cap`: what the limits leave GPUs at work; `capped`: mean of the GPUs within it; `other`: of all that is no GPU;
    `dynamic`: mean beyond idle that nothing hinders; `lines`: those of the GPUs where no cap binds; `binds`: whether
    one may, below shutdown.
    """

    weight: Real
    mix: Real
    clock: Real
    activity: Real
    full: Real
    cap: Real
    capped: Real
    other: Real
    dynamic: Real
    lines: Lines
    binds: bool


@table
class Gpus(Startup):
    """GPUs at three kinds of work, each with a clock and a power of its own, and CPUs, switches and the rest beside.

    Nominal is training at full work, which takes the rated power. A GPU at work is held at or below its part of the
    cap at any die temperature; what the rack takes is the mean over its time. What is no GPU follows utilisation.
    """

    idle_power: Real = quantity("W", "power at no utilisation", above=0, at_most=2e6)
    gpu_count: Real = quantity("1", "GPUs in the rack", above=0, at_most=2000)
    gpu_power_share: Real = quantity("1", "share of the rack's power taken by its GPUs", above=0, below=1)
    gpu_idle_power: Real = quantity(
        "W", "power of a GPU at no utilisation; 0: its share of the rack's", default=0.0, at_least=0, at_most=5e3
    )
    slowdown_clock: Real = quantity("1", "clock in slowdown, of that before", default=0.5, above=0, at_most=1)
    boost_clock: Real = quantity(
        "1", "highest clock, of that of training at rated power", default=1.709, at_least=1, at_most=10
    )
    voltage_knee: Real = quantity(
        "1", "clock below which voltage falls no further, of the highest", default=0.6, above=0, below=1
    )
    voltage_floor: Real = quantity("1", "least core voltage, of that at highest clock", default=0.75, above=0, below=1)
    linear_share: Real = quantity(
        "1", "share of GPU power beyond idle that goes with clock alone, at highest clock", default=0.2, at_least=0,
        at_most=1,
    )  # fmt: skip
    prefill_clock: Real = quantity("1", "clock of prefill, of nominal", default=1.023, above=0, at_most=10)
    prefill_power_share: Real = quantity(
        "1", "GPU power beyond idle in prefill at its clock, of that in training", default=0.89, above=0, at_most=2
    )
    decode_clock: Real = quantity("1", "clock of decode, of nominal", default=1.389, above=0, at_most=10)
    decode_power_share: Real = quantity(
        "1", "GPU power beyond idle in decode at its clock, of that in training", default=0.188, above=0, at_most=2
    )
    decode_knee: Real = quantity(
        "1", "clock down to which decode loses nothing, of its own", default=0.72, above=0, at_most=1
    )
    leakage: Real = quantity(
        "1/K", "GPU power beyond idle gained per kelvin of die", default=0.003, at_least=0, at_most=0.05
    )
    leakage_reference: Real = quantity("K", "die temperature of the rated power", default=343.15, above=250, below=450)
    edp_limit: Real = quantity(
        "1", "electrical design point: power of the rack that no limit lifts, of rated", default=2.0, above=0, at_most=5
    )
    edp_clock_cut: Real = quantity(
        "1", "clock that its GPUs give up after an electrical peak, of that before", default=0.0, at_least=0, below=1
    )
    edp_time: Real = quantity("s", "time for which they do", default=0.5, at_least=0, at_most=60)
    max_q_limit: Real = quantity("1", "cap on the rack's power in profile max_q, of rated", default=0.85, above=0,
                                 at_most=1)  # fmt: skip
    cpu_share: Real = quantity("1", "CPUs, of the power of all that is no GPU", default=0.0, at_least=0, at_most=1)
    switch_share: Real = quantity("1", "NVLink switches, likewise", default=0.0, at_least=0, at_most=1)
    nic_share: Real = quantity("1", "network cards and DPUs, likewise", default=0.0, at_least=0, at_most=1)
    fan_share: Real = quantity("1", "fans, likewise", default=0.0, at_least=0, at_most=1)
    pump_share: Real = quantity("1", "pumps in the rack, likewise", default=0.0, at_least=0, at_most=1)

    @table
    class Inputs(Startup.Inputs):
        utilisation: Real = quantity("1", "share of full work asked", default=0.85, at_least=0, at_most=1)
        power_limit: Real = quantity("1", "cap on the rack's power, of rated", default=1.0, at_least=0, at_most=2)
        clock_limit: Real = quantity(
            "1", "highest clock that its GPUs may run at, of nominal", default=3.0, above=0, at_most=10
        )
        power_profile: Real = quantity("1", "power profile of its GPUs", default=0.0, choices=PROFILES)
        prefill_share: Real = quantity("1", "share of its work that is prefill", default=0.0, at_least=0, at_most=1)
        decode_share: Real = quantity("1", "share of its work that is decode", default=0.0, at_least=0, at_most=1)

    @table
    class Outputs(Startup.Outputs):
        power: Real = quantity("W", "electric power of the work", default=0.0)
        gpu_power: Real = quantity("W", "electric power of the GPUs", default=0.0)
        cpu_power: Real = quantity("W", "electric power of the CPUs", default=0.0)
        switch_power: Real = quantity("W", "electric power of the NVLink switches", default=0.0)
        nic_power: Real = quantity("W", "electric power of network cards and DPUs", default=0.0)
        fans_power: Real = quantity("W", "electric power of the fans in the rack", default=0.0)
        pumps_power: Real = quantity("W", "electric power of the pumps in the rack", default=0.0)
        clock: Real = quantity("1", "mean clock, of that of training at rated power", default=1.0)
        training_speed: Real = quantity("1", "training that it can do, of nominal", default=1.0)
        prefill_speed: Real = quantity("1", "prefill that it can do, of nominal", default=1.0)
        decode_speed: Real = quantity("1", "decode that it can do, of nominal", default=1.0)

    def faults(self, feeds: int) -> list[str]:
        found = Startup.faults(self, feeds)
        beside = self.cpu_share + self.switch_share + self.nic_share + self.fan_share + self.pump_share
        if beside > 1 + 1e-9:
            text = f"cpu_share, switch_share, nic_share, fan_share and pump_share add up to {beside:.0%}"
            found.append(f"{text} of what is no GPU; 100 % at most is wanted")
        if self.gpu_idle_power * self.gpu_count > self.idle_power:
            idle = f"{self.gpu_count:g} idle GPUs take {show(self.gpu_idle_power * self.gpu_count, 'W')}"
            found.append(
                f"{idle}, more than the idle_power of {show(self.idle_power, 'W')}; a lower gpu_idle_power is wanted"
            )
        return found

    @cached_property
    def _clocking(self) -> gpu.Curve:
        return gpu.Curve(self.linear_share, self.voltage_floor, self.voltage_knee, self.boost_clock)

    @cached_property
    def _least(self) -> Real:
        """Power of the GPUs at no utilisation [W]."""
        own = self.gpu_idle_power * self.gpu_count
        return own + self.idle_power * self.gpu_power_share * (self.gpu_idle_power == 0)

    @cached_property
    def _rated(self) -> Real:
        """Power of the GPUs at full training [W]."""
        return self.rated_power * self.gpu_power_share

    def asked_power(self, utilisation: Real) -> tuple[Real, Real]:
        """GPU power in training at reference temperature and the power of all else [W], at a utilisation [1]."""
        total = self.idle_power + utilisation * (self.rated_power - self.idle_power)
        gpus = self._least + utilisation * (self._rated - self._least)
        return gpus, total - gpus

    @cached_property
    def _gives_way(self) -> bool:
        """Whether any GPUs slow down after an electrical peak."""
        return worth_doing(self.edp_clock_cut)

    def after_peak(self, s: Any, u: Any, dt: Real) -> Real:
        """Clock that is left in the tick after an electrical peak, mean, of that before [1]; 1.0 where none was."""
        if not self._gives_way or not worth_doing(u.peak):
            return 1.0
        xp, ends = library_of(u.peak), self.peak_duration + self.edp_time
        slow = xp.minimum(s.peak_clock + dt, ends) - xp.maximum(s.peak_clock, self.peak_duration)
        return 1.0 - self.edp_clock_cut * (u.peak > 0) * xp.maximum(slow, 0.0) / dt

    def _asked(self, utilisation: Real, power_limit: Real, clock_limit: Real, profile: Real, prefill: Real,
               decode: Real, left: Real = 1.0) -> Asked:  # fmt: skip
        xp, none, curve = library_of(utilisation), utilisation * 0.0, self._clocking
        _, other = self.asked_power(utilisation)
        span = self._rated - self._least
        every = xp.maximum(prefill + decode, 1.0)
        mix = stacked(none + xp.maximum(1.0 - prefill - decode, 0.0), none + prefill / every, none + decode / every)
        own = stacked(none + 1.0, none + self.prefill_clock, none + self.decode_clock)
        own = xp.minimum(own, self.boost_clock)
        draws = stacked(none + span, none + span * self.prefill_power_share, none + span * self.decode_power_share)
        activity = draws / gpu.dynamic_share(own, curve)
        clock = xp.minimum(own, clock_limit) * left
        full = activity * gpu.dynamic_share(clock, curve)
        slow = activity * gpu.dynamic_share(clock * self.slowdown_clock, curve)
        limit = xp.minimum(power_limit, xp.where(profile == PROFILES["max_q"], self.max_q_limit, self.edp_limit))
        cap = xp.maximum(xp.minimum(limit, self.edp_limit) * self.rated_power - other, self._least)
        weight, room = utilisation * mix, cap - self._least
        capped = self._least + _over_work(weight * xp.minimum(full, room))
        hottest = xp.maximum(self._leak(self._hottest), 1.0)
        binds = worth_doing(full * hottest > room)
        dynamic, slowed = _over_work(weight * full), _over_work(weight * xp.minimum(slow, room / hottest))
        line = self._straight(weight, full * self._cold, full * self.leakage)
        lines = self._leaking(dynamic, slowed)._replace(**line)
        return Asked(weight, mix, clock, activity, full, cap, capped, other, dynamic, lines, binds)

    def spent(self, asked: Asked, power: Real) -> tuple[Real, Real]:
        """Of the power that the rack takes, what prefill and decode are to be charged with [W]; the rest is nobody's.

            P_k = min(P, P_idle) w_k + max(P - P_idle, 0) w_k d_k / sum(w d)

        Idle power goes by the share w of its GPUs' time; what is above it also by the power d beyond idle that a GPU
        draws at each work, at its clock and within its cap.
        """
        xp = library_of(power)
        draws = asked.weight * xp.minimum(asked.full, asked.cap - self._least)
        whole = _over_work(draws)
        some = xp.where(whole > 0, whole, 1.0)
        idle = xp.minimum(power, self.idle_power)
        above = power - idle
        prefill, decode = (idle * asked.weight[k] + above * (draws[k] / some) for k in (1, 2))
        return prefill, decode

    @cached_property
    def _hottest(self) -> Real:
        """Die temperature above which power is cut [K]."""
        raise NotImplementedError(f"{self.kind} does not say where its GPUs are cut off")

    def _leak(self, T_die: Real) -> Real:
        """GPU power beyond idle over that at reference temperature [1]."""
        return 1.0 + self.leakage * (T_die - self.leakage_reference)

    @cached_property
    def _cold(self) -> Real:
        """GPU power beyond idle at a die of 0 K, on the line of its leakage, over that at reference temperature [1]."""
        return self._leak(0.0)

    def _leaking(self, full: Real, slow: Real) -> Lines:
        """Lines of the GPUs from their power beyond idle at reference temperature, at full clock and slow [W]."""
        cold, least = self._cold, self._least
        return Lines(least + full * cold, full * self.leakage, least + slow * cold, slow * self.leakage)

    def _lines(self, s: Any, asked: Asked) -> Lines:
        """The GPUs' power in this tick: constant at the cap for work that meets it with dies as they are."""
        if not asked.binds:
            return asked.lines
        xp, power = library_of(asked.full), asked.full
        held = power * self._leak(s.die_temperature) > asked.cap - self._least
        cold = xp.where(held, asked.cap - self._least, power * self._cold)
        warm = xp.where(held, 0.0, power * self.leakage)
        return asked.lines._replace(**self._straight(asked.weight, cold, warm))

    def _straight(self, weight: Real, cold: Real, warm: Real) -> dict[str, Real]:
        """The line at full clock from those of each work; in one order, so that a cap elsewhere changes no bit."""
        return {"full0": self._least + _over_work(weight * cold), "full1": _over_work(weight * warm)}

    def _relined(self, asked: Asked, known: Lines, gpus: Real) -> Lines:
        """The same where its shelves give the GPUs another power than asked, mean at reference temperature [W]."""
        xp = library_of(gpus)
        same, dynamic = gpus == asked.capped, gpus - self._least
        slow = dynamic * gpu.dynamic_share(self.slowdown_clock, self._clocking)
        new = self._leaking(dynamic, slow)
        return Lines(*(xp.where(same, old, line) for old, line in zip(known, new)))

    def _takes(self, s: Any, asked: Asked, lines: Lines) -> Real:
        """GPU power beyond idle as warm, and with clocks as slow, as they are, over that asked of them [1]."""
        xp, T = library_of(s.die_temperature), s.die_temperature
        power = lines.full0 + lines.full1 * T
        if worth_doing(s.slowed):
            power = xp.where(s.slowed > 0, lines.slow0 + lines.slow1 * T, power)
        dynamic = asked.capped - self._least
        works = dynamic > 0
        return xp.where(works, (power - self._least) / xp.where(works, dynamic, 1.0), self._leak(T))

    def _unhindered(self, clock: Real, mix: Real, lasts: Real) -> tuple[Real, ...]:
        """Mean clock and speeds where neither power nor heat holds the GPUs back."""
        return _over_work(clock * mix) * (lasts > 0), *(speed * lasts for speed in self._speeds(clock))

    def _speeds(self, clock: Real) -> tuple[Real, Real, Real]:
        """Training, prefill and decode that can be done at their clocks, of nominal [1]."""
        training, prefill, decode = clock
        return (
            gpu.throughput(training, 1.0),
            gpu.throughput(prefill / self.prefill_clock, 1.0),
            gpu.throughput(decode / self.decode_clock, self.decode_knee),
        )

    def _wanted(self, dynamic: Real, lasts: Real) -> tuple[Real, Real]:
        return dynamic * (lasts * (1.0 - SAME)), self._least * lasts

    def clocks(self, asked: Asked, run: Course, lasts: Real) -> tuple[Real, ...]:
        """Mean clock of the tick, and the training, prefill and decode that can be done [1].

        Args:
            run: of the dies; lasts: share of the tick with power [1].
        """
        free = self.once(self._unhindered, asked.clock, asked.mix, lasts)
        wanted, least = self.once(self._wanted, asked.dynamic, lasts)
        leak = self._leak(run.mean_die)
        hindered = run.power - least < wanted * leak - SAME
        if asked.binds:
            held = asked.full * leak > asked.cap - self._least
            hindered = hindered | held[0] | held[1] | held[2]
        if not worth_doing(hindered):
            return free  # type: ignore[no-any-return]
        xp, on = library_of(leak), lasts * run.ran
        works = on > 0
        allowed = xp.minimum(asked.full, (asked.cap - self._least) / leak)
        within = _over_work(asked.weight * allowed) * leak
        power = xp.where(works, run.power / xp.where(works, on, 1.0) - self._least, 0.0)
        share = xp.where(within > SAME, power / xp.maximum(within, SAME), 1.0)
        share = xp.minimum(xp.maximum(share, 0.0), 1.0)
        clock = xp.minimum(gpu.clock_for(share * allowed / asked.activity, self._clocking), asked.clock)
        found = (_over_work(clock * asked.mix) * works, *(speed * on for speed in self._speeds(clock)))
        return tuple(xp.where(hindered, slow, full) for slow, full in zip(found, free))

    def _beside(self, other: Real, lasts: Real) -> dict[str, Real]:
        """Power of each part beside the GPUs [W], of what is asked of them all."""
        other = other * lasts
        return {
            "cpu_power": other * self.cpu_share, "switch_power": other * self.switch_share,
            "nic_power": other * self.nic_share, "fans_power": other * self.fan_share,
            "pumps_power": other * self.pump_share,
        }  # fmt: skip


def _over_work(x: Real) -> Real:
    """The sum over the kinds of work, in one order."""
    return x[0] + x[1] + x[2]
