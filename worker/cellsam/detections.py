"""CellFinder's answers for one tile as boxes of the image: which of them count, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from worker.cellsam.boxes import iou_and_giou
from worker.cellsam.preprocess import Boxes, Frame
from worker.cellsam.selection import Ranking

SAME_BOX = 0.5  # IoU of two boxes that are answers for one cell


@dataclass(frozen=True, slots=True)
class Found:
    """One tile's boxes in image pixels, best first."""

    boxes: Boxes  # (n, 4) as the mask decoder gets them; the released model's may reach beyond the image
    scores: NDArray[np.float32]  # (n,)
    admitted_below: NDArray[np.float32]  # (n,) see `Ranking`
    owned: NDArray[np.bool_]  # (n,) whether the tile reports them
    cut: NDArray[np.bool_]  # (n,) whether it cuts them
    certain: slice  # those above the threshold

    @classmethod
    def of(
        cls, ranking: Ranking, frame: Frame, index: int, *, threshold: float, down_to: float, clipped: bool
    ) -> Found:
        """Tile `index`'s answers with scores above `down_to`; those above `threshold` are certain. `clipped`: boxes are
        cut at the image's border.
        """
        shown = ranking.above(down_to)
        unit = ranking.boxes_xyxy_unit[shown]
        boxes = frame.to_image(unit * frame.tiling.input_px, frame.tiles[index])
        return cls(
            boxes=frame.clip(boxes) if clipped else boxes,
            scores=ranking.scores[shown],
            admitted_below=ranking.admitted_below[shown],
            owned=frame.owned(boxes, index),
            cut=frame.cut(boxes, index),
            certain=ranking.above(threshold),
        )

    def __getitem__(self, rows: slice) -> Found:
        return Found(
            self.boxes[rows],
            self.scores[rows],
            self.admitted_below[rows],
            self.owned[rows],
            self.cut[rows],
            rows,
        )

    def worth_decoding(self, frame: Frame, index: int) -> NDArray[np.int64]:
        """Rows of tile `index` whose masks are of use.

        On the finest level also cells that the tile cuts. One smaller than half the overlap is whole in the tile that
        owns it, so only larger fragments are. On coarser levels only whole cells that are too large for the finest one.
        """
        if frame.tiles[index].level:
            return np.flatnonzero(self.owned & ~self.cut & frame.too_large_for_finest(self.boxes))
        sides = (self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1, initial=0)
        return np.flatnonzero(self.owned | (self.cut & (sides > frame.tiling.overlap_px / 2)))

    def doubted(self) -> list[float]:
        """Scores of those that are not certain, are the tile's own, and lie where no better box does."""
        rows = torch.from_numpy(self.boxes)
        iou, _ = iou_and_giou(rows[:, None], rows[None])
        best = ~(iou > SAME_BOX).tril(-1).any(dim=1).numpy()
        uncertain = slice(self.certain.stop, None)
        scores: list[float] = self.scores[uncertain][(self.owned & best)[uncertain]].tolist()
        return scores
