"""Routes: pipes and feeds reach the machines they serve, in straight pieces that show once."""

from __future__ import annotations

import numpy as np

from twin.plant import Plant
from twin.view.layout import arrange
from twin.view.routes import FEED, RETURN, SUPPLY, Piece, cut, feeds, joined, pipes


def distance(piece: Piece, x: float, y: float) -> float:
    """From a spot on the ground to a piece, seen from above [m]."""
    low, high = np.minimum(piece.start, piece.end), np.maximum(piece.start, piece.end)
    return float(np.hypot(max(low[0] - x, x - high[0], 0.0), max(low[1] - y, y - high[1], 0.0)))


def test_every_loop_reaches_every_machine_it_serves(hall: Plant) -> None:
    layout = arrange(hall)
    pieces = pipes(hall, layout)
    for loop in hall.loops.values():
        for role in (SUPPLY, RETURN):
            near = [piece for piece in pieces if piece.owner == loop.name and piece.role == role]
            ends = {branch[0 if role == SUPPLY else -1].unit for branch in loop.loads}
            for name in ends:
                spot = layout.spots[name]
                reach = 0.5 * max(spot.width, spot.depth) + 0.4
                assert min(distance(piece, spot.x, spot.y) for piece in near) <= reach, (loop.name, role, name)


def test_every_consumer_is_reached_by_a_feed(hall: Plant) -> None:
    layout = arrange(hall)
    pieces = feeds(hall, layout)
    for consumer, sources in hall.feeds.items():
        spot = layout.spots[consumer]
        for source in sources:
            near = [distance(piece, spot.x, spot.y) for piece in pieces if piece.owner == source]
            assert min(near) <= 0.5 * spot.depth + 0.4, (source, consumer)


def test_pieces_run_along_one_axis(hall: Plant) -> None:
    layout = arrange(hall)
    for piece in pipes(hall, layout) + feeds(hall, layout):
        assert sum(abs(a - b) > 1e-9 for a, b in zip(piece.start, piece.end, strict=True)) == 1


def test_what_overlaps_is_drawn_once() -> None:
    one = Piece((0.0, 0.0, 1.0), (4.0, 0.0, 1.0), FEED, 0.1, "a")
    two = Piece((6.0, 0.0, 1.0), (3.0, 0.0, 1.0), FEED, 0.2, "b")
    apart = Piece((8.0, 0.0, 1.0), (9.0, 0.0, 1.0), FEED, 0.1, "b")
    assert [(p.start[0], p.end[0], p.radius) for p in joined([one, two, apart])] == [(0, 6, 0.2), (8, 9, 0.1)]


def test_pieces_are_cut_at_the_edge_of_the_ground() -> None:
    across = Piece((-5.0, 1.0, 0.0), (5.0, 1.0, 0.0), FEED, 0.1, "a")
    riser = Piece((9.0, 1.0, 0.0), (9.0, 1.0, 3.0), FEED, 0.1, "a")
    beside = Piece((-5.0, 7.0, 0.0), (5.0, 7.0, 0.0), FEED, 0.1, "a")
    assert [(p.start, p.end) for p in cut([across, riser, beside], (0.0, 0.0, 4.0, 4.0))] == [
        ((0.0, 1.0, 0.0), (4.0, 1.0, 0.0))
    ]
