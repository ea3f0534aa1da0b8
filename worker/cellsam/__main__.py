"""The command line: `python -m worker.cellsam --help`. Errors are one line, with exit code 2."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from labeling.formats import FORMATS, LabelledCell, LabelSet
from labeling.pixels import PixelError, read_pixels
from worker.cellsam.calibration import calibrate
from worker.cellsam.channels import CHANNEL_ROLES, ImageError
from worker.cellsam.checkpoint import (
    Card,
    CheckpointError,
    file_sha256,
    load,
    read_card,
    save,
    state_hash,
    with_thresholds,
)
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.evaluate import Evaluation, ImageResult, Sample, Summary, evaluate
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.manifest import Entry, ManifestError, Split, read_manifest
from worker.cellsam.training.recipe import shares_of
from worker.cellsam.training.trainer import TrainingError, TrainingRun, cpu_processes, train

DEFAULT_WEIGHTS = Path(__file__).parents[1] / "weights" / "tiny.safetensors"
USER_ERRORS = (ImageError, PixelError, CheckpointError, ManifestError, TrainingError, OSError)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except USER_ERRORS as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def segment_command(options: argparse.Namespace) -> None:
    """One image file to a label TIFF."""
    with options.image.open("rb") as file:
        pixels = read_pixels(file, options.image.name)
    roles = options.roles.split(",") if options.roles else None
    started = time.perf_counter()
    found = Predictor(load(options.weights)).segment(pixels.array.transpose(1, 2, 0), roles)
    seconds = time.perf_counter() - started
    out = options.out or options.image.with_name(f"{options.image.stem}_labels.tif")
    cells = tuple(
        LabelledCell(label=label, mask=mask, score=float(score), source="model")
        for label, (mask, score) in enumerate(zip(found.masks, found.scores, strict=True), start=1)
    )
    labels = LabelSet(height=found.labels.shape[0], width=found.labels.shape[1], cells=cells)
    out.write_bytes(FORMATS["label-tiff"].write(labels).data)
    print(f"{out}: {len(cells)} cells in {seconds:.1f} s")


def evaluate_command(options: argparse.Namespace) -> None:
    """Figures on a split, over all and by modality."""
    predictor = Predictor(load(options.weights))
    entries = read_manifest(options.data, options.split, options.dataset)
    started = time.perf_counter()
    evaluation = evaluate(predictor, _samples(predictor, entries), progress=_report_image)
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


def train_command(options: argparse.Namespace) -> None:
    """Train from scratch, or go on with the run in --out."""
    entries = read_manifest(options.data, "train", options.dataset)
    shares = shares_of(entries)
    licences = {entry.dataset: entry.licence for entry in entries if entry.dataset in shares}
    card = Card(
        training={"data": licences, "split": "train", "shares": shares, "processes": options.processes},
        licence="Apache-2.0",
    )
    path = train(
        TrainingRun(
            data=options.data,
            out=options.out,
            config=CONFIGURATIONS[options.model],
            minutes=options.minutes,
            shares=shares,
            processes=options.processes,
            seed=options.seed,
            card=card,
        )
    )
    print(path)


def calibrate_command(options: argparse.Namespace) -> None:
    """Choose the box threshold on a data folder's validation split and write the weights with it to --out."""
    model = load(options.weights)
    predictor = Predictor(model)
    entries = read_manifest(options.data, "val", options.dataset)
    found = calibrate(
        predictor, ((sample.features, sample.labels) for sample in _samples(predictor, entries))
    )
    _, card = read_card(options.weights)
    figures = {
        "data": sorted({entry.dataset for entry in entries}),
        "images": len(entries),
        "threshold": found.threshold,
        "f1": round(found.f1, 4),
    }
    card = Card(card.training, {**card.metrics, "validation": figures}, card.licence)
    save(with_thresholds(model, box=found.threshold), options.out, card=card)
    for threshold, f1 in found.f1_by_threshold.items():
        print(f"{threshold:.2f}  F1 {f1:.3f}{'  chosen' if threshold == found.threshold else ''}")


def info_command(options: argparse.Namespace) -> None:
    """What a weight file says about itself, and its hashes."""
    config, card = read_card(options.weights)
    model = load(options.weights)
    about = {
        "file": str(options.weights),
        "bytes": options.weights.stat().st_size,
        "sha256": file_sha256(options.weights),
        "trunk": state_hash(model.trunk.state_dict()),
        "neck": state_hash(model.neck.state_dict()),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "config": asdict(config),
        "card": asdict(card),
    }
    print(json.dumps(about, indent=2))


def _samples(predictor: Predictor, entries: Sequence[Entry]) -> Iterator[Sample]:
    """One image at a time: features of a whole split do not fit in memory."""
    for entry in entries:
        image, roles = entry.read_image()
        group = (
            entry.modality if len({e.dataset for e in entries}) == 1 else f"{entry.dataset} {entry.modality}"
        )
        yield Sample(entry.image.stem, group, predictor.embed(image, roles), entry.read_labels())


def _summaries(evaluation: Evaluation) -> list[tuple[str, Summary]]:
    return [("all", evaluation.summary()), *((name, evaluation.summary(name)) for name in evaluation.groups)]


def _report_image(result: ImageResult) -> None:
    print(f"\r{result.name[:40]:40} F1 {result.counts.f1:.3f}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m worker.cellsam", description="CellSAM: find and outline cells."
    )
    commands = parser.add_subparsers(title="commands", required=True)

    segment = _command(commands, "segment", segment_command)
    segment.add_argument("image", type=Path, help="PNG, JPEG, TIFF or .npy")
    segment.add_argument("--out", type=Path, help="label TIFF (default: beside the image)")
    segment.add_argument(
        "--roles", help=f"a role for each channel, comma-separated: {', '.join(CHANNEL_ROLES)}"
    )
    _add_weights(segment)

    evaluation = _command(commands, "evaluate", evaluate_command)
    _add_data(evaluation)
    splits: tuple[Split, ...] = ("train", "val", "test")
    evaluation.add_argument("--split", choices=splits, default="val")
    evaluation.add_argument("--json", action="store_true", help="print figures as JSON")
    _add_weights(evaluation)

    training = _command(commands, "train", train_command)
    _add_data(training)
    training.add_argument(
        "--out", type=Path, required=True, help="folder of the run; an existing run goes on"
    )
    training.add_argument(
        "--minutes", type=float, required=True, help="wall time, all runs of the folder together"
    )
    training.add_argument("--processes", type=int, default=cpu_processes())
    training.add_argument("--model", choices=["tiny"], default="tiny")
    training.add_argument("--seed", type=int, default=0)

    calibration = _command(commands, "calibrate", calibrate_command)
    _add_data(calibration)
    calibration.add_argument("--out", type=Path, required=True, help="weight file to write")
    _add_weights(calibration)

    _add_weights(_command(commands, "info", info_command))
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
    parser.set_defaults(command=command)
    return parser


def _add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", type=Path, default=DEFAULT_WEIGHTS, help="default: the shipped tiny model"
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with a manifest.csv")
    parser.add_argument("--dataset", action="append", help="only this data set (may be repeated)")


if __name__ == "__main__":
    raise SystemExit(main())
