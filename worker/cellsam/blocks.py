"""The released package's way through a large image: overlapping blocks, each segmented alone, joined where they agree.

Kept for comparisons (`Strategies.compat`). Blocks at the image's border see its opposite side, and a cell that the
blocks on a seam disagree about stays cut; `Frame` and `stitching` do neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from labeling.rle import masks_of_labels
from worker.cellsam.sources import PixelSource
from worker.cellsam.stitching import Cell, Segmentation

Labels = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Pixels. `depth_px` (at most `overlap_px`) of two blocks' overlap decides which of their cells are the same."""

    block_px: int = 400
    overlap_px: int = 56
    depth_px: int = 56
    same_iou: float = 0.5

    def count(self, height: int, width: int) -> int:
        return -(-height // self.block_px) * -(-width // self.block_px)


DEFAULT = Blocks()


@dataclass(frozen=True, slots=True)
class JoinedLabels:
    """`labels` (H, W), 1..n. `parts` (m,): the label that each of the blocks' labels, counted on from block to block,
    became; 0 for those outside the image.
    """

    labels: Labels
    parts: Labels


def cells_by_blocks(
    source: PixelSource,
    segment: Callable[[NDArray[Any]], Segmentation],
    *,
    blocks: Blocks = DEFAULT,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Cell]:
    """All cells of an image by blocks. Boxes are those of the masks; scores the best of the parts that were joined."""
    image = source.read((0, 0, source.width, source.height))
    scores: list[NDArray[np.float32]] = []
    ious: list[NDArray[np.float32]] = []

    def labels_of(block: NDArray[Any]) -> Labels:
        found = segment(block)
        scores.append(found.scores)
        ious.append(found.ious)
        progress(len(scores) / blocks.count(*image.shape[:2]))
        return found.labels

    joined = segment_blocks(image, labels_of, blocks)
    masks = [mask for _, mask in masks_of_labels(joined.labels)]
    best = zip(
        masks, _best(scores, joined.parts, len(masks)), _best(ious, joined.parts, len(masks)), strict=True
    )
    return [
        Cell(mask, np.array(mask.box, dtype=np.float32), float(score), float(iou))
        for mask, score, iou in best
    ]


def _best(values: list[NDArray[np.float32]], parts: Labels, count: int) -> NDArray[np.float32]:
    """The largest value among the parts of each of `count` labels."""
    best = np.full(count + 1, -np.inf, dtype=np.float32)
    np.maximum.at(best, parts, np.concatenate(values))
    return best[1:]


def segment_blocks(
    image: NDArray[Any], segment: Callable[[NDArray[Any]], Labels], blocks: Blocks
) -> JoinedLabels:
    """Cut an (H, W) or (H, W, C) image, `segment` every block to a map of labels 1..n of its size, and join these."""
    height, width = image.shape[:2]
    starts_y, starts_x = (_starts(length, blocks.block_px) for length in (height, width))
    parts: dict[tuple[int, int], Labels] = {}
    count = 0
    for row, column in product(range(len(starts_y) - 1), range(len(starts_x) - 1)):
        rows = _wrapped(starts_y[row], starts_y[row + 1], blocks.overlap_px, height)
        columns = _wrapped(starts_x[column], starts_x[column + 1], blocks.overlap_px, width)
        found = segment(image[np.ix_(rows, columns)])
        trim = blocks.overlap_px - blocks.depth_px
        inner = found[trim : len(rows) - trim, trim : len(columns) - trim]
        parts[row, column] = np.where(inner > 0, inner + count, 0).astype(np.int32)
        count += int(found.max(initial=0))
    root = _joined(count, _same_pairs(parts, blocks))
    labels = np.zeros((height, width), dtype=np.int32)
    for (row, column), part in parts.items():
        place = np.s_[starts_y[row] : starts_y[row + 1], starts_x[column] : starts_x[column + 1]]
        depth = blocks.depth_px
        labels[place] = root[part[depth : part.shape[0] - depth, depth : part.shape[1] - depth]]
    present = np.unique(labels[labels > 0])
    numbers = np.zeros(count + 1, dtype=np.int32)
    numbers[present] = np.arange(1, len(present) + 1)
    return JoinedLabels(numbers[labels], numbers[root][1:])


def _starts(length: int, block: int) -> list[int]:
    return [*range(0, length, block), length]


def _wrapped(start: int, stop: int, overlap: int, length: int) -> NDArray[np.int64]:
    """Indices of a block and its overlap; beyond the border, those of the opposite side."""
    return np.arange(start - overlap, stop + overlap) % length


def _same_pairs(parts: dict[tuple[int, int], Labels], blocks: Blocks) -> Iterator[NDArray[np.int64]]:
    """(k, 2) labels of neighbouring blocks whose pixels in the strip that both show have the IoU of one cell."""
    strip = 2 * blocks.depth_px
    for (row, column), part in parts.items():
        below, right = parts.get((row + 1, column)), parts.get((row, column + 1))
        if below is not None:
            yield _matches(part[part.shape[0] - strip :], below[:strip], blocks.same_iou)
        if right is not None:
            yield _matches(part[:, part.shape[1] - strip :], right[:, :strip], blocks.same_iou)


def _matches(a: Labels, b: Labels, least: float) -> NDArray[np.int64]:
    both = (a > 0) & (b > 0)
    pairs, shared = np.unique(np.stack([a[both], b[both]], axis=1), axis=0, return_counts=True)
    size_a, size_b = np.bincount(a.ravel()), np.bincount(b.ravel())
    union = size_a[pairs[:, 0]] + size_b[pairs[:, 1]] - shared
    return np.asarray(pairs[shared >= least * union], dtype=np.int64)


def _joined(count: int, pairs: Iterator[NDArray[np.int64]]) -> Labels:
    """(count + 1,): the same number for labels that are connected; 0 stays 0."""
    links = np.concatenate([np.empty((0, 2), np.int64), *pairs])
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count + 1, count + 1))
    root = connected_components(graph, directed=False)[1]
    return np.asarray(root, dtype=np.int32)
