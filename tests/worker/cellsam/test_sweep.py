"""An image in bounded memory: block by block, the same cells however it is cut, stopped, or taken up again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from labeling.matching import count_matches
from labeling.rle import BoxMask
from labeling.simulate import Simulated
from tests.worker.cellsam.small_model import small_predictor
from worker.cellsam import Predictor, Segmentation
from worker.cellsam import sweep as sweep_module
from worker.cellsam.config import Thresholds
from worker.cellsam.label_file import LabelFile, write_label_file
from worker.cellsam.preprocess import Window
from worker.cellsam.sources import ArraySource, Samples
from worker.cellsam.stitching import Cell, assemble
from worker.cellsam.sweep import CellList, Stopped

EAGER = Thresholds(box=0.01, iou=-1.0)


def eager_predictor() -> Predictor:
    """Nearly every box is a cell, and boxes are large: many overlap, at seams and across levels."""
    model = small_predictor().model
    model.finder.dense_box[-1].bias.data[2:] += 2  # type: ignore[union-attr, index]
    model.mask_decoder.iou_prediction_head.layers[-1].bias.data += 1
    return Predictor(model, thresholds=EAGER)


@pytest.fixture(scope="module")
def eager() -> Predictor:
    return eager_predictor()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (330, 410)).astype(np.uint8)


@pytest.fixture(scope="module")
def whole(eager: Predictor, image: np.ndarray) -> Segmentation:
    return eager.segment(image)


def same(one: Segmentation, other: Segmentation) -> bool:
    return (
        np.array_equal(one.labels, other.labels)
        and one.masks == other.masks
        and np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.scores, other.scores)
        and np.array_equal(one.doubted, other.doubted)
    )


class Watched(ArraySource):
    """Remembers the largest window that was read."""

    largest = 0

    def read(self, window: Window) -> Samples:
        Watched.largest = max(Watched.largest, (window[2] - window[0]) * (window[3] - window[1]))
        return super().read(window)


def test_pixels_features_and_candidates_lead_to_the_same_cells(
    eager: Predictor, image: np.ndarray, whole: Segmentation
) -> None:
    features = eager.embed(image)
    candidates = eager.candidates(features)

    assert len(whole.masks) > 50
    assert {candidate.level for candidate in candidates} > {0}
    assert same(eager.segment_features(features), whole)
    assert np.array_equal(assemble(candidates, *image.shape).labels, whole.labels)


def test_the_size_of_a_block_changes_nothing(
    eager: Predictor, image: np.ndarray, whole: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tiles in (4, 1000):
        monkeypatch.setattr(sweep_module, "BLOCK_TILES", tiles)
        assert same(eager.segment(image), whole)


def test_cells_come_out_while_the_image_is_read(eager: Predictor, image: np.ndarray) -> None:
    class Sink(CellList):
        rows: list[tuple[int, int]] = []

        def take(self, cells: Sequence[Cell], settled_above: int) -> None:
            tops = [cell.mask.box[1] for cell in cells]
            self.rows.append((min(tops, default=10**9), settled_above))
            super().take(cells, settled_above)

    sink = Sink()
    eager.segment_into(sink, image)

    settled = [row for _, row in sink.rows]
    assert settled == sorted(settled)
    assert 0 < settled[len(settled) // 2] < 330
    # What was called settled is never touched again.
    assert all(top >= before for (top, _), before in zip(sink.rows[1:], settled, strict=False))


def test_a_lazily_read_image_is_never_read_whole(eager: Predictor) -> None:
    large = np.random.default_rng(0).integers(0, 255, (2100, 90)).astype(np.uint8)
    Watched.largest = 0

    found = CellList()
    eager.segment_into(found, Watched(large))

    assert found.cells
    assert Watched.largest < large.size


def test_a_label_file_holds_the_cells(eager: Predictor, image: np.ndarray, tmp_path: Path) -> None:
    class Both(LabelFile):
        cells: list[Cell] = []

        def take(self, cells: Sequence[Cell], settled_above: int) -> None:
            self.cells.extend(cells)
            super().take(cells, settled_above)

    labels = Both(tmp_path / "labels.tif", 330, 410)
    with labels:
        eager.segment_into(labels, image)

    painted = np.zeros((330, 410), dtype=np.uint32)
    for number, cell in enumerate(labels.cells, start=1):
        cell.mask.paint(painted, number)
    assert labels.count == len(labels.cells) > 50
    assert np.array_equal(tifffile.imread(tmp_path / "labels.tif"), painted)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.tif"]


def test_a_label_file_does_not_appear_before_it_is_whole(eager: Predictor, tmp_path: Path) -> None:
    with pytest.raises(Stopped), LabelFile(tmp_path / "labels.tif", 90, 90) as labels:
        eager.segment_into(labels, np.zeros((90, 90), np.uint8), should_stop=lambda: True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("cells", "dtype"), [(65_535, np.uint16), (65_536, np.uint32)])
def test_a_label_file_has_as_many_bits_as_its_labels_need(
    tmp_path: Path, cells: int, dtype: type[np.unsignedinteger]
) -> None:
    masks = [
        BoxMask((place % 128, place // 128, place % 128 + 1, place // 128 + 1), (0, 1))
        for place in range(cells)
    ]

    write_label_file(tmp_path / "labels.tif", masks[::-1], 513, 128)

    labels = tifffile.imread(tmp_path / "labels.tif")
    assert labels.dtype == dtype
    assert np.array_equal(labels.ravel()[:cells], np.arange(cells, 0, -1))
    assert not labels.ravel()[cells:].any()


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np, torch
from tests.worker.cellsam.test_sweep import eager_predictor
from worker.cellsam.sweep import CellList
torch.set_num_threads(1)
def die(done):
    if done > 0.6:
        os.kill(os.getpid(), signal.SIGKILL)
eager_predictor().segment_into(CellList(), np.load(sys.argv[1]), folder=Path(sys.argv[2]), progress=die)
"""


def test_a_killed_sweep_goes_on_where_it_was(
    eager: Predictor, image: np.ndarray, whole: Segmentation, tmp_path: Path
) -> None:
    np.save(tmp_path / "image.npy", image)
    folder = tmp_path / "found"
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "image.npy"), str(folder)], check=False
    )
    assert died.returncode == -signal.SIGKILL
    kept = list(folder.glob("*/*.safetensors"))
    assert kept

    calls, told = eager.trunk_calls, list[float]()
    found = resumed(eager, image, folder, told)

    rest = eager.trunk_calls - calls
    assert same(found, whole)
    assert told == sorted(told)
    assert told[-1] == 1
    again = resumed(eager, image, folder, told)
    assert eager.trunk_calls == calls + rest
    assert same(again, whole)
    assert 0 < rest < calls_of(eager, image)


def test_what_was_found_otherwise_or_is_damaged_is_not_taken_up(
    eager: Predictor, image: np.ndarray, whole: Segmentation, tmp_path: Path
) -> None:
    resumed(eager, image, tmp_path, [])
    (folder,) = tmp_path.iterdir()
    first = min(folder.iterdir())
    first.write_bytes(first.read_bytes()[:-5])

    assert same(resumed(eager, image, tmp_path, []), whole)
    other = Predictor(eager.model, thresholds=replace(EAGER, box=0.2))
    assert not same(resumed(other, image, tmp_path, []), whole)
    assert not same(resumed(eager, image[::-1].copy(), tmp_path, []), whole)
    assert len(list(tmp_path.iterdir())) == 3


def resumed(predictor: Predictor, image: np.ndarray, folder: Path, told: list[float]) -> Segmentation:
    cells = CellList()
    doubted = predictor.segment_into(cells, image, folder=folder, progress=told.append)
    return Segmentation.of(cells.cells, *image.shape, doubted=doubted)


def calls_of(predictor: Predictor, image: np.ndarray) -> int:
    calls = predictor.trunk_calls
    predictor.segment(image)
    return predictor.trunk_calls - calls


def test_a_mosaic_has_the_cells_of_its_images(predictor: Predictor, nuclei: Simulated) -> None:
    """Four mirror images of one, so that all are normalised alike. Cells at the seams are others there."""
    side, seam = 256, 16
    alone = predictor.segment(nuclei.image[0])
    turns = [np.s_[:, :], np.s_[:, ::-1], np.s_[::-1, :], np.s_[::-1, ::-1]]
    mosaic = np.block([[nuclei.image[0][t] for t in turns[:2]], [nuclei.image[0][t] for t in turns[2:]]])

    tiled = predictor.segment(mosaic).labels

    counts = [0, 0, 0]
    for number, turn in enumerate(turns):
        part = tiled[side * (number // 2) :, side * (number % 2) :][:side, :side][turn]
        own = predictor.segment(nuclei.image[0][turn].copy()).labels[turn]
        inner = [without_border(labels, seam) for labels in (own, part)]
        matched = count_matches(*inner, threshold=0.9)
        for place, value in enumerate(
            (matched.true_positive, matched.false_positive, matched.false_negative)
        ):
            counts[place] += value
    assert len(alone.masks) > 20
    assert 2 * counts[0] / (2 * counts[0] + counts[1] + counts[2]) >= 0.98


def without_border(labels: np.ndarray, margin: int) -> np.ndarray:
    """Without the labels that come near the border."""
    inner = np.zeros_like(labels, dtype=bool)
    inner[margin:-margin, margin:-margin] = True
    return np.where(np.isin(labels, np.unique(labels[~inner])), 0, labels).astype(np.int32)


def test_a_cell_of_one_and_a_half_tiles_is_found_whole(predictor: Predictor) -> None:
    y, x = np.mgrid[:640, :640]
    ellipse = ((y - 330) / 150) ** 2 + ((x - 300) / 190) ** 2 < 1
    random = np.random.default_rng(0)
    grain = ndimage.gaussian_filter(random.normal(0, 1, ellipse.shape), 8) * 5
    bright = np.where(ellipse, 150, 20) * (1 + 0.5 * grain) + random.normal(0, 3, ellipse.shape)

    found = predictor.segment(bright.clip(0, 255).astype(np.uint8))

    (label,) = np.unique(found.labels[330, 280:320])
    cell = found.labels == label
    assert (cell & ellipse).sum() / (cell | ellipse).sum() > 0.9
    # Its fragments are gone: what else is found lies beside it.
    assert not (found.labels[ellipse & ~cell] > 0).sum() > 0.02 * ellipse.sum()
