from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

import worker.cellsam
from labeling.simulate import Simulated
from worker.cellsam import Features, Predictor
from worker.cellsam.channels import ImageError


def test_there_are_at_most_eight_and_the_package_explains_each() -> None:
    assert len(worker.cellsam.__all__) <= 8
    assert worker.cellsam.__doc__ is not None
    for name in worker.cellsam.__all__:
        assert name in worker.cellsam.__doc__
        named = getattr(worker.cellsam, name)
        if inspect.isclass(named) or inspect.isfunction(named):
            assert named.__doc__
            assert not named.__doc__.startswith(f"{name}(")  # what dataclass writes itself


def test_what_a_predictor_does_is_documented() -> None:
    for name in ("embed", "detect", "decode", "segment", "segment_features", "embed_neck", "with_parts"):
        assert getattr(Predictor, name).__doc__, name


@pytest.mark.parametrize("image", [[[1, 2], [3, 4]], "image.tif", torch.zeros(4, 4), None])
def test_what_is_no_array_is_refused(predictor: Predictor, image: object) -> None:
    with pytest.raises(ImageError, match="expected an array"):
        predictor.embed(image)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="expected an array"):
        predictor.segment(image)  # type: ignore[arg-type]


def test_where_nothing_is_found_every_result_is_empty(predictor: Predictor) -> None:
    features = predictor.embed(np.zeros((40, 50), dtype=np.uint8))

    boxes, scores = predictor.detect(features)
    assert (boxes.shape, scores.shape) == ((0, 4), (0,))
    assert predictor.candidates(features) == []
    for cells in (
        predictor.segment_features(features),
        predictor.segment(np.zeros((40, 50), dtype=np.uint8)),
    ):
        assert cells.labels.shape == (40, 50)
        assert not cells.labels.any()
        assert (cells.boxes.shape, cells.scores.shape, cells.masks) == ((0, 4), (0,), ())
    masks, ious = predictor.decode(features, boxes=boxes)
    assert (masks, ious.shape) == ([], (0,))


def test_boxes_of_detect_are_prompts_for_decode(
    predictor: Predictor, nuclei: Simulated, nuclei_features: Features
) -> None:
    boxes, scores = predictor.detect(nuclei_features)

    masks, _ = predictor.decode(nuclei_features, boxes=boxes)

    assert len(masks) == len(scores) > 20
    assert np.array_equal(scores, np.sort(scores)[::-1])
    cells = predictor.segment(nuclei.image[0])
    assert len(cells.masks) <= len(masks)
