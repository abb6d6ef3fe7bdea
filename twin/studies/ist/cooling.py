"""Steps of the cooling side: chillers, pumps, distribution units and panels that fail, and their standby."""

from __future__ import annotations

from collections.abc import Iterator

from twin.studies.ist.power import CHILLERS, SETTLED, WATCHED
from twin.studies.ist.site import MARGIN, Site
from twin.studies.ist.step import Action, Await, Step

SHORT = 30.0
"""Seconds without chillers before they are reset: an operator beside them."""


def chillers(site: Site) -> Iterator[Step]:
    """One chiller lost for good, and all of a group tripped and restarted."""
    for kind in CHILLERS:
        for name, alike in site.first_of_each(kind):
            yield Step(
                f"{name} trips",
                "One chiller trips and stays out: those left carry the heat (N+1).",
                [Action("fail", name, 0.0, "its stop is pressed")],
                [Await(f"{name}.stopped", 1.0, "its compressor stops")],
                site.gates(),
                2 * WATCHED,
                alike,
            )
            within, of_all = site.restarted_within(kind)
            back = [
                Await(f"{kind}.stopped", 1.0, "their compressors stop", len(alike)),
                Await(f"not {name}.stopped", SHORT + within, f"stop {SHORT:g} s + {of_all}"),
            ]
            yield Step(
                f"All of {site.named(alike)} trip and restart",
                f"A group of chillers trips as one and is reset after {SHORT:g} s: what is stored carries the restart.",
                [
                    *(Action("fail", each, 0.0, "their common controller trips") for each in alike),
                    *(Action("restore", each, SHORT, "they are reset") for each in alike),
                ],
                back,
                site.gates(),
                SHORT + within + 2 * SETTLED,
            )


def cdus(site: Site) -> Iterator[Step]:
    """The duty pump of a distribution unit, the unit itself, its controller."""
    for name, alike in site.first_of_each("cdu"):
        delay = site.rating(name, "standby_delay")
        yield Step(
            f"{name} changes to its standby pump",
            "The duty pump of a distribution unit fails: its standby pump takes over before a die is too hot (N+1).",
            [Action("fail", f"{name}.duty_pump_failed", 0.0, "its drive is switched off")],
            [Await(f"{name}.standby_running", delay + MARGIN, f"changeover {delay:g} s + {MARGIN:g} s")],
            site.gates(),
            WATCHED,
            alike,
        )
        yield Step(
            f"{name} is lost",
            "One distribution unit stops: the others of its loop carry the racks (N+1).",
            [Action("fail", name, 0.0, "its main switch is opened")],
            [Await(f"{name}.pumps_lost", site.rating(name, "coast_time") * 5 + MARGIN, "its pumps coast down")],
            site.gates(),
            WATCHED,
            alike,
        )
        yield Step(
            f"{name} loses its controller",
            "The controller of one distribution unit dies: pumps and valve go where they go without control.",
            [Action("fail", f"{name}.controller_failed", 0.0, "its supply is pulled")],
            [Await(f"{name}.uncontrolled", MARGIN, "its controller is dead")],
            site.gates(),
            WATCHED,
            alike,
        )


def pumps(site: Site) -> Iterator[Step]:
    """A pump of each group."""
    for name, alike in site.first_of_each("pump"):
        coast = site.rating(name, "coast_time")
        yield Step(
            f"{name} is lost",
            "One pump stops: those left carry the flow (N+1).",
            [Action("fail", name, 0.0, "its isolator is opened")],
            [Await(f"{name}.stopped", 5 * coast + MARGIN, f"5 coast-down times of {coast:g} s + {MARGIN:g} s")],
            site.gates(),
            2 * WATCHED,
            alike,
        )


def heat_rejection(site: Site) -> Iterator[Step]:
    """A tower or dry cooler of each group, and the room's fan walls."""
    for kind in ("cooling_tower", "dry_cooler", "adiabatic_cooler", "fan_wall"):
        for name, alike in site.first_of_each(kind):
            yield Step(
                f"{name} is lost",
                "One machine that gives heat away stops: those left carry it (N+1).",
                [Action("fail", name, 0.0, "its isolator is opened")],
                [Await(f"{name}.stopped", 10.0 + MARGIN, "its fans stop")],
                site.gates(),
                2 * WATCHED,
                alike,
            )


def panels(site: Site) -> Iterator[Step]:
    """A control panel that loses its supply, and comes back."""
    for name, alike in site.first_of_each("control_panel"):
        restart = site.rating(name, "restart_delay")
        yield Step(
            f"{name} loses its supply",
            "A panel of the cooling plant is dark for a minute: its machines go where they go without control.",
            [
                Action("fail", name, 0.0, "its supply is pulled"),
                Action("restore", name, 60.0, "it is plugged in again"),
            ],
            [
                Await(f"{name}.stopped", MARGIN, "it is dark"),
                Await(f"not {name}.stopped", 60.0 + restart + MARGIN, f"60 s + restart {restart:g} s + {MARGIN:g} s"),
            ],
            site.gates(),
            60.0 + restart + WATCHED,
            alike,
        )
