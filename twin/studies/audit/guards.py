"""Single points that are so by a short circuit alone: where no breaker stands that could clear it."""

from __future__ import annotations

from twin.report.words import names
from twin.studies.audit.found import SHORT, Audit
from twin.studies.audit.graph import Wiring


def unguarded(found: Audit, wiring: Wiring) -> tuple[str, ...]:
    """One sentence for each board that such short circuits drag down."""
    single = {False: set(found.single_points), True: set(found.single_points_away)}
    graph = {each.unit for each in found.losses + found.losses_away if each.single}
    otherwise = {each.unit for each in found.contingencies if each.stops and each.failure != SHORT} | graph
    struck: dict[str, list[str]] = {}
    for each in found.contingencies:
        if each.failure != SHORT or not each.stops or each.unit in otherwise or each.unit not in single[each.away]:
            continue
        board = wiring.unguarded(each.unit, each.stops)
        if board is not None and each.unit not in struck.setdefault(board, []):
            struck[board].append(each.unit)
    return tuple(
        f"no breaker stands between {names(units)} and {board} to clear a short circuit"
        for board, units in struck.items()
    )
