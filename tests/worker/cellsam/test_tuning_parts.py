"""What a tuning run holds back and draws, where its targets lie, and how it goes on after it was killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from labeling.ladder import Rung
from labeling.rle import BoxMask
from worker.cellsam import Predictor
from worker.cellsam.calibration import GRID
from worker.cellsam.checkpoint import state_hash
from worker.cellsam.tuning import Courtesy, Ladder, Schedule, TuningConfig, TuningSample
from worker.cellsam.tuning.finder import tile_boxes
from worker.cellsam.tuning.held_back import fill_up, hold_back
from worker.cellsam.tuning.judging import Judge
from worker.cellsam.tuning.replay import draw_weights
from worker.cellsam.tuning.trunk import TrunkLearner

from .small_model import SMALL_TUNING, small_predictor, small_samples


class Killed(BaseException):
    """What a worker that is killed never gets to handle."""


@pytest.fixture(scope="module")
def small() -> Predictor:
    return small_predictor()


@pytest.fixture(scope="module")
def samples(small: Predictor) -> list[TuningSample]:
    return small_samples(small)


# Holding back


def test_frames_of_one_movie_are_held_back_together(samples: list[TuningSample]) -> None:
    movies = [replace(samples[0], cluster=f"movie {index // 2}") for index in range(8)]
    for seed in range(5):
        kept, held = hold_back(movies, TuningConfig(seed=seed))
        assert len(held) == 2
        assert {sample.cluster for sample in held}.isdisjoint(sample.cluster for sample in kept)


def test_one_movie_alone_is_held_back_by_frames(samples: list[TuningSample]) -> None:
    kept, held = hold_back([replace(samples[0], cluster="the movie")] * 8, TuningConfig())
    assert (len(kept), len(held)) == (6, 2)


def test_no_more_is_held_back_than_a_look_should_cost(samples: list[TuningSample]) -> None:
    kept, held = hold_back([samples[0]] * 100, TuningConfig(max_validation_images=5))
    assert (len(kept), len(held)) == (95, 5)


def test_of_large_images_so_many_are_held_back_as_a_look_can_afford(samples: list[TuningSample]) -> None:
    tiles = len(samples[0].features.frame.finest)
    kept, held = hold_back([samples[0]] * 40, TuningConfig(max_validation_tiles=3 * tiles))
    assert (len(kept), len(held)) == (37, 3)
    kept, held = hold_back([samples[0]] * 4, TuningConfig(max_validation_tiles=0))
    assert (len(kept), len(held)) == (3, 1)


def test_as_many_images_choose_a_threshold_as_could_be_held_back(samples: list[TuningSample]) -> None:
    held, training = [samples[0]], [samples[0]] * 4
    tiles = len(samples[0].features.frame.finest)
    assert len(fill_up(held, training, TuningConfig())) == 4
    assert len(fill_up(held, training, TuningConfig(max_validation_images=3))) == 2
    assert len(fill_up(held, training, TuningConfig(max_validation_tiles=2 * tiles))) == 1


def test_images_without_cells_are_learned_from_and_never_held_back(samples: list[TuningSample]) -> None:
    empty = replace(samples[0], cells=[])
    kept, held = hold_back([empty, empty, empty, *samples], TuningConfig())
    assert sum(not sample.cells for sample in kept) == 3
    assert all(sample.cells for sample in held)


# Drawing


def test_earlier_images_are_drawn_by_their_share() -> None:
    mostly_new = draw_weights([True] + [False] * 19, 0.25)
    mixed = draw_weights([True] * 4 + [False] * 6, 0.25)
    mostly_old = draw_weights([True] * 95 + [False] * 5, 0.25)
    assert mostly_new[0] == pytest.approx(0.25)  # at least this, against forgetting
    assert np.allclose(mixed, 0.1)  # as it comes
    assert np.allclose(mostly_old, 0.01)  # a run starts from the base, to which all corrections are new
    assert np.allclose(draw_weights([True] * 4, 0.25), 0.25)


def test_the_steps_follow_the_data_up_to_a_cap() -> None:
    schedule = Schedule(rate=1e-4, passes=20, least=100, most=400, check_every=25)
    assert [schedule.steps(items, 4) for items in (4, 40, 4000)] == [100, 200, 400]


def test_the_rate_falls_to_its_share() -> None:
    schedule = Schedule(rate=1.0, passes=1, least=1, most=1, check_every=1, final=0.1)
    assert [schedule.rate_at(step, 100) for step in (0, 50, 100)] == pytest.approx([1.0, 0.55, 0.1])


def test_the_rate_rises_over_the_first_steps() -> None:
    schedule = Schedule(rate=1.0, passes=1, least=1, most=1, check_every=1, warm_up=4)
    assert [schedule.rate_at(step, 100) for step in (0, 1, 3, 50)] == pytest.approx([0.25, 0.5, 1.0, 1.0])


# Targets


def test_a_finder_aims_at_each_tiles_cells_cut_and_mirrored_as_its_pixels_are(small: Predictor) -> None:
    inner = BoxMask((10, 8, 20, 16), (0, 80))
    features = small.embed(np.zeros((40, 100), dtype=np.uint8))  # two tiles of 64, mirrored at the bottom
    left, right = tile_boxes(TuningSample(features, [inner, BoxMask((30, 10, 50, 20), (0, 200))]))

    mirrored = [[10, 2 * 39 - 15, 20, 64], [30, 2 * 39 - 19, 50, 64]]
    assert sorted(left.tolist()) == sorted([[10, 8, 20, 16], [30, 10, 50, 20], *mirrored])
    assert sorted(right.tolist()) == sorted([[0, 10, 14, 20], [0, 2 * 39 - 19, 14, 64]])


def test_the_trunk_learns_from_half_tiles_that_lie_where_they_say(
    small: Predictor, samples: list[TuningSample]
) -> None:
    learner = TrunkLearner(small, samples, Judge(samples, SMALL_TUNING), SMALL_TUNING)
    config = small.model.config
    batches = [learner.batch(np.random.default_rng(seed)) for seed in range(12)]
    sides = {batch.side_px for batch in batches}
    assert sides == {config.trunk.input_px // 2, config.trunk.input_px}
    halves = [batch for batch in batches if batch.side_px < config.trunk.input_px]
    assert len(halves) > len(batches) / 2
    assert len({batch.origin for batch in halves}) > 1
    for batch in batches:
        assert all(
            start * config.trunk.patch_px + batch.side_px <= config.trunk.input_px for start in batch.origin
        )
        assert len(batch.pixels) == (2 if batch.side_px == config.trunk.input_px else 3)
        assert [len(boxes) for boxes in batch.boxes_xyxy] == [int(its.max()) for its in batch.labels]


def test_every_pixel_teaches_the_trunk_also_where_no_cell_is(
    small: Predictor, samples: list[TuningSample]
) -> None:
    """A bright patch that is no cell gives a detection nothing to match and a prompt nothing to outline."""
    pixels = np.full((64, 64), 60, dtype=np.uint8)
    pixels[24:40, 24:40] = 200
    sample = TuningSample(small.embed(pixels), [], source=lambda: (pixels, ("whole_cell",)))
    learner = TrunkLearner(small, [sample], Judge(samples, SMALL_TUNING), SMALL_TUNING)
    head = list(learner.module.get_submodule("auxiliary").parameters())

    gradients = torch.autograd.grad(learner.loss(np.random.default_rng(0)), head)

    assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_the_trunk_sees_an_image_at_other_sizes_and_in_other_light(small: Predictor) -> None:
    """There are few of them: seen as they are every time, they would be learned by heart."""
    pixels = np.full((64, 64), 60, dtype=np.uint8)
    pixels[24:40, 24:40] = 200
    cell = BoxMask((24, 24, 40, 40), (0, 256))
    sample = TuningSample(small.embed(pixels), [cell], source=lambda: (pixels, ("whole_cell",)))
    learner = TrunkLearner(small, [sample], Judge([sample], SMALL_TUNING), SMALL_TUNING)

    batches = [learner.batch(np.random.default_rng(seed)) for seed in range(12)]

    crops = [(its, px) for batch in batches for its, px in zip(batch.labels, batch.pixels, strict=True)]
    areas = [int((labels == 1).sum()) for labels, _ in crops if labels.max() == 1]
    assert max(areas) > 1.3 * 256
    lights = [float(px[2].max()) for _, px in crops]
    assert max(lights) > 1.1 * min(lights)


# Going on after a kill


def killed_after(steps: int) -> Courtesy:
    left = [steps]

    def pause() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return Courtesy(pause=pause)


@pytest.mark.parametrize("rung", [Rung.FINDER, Rung.TRUNK])
def test_a_killed_run_ends_where_it_would_have_ended(
    small: Predictor, samples: list[TuningSample], tmp_path: Path, rung: Rung
) -> None:
    whole = Ladder(small, samples, SMALL_TUNING).climb(rung)
    for attempt in range(40):
        try:
            again = Ladder(small, samples, SMALL_TUNING, folder=tmp_path, run="this").climb(
                rung, killed_after(9 + 3 * attempt)
            )
            break
        except Killed:
            continue
    assert attempt > 0
    assert again.learned == whole.learned
    assert state_hash(again.predictor.model.state_dict()) == state_hash(whole.predictor.model.state_dict())


def test_what_was_learned_is_not_learned_again(
    small: Predictor, samples: list[TuningSample], tmp_path: Path
) -> None:
    first = Ladder(small, samples, SMALL_TUNING, folder=tmp_path, run="this").climb(Rung.FINDER)
    # It learned nothing, so all images choose the threshold.
    assert first.predictor.finder_hash == small.finder_hash
    others = len(samples) - 1
    searches = 2 * (1 + 1 + len(GRID) + others * (1 + len(GRID)))
    again = Ladder(small, samples, SMALL_TUNING, folder=tmp_path, run="this").climb(
        Rung.FINDER, killed_after(searches)
    )  # no step
    assert again.learned == first.learned


def test_the_state_of_another_run_or_a_damaged_one_is_not_gone_on_with(
    small: Predictor, samples: list[TuningSample], tmp_path: Path
) -> None:
    first = Ladder(small, samples, SMALL_TUNING, folder=tmp_path, run="this").climb(Rung.NECK)
    with pytest.raises(Killed):
        Ladder(small, samples, SMALL_TUNING, folder=tmp_path, run="another").climb(Rung.NECK, killed_after(2))
    (path,) = tmp_path.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-50])
    again = Ladder(small, samples, SMALL_TUNING, folder=tmp_path, run="this").climb(Rung.NECK)
    assert again.learned == first.learned
