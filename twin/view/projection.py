"""Projection: the parallel view from metres to pixels of the picture, the same for GL and for drawings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

Frame = tuple[float, float, float, float]
"""Left, bottom, right, top in pixels; y grows upwards."""


@dataclass(frozen=True)
class Projection:
    """A parallel view: pixel = origin + scale * (point . right, point . up)."""

    right: np.ndarray
    up: np.ndarray
    toward: np.ndarray
    scale: float = 1.0
    origin: tuple[float, float] = (0.0, 0.0)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, 3) in metres come to lie, (n, 2) in pixels."""
        points = np.asarray(points, dtype=float)
        flat = np.stack([points @ self.right, points @ self.up], axis=-1)
        return np.asarray(flat * self.scale + np.asarray(self.origin))

    def fitted(self, points: np.ndarray, frame: Frame) -> Projection:
        """The same view, scaled and moved so that the points fill the frame."""
        flat = replace(self, scale=1.0, origin=(0.0, 0.0)).pixels(points)
        low, high = flat.min(axis=0), flat.max(axis=0)
        span = np.maximum(high - low, 1e-6)
        scale = float(min((frame[2] - frame[0]) / span[0], (frame[3] - frame[1]) / span[1]))
        middle = (low + high) / 2 * scale
        origin = ((frame[0] + frame[2]) / 2 - float(middle[0]), (frame[1] + frame[3]) / 2 - float(middle[1]))
        return replace(self, scale=scale, origin=origin)


def looking(from_azimuth: float, elevation: float) -> Projection:
    """A view from an azimuth (degrees, 0: from the south, 90: the east) and an elevation (90: from above)."""
    a, e = math.radians(from_azimuth), math.radians(elevation)
    toward = np.array([math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)])
    right = np.array([math.cos(a), math.sin(a), 0.0])
    up = np.cross(toward, right)
    return Projection(right, up, toward)
