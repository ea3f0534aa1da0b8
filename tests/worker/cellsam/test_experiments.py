"""The paper's experiments as commands, each on a miniature: what is compared with what, and what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from labeling.rle import BoxMask
from labeling.score_tally import ScoreTally
from worker.cellsam import PAPER
from worker.cellsam.__main__ import main
from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, load_tuned, read_card, save
from worker.cellsam.config import FinderConfig, MaskConfig, TilingConfig
from worker.cellsam.evaluate.side_by_side import LabelledImage
from worker.cellsam.experiments.prompts import cell_points
from worker.cellsam.experiments.scale import doubled, halved, middle
from worker.cellsam.experiments.unsure import UnsureImage, unsure_rows

from .conftest import WEIGHTS
from .miniature import write_miniature

# SAM's prompts and Anchor DETR's anchors as in the paper, in a size that runs in a moment.
SMALL_VIT = replace(
    PAPER,
    name="small_vit",
    trunk=replace(PAPER.trunk, input_px=128, dim=32, depth=2, heads=2, window=4, global_blocks=(1,)),
    finder=FinderConfig(
        kind="anchors", dim=32, heads=2, ffn_dim=32, encoder_layers=1, decoder_layers=1, queries=30, classes=2
    ),
    mask=MaskConfig(dim=32, heads=2, mlp_dim=64, iou_hidden_dim=32),
    tiling=TilingConfig(tile_px=64, scale=2, overlap_px=16),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_miniature(tmp_path_factory.mktemp("data"), {"train": 4, "val": 1})


@pytest.fixture(scope="module")
def with_points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small_vit.safetensors"
    save(build(SMALL_VIT), path, card=Card())
    return path


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "figures.csv").open() as file:
        return list(csv.DictReader(file))


def test_points_are_compared_with_boxes(
    data: Path, with_points: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["experiment", "points-vs-boxes", "--data", str(data), "--out", str(tmp_path)]

    assert main([*arguments, "--weights", str(with_points), "--points", "1", "--points", "2"]) == 0

    assert "| all | box |" in capsys.readouterr().out
    rows = rows_of(tmp_path)
    assert [(row["part"], row["prompt"]) for row in rows] == [
        (part, prompt) for part in ("all", "nuclei", "rods") for prompt in ("box", "1 point", "2 points")
    ]
    assert len({row["mean_iou"] for row in rows[:3]}) == 3
    assert all(0 <= float(row["mean_iou"]) <= 1 for row in rows)
    assert float(rows[0]["box_minus_this"]) == 0


def test_a_model_without_points_refuses_them(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["experiment", "points-vs-boxes", "--data", str(data), "--out", str(tmp_path)]) == 2

    assert "takes boxes only: points were not part of its decoder's training" in capsys.readouterr().err


def test_points_lie_inside_their_cell_the_first_at_its_deepest() -> None:
    pixels = np.zeros((9, 12), dtype=bool)
    pixels[0, :], pixels[2:9, 3:10] = True, True
    cell = BoxMask.from_mask(pixels, x=20, y=10)
    assert cell is not None

    places = cell_points(cell, 20, np.random.default_rng(0))

    assert places[0].tolist() == [26.5, 15.5]
    columns, rows = np.floor(places).astype(int).T
    assert pixels[rows - 10, columns - 20].all()
    assert len(np.unique(places, axis=0)) > 5


def test_the_neck_is_tuned_for_each_data_set(data: Path, tmp_path: Path) -> None:
    arguments = ["experiment", "neck", "--data", str(data), "--out", str(tmp_path)]

    assert main([*arguments, "--images", "4", "--steps", "2"]) == 0

    rows = rows_of(tmp_path)
    methods = ["zero-shot", "neck-tuned", "neck and threshold"]
    assert [row["method"] for row in rows if row["part"] == "all"] == methods
    assert {row["part"] for row in rows} >= {"nuclei", "rods"}
    # The trunk and the boxes of the detector are the same: only masks and the threshold may differ.
    assert len({row["box_map"] for row in rows if row["part"] == "nuclei"}) == 1
    assert "Differences" in (tmp_path / "report.md").read_text()
    assert load_tuned(tmp_path / "neck_rods.safetensors").card.training["data"] == ["rods"]


def test_the_ladder_is_measured_from_corrected_cells(data: Path, tmp_path: Path) -> None:
    arguments = ["experiment", "ladder", "--data", str(data), "--out", str(tmp_path), "--dataset", "nuclei"]

    assert main([*arguments, "--cells", "12", "--side", "64", "--steps", "1"]) == 0

    rows = rows_of(tmp_path)
    assert [row["arm"] for row in rows] == ["zero-shot", "neck, 12 cells", "finder, 12 cells"]
    assert [int(row["images"]) for row in rows] == [0, 4, 4]
    for row in rows:
        mended = sum(int(row[name]) for name in ("missed", "false", "reshaped"))
        assert float(row["actions_per_cell"]) == pytest.approx(mended / int(row["true_cells"]), abs=1e-3)
    assert main([*arguments, "--cells", "9999"]) == 2


def test_the_usual_scale_is_compared_with_auto(data: Path, tmp_path: Path) -> None:
    arguments = ["experiment", "scale", "--data", str(data), "--out", str(tmp_path)]

    assert main([*arguments, "--crop", "80"]) == 0

    rows = rows_of(tmp_path)
    sizes, methods = ["val_half", "val_as_it_is", "val_twice"], ["usual scale", "auto"]
    assert [(row["split"], row["method"]) for row in rows if row["part"] == "all"] == [
        (size, method) for size in sizes for method in methods
    ]
    assert {row["part"] for row in rows} >= {"all", "nuclei", "rods"}
    report = json.loads((tmp_path / "report.json").read_text())
    compared = [each for each in report["differences"] if each["figure"] == "f1"]
    assert [each["split"] for each in compared if each["part"] == "all"] == sizes
    assert all(each["low"] <= each["difference"] <= each["high"] for each in compared)
    assert report["about"]["crop_px"] == 80
    assert main([*arguments, "--crop", "8"]) == 2


def test_what_hiding_unsure_images_saves_is_counted_by_how_unsure_they_are(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["experiment", "unsure", "--data", str(data), "--out", str(tmp_path)]

    assert main(arguments) == 0

    rows = rows_of(tmp_path)
    images = [int(row["images"]) for row in rows]
    assert images == sorted(images, reverse=True)
    assert json.loads((tmp_path / "report.json").read_text())["about"]["images"] >= images[0]
    kinds = ["nuclei_fluorescence_small", "bacteria_fluorescence"]
    left_out = [each for kind in kinds for each in ("--without-modality", kind)]
    assert main([*arguments, *left_out[:2]]) == 0
    assert json.loads((tmp_path / "report.json").read_text())["about"]["images"] == 1
    assert main([*arguments, *left_out]) == 2
    assert f"another modality than {', '.join(kinds)}" in capsys.readouterr().err


def test_images_that_cost_more_than_they_save_are_worth_hiding() -> None:
    sure = UnsureImage("a", 0.2, ScoreTally.of([(0.9, 0.9), (0.9, 0.85)]))
    unsure = UnsureImage("b", 0.51, ScoreTally.of([(0.5, 0.1), (0.5, 0.7), (0.6, 0.9), (0.4, 0.0)]))

    saved = {row["uncertain_above"]: row["corrections_saved"] for row in unsure_rows([sure, unsure])}

    assert (saved[0.3], saved[0.5], saved[0.52]) == (1, 1, 0)


def test_an_image_and_its_truth_are_resized_together() -> None:
    labels = np.zeros((70, 51), dtype=np.int32)
    labels[20:40, 10:30], labels[50:52, 40:42] = 7, 8
    image = LabelledImage(
        "a", {}, np.stack([labels * 30, labels * 10], -1).astype(np.uint8), ("nuclear", "whole_cell"), labels
    )

    crop = middle(image, 64)
    half, twice = halved(crop), doubled(crop)

    assert crop.labels.shape == crop.pixels.shape[:2] == (64, 50)
    assert crop.labels.max() == 1  # the other is too small to be a cell
    for resized, times in ((half, 0.5), (twice, 2)):
        assert resized.labels.shape == resized.pixels.shape[:2] == (64 * times, 50 * times)
        assert resized.pixels.dtype == np.uint8
        assert np.count_nonzero(resized.labels) == 400 * times**2
        both = np.count_nonzero((resized.labels > 0) & (resized.pixels[..., 0] >= 105))
        assert both > 0.9 * 400 * times**2


def test_too_few_images_to_tune_on_are_an_error(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["experiment", "neck", "--data", str(data), "--out", str(tmp_path), "--images", "1"]) == 2
    assert "nuclei: 1 image with cells" in capsys.readouterr().err


def test_a_generalist_is_compared_with_specialists(data: Path, tmp_path: Path) -> None:
    arguments = ["experiment", "specialist", "--data", str(data), "--out", str(tmp_path)]

    assert main([*arguments, "--minutes", "0.02", "--processes", "1"]) == 0

    rows = rows_of(tmp_path)
    assert [row["method"] for row in rows if row["part"] == "rods"] == ["generalist", "specialist"]
    cards = {name: read_card(tmp_path / name / "model.safetensors")[1].training for name in (
        "generalist", "specialist_nuclei", "specialist_rods",
    )}  # fmt: skip
    assert {name: sorted(card["data"]) for name, card in cards.items()} == {
        "generalist": ["nuclei", "rods"],
        "specialist_nuclei": ["nuclei"],
        "specialist_rods": ["rods"],
    }


def test_one_data_set_makes_no_generalist(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["experiment", "specialist", "--data", str(data), "--dataset", "rods", "--out", str(tmp_path)]
    assert main(arguments) == 2
    assert "at least two data sets" in capsys.readouterr().err


def test_a_held_out_data_set_is_not_trained_on(data: Path, tmp_path: Path) -> None:
    arguments = ["experiment", "held-out", "--data", str(data), "--held-out", "rods", "--out", str(tmp_path)]

    found = main([*arguments, "--minutes", "0.02", "--processes", "1", "--shots", "3", "--steps", "1"])

    assert found == 0
    _, card = read_card(tmp_path / "without_rods" / "model.safetensors")
    assert list(card.training["data"]) == ["nuclei"]
    rows = rows_of(tmp_path)
    assert [(row["part"], row["method"]) for row in rows] == [("all", "zero-shot"), ("all", "3 images")]
    assert (tmp_path / "few_shot.png").stat().st_size > 0


def test_a_model_that_saw_the_data_set_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = tmp_path / "shown.safetensors"
    torch.manual_seed(0)
    save(build(SMALL_VIT), shown, card=Card(training={"data": {"rods": "CC0-1.0"}}))
    arguments = ["experiment", "held-out", "--data", str(data), "--held-out", "rods", "--out", str(tmp_path)]

    assert main([*arguments, "--weights", str(shown)]) == 2
    assert "was trained on rods" in capsys.readouterr().err
    assert main([*arguments, "--weights", str(WEIGHTS), "--shots", "9"]) == 2
    assert "4 images to learn from, not 9" in capsys.readouterr().err
