"""Hostile images, half precision and threads: a result or a reason, never nonsense. For each of the three wirings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from labeling.matching import count_matches
from labeling.rle import masks_of_labels
from labeling.simulate import Simulated
from tests.worker.cellsam.test_released_weights import ADVERSARIAL, PLAIN
from worker.cellsam import PAPER, CellSAM, Features, Predictor, Segmentation
from worker.cellsam.build import build
from worker.cellsam.channels import ImageError
from worker.cellsam.config import TilingConfig

PAPER_SMALL = replace(
    ADVERSARIAL,
    name="paper",
    finder_trunk=None,
    tiling=TilingConfig(tile_px=64, scale=2, overlap_px=16, padding="zeros"),
    thresholds=PAPER.thresholds,
    strategies=PAPER.strategies,
)
WIRINGS = {"paper": PAPER_SMALL, "published": ADVERSARIAL, "published, plain": PLAIN}


@pytest.fixture(scope="module", params=["tiny", *WIRINGS])
def any_predictor(request: pytest.FixtureRequest, shipped: CellSAM) -> Predictor:
    """The shipped model, and small untrained ones that take nearly every box for a cell."""
    if request.param == "tiny":
        return Predictor(shipped)
    torch.manual_seed(0)
    model = build(WIRINGS[request.param])
    torch.nn.init.normal_(model.finder.class_embed.weight)  # type: ignore[union-attr, arg-type]
    torch.nn.init.zeros_(model.finder.class_embed.bias)  # type: ignore[union-attr, arg-type]
    model.mask_decoder.iou_prediction_head.layers[-1].bias.data += 1
    return Predictor(model)


def noise(*shape: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).random(shape)


def one_pixel_cells() -> NDArray[np.uint8]:
    image = np.zeros((70, 70), dtype=np.uint8)
    image[5::10, 5::10] = 255
    return image


def with_a_constant_channel() -> NDArray[np.float64]:
    return np.stack([np.full((60, 60), 7.0), noise(60, 60)], axis=-1)


HOSTILE: dict[str, NDArray[Any]] = {
    "1 x 1": np.full((1, 1), 9, dtype=np.uint8),
    "1 x 2": np.array([[0, 255]], dtype=np.uint8),
    "3 x 90": noise(3, 90),
    "empty": np.zeros((50, 40), dtype=np.uint16),
    "bright": np.full((50, 40), 65535, dtype=np.uint16),
    "one-pixel cells": one_pixel_cells(),
    "constant channel": with_a_constant_channel(),
    "huge": noise(50, 50) * 1e300,
    "minute": noise(50, 50) * 1e-300,
    "both signs": (noise(50, 50) - 0.5) * np.finfo(np.float32).max,
    "half": noise(50, 50).astype(np.float16),
    "eight bytes": (noise(50, 50) * 2**62).astype(np.int64),
    "booleans": noise(50, 50) > 0.5,
}


def check(found: Segmentation, shape: tuple[int, ...]) -> None:
    assert found.labels.shape == shape[:2]
    count = int(found.labels.max())
    assert np.array_equal(np.unique(found.labels[found.labels > 0]), np.arange(1, count + 1))
    assert len(found.masks) == len(found.boxes) == len(found.scores) == count
    assert np.isfinite(found.boxes).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_image_gives_a_valid_result(any_predictor: Predictor, name: str) -> None:
    image = HOSTILE[name]
    features = any_predictor.embed(image)

    check(any_predictor.segment_features(features), image.shape)

    assert all(tokens.isfinite().all() for tokens in features.maps.values())
    masks, scores = any_predictor.decode(features, boxes=[[0, 0, 1, 1]])
    assert len(masks) == 1
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(("value", "reason"), [(np.nan, "NaN"), (np.inf, "infinite")])
def test_what_is_no_number_is_refused_with_the_reason(
    any_predictor: Predictor, value: float, reason: str
) -> None:
    image = noise(20, 20)
    image[3, 4] = value

    with pytest.raises(ImageError, match=reason):
        any_predictor.segment(image)


def test_an_extreme_strip_is_segmented_all_along(predictor: Predictor, nuclei: Simulated) -> None:
    boxes = [mask.box for _, mask in masks_of_labels(nuclei.labels)]
    x0, y0, x1, y1 = next(box for box in boxes if min(box) > 5 and max(box) < 250)
    cell = nuclei.image[0][y0 - 5 : y1 + 5, x0 - 5 : x1 + 5]
    strip = np.full((5000, 40), np.median(nuclei.image[0]), dtype=np.uint16)
    for top in range(0, 5000, 500):
        strip[top : top + len(cell), : cell.shape[1]] = cell[:, :40]

    found = predictor.segment(strip)

    check(found, strip.shape)
    assert {int(top) // 500 for top in found.boxes[:, 1]} == set(range(10))


def test_the_scale_of_huge_values_changes_nothing(predictor: Predictor, nuclei: Simulated) -> None:
    image = nuclei.image[0].astype(np.float64)

    assert np.array_equal(predictor.segment(image * 1e300).labels, predictor.segment(image).labels)


def test_half_precision_finds_the_same_cells(
    shipped: CellSAM, predictor: Predictor, nuclei: Simulated
) -> None:
    half = Predictor(shipped, precision=torch.bfloat16)

    features = half.embed(nuclei.image[0])
    found = half.segment_features(features)

    assert features.tokens.isfinite().all()
    check(found, nuclei.image[0].shape)
    assert count_matches(predictor.segment(nuclei.image[0]).labels, found.labels).f1 > 0.9
    assert half.with_parts({"neck": shipped.neck.state_dict()}).precision is torch.bfloat16


def test_half_precision_is_finite_in_every_wiring(any_predictor: Predictor) -> None:
    for precision in (torch.bfloat16, torch.float16):
        half = Predictor(any_predictor.model, precision=precision)
        features = half.embed(noise(40, 40))
        assert all(tokens.isfinite().all() for tokens in features.maps.values())
        check(half.segment_features(features), (40, 40))


def test_results_are_the_same_every_time(any_predictor: Predictor) -> None:
    first, second = (any_predictor.segment(noise(100, 80)) for _ in range(2))

    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.scores, second.scores)


def test_threads_share_a_predictor(predictor: Predictor, nuclei: Simulated) -> None:
    images = [np.rot90(nuclei.image[0][:100, :100], turns).copy() for turns in range(4)]
    boxes = [[60, 60, 90, 95], [20, 30, 50, 60]]

    def work(image: NDArray[np.uint8]) -> tuple[NDArray[np.int32], Features, list[object]]:
        features = predictor.embed(image)
        return (
            predictor.segment_features(features).labels,
            features,
            list(predictor.decode(features, boxes=boxes)[0]),
        )

    alone = [work(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, images))

    for (labels, features, masks), (labels_too, features_too, masks_too) in zip(alone, together, strict=True):
        assert np.array_equal(labels, labels_too)
        assert torch.equal(features.tokens, features_too.tokens)
        assert masks == masks_too
