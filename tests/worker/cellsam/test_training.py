from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from labeling.simulate import simulate
from worker.cellsam import TINY, load
from worker.cellsam.__main__ import main
from worker.cellsam.build import build
from worker.cellsam.cellfinder import FinderOutput, Queries
from worker.cellsam.checkpoint import read_card
from worker.cellsam.data.manifest import Entry, Field, ManifestError, read_manifest
from worker.cellsam.training.criterion import DetectionCriterion, dice_loss
from worker.cellsam.training.crops import (
    Augmentation,
    Cropper,
    CropSampler,
    boxes_of_labels,
    image_weights,
    separate,
)
from worker.cellsam.training.matcher import HungarianMatcher
from worker.cellsam.training.objective import JointObjective
from worker.cellsam.training.recipe import shares_of
from worker.cellsam.training.schedule import Schedule
from worker.cellsam.training.state import TrainingState
from worker.cellsam.training.targets import Batch, DenseTargets
from worker.cellsam.training.trainer import LOG_FILE, TrainingRun, train

from .miniature import write_miniature


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four simulated images in the manifest's format."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = []
    for seed in range(4):
        image = simulate("nuclei", height=160, width=200, cells=20, seed=seed)
        Image.fromarray(image.image[0]).save(folder / f"{seed}.png")
        Image.fromarray(image.labels.astype(np.uint16)).save(folder / f"{seed}_labels.png")
        split = "train" if seed < 3 else "val"
        rows.append(
            ["sim", "nuclei_fluorescence", split, f"{seed}.png", f"{seed}_labels.png", "CC0-1.0", "one"]
        )
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["dataset", "modality", "split", "image", "labels", "licence", "group"])
        writer.writerows(rows)
    return folder


def sampler(data: Path, seed: int = 0) -> CropSampler:
    fields = [Field.read(entry, colour=True) for entry in read_manifest(data, "train")]
    weights = image_weights(fields, {"nuclei_fluorescence": 1.0})
    random = np.random.default_rng(seed)
    return CropSampler(fields, weights=weights, random=random, augmentation=Augmentation())


def batch(labels: np.ndarray, origin: tuple[int, int] = (0, 0)) -> Batch:
    pixels = np.zeros((len(labels), 3, *labels.shape[1:]), dtype=np.float32)
    return Batch.of(pixels, labels, origin=origin, patch_px=8, input_px=256, device=torch.device("cpu"))


def test_the_matcher_treats_a_batch_as_its_images() -> None:
    torch.manual_seed(0)
    logits, boxes = torch.randn(3, 12), torch.rand(3, 12, 4)
    targets = [torch.rand(n, 4) for n in (4, 0, 15)]

    together = HungarianMatcher()(logits, boxes, targets)

    for index, (query, target) in enumerate(together):
        (alone,) = HungarianMatcher()(logits[index, None], boxes[index, None], targets[index : index + 1])
        assert torch.equal(query, alone[0])
        assert torch.equal(target, alone[1])
    assert [len(query) for query, _ in together] == [4, 0, 12]


def test_the_matcher_finds_the_permutation() -> None:
    targets = torch.tensor([[0.2, 0.2, 0.1, 0.1], [0.7, 0.7, 0.2, 0.2], [0.3, 0.8, 0.1, 0.2]])
    order = torch.tensor([2, 0, 1])

    ((query, target),) = HungarianMatcher()(torch.zeros(1, 3), targets[order][None], [targets])

    assert torch.equal(order[query], target)


def test_perfect_detections_cost_less_than_none() -> None:
    labels = np.zeros((1, 128, 128), dtype=np.int32)
    labels[0, 10:40, 20:60] = 1
    targets = batch(labels)
    (box,) = targets.boxes_cxcywh_unit
    right = FinderOutput((Queries(torch.tensor([[[5.0], [-5.0]]]), torch.stack([box[0], box[0] / 2])[None]),))
    wrong = FinderOutput((Queries(torch.tensor([[[-5.0], [5.0]]]), torch.stack([box[0], box[0] / 2])[None]),))

    good, bad = DetectionCriterion()(right, targets), DetectionCriterion()(wrong, targets)

    assert set(good) == {"score_0", "l1_0", "giou_0"}
    assert sum(good.values()) < 0.1 < sum(bad.values())


def test_empty_crops_have_finite_losses_and_gradients() -> None:
    torch.manual_seed(0)
    objective = JointObjective(build(TINY))

    losses = objective(batch(np.zeros((2, 64, 64), dtype=np.int32)))

    torch.stack(list(losses.values())).sum().backward()
    assert all(loss.isfinite() for loss in losses.values())
    assert "mask" not in losses


def test_dense_targets_peak_at_the_centre_in_the_frame_of_the_full_input() -> None:
    labels = np.zeros((1, 64, 64), dtype=np.int32)
    labels[0, 16:32, 24:48] = 1

    targets = DenseTargets.of(batch(labels, origin=(4, 8)))

    peak = int(targets.heat[0].argmax())
    assert divmod(peak, 8) == (3, 4)
    expected = torch.tensor([36 + 64, 24 + 32, 24, 16]) / 256
    assert torch.allclose(targets.boxes_cxcywh_unit[0, peak], expected)
    assert targets.proposes[0, peak]


def test_dice_is_zero_for_agreement_and_one_for_none() -> None:
    truth = torch.zeros(1, 8, 8)
    truth[:, :4] = 1
    assert dice_loss((truth * 2 - 1) * 50, truth) < 0.01
    assert dice_loss((1 - truth * 2) * 50, truth) > 0.9


def test_crops_are_labelled_consecutively_and_in_range(data: Path) -> None:
    pixels, labels = sampler(data).batch(8, 96)

    assert pixels.shape == (8, 3, 96, 96)
    assert labels.any()
    assert pixels.min() >= 0
    assert pixels.max() <= 1.2
    assert not pixels[:, 0].any()
    for crop in labels:
        assert np.array_equal(np.unique(crop)[1:], np.arange(1, crop.max() + 1))
        assert len(boxes_of_labels(crop)) == crop.max()


def test_crops_repeat_with_their_seed(data: Path) -> None:
    one, same, other = (sampler(data, seed).batch(2, 64)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def field(planes: np.ndarray) -> Field:
    labels = np.zeros(planes.shape[1:], dtype=np.int32)
    labels[20:40, 20:40] = 1
    return Field("lab", "any", planes, labels)


def crops(planes: np.ndarray, **augmentation: float) -> np.ndarray:
    how = Augmentation(**{"invert": 0, "shade": 0, "noise": 0, "empty": 1, **augmentation})  # type: ignore[arg-type]
    cropper, its = Cropper(how, np.random.default_rng(0)), field(planes)
    return np.stack([cropper.crop(its, 64)[0] for _ in range(8)])


def test_a_crop_is_enlarged_as_the_model_wants_its_input() -> None:
    fixed = Augmentation(scale=(1, 1), aspect=0, any_angle=0)
    cropper = Cropper(fixed, np.random.default_rng(0))
    its = field(np.full((1, 64, 64), 100, dtype=np.uint8))
    assert np.count_nonzero(cropper.crop(its, 64)[1]) == pytest.approx(20 * 20, rel=0.03)
    assert np.count_nonzero(cropper.crop(its, 128, enlarged=2)[1]) == pytest.approx(40 * 40, rel=0.03)


def test_a_stained_crop_keeps_its_colour_or_comes_gray() -> None:
    stained = np.stack([np.full((64, 64), value, dtype=np.uint8) for value in (40, 120, 200)])

    coloured = crops(stained, gray=0, tint=0, stretch=0, mirror_border=1, second_channel=0)
    gray = crops(stained, gray=1, second_channel=0)

    assert (np.diff(coloured.mean(axis=(2, 3)), axis=1) > 0).all()
    assert not gray[:, :2].any()
    assert gray[:, 2].any()


def test_a_nuclear_channel_is_sometimes_missing() -> None:
    two = np.full((2, 64, 64), 100, dtype=np.uint8)
    assert crops(two, no_nuclei=0)[:, 1].any(axis=(1, 2)).all()
    assert not crops(two, no_nuclei=1)[:, 1].any()


def test_a_domain_is_left_out_of_the_recipe() -> None:
    entries = [
        Entry("set", modality, "train", Path("a"), Path("b"), "CC0", "one")
        for modality in ("HE_purple", "phase_contrast_cell_culture", "simulated_phase", "yeast_phase")
    ]
    shares = shares_of(entries, without=["phase-culture"])
    assert set(shares) == {"HE_purple", "yeast_phase"}
    assert sum(shares.values()) == pytest.approx(1)
    assert (
        shares_of([*entries, Entry("set", "theirs", "train", Path("a"), Path("b"), "", "")])["theirs"] == 0.2
    )


def test_what_is_left_out_of_the_training_is_left_out_of_choosing_the_threshold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_miniature(tmp_path, {"val": 1}, datasets=["rods"])
    command = ["calibrate", "--data", str(folder), "--without", "bacteria", "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert "no validation image is left" in capsys.readouterr().err


def test_mirrored_cells_get_labels_of_their_own() -> None:
    labels = np.zeros((20, 20), dtype=np.int32)
    labels[2:8, 2:8] = labels[12:18, 2:8] = 5
    labels[0, 0] = 7
    assert np.unique(separate(labels)).tolist() == [0, 1, 2]


def test_the_schedule_warms_up_holds_and_falls() -> None:
    schedule = Schedule()
    assert schedule.rate(0.1, 0) < 0.02 * schedule.learning_rate
    assert schedule.rate(0.29, 500) == schedule.learning_rate
    assert schedule.rate(1.0, 5000) == pytest.approx(0.02 * schedule.learning_rate)
    assert schedule.crop(0.1, 256) == (128, 8)
    assert schedule.crop(0.9, 256) == (256, 4)


@pytest.mark.parametrize(
    "content", [None, "a,b\n1,2\n", "dataset,modality,split,image,labels,licence,group\n"]
)
def test_an_unusable_manifest_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.csv").write_text(content)
    with pytest.raises(ManifestError, match=r"manifest\.csv"):
        read_manifest(tmp_path, "train")


def test_a_run_trains_saves_and_goes_on(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"

    def run(minutes: float) -> TrainingRun:
        schedule = Schedule(small_px=64, small_batch=2, small_until=1.0)
        return TrainingRun(
            entries=read_manifest(data, "train"),
            out=out,
            config=TINY,
            minutes=minutes,
            shares={"nuclei_fluorescence": 1.0},
            processes=1,
            schedule=schedule,
        )

    path = train(run(1 / 60))
    first = read_card(path)[1].training["steps"]
    state = out / "state.safetensors"
    assert first > 0
    assert load(path).config == TINY

    with safe_open(state, framework="pt") as file:
        spent = json.loads(file.metadata()["counters"])["seconds"]
    train(run((spent + 1) / 60))  # a slow machine may have spent more than it was given

    assert read_card(path)[1].training["steps"] > first
    assert state.exists()
    assert LOG_FILE == "log.csv"


def test_a_state_comes_back_with_its_optimiser(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = TrainingState(JointObjective(build(TINY)), weight_decay=0.03, betas=(0.9, 0.98))
    labels = np.zeros((1, 64, 64), dtype=np.int32)
    labels[0, 10:30, 10:30] = 1
    torch.stack(list(state.objective(batch(labels)).values())).sum().backward()
    state.optimizer.step()
    state.counters.step = 7
    state.save(tmp_path / "state.safetensors")

    again = TrainingState(JointObjective(build(TINY)), weight_decay=0.03, betas=(0.9, 0.98))
    again.load(tmp_path / "state.safetensors")

    assert again.counters == state.counters
    ours, theirs = again.optimizer.state_dict()["state"], state.optimizer.state_dict()["state"]
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[i]["exp_avg"], theirs[i]["exp_avg"]) for i in theirs)
