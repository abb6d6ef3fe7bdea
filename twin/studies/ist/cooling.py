"""Steps of the cooling side: chillers, pumps, distribution units and panels that fail, and their standby."""

from __future__ import annotations

from collections.abc import Iterator

from twin.declare import quantities
from twin.equipment import KINDS
from twin.plant import Loop
from twin.scenario.names import expand
from twin.studies.ist.carried import beside, flow_of, others_cold, stand_in, supply
from twin.studies.ist.power import CHILLERS, SETTLED, WATCHED
from twin.studies.ist.site import MARGIN, Site
from twin.studies.ist.step import Action, Await, Gate, Step

SHORT = 30.0
"""Seconds without chillers before they are reset: an operator beside them."""
DARK = 60.0
"""Seconds for which a panel is dark."""
FOUND = 60.0
"""Seconds until a leak that no sensor shuts off is found and shut off by hand."""


def chillers(site: Site) -> Iterator[Step]:
    """One chiller lost for good, and all of a group tripped and restarted."""
    for kind in CHILLERS:
        for group in site.groups(kind):
            for name, alike in site.of_each(group, 1):
                yield Step(
                    f"{name} trips",
                    "One chiller trips and stays out: those left carry the heat (N+1).",
                    [Action("fail", name, 0.0, "its stop is pressed")],
                    [Await(f"{name}.stopped", 1.0, "its compressor stops")],
                    [*others_cold(site, name), *supply(site), *site.gates()],
                    2 * WATCHED,
                    alike,
                )
            if site.wants(group):
                yield _restarted(site, kind, group)


def _restarted(site: Site, kind: str, group: list[str]) -> Step:
    """All chillers of a group, tripped and reset."""
    within, of_all = site.restarted_within(kind)
    named, number = site.returned(kind, group)
    return Step(
        f"All of {site.named(group)} trip and restart",
        f"A group of chillers trips as one and is reset after {SHORT:g} s: what is stored carries the restart.",
        [
            *(Action("fail", each, 0.0, "their common controller trips") for each in group),
            *(Action("restore", each, SHORT, "they are reset") for each in group),
        ],
        [
            Await(f"{named}.stopped", 1.0, "their compressors stop", number),
            Await(f"not {named}.stopped", SHORT + within, f"stop {SHORT:g} s + {of_all}", number),
        ],
        [*supply(site), *site.gates()],
        SHORT + within + 2 * SETTLED,
    )


def cdus(site: Site) -> Iterator[Step]:
    """The duty pump of a distribution unit, the unit itself, its controller."""
    for name, alike in site.tested("cdu"):
        delay, coast = site.rating(name, "standby_delay"), 5 * site.rating(name, "coast_time")
        others = beside(site, name)
        yield Step(
            f"{name} changes to its standby pump",
            "The duty pump of a distribution unit fails: its standby pump takes over before a die is too hot (N+1).",
            [Action("fail", f"{name}.duty_pump_failed", 0.0, "its drive is switched off")],
            [Await(f"{name}.standby_running", delay + MARGIN, f"changeover {delay:g} s + {MARGIN:g} s")],
            [
                *flow_of(site, name, [name, *others], "", delay + coast + MARGIN),
                *supply(site),
                *site.gates(),
            ],
            WATCHED,
            alike,
        )
        yield Step(
            f"{name} is lost",
            "One distribution unit stops: the others of its loop carry the racks (N+1).",
            [Action("fail", name, 0.0, "its main switch is opened")],
            [Await(f"{name}.pumps_lost", coast + MARGIN, f"coast-down {coast:g} s + {MARGIN:g} s")],
            [*flow_of(site, name, others, " in its place", coast + MARGIN), *supply(site, [name]), *site.gates()],
            WATCHED,
            alike,
        )
        yield Step(
            f"{name} loses its controller",
            "The controller of one distribution unit dies: pumps and valve go where they go without control.",
            [Action("fail", f"{name}.controller_failed", 0.0, "its supply is pulled")],
            [Await(f"{name}.uncontrolled", MARGIN, "its controller is dead")],
            [*supply(site, [name]), *site.gates()],
            WATCHED,
            alike,
        )


def leaks(site: Site) -> Iterator[Step]:
    """A leak in one machine of several that give coolant to a loop, and its isolation."""
    for kind in KINDS:
        if "leak" in quantities(KINDS[kind].Inputs):
            for name, alike in site.tested(kind):
                loop = site.loop_beside(name)
                if loop is not None:
                    yield _leak(site, name, alike, loop)


def _leak(site: Site, name: str, alike: list[str], loop: Loop) -> Step:
    """By its sensor, where that shuts its valves; else by hand."""
    delay = site.rating(name, "isolation_delay")
    actions = [Action("fail", f"{name}.leak", 0.0, "its drain is opened")]
    shut = delay if delay > 0 else FOUND
    if delay <= 0:
        actions.append(Action("fail", f"{name}.isolated", FOUND, "its valves are shut by hand"))
    vessel = loop.pressurisation
    holds = "" if vessel else f" {loop.name} has no vessel in this plant, so that nothing but its isolation is tested."
    why = f"its sensor's delay {delay:g} s" if delay > 0 else f"found after {FOUND:g} s"
    gates = [Gate(f"no {vessel}.vessel_empty", "charge of the loop", f"{vessel} keeps coolant")] if vessel else []
    return Step(
        f"{name} leaks and is isolated",
        f"A leak in one machine: it is shut off before the loop is empty, and the others carry its heat (N+1).{holds}",
        actions,
        [
            Await(f"{name}.leaking", 1.0, "its drain is open"),
            Await(f"{name}.cut_off", shut + MARGIN, f"{why} + {MARGIN:g} s"),
        ],
        gates + site.gates(),
        shut + WATCHED,
        alike,
    )


def pumps(site: Site) -> Iterator[Step]:
    """A pump of each group; where one stands by, that one is watched: it runs before the other has come to rest."""
    for name, alike in site.tested("pump"):
        coast = site.rating(name, "coast_time")
        stops = Await(f"{name}.stopped", 5 * coast + MARGIN, f"5 coast-down times of {coast:g} s + {MARGIN:g} s")
        purpose = "One pump stops: those left carry the flow (N+1)."
        yield _lost(site, name, alike, purpose, stand_in(site, name, 5 * coast) or [stops])


def heat_rejection(site: Site) -> Iterator[Step]:
    """A tower or dry cooler of each group, and the room's fan walls."""
    for kind in ("cooling_tower", "dry_cooler", "adiabatic_cooler", "fan_wall"):
        for name, alike in site.tested(kind):
            stops = Await(f"{name}.stopped", 10.0 + MARGIN, "its fans stop")
            yield _lost(
                site, name, alike, "One machine that gives heat away stops: those left carry it (N+1).", [stops]
            )


def _lost(site: Site, name: str, alike: list[str], purpose: str, awaited: list[Await]) -> Step:
    """One machine whose isolator is opened."""
    opened = [Action("fail", name, 0.0, "its isolator is opened")]
    awaited = sorted(awaited, key=lambda each: each.within)
    return Step(f"{name} is lost", purpose, opened, awaited, [*supply(site), *site.gates()], 2 * WATCHED, alike)


def panels(site: Site) -> Iterator[Step]:
    """A control panel that loses its supply, and comes back."""
    for name, alike in site.tested("control_panel"):
        restart = site.rating(name, "restart_delay")
        back = DARK + restart + MARGIN
        of_back = f"{DARK:g} s + restart {restart:g} s + {MARGIN:g} s"
        led = list(dict.fromkeys(line.target for line in site.plant.signals if line.source == name))
        ears = [unit for unit in led if "uncontrolled" in quantities(KINDS[site.plant.units[unit].kind].State)]
        alone = [Await(f"{said}.uncontrolled", 2 * MARGIN, "nobody controls it", n) for said, n in _counted(site, ears)]
        led_again = [
            Await(f"not {said}.uncontrolled", back + MARGIN, f"{of_back} + {MARGIN:g} s", n)
            for said, n in _counted(site, ears)
        ]
        yield Step(
            f"{name} loses its supply",
            "A panel of the cooling plant is dark for a minute: its machines go where they go without control.",
            [
                Action("fail", name, 0.0, "its supply is pulled"),
                Action("restore", name, DARK, "it is plugged in again"),
            ],
            [
                Await(f"{name}.stopped", MARGIN, "it is dark"),
                *alone,
                Await(f"not {name}.stopped", back, of_back),
                *led_again,
            ],
            [*supply(site), *site.gates()],
            DARK + restart + WATCHED,
            alike,
        )


def _counted(site: Site, units: list[str]) -> list[tuple[str, int]]:
    """Ranges of units, each with how many it has."""
    return [(said, len(expand(said))) for said in site.ranges(units)]
