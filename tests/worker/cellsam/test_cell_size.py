"""The scale is asked for, or chosen by the size of the cells."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.matching import count_matches
from labeling.simulate import Simulated
from worker.cellsam import Features, Predictor
from worker.cellsam.channels import ImageError
from worker.cellsam.config import TINY
from worker.cellsam.preprocess import Frame, at_scale


def halved(array: np.ndarray, times: int) -> np.ndarray:
    """Every pixel the mean of a block; `times` 1 halves the sides."""
    side = 2**times
    height, width = (length // side for length in array.shape)
    return array[: height * side, : width * side].reshape(height, side, width, side).mean(axis=(1, 3))


def test_cells_that_are_too_small_are_enlarged_and_found(predictor: Predictor, nuclei: Simulated) -> None:
    small = halved(nuclei.image[0].astype(np.float64), 2)
    truth = nuclei.labels[2::4, 2::4]

    chosen, usual = (predictor.embed(small, scale=scale) for scale in ("auto", None))

    assert chosen.frame.tiling.scale == 2
    found, missed = (predictor.segment_features(features) for features in (chosen, usual))
    assert found.labels.shape == small.shape
    assert count_matches(truth, found.labels).f1 > count_matches(truth, missed.labels).f1 + 0.1


def test_cells_of_a_usual_size_are_left_as_they_are(
    predictor: Predictor, nuclei: Simulated, nuclei_features: Features
) -> None:
    size = predictor.cell_size(nuclei.image[0])

    assert size.scale == 1
    sides = [max(mask.width, mask.height) for mask in predictor.segment_features(nuclei_features).masks]
    assert size.diameter_px == pytest.approx(np.median(sides), rel=0.2)


def test_an_empty_image_keeps_its_scale(predictor: Predictor) -> None:
    empty = predictor.embed(np.zeros((60, 60), np.uint8), scale="auto")
    assert empty.frame.tiling == TINY.tiling


@pytest.mark.parametrize("scale", [0.5, 1.5, 2])
def test_a_scale_shows_fewer_or_more_pixels_in_the_same_inputs(scale: float) -> None:
    tiling = at_scale(TINY.tiling, scale)

    assert tiling.input_px == TINY.tiling.input_px
    assert tiling.tile_px == round(256 / scale)
    frame = Frame(300, 420, tiling)
    boxes = np.array([[10, 20, 60, 90]], dtype=np.float32)
    there = frame.to_input(boxes, frame.tiles[0])
    assert np.allclose(there, boxes * scale, rtol=0.01)
    assert np.allclose(frame.to_image(there, frame.tiles[0]), boxes, rtol=1e-4)


def test_what_was_asked_for_is_part_of_the_features_address(predictor: Predictor, nuclei: Simulated) -> None:
    part = nuclei.image[0][:120, :120]
    made = [
        predictor.embed(part),
        predictor.embed(part, scale=2),
        predictor.embed(part, enhance=True),
        predictor.embed(part, scale=2, enhance=True),
    ]

    assert len({features.preprocessing for features in made}) == 4
    assert made[0].preprocessing == predictor.preprocessing
    for features in made:
        assert Features.from_bytes(features.to_bytes()).frame == features.frame
        assert predictor.segment_features(features).masks


@pytest.mark.parametrize("scale", [0.0, -1.0, 100.0])
def test_an_impossible_scale_is_refused(predictor: Predictor, scale: float) -> None:
    with pytest.raises(ImageError, match="a scale is between"):
        predictor.segment(np.zeros((9, 9), np.uint8), scale=scale)
