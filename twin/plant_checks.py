"""What makes a plant buildable: one named check per rule of the trade, each with its own sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import networkx as nx

from twin.declare import Equipment, quantities
from twin.equipment import KINDS
from twin.faults import Fault, a_kind
from twin.faults import near as _near
from twin.plant_cooling import setpoints_in_reach, vessels_large_enough
from twin.plant_distribution import breaking_capacities, direct_current, taps_and_feeds_lost
from twin.plant_electrics import NEAR, can_feed, conductors, feed_graph, incoming, levels
from twin.plant_loads import nominal_loads, nominal_powers
from twin.plant_signals import dangling_signals
from twin.plant_ties import dangling_ties, deaf_ties, loops_at_rest
from twin.plant_work import dangling_work, racks_without_room

MARGIN = 1.0 + 1e-9


def every_fault(plant: Any) -> list[Fault]:
    """Run every check on a `twin.plant.Plant`; the later ones only where names and counts are sound."""
    found = [fault for check in FIRST for fault in check(plant)]
    if not any(not fault.warning for fault in found):
        found += [fault for check in THEN for fault in check(plant)]
    return found


def dangling_feeds(plant: Any) -> Iterator[Fault]:
    """Every feed names a unit that can feed others."""
    for consumer, feeds in plant.feeds.items():
        where = plant.units[consumer].where if consumer in plant.units else None
        if consumer not in plant.units:
            yield Fault(where, f"feeds are given for {consumer}, which is not a unit{_near(consumer, plant.units)}")
            continue
        for feed in feeds:
            if feed not in plant.units:
                yield Fault(where, f"{consumer} is fed from {feed}, which is not a unit{_near(feed, plant.units)}")
            elif not can_feed(plant, feed):
                yield Fault(where, f"{consumer} is fed from {feed}, but {a_kind(plant.units[feed].kind)} feeds nobody")
        for feed, count in Counter(feeds).items():
            if count > 1:
                yield Fault(where, f"{consumer} names {feed} {count} times among its feeds; once is wanted")


def feed_counts(plant: Any) -> Iterator[Fault]:
    """Every unit has as many feeds as its kind takes."""
    for unit in plant.units.values():
        least, most = KINDS[unit.kind].feeds
        least = 0 if unit.name in plant.joined else least
        count = len(plant.feeds.get(unit.name, ()))
        wanted = f"{least}" if least == most else f"{least} to {most}"
        if most == 0 and count:
            yield Fault(
                unit.where, f"{unit.name} has {count} feeds, but {a_kind(unit.kind)} takes no electricity from others"
            )
        elif not least <= count <= most:
            yield Fault(
                unit.where,
                f"{unit.name} has {count or 'no'} feed{'s' * (count != 1)}; {a_kind(unit.kind)} wants {wanted}",
            )


def feed_cycles(plant: Any) -> Iterator[Fault]:
    """Electricity does not run in a circle."""
    graph = feed_graph(plant)
    for knot in nx.strongly_connected_components(graph):
        if len(knot) > 1 or graph.has_edge(*(2 * list(knot))[:2]):
            edge_list = nx.find_cycle(nx.DiGraph(edge for edge in graph.edges if knot.issuperset(edge)))
            circle = " -> ".join([edge[0] for edge in edge_list] + [edge_list[0][0]])
            where = plant.units[edge_list[0][0]].where if edge_list[0][0] in plant.units else None
            yield Fault(where, f"the feeds run in a circle: {circle}; a unit cannot feed itself")


def unknown_zones(plant: Any) -> Iterator[Fault]:
    """Every zone named is a zone; whoever cools air stands in one."""
    zones = [unit.name for unit in plant.of_kind("zone")]
    for unit in plant.units.values():
        if unit.zone is not None and unit.zone not in zones:
            found = a_kind(plant.units[unit.zone].kind) if unit.zone in plant.units else "not a unit"
            yield Fault(
                unit.where,
                f"{unit.name} stands in {unit.zone}, which is {found}; a zone is wanted{_near(unit.zone, zones)}",
            )
        elif unit.zone is None and KINDS[unit.kind].cools_air:
            yield Fault(unit.where, f"{unit.name} cools air but stands in no zone; zone: NAME is wanted")


def dangling_streams(plant: Any) -> Iterator[Fault]:
    """Every element of a loop is a stream of a unit, used once; every stream is in a loop."""
    used: dict[tuple[str, str], list[Any]] = {}
    for loop in plant.loops.values():
        storage = [(loop.storage, "coolant")] if loop.storage else []
        for name, stream in [(e.unit, e.stream) for b in loop.branches() for e in b] + storage:
            if name not in plant.units:
                yield Fault(loop.where, f"loop {loop.name} names {name}, which is not a unit{_near(name, plant.units)}")
                continue
            streams, kind = KINDS[plant.units[name].kind].streams, a_kind(plant.units[name].kind)
            if stream not in streams:
                has = f"its streams are {', '.join(streams)}" if streams else f"{kind} has none"
                yield Fault(
                    loop.where, f"loop {loop.name} names the stream {name}.{stream}, which does not exist; {has}"
                )
            used.setdefault((name, stream), []).append(loop)
        for name in sorted({e.unit for branch in loop.branches() for e in branch if e.unit in plant.units}):
            if KINDS[plant.units[name].kind].storage:
                text = f"has {name} in a branch; a tank stands in its supply: storage: {name} is wanted"
                yield Fault(loop.where, f"loop {loop.name} {text}")
        if loop.storage in plant.units and not KINDS[plant.units[loop.storage].kind].storage:
            text = f"has {loop.storage} as storage, but that is {a_kind(plant.units[loop.storage].kind)}"
            yield Fault(loop.where, f"loop {loop.name} {text}; a tank is wanted")
    yield from _vessels(plant)
    for (name, stream), loops in used.items():
        if len(loops) > 1:
            told = f"the stream {name}.{stream} stands in {len(loops)} branches, the last of loop {loops[-1].name}"
            yield Fault(loops[-1].where, f"{told}; one is wanted")
    for unit in plant.units.values():
        for stream in KINDS[unit.kind].streams:
            if (unit.name, stream) not in used:
                label = f"{unit.name}.{stream}" if len(KINDS[unit.kind].streams) > 1 else unit.name
                yield Fault(unit.where, f"{label} stands in no coolant loop; nothing would flow through it")


def _vessels(plant: Any) -> Iterator[Fault]:
    """Every loop is pressurised by a vessel of its own, and every vessel stands at a loop."""
    vessels = [unit.name for unit in plant.of_kind("expansion_vessel")]
    named = Counter(loop.pressurisation for loop in plant.loops.values() if loop.pressurisation)
    for loop in [loop for loop in plant.loops.values() if loop.pressurisation]:
        name = loop.pressurisation
        if name not in vessels:
            found = a_kind(plant.units[name].kind) if name in plant.units else "not a unit"
            text = f"loop {loop.name} has {name} as pressurisation, which is {found}; an expansion_vessel is wanted"
            yield Fault(loop.where, text + _near(name, vessels))
        elif named[name] > 1:
            yield Fault(loop.where, f"{name} pressurises {named[name]} loops; a vessel for each is wanted")
    for name in [name for name in vessels if name not in named]:
        text = f"{name} stands at no loop; pressurisation: {name} is wanted in the loop whose pressure it holds"
        yield Fault(plant.units[name].where, text)


def unfed_consumers(plant: Any) -> Iterator[Fault]:
    """Every consumer has a path to a source."""
    reached = {unit.name for unit in plant.units.values() if KINDS[unit.kind].source}
    waiting = list(reached)
    consumers: dict[str, list[str]] = {}
    for boards in plant.joins.values():
        for one, two in (boards, boards[::-1]):
            consumers.setdefault(one, []).append(two)
    for consumer, feeds in plant.feeds.items():
        for feed in feeds:
            consumers.setdefault(feed, []).append(consumer)
    while waiting:
        for consumer in consumers.get(waiting.pop(), ()):
            if consumer not in reached:
                reached.add(consumer)
                waiting.append(consumer)
    for unit in plant.units.values():
        if KINDS[unit.kind].feeds[1] > 0 and unit.name not in reached:
            yield Fault(
                unit.where,
                f"{unit.name} has no path to a source; a utility or generator must feed it through its feeds",
            )


def unpumped_loops(plant: Any) -> Iterator[Fault]:
    """Every loop has a plant with a pump, and loads; every tank has an inflow."""
    for loop in plant.loops.values():
        for word, branches in (("plant", loop.plant), ("loads", loop.loads)):
            if not branches or not all(branches):
                yield Fault(loop.where, f"loop {loop.name} has no {word}; a stream without both ways cannot flow")
        pumped = any(e.stream in KINDS[plant.units[e.unit].kind].pumps for branch in loop.plant for e in branch)
        if loop.plant and not pumped:
            yield Fault(loop.where, f"loop {loop.name} has no pump among its plant; nothing would flow")


def lone_exchangers(plant: Any) -> Iterator[Fault]:
    """A branch has one exchanger at most; it gives heat outwards, and all of a loop give to one loop."""
    seat = {
        (e.unit, e.stream): (loop, way, sum(len(KINDS[plant.units[each.unit].kind].streams) > 1 for each in branch))
        for loop in plant.loops.values()
        for way, branches in (("plant", loop.plant), ("loads", loop.loads))
        for branch in branches
        for e in branch
    }
    outer: dict[str, set[str]] = {}
    for unit in plant.units.values():
        streams = KINDS[unit.kind].streams
        if len(streams) != 2 or any((unit.name, stream) not in seat for stream in streams):
            continue
        (inside, way, together), (outside, other_way, other_together) = (seat[unit.name, stream] for stream in streams)
        if (way, other_way) != ("plant", "loads"):
            yield Fault(
                unit.where,
                f"{unit.name}.{streams[0]} must stand in the plant of a loop and "
                f"{unit.name}.{streams[1]} in the loads of another",
            )
        if together > 1 or other_together > 1:
            yield Fault(unit.where, f"{unit.name} shares a branch with another exchanger; one in a branch is wanted")
        outer.setdefault(inside.name, set()).add(outside.name)
    for name, outside in outer.items():
        if len(outside) > 1:
            yield Fault(
                plant.loops[name].where,
                f"the exchangers of loop {name} give to {', '.join(sorted(outside))}; one loop is wanted",
            )
    chain = nx.DiGraph((name, other) for name, others in outer.items() for other in others)
    if not nx.is_directed_acyclic_graph(chain):
        circle = " -> ".join(edge[0] for edge in nx.find_cycle(chain))
        yield Fault(plant.loops[next(iter(outer))].where, f"loops give heat to each other in a circle: {circle}")


def uncooled_zones(plant: Any) -> Iterator[Fault]:
    """Every room that takes heat has something that cools it."""
    for zone in plant.of_kind("zone"):
        inside = [unit for unit in plant.units.values() if unit.zone == zone.name]
        if inside and not any(KINDS[unit.kind].cools_air for unit in inside):
            text = f"{zone.name} holds {len(inside)} unit{'s' * (len(inside) > 1)} and nothing that cools its air"
            yield Fault(zone.where, f"{text}; a fan_wall is wanted")


def die_limits(plant: Any) -> Iterator[Fault]:
    """Die limits stand in their order, and idle power below rated."""
    names = ("release_temperature", "throttle_temperature", "slowdown_temperature", "shutdown_temperature")
    for unit in plant.of_kind("rack") + plant.of_kind("air_rack"):
        values = [unit.parameters.get(name) for name in names]
        if None not in values and not values[0] <= values[1] < values[2] < values[3]:
            yield Fault(unit.where, f"{unit.name}: {' < '.join(names)} is wanted, but these are not in that order")
        if unit.parameters.get("idle_power", 0.0) >= unit.parameters.get("rated_power", 1.0):
            yield Fault(unit.where, f"{unit.name}: idle_power is not below rated_power")
    for kind in ("pump", "cdu"):
        for unit in plant.of_kind(kind):
            if unit.parameters.get("shutoff_head", 1.0) <= unit.parameters.get("nominal_head", 0.0):
                yield Fault(
                    unit.where,
                    f"{unit.name}: shutoff_head must be above nominal_head; the pump curve must fall with flow",
                )


def own_ratings(plant: Any) -> Iterator[Fault]:
    """What a kind itself finds wrong among the ratings of a unit; those of units alike are looked at once."""
    found: dict[Any, list[str]] = {}
    for unit in plant.units.values():
        if KINDS[unit.kind].faults is not Equipment.faults:
            feeds = len(plant.feeds.get(unit.name, ()))
            key = (unit.kind, feeds, *unit.parameters.items())
            if key not in found:
                found[key] = unit.machine().faults(feeds)
            for text in found[key]:
                yield Fault(unit.where, f"{unit.name}: {text}")


def ratings_cover_loads(plant: Any) -> Iterator[Fault]:
    """Warn where nominal loads pass what a unit is rated for."""
    load = nominal_loads(plant)
    for unit in plant.units.values():
        rated = unit.parameters.get("rated_power")
        if rated is not None and can_feed(plant, unit.name) and load[unit.name] > rated * MARGIN:
            carried, most = f"{load[unit.name] / 1e6:.3g} MW", f"{rated / 1e6:.3g} MW"
            text = f"{unit.name} carries {carried} at nominal load, above its rated_power of {most}"
            yield Fault(unit.where, text, warning=True)


def storage_at_boards(plant: Any) -> Iterator[Fault]:
    """Battery storage stands among the feeds of a board, behind switches at most."""
    for unit in plant.units.values():
        if not KINDS[unit.kind].stores_power:
            continue
        for consumer in [name for name, feeds in plant.feeds.items() if unit.name in feeds]:
            kind = KINDS[plant.units[consumer].kind]
            if not kind.conducts and (kind.prefers or not kind.serves):
                text = f"{consumer} is fed from {unit.name}, which is storage; storage stands among the feeds of a bus"
                yield Fault(plant.units[consumer].where, text)
    for board in plant.of_kind("bus"):
        for feed in plant.feeds.get(board.name, ()):
            if not KINDS[plant.units[feed].kind].stores_power and _is_storage(plant, feed, boards=True):
                text = f"{board.name} is fed from {feed}, which has no feed but storage"
                cure = f"what storage forces in ends there; storage among the feeds of {board.name} itself is wanted"
                if not _is_storage(plant, feed, boards=False):
                    yield Fault(board.where, f"{text}; {cure}")


def _is_storage(plant: Any, name: str, boards: bool) -> bool:
    """Whether a feed is storage alone, behind switches and, if that is asked, boards."""
    kind, feeds = KINDS[plant.units[name].kind], plant.feeds.get(name, ())
    if kind.conducts or (boards and kind.weighs):
        return bool(feeds) and all(_is_storage(plant, feed, boards) for feed in feeds)
    return kind.stores_power


def one_frequency(plant: Any) -> Iterator[Fault]:
    """All machines are made for the frequency that the grid has."""
    made_for = {
        unit.name: unit.parameters.get("nominal_frequency", quantities(KINDS[unit.kind])["nominal_frequency"].default)
        for unit in plant.units.values()
        if "nominal_frequency" in quantities(KINDS[unit.kind])
    }
    for name, nominal in made_for.items():
        unit, first = plant.units[name], next(iter(made_for))
        if nominal != made_for[first]:
            text = f"{name} is made for {nominal:g} Hz but {first} for {made_for[first]:g} Hz; "
            yield Fault(unit.where, f"{text}nominal_frequency: {made_for[first]:g} Hz is wanted, in one of them")
        running = unit.settings.get("frequency", 60.0)
        if unit.kind == "utility" and abs(running / nominal - 1.0) > 0.1:
            text = f"{name} runs at {running:g} Hz where nominal_frequency is {nominal:g} Hz; "
            yield Fault(unit.where, f"{text}frequency: {nominal:g} Hz is wanted beside it")


def currents_within_ampacity(plant: Any) -> Iterator[Fault]:
    """Warn where a nominal load passes what a conductor is rated for."""
    level = levels(plant)
    rated = [unit for unit in plant.units.values() if "ampacity" in unit.parameters and level[unit.name]]
    if not rated:
        return
    load = nominal_powers(plant)
    for unit in rated:
        amperes = abs(load[unit.name]) / (conductors(plant, unit.name) * level[unit.name])
        if amperes > unit.parameters["ampacity"] * MARGIN:
            most = f"{unit.parameters['ampacity']:.4g} A"
            text = f"{unit.name} carries {amperes:.4g} A at nominal load, above its ampacity of {most}"
            yield Fault(unit.where, text, warning=True)


def _cure(unit: Any, offered: float) -> str:
    """What mends a wrong level, at a unit that is offered another [V]."""
    key = next((key for key in ("primary_voltage", "nominal_voltage") if key in unit.parameters), "")
    one = f"{key}: {_volts(offered)}" if key else "one level"
    return f"{one}, or a transformer between, is wanted"


def wrong_levels(plant: Any) -> Iterator[Fault]:
    """Whoever is connected has one voltage level; a conductor knows its own."""
    level = levels(plant)
    for unit in plant.units.values():
        wanted = incoming(plant, unit.name, level)
        if "ampacity" in unit.parameters and not wanted:
            yield Fault(
                unit.where,
                f"{unit.name} has no voltage level; nominal_voltage is wanted, here or on the source that feeds it",
            )
        for feed in plant.feeds.get(unit.name, ()):
            offered = level[feed]
            if wanted and offered and max(wanted, offered) > NEAR * min(wanted, offered):
                yield Fault(
                    unit.where,
                    f"{unit.name} is at {_volts(wanted)} but fed from {feed} at {_volts(offered)}; "
                    + _cure(unit, offered),
                )


def _volts(level: float) -> str:
    return f"{level / 1e3:.4g} kV" if level >= 1e3 else f"{level:.4g} V"


def no_impedance(plant: Any) -> Iterator[Fault]:
    """A cable has some impedance; without, it is a breaker."""
    for unit in plant.units.values():
        said = unit.parameters
        if "ampacity" in said and said.get("resistance", 1.0) == 0 and said.get("reactance", 0.0) == 0:
            yield Fault(unit.where, f"{unit.name} has no impedance; a resistance or a reactance above zero is wanted")


FIRST = (
    dangling_feeds,
    feed_counts,
    feed_cycles,
    dangling_ties,
    unknown_zones,
    dangling_streams,
    dangling_signals,
    dangling_work,
)
THEN = (
    unfed_consumers,
    unpumped_loops,
    lone_exchangers,
    storage_at_boards,
    uncooled_zones,
    racks_without_room,
    die_limits,
    own_ratings,
    setpoints_in_reach,
    vessels_large_enough,
    no_impedance,
    wrong_levels,
    one_frequency,
    deaf_ties,
    loops_at_rest,
    ratings_cover_loads,
    currents_within_ampacity,
    direct_current,
    taps_and_feeds_lost,
    breaking_capacities,
)
