"""`calibrate`: fix the box threshold on validation images."""

from __future__ import annotations

import argparse
from pathlib import Path

from worker.cellsam.calibration import calibrate
from worker.cellsam.checkpoint import (
    Card,
    read_card,
    save,
    with_thresholds,
)
from worker.cellsam.cli.arguments import (
    Commands,
    add_command,
    add_data,
    add_device,
    add_weights,
    add_without,
    load_predictor,
    samples,
)
from worker.cellsam.data.manifest import EmptySplit, read_manifest
from worker.cellsam.training.recipe import entries_without


def calibrate_command(options: argparse.Namespace) -> None:
    """Choose the box threshold on a data folder's validation split and write the weights with it to --out."""
    predictor = load_predictor(options)
    entries = entries_without(options.without, read_manifest(options.data, "val", options.dataset))
    if not entries:
        raise EmptySplit("no validation image is left to choose a threshold on")
    found = calibrate(predictor, ((sample.features, sample.labels) for sample in samples(predictor, entries)))
    _, card = read_card(options.weights)
    figures = {
        "data": sorted({entry.dataset for entry in entries}),
        "images": len(entries),
        "without": options.without,
        "threshold": found.threshold,
        "f1": round(found.f1, 4),
    }
    card = Card(card.training, {**card.metrics, "validation": figures}, card.licence)
    save(with_thresholds(predictor.model, box=found.threshold), options.out, card=card)
    for threshold, f1 in found.f1_by_threshold.items():
        print(f"{threshold:.2f}  F1 {f1:.3f}{'  chosen' if threshold == found.threshold else ''}")


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    calibration = add_command(commands, "calibrate", calibrate_command)
    add_data(calibration)
    add_without(calibration)
    calibration.add_argument("--out", type=Path, required=True, help="weight file to write")
    add_weights(calibration)
    add_device(calibration)
