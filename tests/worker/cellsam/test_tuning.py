"""The ladder: what each rung learns and leaves alone, and why it cannot where it cannot."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from labeling.ladder import Rung
from labeling.rle import BoxMask, masks_of_labels
from labeling.simulate import simulate
from worker.cellsam import Features, Predictor
from worker.cellsam.calibration import GRID, calibrate
from worker.cellsam.checkpoint import load_tuned, state_hash, tuned_bytes
from worker.cellsam.features import TRUNK_MAP
from worker.cellsam.predictor import Stopped
from worker.cellsam.tuning import Courtesy, Ladder, Schedule, TuningConfig, TuningError, TuningSample

from .small_model import SMALL_TUNING, small_predictor, small_samples

# With the shipped weights: enough to see that something is learned.
QUICK = TuningConfig(
    neck=Schedule(rate=5e-4, passes=1, least=10, most=10, check_every=5),
    finder=Schedule(rate=3e-4, passes=1, least=10, most=10, check_every=5, clip=3.0),
    windows_a_step=2,
    prompts=3,
    tiles_a_step=2,
    max_validation_cells=6,
)


@pytest.fixture(scope="module")
def small() -> Predictor:
    return small_predictor()


@pytest.fixture(scope="module")
def samples(small: Predictor) -> list[TuningSample]:
    return small_samples(small)


def grown(mask: BoxMask, by: int = 2) -> BoxMask:
    """What a project may want that the model does not know: outlines two pixels wider."""
    padded = np.pad(mask.mask(), by)
    x, y = mask.box[0] - by, mask.box[1] - by
    wide = ndimage.binary_dilation(padded, iterations=by)
    inside = BoxMask.from_mask(wide[max(0, -y) :, max(0, -x) :], x=max(0, x), y=max(0, y))
    assert inside is not None
    return inside


def test_masks_and_detection_are_learned_without_the_trunk(predictor: Predictor) -> None:
    """Tissue, in which the shipped model finds hardly a cell here, outlined two pixels wider than it would."""
    samples = []
    for seed in range(3):
        made = simulate("tissue", height=128, width=128, cells=12, seed=seed)
        cells = [grown(mask) for _, mask in masks_of_labels(made.labels)]
        samples.append(TuningSample(predictor.embed(made.image[0]), cells))
    before, calls = state_hash(predictor.model.state_dict()), predictor.trunk_calls
    trunk_inputs: list[object] = []
    handle = predictor.model.trunk.register_forward_hook(lambda *_: trunk_inputs.append(1))

    ladder = Ladder(predictor, samples, QUICK)
    neck, finder = ladder.climb(Rung.NECK), ladder.climb(Rung.FINDER)
    handle.remove()

    assert trunk_inputs == []
    assert predictor.trunk_calls == calls
    assert state_hash(predictor.model.state_dict()) == before
    assert all(parameter.grad is None for parameter in predictor.model.parameters())
    assert neck.learned.after > neck.learned.before + 0.01
    assert finder.learned.after > finder.learned.before + 0.1
    assert 0.2 <= finder.threshold <= 0.8


def test_a_rung_changes_its_own_parts_and_keeps_those_of_the_rung_below(
    small: Predictor, samples: list[TuningSample]
) -> None:
    ladder = Ladder(small, samples, SMALL_TUNING)
    finder, neck = ladder.climb(Rung.FINDER), ladder.climb(Rung.NECK)

    assert (neck.predictor.finder_hash, neck.predictor.trunk_hash) == (small.finder_hash, small.trunk_hash)
    assert finder.predictor.neck_hash == neck.predictor.neck_hash
    assert finder.predictor.trunk_hash == small.trunk_hash
    assert finder.predictor.model.trunk is small.model.trunk
    assert finder.predictor.model.mask_decoder is small.model.mask_decoder
    assert [set(model.file().parts) for model in (neck, finder)] == [{"neck"}, {"neck", "finder"}]
    assert neck.learned.best_step
    assert neck.predictor.neck_hash != small.neck_hash


def test_a_tuned_trunk_comes_back_from_its_file(
    small: Predictor, samples: list[TuningSample], tmp_path: Path
) -> None:
    tuned = Ladder(small, samples, SMALL_TUNING).climb(Rung.TRUNK)
    path = tmp_path / "tuned.safetensors"
    path.write_bytes(tuned_bytes(tuned.file()))

    file = load_tuned(path)
    again = small.with_parts(file.parts, threshold=file.threshold)

    assert (file.rung, file.parent_trunk_hash) == (3, small.trunk_hash)
    assert set(file.parts) == {"neck", "finder", "trunk"}
    assert file.trunk_hash == tuned.predictor.trunk_hash != small.trunk_hash
    assert (again.trunk_hash, again.neck_hash, again.finder_hash) == (
        tuned.predictor.trunk_hash,
        tuned.predictor.neck_hash,
        tuned.predictor.finder_hash,
    )


def test_tuning_the_trunk_needs_pixels(small: Predictor, samples: list[TuningSample]) -> None:
    without = [replace(sample, source=None) for sample in samples]
    with pytest.raises(TuningError, match="pixels"):
        Ladder(small, without, SMALL_TUNING).climb(Rung.TRUNK)


def test_a_run_that_helps_nobody_gives_the_start_back(predictor: Predictor) -> None:
    samples = []
    for seed in range(2):
        made = simulate("nuclei", height=64, width=64, cells=5, seed=seed)
        cells = [mask for _, mask in masks_of_labels(made.labels)]
        samples.append(TuningSample(predictor.embed(made.image[0]), cells))
    wild = replace(QUICK.neck, rate=10.0, least=1, most=1, check_every=1)
    tuned = Ladder(predictor, samples, replace(QUICK, neck=wild, min_cells=4)).climb(Rung.NECK)

    assert tuned.learned.best_step == 0
    assert tuned.learned.curve[-1].quality < tuned.learned.before
    assert tuned.predictor.neck_hash == predictor.neck_hash


@pytest.mark.parametrize("rung", Rung)
def test_where_boxes_are_found_as_they_were_all_images_choose_the_threshold(
    predictor: Predictor, rung: Rung
) -> None:
    """The one that is held back would ask for a high one: in it, people accepted only what is surest."""
    samples = []
    for seed in range(4):
        image = simulate("nuclei", height=128, width=128, cells=12, seed=seed).image[0]
        features = predictor.embed(image)
        found = predictor.segment_features(features)
        source = partial(lambda pixels: (pixels, ("whole_cell",)), image)
        samples.append(TuningSample(features, list(found.masks), source=source))
    rungs = {name: getattr(QUICK, name) for name in ("neck", "finder", "trunk")}
    still = replace(QUICK, **{name: replace(its, rate=0.0, least=2, most=2) for name, its in rungs.items()})
    (held,) = Ladder(predictor, samples, still).held_back
    at = next(index for index, sample in enumerate(samples) if sample is held)
    found = predictor.segment_features(held.features)
    surest = [found.masks[index] for index in np.argsort(-found.scores)[:3].tolist()]
    samples[at] = replace(held, cells=surest)

    alone = calibrate(predictor, [(samples[at].features, samples[at].labels)])
    tuned = Ladder(predictor, samples, replace(still, min_cells=3)).climb(rung)

    assert alone.threshold > predictor.thresholds.box + 0.1
    assert tuned.threshold == pytest.approx(predictor.thresholds.box)
    assert tuned.f1 == alone.f1_by_threshold[tuned.threshold]  # reported of the image held back


def test_it_stops_early_once_nothing_gets_better(small: Predictor, samples: list[TuningSample]) -> None:
    still = replace(SMALL_TUNING.neck, rate=0.0, least=50, most=50, check_every=2, patience=3)
    tuned = Ladder(small, samples, replace(SMALL_TUNING, neck=still)).climb(Rung.NECK)

    assert tuned.learned.curve[-1].step == 6


def test_a_loss_that_is_not_finite_ends_the_run(small: Predictor, samples: list[TuningSample]) -> None:
    weights = {name: torch.full_like(t, torch.nan) for name, t in small.model.finder.state_dict().items()}
    with pytest.raises(TuningError, match="not finite"):
        Ladder(small.with_parts({"finder": weights}), samples, SMALL_TUNING).climb(Rung.FINDER)


def test_it_makes_way_between_steps_and_reports_progress(
    small: Predictor, samples: list[TuningSample]
) -> None:
    pauses: list[int] = []
    progress: list[float] = []
    courtesy = Courtesy(progress=progress.append, pause=lambda: pauses.append(1))

    tuned = Ladder(small, samples, SMALL_TUNING).climb(Rung.FINDER, courtesy)

    # Each rung: four steps, three looks at an image, then that image's tile at each threshold, and the others', since
    # so small a CellFinder learns nothing.
    assert tuned.predictor.finder_hash == small.finder_hash
    others = len(samples) - 1
    assert len(pauses) == 2 * (4 + 3 + 1 + 1 + len(GRID) + others * (1 + len(GRID)))
    assert progress == sorted(progress)
    assert progress[-1] == 1


def test_it_stops_when_asked(small: Predictor, samples: list[TuningSample]) -> None:
    with pytest.raises(Stopped):
        Ladder(small, samples, SMALL_TUNING).climb(Rung.NECK, Courtesy(should_stop=lambda: True))


def test_it_says_what_is_missing(small: Predictor, samples: list[TuningSample]) -> None:
    nothing = [replace(sample, cells=[]) for sample in samples]
    few = [replace(sample, cells=sample.cells[:1]) for sample in samples]

    with pytest.raises(TuningError, match="no cells"):
        Ladder(small, nothing)
    with pytest.raises(TuningError, match="no cells"):
        Ladder(small, [])
    with pytest.raises(TuningError, match="1 image"):
        Ladder(small, samples[:1])
    with pytest.raises(TuningError, match="3 cells are too few"):
        Ladder(small, few)


def test_damaged_features_end_the_run(small: Predictor, samples: list[TuningSample]) -> None:
    def damaged(features: Features) -> Features:
        return replace(features, maps={TRUNK_MAP: torch.full_like(features.tokens, torch.nan)})

    broken = [replace(sample, features=damaged(sample.features)) for sample in samples]
    with pytest.raises(TuningError, match="not finite"):
        Ladder(small, broken)


def test_labels_of_a_sample_are_its_cells(samples: list[TuningSample]) -> None:
    labels = samples[0].labels
    assert labels.shape == (64, 64)
    assert labels.max() == len(samples[0].cells)
