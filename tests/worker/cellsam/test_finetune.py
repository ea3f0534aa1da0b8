from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from labeling.rle import BoxMask, masks_of_labels
from labeling.simulate import simulate
from worker.cellsam import CellSAM, Features, Predictor
from worker.cellsam.checkpoint import state_hash
from worker.cellsam.features import TRUNK_MAP
from worker.cellsam.finetune import TuningConfig, TuningError, TuningSample, labels_of, tune_neck
from worker.cellsam.predictor import Stopped

QUICK = TuningConfig(steps=16, check_every=8, learning_rate=5e-4, windows_per_step=2, prompts_per_window=3)


def grown(mask: BoxMask, by: int = 2) -> BoxMask:
    """What a project may want that the model does not know: outlines two pixels wider."""
    from scipy import ndimage

    padded = np.pad(mask.mask(), by)
    x, y = mask.box[0] - by, mask.box[1] - by
    wide = ndimage.binary_dilation(padded, iterations=by)
    inside = BoxMask.from_mask(wide[max(0, -y) :, max(0, -x) :], x=max(0, x), y=max(0, y))
    assert inside is not None
    return inside


@pytest.fixture(scope="module")
def samples(predictor: Predictor) -> list[TuningSample]:
    made = []
    for seed in range(3):
        image = simulate("nuclei", height=128, width=128, cells=10, seed=seed)
        features = predictor.embed(image.image[0])
        made.append(TuningSample(features, [grown(mask) for _, mask in masks_of_labels(image.labels)]))
    return made


def test_it_learns_without_the_trunk(shipped: CellSAM, samples: list[TuningSample]) -> None:
    before = state_hash(shipped.state_dict())
    calls: list[object] = []
    handle = shipped.trunk.register_forward_hook(lambda *_: calls.append(1))

    torch.manual_seed(0)
    tuning = tune_neck(shipped, samples, QUICK)
    handle.remove()

    assert calls == []
    assert tuning.iou_after > tuning.iou_before + 0.01
    assert tuning.best_step > 0
    assert 0.2 <= tuning.threshold <= 0.8
    assert tuning.training_cells + tuning.validation_cells == sum(len(sample.cells) for sample in samples)
    assert state_hash(shipped.state_dict()) == before
    assert all(parameter.grad is None for parameter in shipped.parameters())
    tuned = Predictor(shipped).with_neck(tuning.state_dict, threshold=tuning.threshold)
    assert tuned.segment_features(samples[0].features).labels.shape == (128, 128)


def test_a_run_that_helps_nobody_gives_the_neck_back(shipped: CellSAM, samples: list[TuningSample]) -> None:
    tuning = tune_neck(shipped, samples, replace(QUICK, steps=2, check_every=1, learning_rate=10.0))

    assert tuning.best_step == 0
    assert state_hash(tuning.state_dict) == state_hash(shipped.neck.state_dict())


def test_it_makes_way_between_steps_and_reports_progress(
    shipped: CellSAM, samples: list[TuningSample]
) -> None:
    pauses: list[int] = []
    progress: list[float] = []

    tune_neck(
        shipped,
        samples,
        replace(QUICK, steps=3, check_every=3),
        pause=lambda: pauses.append(1),
        progress=progress.append,
    )

    assert len(pauses) >= 3
    assert progress == sorted(progress)
    assert progress[-1] == 1


def test_it_stops_when_asked(shipped: CellSAM, samples: list[TuningSample]) -> None:
    with pytest.raises(Stopped):
        tune_neck(shipped, samples, QUICK, should_stop=lambda: True)


def test_it_says_what_is_missing(shipped: CellSAM, samples: list[TuningSample]) -> None:
    nothing = [TuningSample(sample.features, []) for sample in samples]
    few = [TuningSample(sample.features, sample.cells[:2]) for sample in samples]

    with pytest.raises(TuningError, match="no cells"):
        tune_neck(shipped, nothing, QUICK)
    with pytest.raises(TuningError, match="no cells"):
        tune_neck(shipped, [], QUICK)
    with pytest.raises(TuningError, match="1 image"):
        tune_neck(shipped, samples[:1], QUICK)
    with pytest.raises(TuningError, match="6 cells are too few"):
        tune_neck(shipped, few, QUICK)


def test_damaged_features_end_the_run(shipped: CellSAM, samples: list[TuningSample]) -> None:
    def damaged(features: Features) -> Features:
        return replace(features, maps={TRUNK_MAP: torch.full_like(features.tokens, torch.nan)})

    broken = [TuningSample(damaged(sample.features), sample.cells) for sample in samples]
    with pytest.raises(TuningError, match="not finite"):
        tune_neck(shipped, broken, QUICK)


def test_labels_of_a_sample_are_its_cells(samples: list[TuningSample]) -> None:
    labels = labels_of(samples[0])
    assert labels.shape == (128, 128)
    assert labels.max() == len(samples[0].cells)
