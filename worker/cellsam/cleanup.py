"""A decoder's logits to a clean cell: holes filled, islands removed, and never nothing on request."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)
BEST_SHARE = 0.25  # of the box's pixels, taken where no pixel passes the threshold


def largest_island(mask_hw: Mask) -> Mask:
    """The largest 8-connected piece; the mask itself if it is empty or in one piece."""
    pieces, count = ndimage.label(mask_hw, structure=EIGHT_NEIGHBOURS)
    if count < 2:
        return mask_hw
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == sizes.argmax())


def clean(mask_hw: Mask, region_px: int = 0) -> Mask:
    """SAM's clean-up: holes of less than `region_px` pixels are filled, then islands of less are removed, and the
    largest island stays in any case. 0: without that limit, one piece without holes.

    Regions are 8-connected, as SAM counts them. What reaches the window's border is no hole: it may go on behind it.
    """
    if not region_px:
        return np.asarray(ndimage.binary_fill_holes(largest_island(mask_hw)), dtype=bool)
    outside = np.pad(~mask_hw, 1, constant_values=True)
    return islands(~_large_regions(outside, region_px)[1:-1, 1:-1], region_px)


def islands(mask_hw: Mask, region_px: int = 0) -> Mask:
    """Without 8-connected pieces of less than `region_px` pixels, but never without the largest; 0: it alone."""
    large = _large_regions(mask_hw, region_px) if region_px else None
    return large if large is not None and large.any() else largest_island(mask_hw)


def _large_regions(mask_hw: Mask, least_px: int) -> Mask:
    """Without the 8-connected pieces of less than so many pixels."""
    pieces, _ = ndimage.label(mask_hw, structure=EIGHT_NEIGHBOURS)
    large = np.bincount(pieces.ravel()) >= least_px
    large[0] = False
    return np.asarray(large[pieces])


def best_pixels(logits_hw: NDArray[np.float32], inside_hw: Mask) -> Mask:
    """Never empty if `inside_hw` is not: the best quarter of the pixels inside, cleaned, still inside."""
    threshold = np.quantile(logits_hw[inside_hw], 1 - BEST_SHARE)
    return clean(inside_hw & (logits_hw >= threshold)) & inside_hw


def clean_label_map(labels: NDArray[np.int32], min_px: int) -> tuple[NDArray[np.int32], list[int]]:
    """Drop labels of less than `min_px` pixels and fill the holes of the others, in order: a later label takes what
    lies in its holes. Returns the map (H, W), numbered 1..n anew, and the former numbers.
    """
    cleaned = labels.copy()
    for label, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None:
            continue
        window = cleaned[place]
        mask = window == label
        if np.count_nonzero(mask) < min_px:
            window[mask] = 0
        else:
            window[ndimage.binary_fill_holes(mask)] = label
    left = np.unique(cleaned[cleaned > 0])
    numbers = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int32)
    numbers[left] = np.arange(1, len(left) + 1)
    return numbers[cleaned], left.tolist()
