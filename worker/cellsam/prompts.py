"""A person's prompts, checked and in image pixels, and sorted into kinds that can be decoded together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from worker.cellsam.preprocess import Boxes, Frame, Tile

Points = tuple[NDArray[np.float32], NDArray[np.int64]]  # (N, P, 2) x, y and (N, P) labels
BoxPrompts = (
    NDArray[np.number[Any]] | Sequence[Sequence[float] | None]
)  # (N, 4); None: this prompt has no box
# For each prompt (P, 3): x, y, label; P may differ and be 0.
PointPrompts = NDArray[np.number[Any]] | Sequence[ArrayLike]


class PromptError(ValueError):
    """These prompts cannot be decoded; the message says why."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Checked prompts of one kind, in image pixels: all with a box or none, all with the same number of points.

    `loose`: points alone; their boxes then only say where the points lie. SAM fills up prompts without a box, and would
    have to fill up those with fewer points, with points that are none; these change the mask. So only prompts of one
    kind are decoded together, and none depends on the others.
    """

    boxes: Boxes  # (N, 4), inside the image, at least a pixel on each side
    points: Points | None = None
    loose: bool = False

    def by_tile(self, frame: Frame) -> dict[int, list[int]]:
        """Tile index -> rows of the prompts that it decodes."""
        groups: dict[int, list[int]] = {}
        for row, box in enumerate(self.boxes):
            groups.setdefault(frame.tile_of_box(box), []).append(row)
        return groups

    def to_input(
        self, frame: Frame, tile: Tile, device: torch.device
    ) -> tuple[Tensor | None, tuple[Tensor, Tensor] | None]:
        """Boxes and points in the tile's input pixels, as `CellSAM.decode` takes them."""
        boxes = points = None
        if not self.loose:
            boxes = torch.from_numpy(frame.to_input(self.boxes, tile)).to(device)
        if self.points is not None:
            places, labels = self.points
            moved = frame.to_input(places.reshape(-1, 2), tile).reshape(places.shape)
            points = torch.from_numpy(moved).to(device), torch.from_numpy(labels).to(device)
        return boxes, points

    def of_rows(self, rows: NDArray[np.int64]) -> Prompts:
        points = None if self.points is None else (self.points[0][rows], self.points[1][rows])
        return Prompts(self.boxes[rows], points, self.loose)


def prompt_batches(
    boxes: BoxPrompts | None, points: PointPrompts | None, frame: Frame, *, needs_boxes: bool, at_most: int
) -> Iterator[tuple[int, NDArray[np.int64], Prompts]]:
    """What is decoded together: a tile's index, where the prompts stand among all, and they. Raises PromptError."""
    for places, prompts in _by_kind(boxes, points, frame, needs_boxes):
        for index, members in prompts.by_tile(frame).items():
            for start in range(0, len(members), at_most):
                rows = np.array(members[start : start + at_most])
                yield index, places[rows], prompts.of_rows(rows)


def _by_kind(
    boxes: BoxPrompts | None, points: PointPrompts | None, frame: Frame, needs_boxes: bool
) -> list[tuple[NDArray[np.int64], Prompts]]:
    given_boxes, given_points = _listed(boxes), _listed(points)
    if given_boxes is None and given_points is None:
        raise PromptError("a prompt is a box, points, or both")
    if given_boxes is not None and given_points is not None and len(given_boxes) != len(given_points):
        raise PromptError(f"{len(given_boxes)} boxes, but points for {len(given_points)} prompts")
    count = len(given_boxes if given_boxes is not None else given_points or ())
    each_box = [None] * count if given_boxes is None else given_boxes
    each_points = [_checked_points(of_one, frame) for of_one in given_points or [()] * count]
    kinds: dict[tuple[bool, int], list[int]] = {}
    for row, (box, own) in enumerate(zip(each_box, each_points, strict=True)):
        if box is None and needs_boxes:
            raise PromptError("this model takes boxes; points alone were not part of its training")
        if box is None and not len(own):
            raise PromptError(f"prompt {row + 1} has neither a box nor a point")
        kinds.setdefault((box is not None, len(own)), []).append(row)
    return [
        (
            np.array(rows),
            _of_one_kind([each_box[row] for row in rows], [each_points[row] for row in rows], boxed, frame),
        )
        for (boxed, _), rows in kinds.items()
    ]


def _of_one_kind(
    boxes: Sequence[object], points: Sequence[NDArray[np.float32]], boxed: bool, frame: Frame
) -> Prompts:
    stacked = np.stack(points)  # (N, P, 3)
    places, labels = stacked[..., :2], stacked[..., 2].astype(np.int64)
    if boxed:
        return Prompts(_checked_boxes(boxes, frame), (places, labels) if places.shape[1] else None)
    hull = np.concatenate([places.min(axis=1), places.max(axis=1)], axis=1)
    return Prompts(_checked_boxes(hull, frame), (places, labels), loose=True)


def _listed(prompts: object) -> list[object] | None:
    if prompts is None:
        return None
    try:
        return list(prompts)  # type: ignore[call-overload, no-any-return]
    except TypeError as error:
        raise PromptError(f"prompts come one by one in a list or an array, got {prompts!r}") from error


def _numbers(values: object, form: str) -> NDArray[np.float32]:
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise PromptError(f"{form}: {error}") from error


def _checked_boxes(boxes: object, frame: Frame) -> Boxes:
    array = _numbers(boxes, "boxes have shape (N, 4)")
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


def _checked_points(points: object, frame: Frame) -> NDArray[np.float32]:
    """(P, 3), P >= 0."""
    array = _numbers(points, "the points of a prompt have shape (P, 3)")
    if array.size == 0:
        return np.empty((0, 3), dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != 3:
        raise PromptError(f"the points of a prompt have shape (P, 3), got {array.shape}")
    if not np.isin(array[:, 2], (0, 1)).all():
        raise PromptError("a point's label is 1 (cell) or 0 (background)")
    places, size = array[:, :2], np.array([frame.width, frame.height])
    if not np.isfinite(places).all() or (places < 0).any() or (places > size).any():
        raise PromptError("a point lies outside the image")
    return array
