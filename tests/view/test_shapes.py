"""Shapes: every kind has a body of its real size, and every triangle knows its machine."""

from __future__ import annotations

import numpy as np
import pytest

from twin.equipment import KINDS
from twin.plant import Unit
from twin.view.places import Way, stand
from twin.view.shapes import BODY, merge, shape_of
from twin.view.sizes import FOOTPRINTS, NOWHERE, footprint, size_of

BODIES = [kind for kind in KINDS if footprint(kind).place != NOWHERE]


def test_every_kind_has_a_size() -> None:
    assert set(KINDS) <= set(FOOTPRINTS)


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_has_the_size_of_its_footprint(kind: str) -> None:
    width, depth, height = size_of(Unit("one", kind))
    shape = shape_of(kind, width, depth, height)
    low, high = shape.points.min(axis=0), shape.points.max(axis=0)
    assert np.allclose(high[:2] - low[:2], (width, depth), atol=0.35)
    assert low[2] == pytest.approx(0.0)
    assert high[2] == pytest.approx(height, abs=0.35)
    assert (shape.paint == BODY).any()


@pytest.mark.parametrize("kind", BODIES)
def test_faces_look_outwards(kind: str) -> None:
    """The volume enclosed by the triangles is positive, so lit faces are the outer ones."""
    shape = shape_of(kind, *size_of(Unit("one", kind)))
    a, b, c = (shape.points[shape.triangles[:, i]] for i in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() > 0


def test_a_merged_mesh_knows_whose_each_triangle_is() -> None:
    way = Way(0.0, 0.0)
    spots = [stand(Unit(f"rack-{i}", "rack"), "hall", 2.0 * i, 0.0, way) for i in range(3)]
    spots.insert(1, stand(Unit("tank", "tank", {"volume": 8.0}), "hall", 20.0, 0.0, way))
    mesh = merge(spots)
    middles = mesh.points[mesh.triangles].mean(axis=1)
    for i, spot in enumerate(spots):
        mine = middles[mesh.unit == i]
        assert len(mine)
        assert np.abs(mine[:, 0] - spot.x).max() <= spot.width / 2 + 0.2
    assert mesh.triangles.max() < len(mesh.points)


def test_a_kind_without_a_shape_is_a_cabinet() -> None:
    made = shape_of("robot", 1.0, 1.0, 2.0)
    assert len(made.triangles) > 12
    assert len(shape_of("robot", 1.0, 1.0, 2.0, rich=False).triangles) == 12
