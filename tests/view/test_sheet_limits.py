"""Words in a picture: limits beside the colour bar stand apart, and names of yards lie where they can be read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from twin.plant import Plant
from twin.view.compose import LOOKS, _best_view, _outline
from twin.view.layout import arrange
from twin.view.letters import _hidden, lettering, unhidden
from twin.view.places import RIM, SLAB
from twin.view.routes import cut, joined, pipes
from twin.view.sheet import spread


@pytest.mark.parametrize("levels", [[88.0, 91.0, 93.0], [10.0, 11.0, 80.0, 81.0], [5.0], [], [1.0, 1.0, 1.0, 1.0]])
def test_words_of_limits_stand_apart_and_in_order(levels: list[float]) -> None:
    places = spread(levels, 12.0)
    assert all(later - earlier >= 12.0 - 1e-9 for earlier, later in pairwise(places))
    assert sum(places) == pytest.approx(sum(levels))


def test_words_that_have_room_stay_where_they_belong() -> None:
    assert spread([0.0, 50.0, 100.0], 12.0) == [0.0, 50.0, 100.0]


def test_the_name_of_a_yard_is_not_hidden_behind_its_pipes(pod: Plant) -> None:
    layout = arrange(pod)
    pieces = joined(cut(pipes(pod, layout), layout.box))
    view = _best_view(LOOKS["hall"], _outline(layout, pieces), (28.0, 40.0, 1330.0, 798.0))
    spots = [(*s.box[:2], s.z, *s.box[2:], s.z + s.height) for s in layout.spots.values()]
    tubes = [(*(np.minimum(p.start, p.end) - p.radius), *(np.maximum(p.start, p.end) + p.radius)) for p in pieces]
    boxes = np.array(spots + tubes)
    before = lettering(layout, [None] * len(layout.areas))
    after = unhidden(before, layout, pieces, view)
    shares = {each.words: _hidden(each, each.width(), boxes, view) for each in before}
    now = {each.words: _hidden(each, each.width(), boxes, view) for each in after}
    assert shares["COOLING YARD"] > 0.4
    assert max(now.values()) < 0.1
    x0, y0, x1, y1 = layout.box
    assert all(x0 - RIM <= each.x and each.x + each.width() <= x1 + RIM for each in after)
    assert all(y0 - SLAB <= each.y <= y1 for each in after)
