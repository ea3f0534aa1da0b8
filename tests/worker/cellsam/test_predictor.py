from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from labeling.rle import masks_of_labels
from labeling.simulate import Simulated
from worker.cellsam import CellSAM, Features, Predictor
from worker.cellsam.channels import ImageError
from worker.cellsam.features import FeaturesError
from worker.cellsam.predictor import PromptError, Stopped


def true_boxes(image: Simulated) -> np.ndarray:
    return np.array([mask.box for _, mask in masks_of_labels(image.labels)], dtype=np.float32)


def test_it_works(predictor: Predictor, nuclei: Simulated) -> None:
    found = predictor.segment(nuclei.image[0])

    count = len(found.masks)
    assert count > 20
    assert found.labels.shape == (256, 256)
    assert found.boxes.shape == (count, 4)
    assert found.scores.shape == (count,)
    assert np.array_equal(np.unique(found.labels), np.arange(count + 1))
    for label, mask in masks_of_labels(found.labels):
        assert mask == found.masks[label - 1]


def test_the_trunk_runs_once_for_any_number_of_acts(shipped: CellSAM, nuclei: Simulated) -> None:
    predictor = Predictor(shipped)
    features = predictor.embed(nuclei.image[0])
    assert predictor.trunk_calls == 1

    predictor.segment_features(features)
    predictor.detect(features)
    predictor.decode(features, boxes=[[10, 10, 40, 40]])
    predictor.with_parts({"neck": shipped.neck.state_dict()}).decode(features, boxes=[[10, 10, 40, 40]])

    assert predictor.trunk_calls == 1


def test_many_prompts_at_once_equal_single_ones(
    predictor: Predictor, nuclei: Simulated, nuclei_features: Features
) -> None:
    boxes = true_boxes(nuclei)[:20]

    masks, scores = predictor.decode(nuclei_features, boxes=boxes)

    alone = [predictor.decode(nuclei_features, boxes=box[None]) for box in boxes]
    assert np.allclose(scores, [score[0] for _, score in alone], atol=1e-4)
    assert min(mask.iou(other[0]) for mask, (other, _) in zip(masks, alone, strict=True)) > 0.99


def test_kept_embeddings_give_the_same_masks(predictor: Predictor, nuclei_features: Features) -> None:
    embeddings = predictor.embed_neck(nuclei_features)
    box = [[30, 30, 60, 60]]

    first = predictor.decode(embeddings, boxes=box)[0]

    assert list(embeddings.tiles) == [0]
    assert predictor.decode(embeddings, boxes=box)[0] == first
    assert predictor.decode(nuclei_features, boxes=box)[0] == first


@pytest.mark.parametrize(
    "box",
    [
        [0, 0, 256, 256],  # everything
        [5, 5, 5, 5],  # a click
        [5.2, 5.3, 5.4, 5.9],
        [250, 250, 300, 300],  # half outside
        [60, 60, 20, 20],  # dragged to the upper left
        [0, 100, 256, 102],
        [255.5, 255.5, 256, 256],
    ],
)
def test_a_persons_box_always_gives_a_mask(
    predictor: Predictor, nuclei_features: Features, box: list[float]
) -> None:
    (mask,), scores = predictor.decode(nuclei_features, boxes=[box])
    assert mask.area > 0
    assert 0 <= mask.box[0] < mask.box[2] <= 256
    assert 0 <= mask.box[1] < mask.box[3] <= 256
    assert np.isfinite(scores).all()


def test_even_a_decoder_that_sees_nothing_gives_the_best_pixels(
    shipped: CellSAM, nuclei_features: Features
) -> None:
    predictor = Predictor(shipped)
    blind = Predictor(shipped, thresholds=type(predictor.thresholds)(box=0.5, iou=0.5, mask_logit=1e6))

    (mask,), _ = blind.decode(nuclei_features, boxes=[[40, 50, 80, 80]])

    assert mask.area > 0
    assert mask.box[0] >= 40
    assert mask.box[1] >= 50
    assert mask.box[2] <= 80
    assert mask.box[3] <= 80


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (5000, 40), (300, 260)])
def test_any_size_of_image_takes_a_box(predictor: Predictor, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    features = predictor.embed(image)
    height, width = shape
    boxes = [[0, 0, width, height], [width - 1, height - 1, width, height]]

    masks, _ = predictor.decode(features, boxes=boxes)

    assert all(mask.area > 0 for mask in masks)
    assert predictor.segment_features(features).labels.shape == shape


def test_a_box_larger_than_a_tile_is_decoded_on_a_coarser_level(predictor: Predictor) -> None:
    """A grainy disc of 400 pixels across in an image of 512: no tile of the finest level holds it."""
    y, x = np.mgrid[:512, :512]
    disc = (y - 256) ** 2 + (x - 256) ** 2 < 200**2
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, disc.shape), 6) * 3
    image = (np.where(disc, 200, 20) * (1 + grain)).clip(0, 255).astype(np.uint8)

    (mask,), _ = predictor.decode(predictor.embed(image), boxes=[[56, 56, 456, 456]])

    full = np.zeros((512, 512), dtype=np.int32)
    mask.paint(full, 1)
    assert ((full > 0) & disc).sum() / ((full > 0) | disc).sum() > 0.7


@pytest.mark.parametrize("value", [0, 128])
def test_an_empty_image_gives_an_empty_result(predictor: Predictor, value: int) -> None:
    found = predictor.segment(np.full((90, 300), value, dtype=np.uint8))

    assert not found.labels.any()
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)
    assert found.masks == ()


def test_no_prompts_give_no_masks(predictor: Predictor, nuclei_features: Features) -> None:
    masks, scores = predictor.decode(nuclei_features, boxes=[])
    assert masks == []
    assert scores.shape == (0,)


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([[300, 300, 320, 320]], "outside the image"),
        ([[-9, -9, -1, -1]], "outside the image"),
        ([[0, 0, np.nan, 5]], "not finite"),
        ([[0, 0, 5]], "shape"),
        (None, "a prompt is"),
    ],
)
def test_it_refuses_impossible_prompts(
    predictor: Predictor, nuclei_features: Features, boxes: list[list[float]] | None, reason: str
) -> None:
    with pytest.raises(PromptError, match=reason):
        predictor.decode(nuclei_features, boxes=boxes)


def test_points_alone_are_refused_by_a_model_that_never_learned_them(
    predictor: Predictor, nuclei_features: Features
) -> None:
    with pytest.raises(PromptError, match="takes boxes"):
        predictor.decode(nuclei_features, points=[[(20, 20, 1)]])
    with pytest.raises(PromptError, match="takes boxes"):
        predictor.decode(nuclei_features, boxes=[[10, 10, 30, 30], None], points=[[], [(20, 20, 1)]])


def test_nan_is_rejected(predictor: Predictor) -> None:
    with pytest.raises(ImageError, match="NaN"):
        predictor.embed(np.full((5, 5), np.nan))


def test_results_are_deterministic(predictor: Predictor, nuclei: Simulated) -> None:
    first, second = predictor.segment(nuclei.image[0]), predictor.segment(nuclei.image[0])
    assert np.array_equal(first.labels, second.labels)


def test_features_survive_bytes(predictor: Predictor, nuclei_features: Features) -> None:
    again = Features.from_bytes(nuclei_features.to_bytes())

    assert again.tokens.dtype == torch.float16
    assert torch.equal(again.tokens, nuclei_features.tokens)
    assert (again.frame, again.trunk_hash) == (nuclei_features.frame, nuclei_features.trunk_hash)
    assert np.array_equal(
        predictor.segment_features(again).labels, predictor.segment_features(nuclei_features).labels
    )


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: b"", lambda data: b"x" * 200])
def test_damaged_features_are_refused(nuclei_features: Features, damage: object) -> None:
    with pytest.raises(FeaturesError, match="not a features file"):
        Features.from_bytes(damage(nuclei_features.to_bytes()))  # type: ignore[operator]


def test_features_of_another_trunk_are_refused(untrained: CellSAM, nuclei_features: Features) -> None:
    with pytest.raises(FeaturesError, match="another trunk"):
        Predictor(untrained).detect(nuclei_features)


def test_another_neck_changes_masks_and_nothing_else(
    shipped: CellSAM, nuclei: Simulated, nuclei_features: Features
) -> None:
    predictor = Predictor(shipped)
    changed = {name: tensor * 1.5 for name, tensor in shipped.neck.state_dict().items()}

    other = predictor.with_parts({"neck": changed}, threshold=0.9)

    assert other.model.trunk is predictor.model.trunk
    assert other.trunk_hash == predictor.trunk_hash
    assert other.neck_hash != predictor.neck_hash
    assert other.thresholds.box == 0.9
    assert np.array_equal(
        other.detect(nuclei_features, threshold=0.5)[0], predictor.detect(nuclei_features, threshold=0.5)[0]
    )
    boxes = true_boxes(nuclei)[:3]
    assert other.decode(nuclei_features, boxes=boxes)[0] != predictor.decode(nuclei_features, boxes=boxes)[0]
    with pytest.raises(FeaturesError, match="another neck"):
        other.decode(predictor.embed_neck(nuclei_features), boxes=boxes)


def test_progress_rises_to_one(predictor: Predictor) -> None:
    seen: list[float] = []
    predictor.segment(np.zeros((300, 300), np.uint8), progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_it_stops_when_asked(predictor: Predictor) -> None:
    with pytest.raises(Stopped):
        predictor.segment(np.zeros((300, 300), np.uint8), should_stop=lambda: True)


def test_boxes_just_under_the_threshold_are_doubted_and_not_decoded(
    shipped: CellSAM, nuclei_features: Features
) -> None:
    usual = Predictor(shipped).segment_features(nuclei_features)
    strict = replace(shipped.config.thresholds, box=float(np.median(usual.scores)))
    found = Predictor(shipped, thresholds=strict).segment_features(nuclei_features)

    assert 0 < len(found.masks) < len(usual.masks)
    assert len(found.ious) == len(found.masks)
    assert len(found.doubted) > 0
    assert found.doubted.max() <= strict.box
    assert found.doubted.min() > strict.box / 2
    # Boxes that the usual threshold takes are cells of their own: second answers for one cell are left out.
    left_out = (usual.scores <= strict.box) & (usual.scores > strict.box / 2)
    assert np.count_nonzero(left_out) <= len(found.doubted) + 1
