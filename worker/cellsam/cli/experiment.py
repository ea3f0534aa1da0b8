"""`experiment`: the paper's experiments, each a command of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from labeling.ladder import Rung
from worker.cellsam.checkpoint import file_sha256, read_card
from worker.cellsam.cli.arguments import (
    Commands,
    add_command,
    add_data,
    add_device,
    add_weights,
    load_predictor,
)
from worker.cellsam.cli.evaluate import add_floor, evenly, write_report
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.data.manifest import EmptySplit, Entry, Split, read_manifest
from worker.cellsam.evaluate.plots import plot_curves
from worker.cellsam.evaluate.report import Report, table_csv, table_json, table_markdown
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.evaluate.side_by_side import EvaluationError, read_images
from worker.cellsam.experiments.held_out import HeldOutExperiment, HeldOutResult, held_out_experiment
from worker.cellsam.experiments.ladder import LadderExperiment, ladder_experiment, ladder_rows
from worker.cellsam.experiments.neck import NeckExperiment, neck_experiment
from worker.cellsam.experiments.prompts import compare_prompts, prompt_rows
from worker.cellsam.experiments.scale import compare_scales
from worker.cellsam.experiments.specialist import SpecialistExperiment, specialist_experiment
from worker.cellsam.experiments.training import Recipe, trained
from worker.cellsam.experiments.unsure import unsure_images, unsure_rows
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.trainer import cpu_processes
from worker.cellsam.tuning import TuningConfig

CALIBRATION_IMAGES = 12  # of each data set; a threshold needs no more


def points_command(options: argparse.Namespace) -> None:
    """Point against box prompts: mean IoU of true cells that are shown to the mask decoder in one way or another."""
    predictor = load_predictor(options)
    images = compare_prompts(
        predictor,
        read_images(_measured(options)),
        points=options.points or (1, 3),
        seed=options.seed,
        progress=lambda result: _say(result.name),
    )
    print(file=sys.stderr)
    if not images:
        raise EvaluationError("there is no true cell to prompt with")
    rows = prompt_rows(images)
    _write_table(rows, {**_about(options), **_weights(options)}, options.out)


def neck_command(options: argparse.Namespace) -> None:
    """Zero-shot against neck-tuned: each data set with the model's own neck and with one tuned on its train split."""
    measured = _measured(options)
    experiment = NeckExperiment(
        train=evenly(_entries(options, "train"), options.images),
        measured=measured,
        config=_tuning(options),
        floor=options.floor,
        out=options.out,
    )
    results = neck_experiment(load_predictor(options), experiment, progress=lambda r: _say(r.name))
    _write(
        options, results, {**_weights(options), "images_to_tune_on": options.images, "steps": options.steps}
    )


def specialist_command(options: argparse.Namespace) -> None:
    """Specialist against generalist: models trained here for the same minutes, one on all data sets and one on each."""
    experiment = SpecialistExperiment(
        train=_entries(options, "train"),
        held_back=[*_entries(options, "val"), *_entries(options, "test")],
        calibrate_on=_calibration(options),
        measured=_measured(options),
        recipe=_recipe(options),
        floor=options.floor,
        out=options.out,
    )
    results = specialist_experiment(experiment, progress=lambda result: _say(result.name))
    _write(options, results, _training(options))


def held_out_command(options: argparse.Namespace) -> None:
    """A data set that the model never saw: zero-shot, and after its neck was tuned on a few of its images.

    The model is trained here on all the others for --minutes, or given by --weights if its card does not name the set.
    """
    options.dataset = [options.held_out]
    measured, few = _measured(options), _entries(options, "train")
    predictor, about = _held_out_model(options)
    experiment = HeldOutExperiment(
        few=few,
        measured=measured,
        shots=options.shots or (2, 4, 8),
        config=_tuning(options),
        floor=options.floor,
        out=options.out,
    )
    found = held_out_experiment(predictor, experiment, progress=lambda result: _say(result.name))
    about |= {
        "held_out": options.held_out,
        "cells_by_images": {str(n): cells for n, cells in found.cells.items()},
    }
    _write(options, found.by_method, about)
    _plot_shots(found, options.out / "few_shot.png")


def ladder_command(options: argparse.Namespace) -> None:
    """The loop's ladder: what tuning the neck, CellFinder too, or all of it buys, from how many corrected cells."""
    experiment = LadderExperiment(
        few=_entries(options, "train"),
        measured=_measured(options),
        cells=options.cells or (50, 200, 800),
        rungs=[rung for rung in Rung if rung != Rung.TRUNK or options.deep],
        config=_shortened(TuningConfig(seed=options.seed), options.steps),
        side_px=options.side,
    )
    rows = ladder_rows(ladder_experiment(load_predictor(options), experiment, progress=_say))
    print(file=sys.stderr)
    about = {"split": options.split, "tuning": asdict(experiment.config)}
    _write_table(rows, {**_about(options), **_weights(options), **about}, options.out)


def scale_command(options: argparse.Namespace) -> None:
    """The usual scale against "auto": the middle of each image shrunk to half, as it is, and enlarged twice."""
    found = compare_scales(
        load_predictor(options),
        read_images(_measured(options)),
        crop_px=options.crop,
        floor=options.floor,
        progress=lambda result: _say(result.name),
    )
    of_sizes = {f"{options.split}_{size}": evaluations for size, evaluations in found.items()}
    _write_parts(options, of_sizes, {**_weights(options), "crop_px": options.crop})


def unsure_command(options: argparse.Namespace) -> None:
    """What people are saved where images that the model is unsure of open without outlines, by how unsure it is."""
    images = unsure_images(
        load_predictor(options), read_images(_measured(options)), progress=lambda result: _say(result.name)
    )
    print(file=sys.stderr)
    about = {"split": options.split, "without": options.without_modality or [], "images": len(images)}
    _write_table(unsure_rows(images), {**_about(options), **_weights(options), **about}, options.out)


def _held_out_model(options: argparse.Namespace) -> tuple[Predictor, dict[str, Any]]:
    if options.weights is not None:
        _, card = read_card(options.weights)
        if options.held_out in card.training.get("data", {}):
            raise EvaluationError(
                f"{options.weights.name} was trained on {options.held_out}: it is not held out"
            )
        return load_predictor(options), _weights(options)
    others = argparse.Namespace(data=options.data, dataset=None)
    predictor = trained(
        _recipe(options),
        train_on=[entry for entry in _entries(others, "train") if entry.dataset != options.held_out],
        held_back=[*_entries(others, "val"), *_entries(others, "test"), *_entries(options, "train")],
        calibrate_on=evenly(
            [entry for entry in _entries(others, "val") if entry.dataset != options.held_out],
            CALIBRATION_IMAGES,
        ),
        out=options.out / f"without_{options.held_out}",
    )
    return predictor, _training(options)


def _plot_shots(found: HeldOutResult, path: Path) -> None:
    shots = sorted(found.evaluations)
    curves = {
        label: ([float(n) for n in shots], [found.evaluations[n].figure(name) for n in shots])
        for label, name in (("F1 at mask IoU 0.6", "f1"), ("mean IoU with true boxes", "mean_iou_true_boxes"))
    }
    plot_curves(
        curves, path, x="images of the held-out data set that the neck was tuned on", y="pooled figure"
    )


def _write(options: argparse.Namespace, results: Mapping[str, Evaluation], about: Mapping[str, Any]) -> None:
    _write_parts(options, {options.split: results}, about)


def _write_parts(
    options: argparse.Namespace, results: Mapping[str, Mapping[str, Evaluation]], about: Mapping[str, Any]
) -> None:
    """`results` by split, or by what was made of it, whose methods are compared with each other only."""
    print(file=sys.stderr)
    report = Report.of(results, by=("dataset", "modality"), about={**_about(options), **about})
    write_report(report, results, options.out)
    print(report.to_text())


def _write_table(rows: Sequence[Mapping[str, object]], about: Mapping[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    columns = list(rows[0])
    table = table_markdown(columns, [list(row.values()) for row in rows])
    (folder / "report.md").write_text(table + "\n", encoding="utf-8")
    (folder / "figures.csv").write_text(table_csv(columns, rows), encoding="utf-8")
    (folder / "report.json").write_text(table_json(about, rows), encoding="utf-8")
    print(table)


def _measured(options: argparse.Namespace) -> list[Entry]:
    entries = _of_modality(options, read_manifest(options.data, options.split, options.dataset))
    return evenly(entries, options.at_most)


def _entries(options: argparse.Namespace, split: Split) -> list[Entry]:
    try:
        return _of_modality(options, read_manifest(options.data, split, options.dataset))
    except EmptySplit:
        return []


def _of_modality(options: argparse.Namespace, entries: list[Entry]) -> list[Entry]:
    wanted = getattr(options, "modality", None)
    left_out = getattr(options, "without_modality", None) or ()
    found = [
        entry for entry in entries if wanted in (None, entry.modality) and entry.modality not in left_out
    ]
    if not found:
        kind = f"of another modality than {', '.join(left_out)}" if left_out else f"of the modality {wanted}"
        raise EvaluationError(f"no image is {kind}")
    return found


def _calibration(options: argparse.Namespace) -> list[Entry]:
    """Validation images, unless they are what is reported."""
    return [] if options.split == "val" else evenly(_entries(options, "val"), CALIBRATION_IMAGES)


def _tuning(options: argparse.Namespace) -> TuningConfig:
    return _shortened(TuningConfig(seed=options.seed), options.steps)


def _shortened(config: TuningConfig, steps: int | None) -> TuningConfig:
    if steps is None:
        return config
    rungs = {rung.name.lower(): getattr(config, rung.name.lower()) for rung in Rung}
    most = {
        name: replace(schedule, least=min(schedule.least, steps), most=min(schedule.most, steps))
        for name, schedule in rungs.items()
    }
    return replace(config, **most)


def _recipe(options: argparse.Namespace) -> Recipe:
    return Recipe(
        CONFIGURATIONS[options.model], options.minutes, options.processes, options.seed, options.device
    )


def _about(options: argparse.Namespace) -> dict[str, Any]:
    return {"data": options.data.name, "images_of_each_set": options.at_most or "all", "seed": options.seed}


def _weights(options: argparse.Namespace) -> dict[str, Any]:
    return {"weights": options.weights.name, "sha256": file_sha256(options.weights)}


def _training(options: argparse.Namespace) -> dict[str, Any]:
    return {"model": options.model, "minutes": options.minutes, "processes": options.processes}


def _say(name: str) -> None:
    print(f"\r{name[-60:]:60}", end="", file=sys.stderr, flush=True)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    about = "The paper's experiments, each a command of its own."
    parser = commands.add_parser("experiment", help=about, description=about)
    experiments = parser.add_subparsers(title="experiments", required=True)
    points = _add(experiments, "points-vs-boxes", points_command)
    add_weights(points)
    points.add_argument(
        "--points", type=int, action="append", help="points of a prompt (may be repeated); default: 1 and 3"
    )
    neck = _add(experiments, "neck", neck_command)
    add_weights(neck)
    neck.add_argument("--images", type=int, default=40, help="images of each data set to tune on")
    _add_tuning(neck)
    specialist = _add(experiments, "specialist", specialist_command)
    _add_training(specialist)
    _add_ladder(experiments)
    scale = _add(experiments, "scale", scale_command)
    add_weights(scale)
    scale.add_argument(
        "--crop", type=int, default=256, help="pixels of the middle of each image, on a side at most"
    )
    unsure = _add(experiments, "unsure", unsure_command)
    add_weights(unsure)
    unsure.add_argument(
        "--without-modality", action="append", metavar="NAME", help="leave this kind out (may be repeated)"
    )
    held_out = _add(experiments, "held-out", held_out_command, datasets=False)
    held_out.add_argument("--held-out", required=True, metavar="DATASET")
    held_out.add_argument(
        "--weights", type=Path, help="a model that never saw the data set, instead of training one"
    )
    held_out.add_argument(
        "--shots",
        type=int,
        action="append",
        help="images to learn from (may be repeated); default: 2, 4 and 8",
    )
    _add_tuning(held_out)
    _add_training(held_out)


def _add_ladder(experiments: Commands[argparse.ArgumentParser]) -> None:
    ladder = _add(experiments, "ladder", ladder_command)
    add_weights(ladder)
    ladder.add_argument("--modality", help="of the data set's images only those of this kind")
    ladder.add_argument(
        "--cells",
        type=int,
        action="append",
        help="corrected cells (may be repeated); default: 50, 200 and 800",
    )
    ladder.add_argument(
        "--side", type=int, default=512, help="pixels of the middle of each image that is learned from"
    )
    ladder.add_argument("--steps", type=int, help="of each rung, at most; default: as in the application")
    ladder.add_argument("--deep", action="store_true", help="the trunk too, which takes long")


def _add(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    command: Callable[[argparse.Namespace], None],
    *,
    datasets: bool = True,
) -> argparse.ArgumentParser:
    parser = add_command(commands, name, command)
    if datasets:
        add_data(parser)
    else:
        parser.add_argument("--data", type=Path, required=True, help="folder with a manifest.csv")
    parser.add_argument(
        "--split", choices=["val", "test"], default="val", help="what is measured; default: val"
    )
    parser.add_argument(
        "--at-most", type=int, metavar="N", help="images of each data set to measure, evenly spaced"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the report, and for what is trained"
    )
    parser.add_argument("--seed", type=int, default=0)
    add_floor(parser)
    add_device(parser)
    return parser


def _add_tuning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--steps", type=int, default=200, help="of tuning the neck, at most")


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=30.0, help="of training, for each model")
    parser.add_argument("--processes", type=int, default=cpu_processes())
    parser.add_argument("--model", choices=["tiny"], default="tiny")
