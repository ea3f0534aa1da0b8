"""How many clicks a polygon around a cell takes. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage import measure

from labeling.annotator.cost_model import RULES
from labeling.rle import BoxMask, Mask

TOLERANCES_PX = (8.0, 6.0, 4.0, 3.0, 2.0, 1.5, 1.0, 0.7, 0.5, 0.3)


def polygon_vertices(mask: BoxMask, *, iou: float = RULES.polygon_iou) -> int:
    """The vertices of the coarsest polygon, of a series of tolerances (Douglas and Peucker 1973), that reaches this
    IoU with the cell; those of the finest if none does."""
    padded = np.pad(mask.mask(), 1)
    rim = max(measure.find_contours(padded.astype(float), 0.5), key=len)  # type: ignore[no-untyped-call]
    polygons = [measure.approximate_polygon(rim, tolerance) for tolerance in TOLERANCES_PX]  # type: ignore[no-untyped-call]
    good = (polygon for polygon in polygons if len(polygon) > 3 and _filled_iou(polygon, padded) >= iou)
    return max(3, len(next(good, polygons[-1])) - 1)  # the first point comes again as the last


def _filled_iou(polygon_yx: NDArray[np.float64], mask_hw: Mask) -> float:
    filled = measure.grid_points_in_poly(mask_hw.shape, polygon_yx)  # type: ignore[no-untyped-call]
    return float(np.count_nonzero(filled & mask_hw)) / float(np.count_nonzero(filled | mask_hw))
