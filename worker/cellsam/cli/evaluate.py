"""`evaluate`: figures on a split."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict

from worker.cellsam.checkpoint import (
    load,
)
from worker.cellsam.cli.arguments import Commands, add_command, add_data, add_weights, samples
from worker.cellsam.data.manifest import Split, read_manifest
from worker.cellsam.evaluate import Evaluation, ImageResult, Summary, evaluate
from worker.cellsam.predictor import Predictor


def evaluate_command(options: argparse.Namespace) -> None:
    """Figures on a split, over all and by modality."""
    predictor = Predictor(load(options.weights))
    entries = read_manifest(options.data, options.split, options.dataset)
    started = time.perf_counter()
    evaluation = evaluate(predictor, samples(predictor, entries), progress=_report_image)
    print(file=sys.stderr)
    seconds = time.perf_counter() - started
    if options.json:
        figures = {name: asdict(summary) for name, summary in _summaries(evaluation)}
        print(json.dumps({"box_threshold": predictor.thresholds.box, "figures": figures}, indent=2))
        return
    print(f"split {options.split}, box threshold {predictor.thresholds.box}, mask IoU 0.6, {seconds:.0f} s")
    print(
        f"{'':32}{'images':>7}{'cells':>7}{'F1':>7}  {'95% interval':14}{'P':>6}{'R':>6}{'AP50':>6}{'mIoU':>6}"
    )
    for name, row in _summaries(evaluation):
        print(
            f"{name:32}{row.images:7}{row.cells:7}{row.f1:7.3f}  {row.f1_low:.3f} - {row.f1_high:.3f} "
            f"{row.precision:6.3f}{row.recall:6.3f}{row.box_ap50:6.3f}{row.mean_iou_true_boxes:6.3f}"
        )


def _summaries(evaluation: Evaluation) -> list[tuple[str, Summary]]:
    return [("all", evaluation.summary()), *((name, evaluation.summary(name)) for name in evaluation.groups)]


def _report_image(result: ImageResult) -> None:
    print(f"\r{result.name[:40]:40} F1 {result.counts.f1:.3f}", end="", file=sys.stderr, flush=True)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    evaluation = add_command(commands, "evaluate", evaluate_command)
    add_data(evaluation)
    splits: tuple[Split, ...] = ("train", "val", "test")
    evaluation.add_argument("--split", choices=splits, default="val")
    evaluation.add_argument("--json", action="store_true", help="print figures as JSON")
    add_weights(evaluation)
