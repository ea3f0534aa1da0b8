"""`segment`: from image files to label maps, COCO files, pictures and tables."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from labeling.formats import FormatError
from labeling.pixels import PixelError
from worker.cellsam.channels import CHANNEL_ROLES, ImageError
from worker.cellsam.cli.arguments import (
    Commands,
    add_command,
    add_device,
    add_precision,
    add_weights,
    load_predictor,
)
from worker.cellsam.cli.image_files import SUFFIXES, ImageFile, find_images
from worker.cellsam.cli.image_reading import LEFT_OUT, open_image, read_roles
from worker.cellsam.cli.progress import ProgressLine
from worker.cellsam.cli.results import RESULTS, Result, check_sizes
from worker.cellsam.features import FeaturesError
from worker.cellsam.predictor import Predictor, Scale

EXAMPLES = """examples:
  python -m worker.cellsam segment field.tif
  python -m worker.cellsam segment plate/ --out results --format csv --format outlines
  python -m worker.cellsam segment 'plate/**/*.tif' --roles nuclear,-,whole_cell --skip-existing
"""
RESUMED_FROM_PX = 2**22  # smaller images are begun anew after a stop
# What is wrong with one image, and no reason to leave the others.
IMAGE_ERRORS = (
    ImageError,
    PixelError,
    FormatError,
    FeaturesError,
    OSError,
    MemoryError,
    torch.OutOfMemoryError,
)


@dataclass
class Batch:
    """One command's images, one after the other, and what became of them."""

    predictor: Predictor
    formats: Sequence[str]
    roles: Sequence[str] | None
    frame: int
    skip_existing: bool
    scale: Scale
    enhance: bool
    images: int = 0
    cells: int = 0
    skipped: int = 0
    failed: int = 0
    line: ProgressLine = field(default_factory=ProgressLine)

    def run(self, images: Sequence[ImageFile]) -> None:
        with self.line:
            for number, image in enumerate(images):
                self._one(image, partial(self._show, number, len(images), image.path.name))

    def fail(self, words: str) -> None:
        self.failed += 1
        self.line.clear()
        print(f"error: {words}", file=sys.stderr)

    def summary(self) -> str:
        rest = [f"{self.skipped} skipped"] * (self.skipped > 0) + [f"{self.failed} failed"] * (
            self.failed > 0
        )
        return ", ".join([f"{self.images} images", f"{self.cells} cells", *rest])

    def _show(self, number: int, count: int, name: str, share: float) -> None:
        self.line.show((number + share) / count, f"{number + 1}/{count}  {name}")

    def _one(self, image: ImageFile, progress: Callable[[float], None]) -> None:
        targets = {key: image.result(RESULTS[key].ending) for key in self.formats}
        if self.skip_existing and all(target.exists() for target in targets.values()):
            self.skipped += 1
            return
        started = time.perf_counter()
        progress(0)
        try:
            cells = self._segment(image, targets, progress)
        except IMAGE_ERRORS as error:
            self.fail(f"{image.path}: {_reason(error)}")
            return
        self.images, self.cells = self.images + 1, self.cells + cells
        self.line.clear()
        written = ", ".join(str(target) for target in targets.values())
        print(
            f"{image.path}: {cells} cells in {time.perf_counter() - started:.1f} s -> {written}", flush=True
        )

    def _segment(
        self, image: ImageFile, targets: Mapping[str, Path], progress: Callable[[float], None]
    ) -> int:
        source, roles = open_image(image.path, roles=self.roles, frame=self.frame)
        check_sizes(targets, source)
        large = source.height * source.width > RESUMED_FROM_PX
        unfinished = image.result("_unfinished") if self.skip_existing and large else None
        found = self.predictor.segment(
            source, roles, scale=self.scale, enhance=self.enhance, folder=unfinished, progress=progress
        )
        result = Result(image.path.name, source, roles, found)
        for key, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            RESULTS[key].write(result, target)
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
        return len(found.masks)


def segment_command(options: argparse.Namespace) -> int:
    """Find the cells of images; write label TIFFs, COCO files, outlined pictures or tables of cells."""
    out: Path | None = options.out
    if out is not None and (out.is_file() or (out.suffix.lower() in SUFFIXES and not out.is_dir())):
        raise ImageError(f"--out {out}: name a folder; results get the names of their images")
    roles = read_roles(options.roles)
    found = find_images(options.images, out, results=[known.ending for known in RESULTS.values()])
    batch = Batch(
        load_predictor(options),
        options.format or ["label-tiff"],
        roles,
        options.frame - 1,
        options.skip_existing,
        options.scale,
        options.enhance,
    )
    for problem in found.problems:
        batch.fail(problem)
    started = time.perf_counter()
    batch.run(found.images)
    if len(found.images) != 1:
        print(f"{batch.summary()} in {time.perf_counter() - started:.1f} s")
    return 1 if batch.failed else 0


def _scale(text: str) -> Scale:
    return "auto" if text == "auto" else float(text)


def _reason(error: BaseException) -> str:
    """In one line, without the path, which stands before it."""
    if isinstance(error, PixelError):
        return error.wrong
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return "not enough memory"
    return " ".join(str(error).split())


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "segment", segment_command, examples=EXAMPLES)
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="PNG, JPEG, TIFF or .npy; a folder (with its subfolders); or a quoted pattern",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="for the results (default: beside each image)"
    )
    parser.add_argument(
        "--format",
        choices=list(RESULTS),
        action="append",
        help="default: label-tiff (may be repeated); csv has a row for each cell",
    )
    parser.add_argument(
        "--roles",
        help=f"what each channel shows, comma-separated: {', '.join(CHANNEL_ROLES)}, or {LEFT_OUT} for a channel to "
        "leave out; default: one channel is whole_cell, two are nuclear,whole_cell, a colour image is rgb",
    )
    parser.add_argument("--frame", type=int, default=1, help="of a time-lapse or z-stack; default: the first")
    parser.add_argument(
        "--skip-existing",
        "--resume",
        action="store_true",
        help="leave images whose results are there, and go on inside a large one: what a stopped command left",
    )
    parser.add_argument(
        "--scale",
        type=_scale,
        metavar="NUMBER|auto",
        help="enlarge so many times, for cells smaller than the model was trained on; auto: by their size",
    )
    parser.add_argument("--enhance", action="store_true", help="for images of low or uneven contrast")
    parser.add_argument(
        "--threshold", type=float, help="box score above which there is a cell; default: the model's own"
    )
    add_weights(parser)
    add_device(parser)
    add_precision(parser)
