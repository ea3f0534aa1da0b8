"""From the mask decoder's answer to a box that CellFinder found to a candidate, or to nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.cellsam.candidates import Candidate
from worker.cellsam.config import Thresholds
from worker.cellsam.detections import Found
from worker.cellsam.mask_reading import Logits, Read
from worker.cellsam.preprocess import Frame

# Of its mask's IoU a cell of a coarser level is surer than others have to be: it may take the place of several.
COARSE_IOU = 0.75


def decoded_candidate(
    found: Found,
    row: np.int64,
    logits: Logits,
    iou: np.float32,
    frame: Frame,
    index: int,
    read: Read,
    thresholds: Thresholds,
) -> Candidate | None:
    """The mask of box `row` of tile `index`; None if its estimated IoU is too low, or the mask is empty."""
    tile, box = frame.tiles[index], found.boxes[row]
    if iou < (max(thresholds.iou, COARSE_IOU) if tile.level else thresholds.iou):
        return None
    seen = read(logits, box, tile, frame, thresholds)
    if not seen.mask.any():
        return None
    clipped: NDArray[np.float32] = frame.clip(box)
    return Candidate(
        box_xyxy_px=clipped,
        score=float(found.scores[row]),
        iou=float(iou),
        tile=index,
        tile_window=frame.tile_window(tile),
        cut=bool(found.cut[row]),
        window=seen.window,
        mask=seen.mask,
        logits=seen.logits,
        admitted_below=float(found.admitted_below[row]),
        level=tile.level,
        region_px=thresholds.region_px,
    ).cropped()
