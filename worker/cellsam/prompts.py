"""A person's prompts, checked and in image pixels, and which tile decodes each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.cellsam.preprocess import Boxes, Frame

Points = tuple[NDArray[np.float32], NDArray[np.int64]]


class PromptError(ValueError):
    """These prompts cannot be decoded; the message says why."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Checked prompts in image pixels. `loose`: points alone; their boxes then only say where the points lie."""

    boxes: Boxes  # (N, 4), inside the image, at least a pixel on each side
    points: Points | None = None
    loose: bool = False

    @classmethod
    def of(cls, boxes: object, points: Points | None, frame: Frame, needs_boxes: bool) -> Prompts:
        if points is not None:
            points = _checked_points(points, frame)
        if boxes is not None:
            checked = _checked_boxes(boxes, frame)
            if points is not None and len(points[0]) != len(checked):
                raise PromptError(f"{len(checked)} boxes, but points for {len(points[0])} prompts")
            return cls(checked, points)
        if points is None:
            raise PromptError("a prompt is a box, points, or both")
        if needs_boxes:
            raise PromptError("this model takes boxes; points alone were not part of its training")
        hull = np.concatenate([points[0].min(axis=1), points[0].max(axis=1)], axis=1)
        return cls(_checked_boxes(hull, frame), points, loose=True)

    def by_tile(self, frame: Frame) -> dict[int, list[int]]:
        """Tile index -> rows of the prompts that it decodes."""
        groups: dict[int, list[int]] = {}
        for row, box in enumerate(self.boxes):
            groups.setdefault(frame.tile_of_box(box), []).append(row)
        return groups

    def of_rows(self, rows: NDArray[np.int64]) -> Prompts:
        points = None if self.points is None else (self.points[0][rows], self.points[1][rows])
        return Prompts(self.boxes[rows], points, self.loose)


def _checked_boxes(boxes: object, frame: Frame) -> Boxes:
    array = np.asarray(boxes, dtype=np.float32)
    if array.size == 0:
        return array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise PromptError(f"boxes have shape (N, 4), got {array.shape}")
    if not np.isfinite(array).all():
        raise PromptError("a box has coordinates that are not finite")
    low, high = np.minimum(array[:, :2], array[:, 2:]), np.maximum(array[:, :2], array[:, 2:])
    size = np.array([frame.width, frame.height], dtype=np.float32)
    if (high < 0).any() or (low > size).any():
        raise PromptError("a box lies outside the image")
    low = np.clip(low, 0, size - 1)
    # A click without a drag is a box of one pixel.
    high = np.clip(np.maximum(high, low + 1), 1, size)
    return np.concatenate([low, high], axis=1)


def _checked_points(points: Points, frame: Frame) -> Points:
    places = np.asarray(points[0], dtype=np.float32)
    labels = np.asarray(points[1], dtype=np.int64)
    if places.ndim != 3 or places.shape[2] != 2 or places.shape[1] == 0 or labels.shape != places.shape[:2]:
        raise PromptError(f"points have shapes (N, P, 2) and (N, P), got {places.shape} and {labels.shape}")
    if not np.isin(labels, (0, 1)).all():
        raise PromptError("a point's label is 1 (cell) or 0 (background)")
    size = np.array([frame.width, frame.height])
    if not np.isfinite(places).all() or (places < 0).any() or (places > size).any():
        raise PromptError("a point lies outside the image")
    return places, labels
