"""`evaluate`: models and other methods side by side, on every split and part asked for."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from scipy.optimize import linear_sum_assignment

from labeling.matching import count_matches, iou_matrix
from labeling.simulate import simulate
from worker.cellsam import CellSAM, Predictor
from worker.cellsam.__main__ import main
from worker.cellsam.checkpoint import (
    Card,
    TunedFile,
    load,
    save,
    state_hash,
    tuned_bytes,
    with_thresholds,
)
from worker.cellsam.data.manifest import read_manifest
from worker.cellsam.evaluate.side_by_side import (
    Model,
    evaluate_side_by_side,
    image_name,
    label_path,
    read_images,
)

from .conftest import WEIGHTS
from .miniature import write_miniature


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_miniature(tmp_path_factory.mktemp("data"), {"val": 2, "test": 1})


def write_truth(data: Path, split: str, folder: Path) -> None:
    """Label maps of a method that is always right."""
    for entry in read_manifest(data, split):  # type: ignore[arg-type]
        path = label_path(folder, image_name(entry))
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, entry.read_labels())


def test_it_reports_every_split_by_data_set_and_modality(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("val", "test"):
        write_truth(data, split, tmp_path / "truth")
    arguments = ["evaluate", "--data", str(data), "--split", "val", "--split", "test"]
    labels = ["--labels", f"truth={tmp_path / 'truth'}"]

    assert main([*arguments, "--weights", str(WEIGHTS), *labels, "--out", str(tmp_path / "report")]) == 0

    printed = capsys.readouterr().out
    assert "split val" in printed
    assert "f1 of truth against tiny" in printed
    with (tmp_path / "report" / "figures.csv").open() as file:
        rows = list(csv.DictReader(file))
    parts = ["all", "nuclei", "rods", "bacteria_fluorescence", "nuclei_fluorescence_small"]
    assert [(row["split"], row["part"]) for row in rows if row["method"] == "tiny"] == [
        (split, part) for split in ("val", "test") for part in parts
    ]
    assert {row["f1"] for row in rows if row["method"] == "truth"} == {"1.0"}
    assert {row["mean_iou_true_boxes"] for row in rows if row["method"] == "truth"} == {""}
    table = (tmp_path / "report" / "report.md").read_text()
    assert "| nuclei | tiny | 2 |" in table
    assert "95% interval, paired" in table
    with (tmp_path / "report" / "images.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2 * 6
    pictures = sorted((tmp_path / "report").glob("*.png"))
    assert len(pictures) == 6
    for picture in pictures:
        with Image.open(picture) as image:
            assert np.ptp(np.asarray(image.convert("L"))) > 0


def test_one_model_prints_its_table_and_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "--data", str(data), "--dataset", "nuclei", "--at-most", "1"]

    assert main(arguments) == 0
    first, _, header, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("tiny: box threshold 0.")
    assert header.split()[:3] == ["images", "cells", "F1"]
    assert main([*arguments, "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["about"]["methods"]["tiny"]["box_threshold"] > 0
    (figures,) = report["figures"]
    assert (figures["split"], figures["part"], figures["images"]) == ("val", "all", 1)
    assert 0 < figures["f1"] <= 1
    assert figures["f1_low"] <= figures["f1"] <= figures["f1_high"]


def test_a_tuned_neck_is_compared_with_the_model_of_its_trunk(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = Predictor(load(WEIGHTS))
    state = {name: tensor * 0 for name, tensor in base.model.neck.state_dict().items()}
    for name, trunk in (("blank", base.trunk_hash), ("foreign", "0" * 64)):
        tuned = TunedFile(1, {"neck": state}, trunk, trunk, state_hash(state), base.finder_hash, 0.5)
        (tmp_path / f"{name}.safetensors").write_bytes(tuned_bytes(tuned))
    arguments = ["evaluate", "--data", str(data), "--dataset", "nuclei", "--json"]
    arguments += ["--weights", str(WEIGHTS)]

    assert main([*arguments, "--neck", str(tmp_path / "blank.safetensors")]) == 0

    figures = json.loads(capsys.readouterr().out)["figures"]
    assert [row["method"] for row in figures] == ["tiny", "blank"]
    assert figures[1]["mean_iou_true_boxes"] < figures[0]["mean_iou_true_boxes"]
    assert main([*arguments, "--neck", str(tmp_path / "foreign.safetensors")]) == 2
    assert "none of the --weights has the trunk" in capsys.readouterr().err


def test_errors_say_what_is_missing(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy" / WEIGHTS.name
    copy.parent.mkdir()
    copy.write_bytes(WEIGHTS.read_bytes())
    save_like = ["evaluate", "--data", str(data), "--labels"]
    for arguments, said in (
        ([*save_like, f"none={tmp_path}"], "no label map for this image"),
        ([*save_like, str(tmp_path)], "NAME=FOLDER"),
        ([*save_like, f"a={tmp_path}", "--labels", f"a={tmp_path}"], "same name"),
        (["evaluate", "--data", str(data), "--split", "train"], "lists nothing"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1


def test_models_with_one_trunk_embed_an_image_once(data: Path, shipped: CellSAM) -> None:
    """Two thresholds and a third model of other weights: two trunks, so two passes an image."""
    first = Predictor(shipped)
    second = Predictor(with_thresholds(load(WEIGHTS), box=0.99))
    other = load(WEIGHTS)
    with torch.no_grad():
        next(other.trunk.parameters()).mul_(1.01)
    third = Predictor(other)

    results = evaluate_side_by_side(
        {"a": Model(first), "b": Model(second), "c": Model(third)},
        read_images(read_manifest(data, "val", ["nuclei"])),
    )

    assert (first.trunk_calls, second.trunk_calls, third.trunk_calls) == (2, 0, 2)
    assert results["a"].images[0].predicted > results["b"].images[0].predicted == 0


def test_matching_is_deepcells_assignment() -> None:
    """DeepCell assigns: a pair costs 1 - IoU, staying alone 0.4. At 0.6 exactly it may do either; we do not match."""
    for seed in range(6):
        truth = simulate("nuclei", height=128, width=128, cells=25, seed=seed).labels
        moved = np.roll(truth, (seed % 3, 2), axis=(0, 1))
        iou = iou_matrix(truth, moved)
        true, found = iou.shape
        costs = np.ones((true + found, true + found))
        costs[:true, :found] = 1 - iou
        costs[true:, found:] = 1 - iou.T
        costs[:true, found:][np.eye(true, dtype=bool)] = 0.4
        costs[true:, :found][np.eye(found, dtype=bool)] = 0.4
        rows, columns = linear_sum_assignment(costs)

        matched = int(np.count_nonzero((rows < true) & (columns < found)))

        ours = count_matches(truth, moved).true_positive
        assert ours <= matched <= ours + np.count_nonzero(np.isclose(iou, 0.6))
        assert 0 < ours < true


def test_a_saved_threshold_is_the_one_that_is_used(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "strict.safetensors"
    save(with_thresholds(load(WEIGHTS), box=0.999), path, card=Card())
    images = read_images(read_manifest(data, "val", ["nuclei"]))

    results = evaluate_side_by_side({"strict": Model(Predictor(load(path)))}, images)

    assert results["strict"].figure("recall") == 0
