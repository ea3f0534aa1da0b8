from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from worker.cellsam import PAPER, TINY, Features, Predictor
from worker.cellsam.candidates import Candidate
from worker.cellsam.cleanup import clean
from worker.cellsam.preprocess import Window
from worker.cellsam.stitching import assemble


def disc_with_company() -> np.ndarray:
    """A square with a small and a large hole, a small and a large island, and a notch at the window's border."""
    mask = np.zeros((60, 60), dtype=bool)
    mask[0:40, 10:40] = True
    mask[0:2, 20:22] = False  # open to the window's border: no hole
    mask[5:9, 15:19] = False  # 16 pixels
    mask[20:30, 20:30] = False  # 100 pixels
    mask[45:49, 10:14] = True  # 16 pixels
    mask[45:55, 40:50] = True  # 100 pixels
    return mask


def test_small_regions_go_as_in_sam_and_large_ones_stay() -> None:
    wanted = disc_with_company()
    wanted[5:9, 15:19] = True
    wanted[45:49, 10:14] = False

    assert np.array_equal(clean(disc_with_company(), 25), wanted)


def test_a_region_of_just_the_limit_stays() -> None:
    assert np.array_equal(clean(disc_with_company(), 16), disc_with_company())


def test_regions_that_touch_at_a_corner_are_one() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[5:9, 5:9] = mask[9:13, 9:13] = True
    mask[20:40, 20:40] = True

    assert np.array_equal(clean(mask, 25), mask)


def test_the_largest_island_stays_however_small_it_is() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:4, 2:4] = mask[10:13, 10:13] = True
    largest = np.zeros_like(mask)
    largest[10:13, 10:13] = True

    assert np.array_equal(clean(mask, 25), largest)
    assert not clean(np.zeros((5, 5), dtype=bool), 25).any()


def test_without_a_limit_a_cell_is_one_piece_without_holes() -> None:
    wanted = disc_with_company()
    wanted[5:9, 15:19] = wanted[20:30, 20:30] = True
    wanted[45:] = False

    assert np.array_equal(clean(disc_with_company()), wanted)


@pytest.mark.parametrize("region_px", [0, 25])
def test_what_others_leave_of_a_cell_is_cleaned_as_it_was(region_px: int) -> None:
    """A bar that another cell crosses three times: two large pieces remain, and two small ones."""
    bar = cell(np.ones((10, 60), dtype=bool), (0, 10, 60, 20), logit=1.0, region_px=region_px)
    across = np.zeros((30, 60), dtype=bool)
    across[:, 25:30] = True
    across[:, 32:36] = True
    across[2:, 56:58] = True

    found = assemble([bar, cell(across, (0, 0, 60, 30), logit=2.0, region_px=region_px)], 30, 60)

    pieces = {0: 1, 25: 2}[region_px]
    of_bar = found.labels == found.labels[15, 0]
    assert ndimage.label(of_bar)[1] == pieces


def cell(mask: np.ndarray, window: Window, *, logit: float, region_px: int) -> Candidate:
    return Candidate(
        box_xyxy_px=np.array(window, dtype=np.float32),
        score=0.9,
        iou=0.9,
        tile=0,
        tile_window=(0, 0, 60, 30),
        cut=False,
        window=window,
        mask=mask,
        logits=np.where(mask, np.float32(logit), np.float32(-np.inf)),
        region_px=region_px,
    )


def test_the_configuration_decides(predictor: Predictor, nuclei_features: Features) -> None:
    assert PAPER.thresholds.region_px == 25
    assert TINY.thresholds.region_px == 0
    as_in_sam = Predictor(predictor.model, thresholds=replace(predictor.thresholds, region_px=25))
    assert {cell.region_px for cell in as_in_sam.candidates(nuclei_features)} == {25}
    assert {cell.region_px for cell in predictor.candidates(nuclei_features)} == {0}
