"""What drawn shapes cover, computed in NumPy from their definitions and not from the page's code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Point = tuple[float, float]
# Of the sheet that the tools are tried on. Shown at an odd zoom, so that no pixel centre lies on a drawn line.
HEIGHT, WIDTH = 301, 403


def centres() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y (H, W) of the pixels' centres."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return x, y


def box(x0: int, y0: int, x1: int, y1: int) -> Mask:
    """The pixels of a half-open box."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[y0:y1, x0:x1] = True
    return mask


def disc(x: float, y: float, radius: float) -> Mask:
    """Pixels whose centre is at most `radius` from a place."""
    return stroke([(x, y)], radius)


def stroke(way: Sequence[Point], radius: float) -> Mask:
    """Pixels whose centre is at most `radius` from the polyline through `way`."""
    x, y = centres()
    covered = np.zeros((HEIGHT, WIDTH), dtype=bool)
    for (ax, ay), (bx, by) in zip(way, [*way[1:], way[-1]], strict=True):
        dx, dy = bx - ax, by - ay
        share = ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-12)
        near_x, near_y = ax + share.clip(0, 1) * dx, ay + share.clip(0, 1) * dy
        covered |= np.hypot(x - near_x, y - near_y) <= radius
    return covered


def polygon(corners: Sequence[Point]) -> Mask:
    """Pixels whose centre the closed line through `corners` winds around.

    ValueError if a centre lies on the line: there two right answers differ.
    """
    x, y = centres()
    winding = np.zeros((HEIGHT, WIDTH), dtype=int)
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        side = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
        between = (np.minimum(ay, by) <= y) & (y <= np.maximum(ay, by))
        between &= (np.minimum(ax, bx) <= x) & (x <= np.maximum(ax, bx))
        if (between & (side == 0)).any():
            raise ValueError("a pixel's centre lies on the line: move a corner")
        winding += (ay <= y) & (y < by) & (side > 0)
        winding -= (by <= y) & (y < ay) & (side < 0)
    return winding != 0


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union."""
    return float((a & b).sum() / (a | b).sum())
