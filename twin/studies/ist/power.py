"""Steps of the electrical side: feeds lost one by one and together, sets, switches and UPS that fail, the return."""

from __future__ import annotations

import math
from collections.abc import Iterator

from twin.scenario.names import expand
from twin.studies.ist.site import MARGIN, Site
from twin.studies.ist.step import Action, Await, Gate, Step

WATCHED = 300.0
"""Seconds that a step is watched for where no rating asks for longer."""
LOSSES = 0.1
"""Share of its load that a UPS loses beside it, at most: its battery carries both."""
CHARGED = 0.99
"""Charge from which on a battery counts as full again."""
SETTLED = 60.0
"""Seconds after the last that is awaited, in which it must stay good."""


def feeds_lost(site: Site) -> Iterator[Step]:
    """Each feed of the grid is opened alone."""
    utilities = [unit.name for unit in site.of("utility")]
    for utility, _ in site.of_each(utilities, len(utilities)) if len(utilities) > 1 else ():
        yield _outage(
            site,
            [utility],
            f"Loss of utility feed {utility}",
            "One feed of the grid is lost; what hangs on it goes to the generators, all else does not notice.",
        )


def black_building(site: Site) -> Iterator[Step]:
    """All feeds at once, and their return."""
    utilities = [unit.name for unit in site.of("utility")]
    if not utilities or not site.wants(utilities):
        return
    step = _outage(
        site,
        utilities,
        "Black building: all utility feeds are lost, and come back",
        "The whole site goes to its batteries, its generators and its stores of cold, and back to the grid.",
    )
    switches = site.switches(set(utilities))
    if switches:
        back = site.most(switches, "retransfer_delay") + site.most(switches, "transfer_time") + MARGIN
        chillers = max((site.restarted_within(kind)[0] for kind in CHILLERS if site.of(kind)), default=0.0)
        held = step.length + chillers
        step.actions += [Action("restore", name, held, "the feeder is closed again") for name in utilities]
        why = f"outage {held:g} s + retransfer {back - MARGIN:g} s + {MARGIN:g} s"
        named, number = site.returned("ats", switches)
        step.awaited.append(Await(f"not {named}.on_alternate", held + back, why, number))
        sets, home = site.called(switches), held + back
        cools = site.most(sets, "cooldown") + MARGIN
        why = f"{why} + cooldown {site.most(sets, 'cooldown'):g} s + {MARGIN:g} s"
        step.awaited.append(Await("not generator.running", home + cools, why, len(sets)))
        on = site.transferred_within(switches, sets)[0] + site.most(switches, "transfer_time")
        charge = recharged(site, on + 2 * site.most((unit.name for unit in site.of("ups")), "walk_in_time"))
        step.length = home + max(chillers, cools, charge) + SETTLED
        step.gates = full(site, [unit.name for unit in site.of("ups")]) + step.gates
    yield step


CHILLERS = ("chiller", "water_cooled_chiller")
DRIVEN = ("pump", "dry_cooler", "adiabatic_cooler", "cooling_tower", "fan_wall", *CHILLERS)
"""Kinds that stop with their supply and come back by themselves."""


def _outage(site: Site, utilities: list[str], title: str, purpose: str) -> Step:
    gone = set(utilities)
    switches = site.switches(gone)
    sets = site.called(switches)
    awaited = [Await(f"{name}.lost", 1.0, "the feeder is opened") for name in utilities]
    batteries = site.hanging("ups", gone)
    if batteries:
        awaited.append(Await("ups.on_battery", 1.0, "rectifiers lose their input", len(batteries)))
    length = 60.0 + MARGIN
    if switches and sets:
        sense = site.most(switches, "sense_delay")
        awaited.append(Await("ats.asking", sense + 1.0, f"sense {sense:g} s + 1 s", len(switches)))
        within, why = site.ready_within(switches, sets)
        awaited.append(Await("generator.ready", within, why, len(sets)))
        if len({site.rating(name, "start_delay") for name in sets}) == 1:  # all are ready before the first closes
            first = within + site.most(sets, "arbitration_interval")
            awaited.append(Await("generator.closed", first, f"{why} + turn {first - within:g} s"))
        within, why = site.transferred_within(switches, sets)
        awaited.append(Await("ats.on_alternate", within, why, len(switches)))
        if batteries:
            walk = site.most(batteries, "walk_in_time")
            both = within + walk + MARGIN
            named, number = site.returned("ups", batteries)
            awaited.append(Await(f"not {named}.on_battery", both, f"{why} + walk-in {walk:g} s", number))
        length = max(WATCHED, within + SETTLED)
        for kind in DRIVEN:
            lost = site.hanging(kind, gone)
            if lost and kind in CHILLERS:
                restart, of = site.restarted_within(kind)
                named, number = site.returned(kind, lost)
                why = f"supply {within:g} s + {of}"
                awaited.append(Await(f"not {named}.stopped", within + restart, why, number))
                length = max(length, within + restart + SETTLED)
    actions = [Action("fail", name, 0.0, "the feeder is opened") for name in utilities]
    awaited.sort(key=lambda each: each.within)
    return Step(title, purpose, actions, awaited, site.gates(), length)


def set_fails(site: Site) -> Iterator[Step]:
    """A set does not fire when it is called; and one is lost while it carries load."""
    utilities = [unit.name for unit in site.of("utility")]
    switches = site.switches(set(utilities))
    sets = site.called(switches)
    if len(sets) < 2:
        return
    in_turn = sorted(sets, key=lambda name: site.rating(name, "closing_order"))
    for first, alike in site.of_each(in_turn, 1):
        yield from _without(site, first, alike, utilities, switches, sets)


def _without(
    site: Site, first: str, alike: list[str], utilities: list[str], switches: list[str], sets: list[str]
) -> Iterator[Step]:
    opened = [Action("fail", name, 0.0, "the feeder is opened") for name in utilities]
    machine = site.plant.units[first].machine()
    gives_up = site.most(switches, "sense_delay") + float(machine.cranking_time()) + MARGIN
    ready, of_ready = site.ready_within(switches, sets)
    within, of_all = site.transferred_within(switches, sets, failed=2)
    awaited = [
        Await("generator.ready", ready, of_ready, len(sets) - 1),
        Await("ats.on_alternate", within, of_all, len(switches)),
        Await(f"{first}.failed_to_start", gives_up, f"{machine.crank_attempts:g} attempts of {machine.crank_time:g} s"),
    ]
    yield Step(
        f"{first} fails to start",
        "All feeds are lost and the first set in turn does not fire: the others close without it and carry all.",
        [*opened, Action("fail", f"{first}.fails_to_start", 0.0, "its fuel is shut")],
        sorted(awaited, key=lambda each: each.within),
        site.gates(),
        max(WATCHED, within + SETTLED, gives_up + SETTLED),
        alike,
    )
    within, of_all = site.transferred_within(switches, sets)
    lost = within + SETTLED
    yield Step(
        f"{first} is lost under load",
        "All feeds are lost; when the generators carry the site, one of them trips: the others pick its load up.",
        [*opened, Action("fail", first, lost, "its emergency stop is pressed")],
        [
            Await("ats.on_alternate", within, of_all, len(switches)),
            Await(f"not {first}.closed", lost + 1.0, "its breaker opens"),
        ],
        site.gates(),
        lost + SETTLED,
        alike,
    )


def switch_stuck(site: Site) -> Iterator[Step]:
    """A transfer switch that does not move, until somebody frees it."""
    utilities = [unit.name for unit in site.of("utility")]
    switches = site.switches(set(utilities))
    for name, alike in site.of_each(switches, 1):
        within, of_all = site.transferred_within(switches, site.called(switches))
        freed = within + SETTLED
        others = len(switches) - 1
        awaited = [Await("ats.on_alternate", within, of_all, others)] if others else []
        awaited.append(Await(f"{name}.on_alternate", freed + site.rating(name, "transfer_time") + 1.0, "it is freed"))
        yield Step(
            f"{name} does not transfer",
            "All feeds are lost and one switch is stuck: what hangs on it rides on its batteries until it is freed.",
            [
                *(Action("fail", each, 0.0, "the feeder is opened") for each in utilities),
                Action("fail", f"{name}.stuck", 0.0, "its drive is blocked"),
                Action("restore", f"{name}.stuck", freed, "it is moved by hand"),
            ],
            awaited,
            site.gates(),
            freed + 2 * SETTLED,
            alike,
        )


def ups_alone(site: Site) -> Iterator[Step]:
    """A UPS on its battery, without a module, and lost."""
    for name, alike in site.tested("ups"):
        autonomy = float(site.plant.units[name].machine().autonomy(site.rating(name, "rated_power")))
        held = min(60.0, round(0.2 * autonomy))
        walk = site.rating(name, "walk_in_time")
        charge = _recharge(site, name, held + walk)
        told = "its battery carries its load, then it walks in again and recharges"
        yield Step(
            f"{name} on its battery",
            f"The input of one UPS is opened for {held:g} s: {told}.",
            [
                Action("fail", f"{name}.rectifier_failed", 0.0, "its input breaker is opened"),
                Action("restore", f"{name}.rectifier_failed", held, "its input breaker is closed"),
            ],
            [
                Await(f"{name}.on_battery", 1.0, "its rectifier loses its input"),
                Await(f"not {name}.on_battery", held + walk + MARGIN, f"outage {held:g} s + walk-in {walk:g} s"),
            ],
            [
                Gate(f"no {name}.on_bypass", "battery and inverter carry all", f"{name} stays off its bypass"),
                *full(site, [name]),
                *site.gates(),
            ],
            held + walk + charge + SETTLED,
            alike,
        )
        if site.rating(name, "redundant_modules") >= 1:
            yield Step(
                f"{name} loses a module",
                "One module fails: those left carry the load, without bypass and without overload.",
                [Action("set", f"{name}.modules_failed", 0.0, "one module is switched off")],
                [],
                [*_spared(name), *site.gates()],
                WATCHED,
                alike,
            )
        yield Step(
            f"{name} is lost",
            "One UPS is lost with its bypass: all that hangs on it lives by its other cord.",
            [Action("fail", name, 0.0, "its emergency power off is pressed")],
            _other_cord(site, name),
            [*_left(site, name), *(gate for gate in site.gates() if "state_of_charge" not in gate.hold)],
            WATCHED,
            alike,
        )


def _spared(name: str) -> list[Gate]:
    return [
        Gate(f"no {name}.on_bypass", "N+1 modules"),
        Gate(f"max({name}.load_fraction) < 100 %", "rating of those left", f"{name} within its rating"),
    ]


def _left(site: Site, name: str) -> list[Gate]:
    """The UPS that are left stay within their rating."""
    others = site.ranges(unit.name for unit in site.of("ups") if unit.name != name)
    return [Gate(f"max({said}.load_fraction) < 100 %", "rated power", f"load of {said}") for said in others]


def _other_cord(site: Site, name: str) -> list[Await]:
    """What goes dead with a UPS, or over to its other feed."""
    dead, over, waiting = [], [], [name]
    takers: dict[str, list[str]] = {}
    for taker, feeds in site.plant.feeds.items():
        for feed in feeds:
            takers.setdefault(feed, []).append(taker)
    gone = {name}
    while waiting:
        for taker in takers.get(waiting.pop(), ()):
            kind = site.plant.units[taker].kind
            feeds = site.plant.feeds[taker]
            if kind == "sts" and feeds[0] in gone:
                over.append(taker)
            elif taker not in gone and set(feeds) <= gone:
                gone.add(taker)
                waiting.append(taker)
                dead += [taker] if kind == "pdu" else []
    transfer = site.most(over, "transfer_time") + 1.0
    found = [Await(f"{said}.dead", 1.0, "its side goes dead", len(expand(said))) for said in site.ranges(dead)]
    why = f"transfer {transfer - 1.0:g} s + 1 s"
    return found + [Await(f"{said}.on_alternate", transfer, why, len(expand(said))) for said in site.ranges(over)]


def _recharge(site: Site, name: str, held: float) -> float:
    """How long a battery takes to be full again [s] that carried the whole rating for so long [s]."""
    power = site.rating(name, "recharge_power") * (site.rating(name, "charge_efficiency") or 1.0)
    return math.ceil(held * site.rating(name, "rated_power") * (1.0 + LOSSES) / power) if power > 0 else 0.0


def recharged(site: Site, held: float) -> float:
    """The same for the slowest of all, in an outage [s]; no battery gives more than it has."""
    found = []
    for unit in site.of("ups"):
        autonomy = float(unit.machine().autonomy(site.rating(unit.name, "rated_power")))
        found.append(_recharge(site, unit.name, min(held, autonomy)))
    return max(found, default=0.0)


def full(site: Site, units: list[str]) -> list[Gate]:
    """Batteries are full again at the end, where they can be charged."""
    able = [name for name in units if site.rating(name, "recharge_power") > 0]
    return [
        Gate(f"final({said}.state_of_charge) > {100 * CHARGED:g} %", "recharge power", f"charge of {said} at the end")
        for said in site.ranges(able)
    ]
