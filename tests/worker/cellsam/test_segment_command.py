"""`segment`: what people name, what they get, and what becomes of files that cannot be used."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from labeling.formats import FORMATS
from labeling.rle import BoxMask, masks_of_labels
from labeling.simulate import simulate
from worker.cellsam import Predictor
from worker.cellsam.__main__ import main
from worker.cellsam.cli import results, segment
from worker.cellsam.cli.progress import ProgressLine
from worker.cellsam.label_file import TILE_PX
from worker.cellsam.sources import ArraySource
from worker.cellsam.stitching import Cell, Segmentation

EVERY_FORMAT = ["--format", "label-tiff", "--format", "coco", "--format", "outlines", "--format", "csv"]


def nuclei(seed: int = 0, side: int = 96) -> NDArray[np.uint16]:
    plane: NDArray[np.uint16] = simulate("nuclei", height=side, width=side + 16, cells=8, seed=seed).image[0]
    return plane


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    """Two images, one of them in a subfolder, and a file that is none."""
    folder = tmp_path / "plate"
    (folder / "well").mkdir(parents=True)
    tifffile.imwrite(folder / "a.tif", nuclei(0))
    Image.fromarray((nuclei(1) >> 8).astype(np.uint8)).save(folder / "well" / "b.png")
    (folder / "notes.txt").write_text("Tuesday")
    return folder


def test_it_writes_a_label_tiff_beside_the_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tifffile.imwrite(tmp_path / "field.tif", nuclei())

    assert main(["segment", str(tmp_path / "field.tif")]) == 0

    labels = tifffile.imread(tmp_path / "field_labels.tif")
    assert labels.dtype == np.uint16
    assert labels.shape == (96, 112)
    printed = capsys.readouterr()
    assert f"{labels.max()} cells" in printed.out
    assert printed.err == ""  # no terminal, no progress


def test_every_format_shows_the_same_cells(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "field.tif", nuclei())

    assert main(["segment", str(tmp_path / "field.tif"), "--out", str(tmp_path / "out"), *EVERY_FORMAT]) == 0

    out = tmp_path / "out"
    labels = tifffile.imread(out / "field_labels.tif").astype(np.int32)
    cells = dict(masks_of_labels(labels))
    assert len(cells) > 2
    read = FORMATS["coco"].read((out / "field_coco.json").read_bytes())
    assert {cell.label: cell.mask for cell in read.cells} == cells
    assert read.image_name == "field.tif"
    rows = list(csv.DictReader((out / "field_cells.csv").open()))
    assert [int(row["label"]) for row in rows] == list(cells)
    for row, (label, mask) in zip(rows, cells.items(), strict=True):
        assert tuple(int(row[name]) for name in ("x0", "y0", "x1", "y1")) == mask.box
        assert int(row["area_px"]) == mask.area
        y, x = (np.argwhere(labels == label) + 0.5).mean(axis=0)
        assert (float(row["centroid_x"]), float(row["centroid_y"])) == pytest.approx((x, y), abs=0.01)
        assert 0 < float(row["score"]) <= 1
        assert float(row["predicted_iou"]) > 0.5


def test_labels_of_an_image_of_several_bands_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    column = np.concatenate([nuclei(seed) for seed in range(6)])
    assert len(column) > TILE_PX
    tifffile.imwrite(tmp_path / "field.tif", column)
    main(["segment", str(tmp_path / "field.tif"), "--out", str(tmp_path / "painted")])
    monkeypatch.setattr(results, "PAINTED_PX", 0)
    out = tmp_path / "out"

    found = main(
        ["segment", str(tmp_path / "field.tif"), "--out", str(out), *EVERY_FORMAT, "--skip-existing"]
    )

    assert found == 0
    labels = tifffile.imread(out / "field_labels.tif")
    painted = tifffile.imread(tmp_path / "painted" / "field_labels.tif")
    assert labels.dtype == painted.dtype == np.uint16
    assert np.array_equal(labels, painted)
    cells = dict(masks_of_labels(labels.astype(np.int32)))
    assert any(mask.box[1] < TILE_PX < mask.box[3] for mask in cells.values())
    read = FORMATS["coco"].read((out / "field_coco.json").read_bytes())
    assert {cell.label: cell.mask for cell in read.cells} == cells
    rows = list(csv.DictReader((out / "field_cells.csv").open()))
    assert [(int(row["label"]), int(row["area_px"])) for row in rows] == [
        (label, mask.area) for label, mask in cells.items()
    ]
    assert files(out) == {f"field{known.ending}" for known in results.RESULTS.values()}


def test_a_label_tiff_of_many_bands_is_never_whole_in_memory(tmp_path: Path) -> None:
    height, width = 16_000, 2_000
    masks = [BoxMask.from_mask(np.ones((30, 20), bool), x=x, y=y) for x, y in ((1900, 15_900), (0, 500))]
    found = Segmentation.of(
        [
            Cell(mask, np.zeros(4, np.float32), score, 1.0)
            for mask, score in zip(masks, (0.9, 0.8), strict=True)
            if mask is not None
        ],
        height,
        width,
    )
    blank = ArraySource(np.broadcast_to(np.uint8(0), (height, width)))

    tracemalloc.start()
    results.write_labels(
        results.Result("blank.tif", blank, ("whole_cell",), found), tmp_path / "blank_labels.tif"
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < height * width  # a byte for each pixel would be more
    labels = tifffile.imread(tmp_path / "blank_labels.tif")
    assert labels.shape == (height, width)
    assert (labels[15_900:15_930, 1900:1920] == 1).all()
    assert (labels[500:530, :20] == 2).all()
    assert np.count_nonzero(labels) == 2 * 600


def test_an_image_too_large_for_outlines_is_refused_before_it_is_segmented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.lib.format.open_memmap(tmp_path / "slide.npy", "w+", np.uint8, (9_000, 9_000))

    def segmented(*_: object, **__: object) -> None:
        raise AssertionError("it was begun")

    monkeypatch.setattr(Predictor, "segment", segmented)

    assert main(["segment", str(tmp_path / "slide.npy"), *EVERY_FORMAT]) == 1

    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'slide.npy'}: outlines are drawn up to 67 megapixels, not on 81; "
        "ask for label-tiff, coco or csv\n"
    )
    assert files(tmp_path) == {"slide.npy"}


def test_outlines_are_the_edges_of_the_cells_on_the_image(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "field.tif", nuclei())

    main(["segment", str(tmp_path / "field.tif"), *EVERY_FORMAT])

    labels = tifffile.imread(tmp_path / "field_labels.tif")
    picture = np.asarray(Image.open(tmp_path / "field_outlines.png")).astype(int)
    assert picture.shape == (96, 112, 3)
    drawn = np.ptp(picture, axis=2) > 0  # all else is gray
    around = np.pad(labels, 1)
    touching = np.zeros(labels.shape, dtype=bool)
    for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
        touching |= around[y : y + 96, x : x + 112] != labels
    inside = np.s_[1:-1, 1:-1]  # the image's own border is no edge
    assert np.array_equal(drawn[inside], (touching & (labels > 0))[inside])
    gray = picture[..., 0][~drawn]
    assert np.corrcoef(gray, nuclei()[~drawn])[0, 1] > 0.95


@pytest.mark.parametrize("kind", ["two channels", "stained"])
def test_outlines_are_drawn_on_images_of_every_kind(tmp_path: Path, kind: str) -> None:
    plane = (nuclei() >> 8).astype(np.uint8)
    if kind == "stained":
        Image.fromarray(255 - np.stack([plane, plane // 2, plane // 3], axis=-1)).save(tmp_path / "field.png")
    else:
        tifffile.imwrite(tmp_path / "field.tif", np.stack([plane, plane[::-1]]), metadata={"axes": "CYX"})

    assert main(["segment", str(tmp_path), "--format", "outlines"]) == 0

    picture = np.asarray(Image.open(tmp_path / "field_outlines.png"))
    assert picture.shape == (96, 112, 3)
    assert picture.std() > 0


def test_folders_patterns_and_files_can_be_named_together(
    plate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "c.npy", nuclei(2))
    named = [str(plate), str(plate / "**" / "*.png"), str(tmp_path / "c.npy")]

    assert main(["segment", *named, "--out", str(tmp_path / "out")]) == 0

    assert files(tmp_path / "out") == {"a_labels.tif", "well/b_labels.tif", "c_labels.tif"}
    assert "3 images" in capsys.readouterr().out.splitlines()[-1]


def test_a_folder_can_be_named_again_without_its_results(plate: Path) -> None:
    main(["segment", str(plate), "--format", "label-tiff", "--format", "outlines"])
    first = files(plate)
    assert {"a_labels.tif", "a_outlines.png", "well/b_labels.tif", "well/b_outlines.png"} < first

    main(["segment", str(plate), "--format", "label-tiff", "--format", "outlines"])

    assert files(plate) == first


def test_images_of_one_name_keep_their_endings(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, nuclei())
    Image.fromarray((nuclei() >> 8).astype(np.uint8)).save(tmp_path / "a.png")

    assert main(["segment", str(tmp_path), "--out", str(tmp_path / "out")]) == 0

    assert files(tmp_path / "out") == {"a.tif_labels.tif", "a.png_labels.tif", "b_labels.tif"}


def test_results_of_two_folders_never_replace_each_other(
    plate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tifffile.imwrite(plate / "well" / "a.tif", nuclei(3))

    assert main(["segment", str(plate / "**" / "*.tif"), "--out", str(tmp_path / "out")]) == 1

    assert files(tmp_path / "out") == {"a.tif_labels.tif"}
    assert "well/a.tif: its results would replace those of" in capsys.readouterr().err


def test_a_bad_file_has_a_line_and_the_others_go_on(
    plate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plate / "letter.png").write_text("Dear all")
    np.save(plate / "nan.npy", np.full((9, 9), np.nan))
    (tmp_path / "empty").mkdir()
    named = [str(tmp_path / "absent.tif"), str(tmp_path / "empty"), str(plate)]

    assert main(["segment", *named, "--out", str(tmp_path / "out")]) == 1

    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(f"error: {tmp_path / 'empty'}: no image is there")
    assert lines[1] == f"error: {tmp_path / 'absent.tif'}: No such file or directory"
    assert lines[2].startswith(f"error: {plate / 'letter.png'}: this is not an image")
    assert lines[3].startswith(f"error: {plate / 'nan.npy'}: ")
    assert files(tmp_path / "out") == {"a_labels.tif", "well/b_labels.tif"}
    assert printed.out.splitlines()[-1].startswith("2 images, ")
    assert "4 failed" in printed.out.splitlines()[-1]


def test_what_is_there_is_skipped_when_wanted(
    plate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["segment", str(plate), "--out", str(tmp_path / "out"), "--skip-existing"]
    assert main(arguments) == 0
    kept = tmp_path / "out" / "a_labels.tif"
    kept.write_bytes(b"mine")
    (tmp_path / "out" / "well" / "b_labels.tif").unlink()
    capsys.readouterr()

    assert main(arguments) == 0

    assert kept.read_bytes() == b"mine"
    assert files(tmp_path / "out") == {"a_labels.tif", "well/b_labels.tif"}
    assert "1 images" in capsys.readouterr().out.splitlines()[-1]
    assert main([*arguments, "--format", "csv"]) == 0  # another result is not there yet
    assert (tmp_path / "out" / "a_cells.csv").exists()


@pytest.mark.parametrize("writes", ["write_whole", "write_label_file"])
def test_a_large_image_is_taken_up_where_a_stopped_command_left_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    tifffile.imwrite(tmp_path / "field.tif", nuclei())
    if writes == "write_label_file":
        monkeypatch.setattr(results, "PAINTED_PX", 0)
    main(["segment", str(tmp_path / "field.tif"), "--out", str(tmp_path / "at_once")])
    monkeypatch.setattr(segment, "RESUMED_FROM_PX", 0)
    with monkeypatch.context() as first:
        first.setattr(results, writes, stopped)
        assert main(["segment", str(tmp_path / "field.tif"), "--resume"]) == 130
    assert not (tmp_path / "field_labels.tif").exists()
    assert list((tmp_path / "field_unfinished").rglob("*.safetensors"))

    with monkeypatch.context() as second:
        second.setattr(Predictor, "embed_tiles", stopped)  # all tiles are known
        assert main(["segment", str(tmp_path / "field.tif"), "--resume"]) == 0

    assert not (tmp_path / "field_unfinished").exists()
    labels = (tmp_path / "at_once" / "field_labels.tif").read_bytes()
    assert (tmp_path / "field_labels.tif").read_bytes() == labels


def test_no_cells_give_files_without_cells(tmp_path: Path) -> None:
    np.save(tmp_path / "blank.npy", np.zeros((40, 50), np.uint8))

    assert main(["segment", str(tmp_path / "blank.npy"), *EVERY_FORMAT]) == 0

    assert not tifffile.imread(tmp_path / "blank_labels.tif").any()
    assert json.loads((tmp_path / "blank_coco.json").read_text())["annotations"] == []
    assert len((tmp_path / "blank_cells.csv").read_text().splitlines()) == 1
    assert not np.asarray(Image.open(tmp_path / "blank_outlines.png")).any()


def test_a_higher_threshold_leaves_the_surer_cells(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "field.tif", nuclei())
    scores = {}
    for threshold in ("0.2", "0.8"):
        arguments = ["segment", str(tmp_path / "field.tif"), "--format", "csv", "--threshold", threshold]
        assert main(arguments) == 0
        with (tmp_path / "field_cells.csv").open() as file:
            scores[threshold] = [float(row["score"]) for row in csv.DictReader(file)]

    assert len(scores["0.8"]) < len(scores["0.2"])
    assert min(scores["0.8"]) > 0.8


def test_small_cells_can_be_enlarged(tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", nuclei(side=192)[::2, ::2])
    cells = {}
    for scale in ("1", "2"):
        assert main(["segment", str(tmp_path / "small.npy"), "--scale", scale, "--enhance"]) == 0
        cells[scale] = tifffile.imread(tmp_path / "small_labels.tif")

    assert cells["2"].shape == cells["1"].shape
    assert not np.array_equal(cells["2"], cells["1"])
    assert cells["2"].max() > 0


def test_channels_of_unknown_meaning_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planes = np.stack([nuclei(0), nuclei(1), nuclei(0)[::-1]])
    tifffile.imwrite(tmp_path / "field.tif", planes, photometric="minisblack", metadata={"axes": "CYX"})
    image = str(tmp_path / "field.tif")

    assert main(["segment", image]) == 1
    assert "--roles, for example nuclear,whole_cell,-" in capsys.readouterr().err
    assert main(["segment", image, "--roles", "nuclear,whole_cell"]) == 1
    assert "2 roles for 3 channels" in capsys.readouterr().err
    assert main(["segment", image, "--roles", "whole_cell,-,-"]) == 0
    alone = tifffile.imread(tmp_path / "field_labels.tif")
    np.save(tmp_path / "alone.npy", planes[0])
    assert main(["segment", str(tmp_path / "alone.npy")]) == 0
    assert np.array_equal(alone, tifffile.imread(tmp_path / "alone_labels.tif"))


def test_a_frame_of_a_time_lapse_is_segmented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = np.stack([np.zeros_like(nuclei()), nuclei()])
    tifffile.imwrite(tmp_path / "movie.tif", frames, metadata={"axes": "TYX"})

    cells = []
    for frame in ("1", "2"):
        assert main(["segment", str(tmp_path / "movie.tif"), "--frame", frame]) == 0
        cells.append(int(tifffile.imread(tmp_path / "movie_labels.tif").max()))
    assert cells[0] == 0
    assert cells[1] > 2
    capsys.readouterr()
    assert main(["segment", str(tmp_path / "movie.tif"), "--frame", "3"]) == 1
    assert "no frame 3" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    with ProgressLine() as line:
        line.show(0.5, "1/2  a rather long name")
        once = terminal.getvalue()
        line.show(0.5, "1/2  a rather long name")
        assert terminal.getvalue() == once  # drawn only where it changes
        line.show(1.0, "2/2  b")

    drawn = terminal.getvalue()
    assert "\n" not in drawn
    assert " 50%  1/2  a rather long name" in drawn
    last = drawn.split("\r")
    assert last[-1] == ""
    assert set(last[-2]) == {" "}  # wiped
