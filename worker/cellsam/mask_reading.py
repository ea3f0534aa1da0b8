"""From the mask decoder's logits over a tile to a mask in image pixels: of a cell that was found, or asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from labeling.rle import BoxMask
from worker.cellsam.cleanup import best_pixels, clean
from worker.cellsam.config import Thresholds
from worker.cellsam.features import FeaturesError
from worker.cellsam.preprocess import Frame, Tile, Window
from worker.cellsam.prompts import PromptError
from worker.cellsam.stitching import MIN_CELL_PX

# How far beyond its box a mask may reach: a share of the box's side, and image pixels.
MARGIN, MARGIN_PX = 0.25, 3
REACH = 2  # map pixels around those above the threshold in which enlarging may bring others above it

Logits = NDArray[np.float32]  # (4h, 4w) over a tile's whole input
Box = NDArray[np.float32]  # (4,) x0, y0, x1, y1 in image pixels


@dataclass(frozen=True, slots=True)
class ReadMask:
    """Mask and logits at the pixels of `window`."""

    window: Window
    mask: NDArray[np.bool_]
    logits: NDArray[np.float32]


def near_its_box(logits: Logits, box: Box, tile: Tile, frame: Frame, thresholds: Thresholds) -> ReadMask:
    """What lies in and around the box, cleaned; empty if that is too small for a cell."""
    window = _around(box, frame.tile_window(tile))
    values = frame.map_to_window(logits, tile, window)
    mask = clean(values > thresholds.mask_logit, thresholds.region_px)
    return ReadMask(window, mask & (np.count_nonzero(mask) >= MIN_CELL_PX), values)


def wherever_it_is(logits: Logits, box: Box, tile: Tile, frame: Frame, thresholds: Thresholds) -> ReadMask:
    """All that is above the threshold, as SAM enlarges it. Pixels that cannot be are not computed."""
    window = _support(logits > thresholds.mask_logit, tile, frame)
    values = frame.map_to_window(logits, tile, window, through_input=True)
    return ReadMask(window, values > thresholds.mask_logit, values)


Read = Callable[[Logits, Box, Tile, Frame, Thresholds], ReadMask]
READ: Mapping[str, Read] = MappingProxyType({"boxed": near_its_box, "whole": wherever_it_is})


def asked_for(
    logits: Logits, box: Box, tile: Tile, frame: Frame, threshold: float, *, loose: bool
) -> BoxMask:
    """A person's mask, never empty: where nothing passes the threshold, the best pixels inside the box.

    `loose`: the box only says where points lie, so the whole tile is read. Raises FeaturesError if the logits are not
    finite, PromptError if no pixel of the image is inside the box.
    """
    window = frame.tile_window(tile) if loose else _around(box, frame.tile_window(tile))
    values = frame.map_to_window(logits, tile, window)
    if not np.isfinite(values).all():
        raise FeaturesError("the model's answer is not finite: features or weights are damaged")
    mask = clean(values > threshold)
    if not mask.any():
        mask = best_pixels(values, _inside(box, window))
    found = BoxMask.from_mask(mask, x=window[0], y=window[1])
    if found is None:
        raise PromptError("a box covers no pixel of the image")
    return found


def _support(above: NDArray[np.bool_], tile: Tile, frame: Frame) -> Window:
    """The pixels of a tile that map pixels above the threshold can reach; one pixel if there are none."""
    limit = frame.tile_window(tile)
    across, down = (side * 2**tile.level for side in frame.tile_size)
    x0, x1 = _reached(np.flatnonzero(above.any(axis=0)), (limit[0], limit[2]), across / above.shape[1])
    y0, y1 = _reached(np.flatnonzero(above.any(axis=1)), (limit[1], limit[3]), down / above.shape[0])
    return x0, y0, x1, y1


def _reached(places: NDArray[np.int64], limit: tuple[int, int], step: float) -> tuple[int, int]:
    """Along one axis: map pixels of `step` image pixels each, from `limit[0]` on -> the image pixels they reach."""
    if not places.size:
        return limit[0], limit[0] + 1
    low = limit[0] + int(np.floor((places[0] - REACH) * step))
    high = limit[0] + int(np.ceil((places[-1] + 1 + REACH) * step))
    low = min(max(limit[0], low), limit[1] - 1)
    return low, max(min(limit[1], high), low + 1)


def _around(box: Box, limit: Window) -> Window:
    """The whole pixels of a box and its margin, inside `limit`; never empty if the box touches `limit`."""
    margin = MARGIN_PX + MARGIN * float(max(box[2] - box[0], box[3] - box[1]))
    x0, y0 = max(limit[0], int(np.floor(box[0] - margin))), max(limit[1], int(np.floor(box[1] - margin)))
    x1, y1 = min(limit[2], int(np.ceil(box[2] + margin))), min(limit[3], int(np.ceil(box[3] + margin)))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def _inside(box: Box, window: Window) -> NDArray[np.bool_]:
    """(h, w) pixels of the window that the box touches; at least one."""
    x = np.arange(window[0], window[2])
    y = np.arange(window[1], window[3])
    columns = (x + 1 > box[0]) & (x < box[2])
    rows = (y + 1 > box[1]) & (y < box[3])
    return np.asarray(rows[:, None] & columns[None])
