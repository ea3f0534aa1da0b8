from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pycocotools.coco import COCO

from labeling.formats import coco
from labeling.rle import BoxMask
from tests.worker.cellsam.test_robustness import PAPER_SMALL
from worker.cellsam import Predictor
from worker.cellsam.__main__ import main
from worker.cellsam.build import build
from worker.cellsam.channels import config_channels
from worker.cellsam.data.field_preparation import file_stem
from worker.cellsam.data.labelled import SPLITS, DataError, Split
from worker.cellsam.data.manifest import EmptySplit, Entry, Field, read_manifest
from worker.cellsam.data.preparation import PreparationOptions, Source, prepare
from worker.cellsam.data.preparation_report import PreparationReport
from worker.cellsam.evaluate.side_by_side import LabelledImage
from worker.cellsam.training.tiles import UNCHANGED, Tiles

Miniature = Callable[[str], Path]
Scene = Callable[..., tuple[NDArray[np.uint8], NDArray[np.uint16]]]
WriteFile = Callable[[Path, NDArray[Any]], None]


def encode(mask: BoxMask, height: int, width: int) -> str:
    return coco.compress(coco.column_major_counts(mask, height, width))


def prepared(out: Path, *sources: Source, **options: bool) -> PreparationReport:
    return prepare(sources, out, encode=encode, options=PreparationOptions(**options))


def everything(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture
def large_set(tmp_path: Path, make_scene: Scene, write_file: WriteFile) -> Source:
    """Five fields of 2 x 1 tiles."""
    for number in range(5):
        image, labels = make_scene(number, 100, 600)
        labels[:, 400:] = 0
        labels[40:60, 560:580] = 9  # in the second tile alone
        write_file(tmp_path / "large" / "images" / f"{number}.png", image)
        write_file(tmp_path / "large" / "masks" / f"{number}.png", labels)
    return Source("large", "folders", tmp_path / "large")


def test_it_works(tmp_path: Path, large_set: Source, make_scene: Scene) -> None:
    report = prepared(tmp_path / "out", large_set)

    images = sorted((tmp_path / "out" / "tiles" / "large").glob("[0-9]_*[0-9].npy"))
    assert len(images) == 10
    for path in images:
        pixels = np.load(path, allow_pickle=False)
        labels = np.load(path.with_name(f"{path.stem}_labels.npy"), allow_pickle=False)
        assert (pixels.shape, pixels.dtype) == ((3, 512, 512), np.float32)
        assert (labels.shape, labels.dtype) == ((1, 512, 512), np.int32)
        assert 0 <= pixels.min() < pixels.max() <= 1
    first = np.load(images[0].with_name("0_00000_00000_labels.npy"))
    np.testing.assert_array_equal(first[0, :60, :80], make_scene(0, 100, 600)[1][:60, :80])
    second = np.load(images[0].with_name("0_00000_00384_labels.npy"))
    assert (second[0, 40:60, 176:196] == 1).all()
    assert (second > 0).sum() == 400
    assert sum(part.tiles for part in report.by_split.values()) == 10
    assert sum(part.cells for part in report.by_split.values()) == 25


def test_every_layout_can_be_prepared_and_read_for_training(tmp_path: Path, miniature: Miniature) -> None:
    out = tmp_path / "out"
    layouts = ("tissuenet", "brifiseg", "cellpose", "yeaz", "dsb2018", "livecell", "manifest")
    prepared(out, *(Source(layout, layout, miniature(layout)) for layout in layouts))

    entries = [entry for split in SPLITS for entry in read_manifest(out, split)]
    assert {entry.dataset for entry in entries} == {*layouts[:-1], "cells"}
    for entry in entries:
        field = Field.read(entry, colour=False)
        assert field.labels.shape == (512, 512)
        assert field.labels.max() >= 2
        assert field.pixels[..., field.labels > 0].mean() > 0
    two_channels = next(entry for entry in entries if entry.dataset == "tissuenet")
    assert two_channels.read_image()[1] == ("nuclear", "whole_cell")
    one_channel = next(entry for entry in entries if entry.dataset == "livecell")
    assert one_channel.read_image()[1] == ("whole_cell",)


def test_stained_images_keep_their_colours_where_wanted(tmp_path: Path, miniature: Miniature) -> None:
    source = Source("dsb2018", "dsb2018", miniature("dsb2018"))
    roles = {}
    for keep in (False, True):
        prepared(tmp_path / str(keep), source, keep_colour=keep)
        for split in SPLITS:
            path = tmp_path / str(keep) / "manifest.csv"
            if f",{split}," in path.read_text():
                for entry in read_manifest(path.parent, split):
                    roles[entry.image.stem[:6], keep] = entry.read_image()[1]
    assert roles["01d44a", False] == ("whole_cell",)
    assert roles["01d44a", True] == ("rgb",)
    assert roles["00ae65", True] == ("whole_cell",)


def test_coco_masks_and_boxes_are_those_of_the_label_maps(tmp_path: Path, miniature: Miniature) -> None:
    out = tmp_path / "out"
    prepared(out, Source("cells", "manifest", miniature("manifest")))

    document = COCO(out / "coco" / "test.json")
    assert len(document.imgs) == 2
    assert len(document.anns) == 8
    for annotation in document.anns.values():
        image = document.imgs[annotation["image_id"]]
        labels = np.load(out / image["file_name"].replace(".npy", "_labels.npy"))[0]
        mask = document.annToMask(annotation).astype(bool)
        np.testing.assert_array_equal(mask, labels == annotation["label"])
        x, y, width, height = annotation["bbox"]
        assert mask[y : y + height, x : x + width].sum() == mask.sum() == annotation["area"]
        assert mask[y].any()
        assert mask[:, x + width - 1].any()


def test_a_run_that_was_stopped_goes_on_to_the_same_result(tmp_path: Path, large_set: Source) -> None:
    prepared(tmp_path / "whole", large_set)
    calls = 0

    def fails_in_the_third_field(mask: BoxMask, height: int, width: int) -> str:
        nonlocal calls
        calls += 1
        if calls == 15:  # five cells a field; its first tile is on disk by then
            raise KeyboardInterrupt
        return encode(mask, height, width)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        prepare([large_set], out, encode=fails_in_the_third_field)
    assert not (out / "manifest.csv").exists()
    assert len((out / "journal" / "large.jsonl").read_text().splitlines()) == 2
    for done in ("0", "1"):  # what is done is not read again
        (large_set.folder / "images" / f"{done}.png").write_text("not an image any more")
    prepared(out, large_set)

    assert everything(out) == everything(tmp_path / "whole")


def test_half_a_line_and_half_a_file_do_not_count(tmp_path: Path, large_set: Source) -> None:
    prepared(tmp_path / "whole", large_set)
    out = tmp_path / "out"
    shutil.copytree(tmp_path / "whole", out)
    journal = out / "journal" / "large.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3]) + lines[3][:100])
    for path in out.glob("tiles/large/[34]_*"):
        path.unlink()
    (out / "tiles" / "large" / "3_00000_00000.npy.partial").write_bytes(b"\x93NUM")
    prepared(out, large_set)

    assert everything(out) == everything(tmp_path / "whole")


def test_a_source_that_is_done_is_not_needed_again(
    tmp_path: Path, large_set: Source, miniature: Miniature
) -> None:
    out = tmp_path / "out"
    prepared(out, large_set)
    shutil.rmtree(large_set.folder)
    prepared(out, large_set)
    report = prepared(out, Source("phase400", "phase400", miniature("phase400")))

    assert {dataset for dataset, _ in report.by_split} == {"large", "phase400"}
    assert "large" in (out / "manifest.csv").read_text()


def test_other_options_are_refused(tmp_path: Path, large_set: Source, miniature: Miniature) -> None:
    out = tmp_path / "out"
    prepared(out, large_set)
    with pytest.raises(DataError, match="keep_colour = False, now True; prepare into another folder"):
        prepared(out, large_set, keep_colour=True)
    with pytest.raises(DataError, match="source large was begun as folders in"):
        prepared(out, Source("large", "folders", miniature("folders")))
    with pytest.raises(DataError, match="two sources have the same name"):
        prepared(tmp_path / "other", large_set, large_set)
    with pytest.raises(DataError, match="no such layout"):
        Source("x", "pictures", tmp_path)
    with pytest.raises(DataError, match="letters, digits"):
        Source("../x", "folders", tmp_path)


def test_a_source_that_was_begun_must_be_finished(
    tmp_path: Path, large_set: Source, miniature: Miniature
) -> None:
    out = tmp_path / "out"
    broken = large_set.folder / "images" / "3.png"
    intact = broken.read_bytes()
    broken.write_text("Dear all")
    with pytest.raises(DataError, match=r"3\.png: this is not an image"):
        prepared(out, large_set)
    with pytest.raises(DataError, match="source large was begun and not finished"):
        prepared(out, Source("folders", "folders", miniature("folders")))
    broken.write_bytes(intact)
    assert sum(part.fields for part in prepared(out, large_set).by_split.values()) == 8


def test_an_unreadable_file_can_be_left_out_and_is_reported(tmp_path: Path, large_set: Source) -> None:
    (large_set.folder / "images" / "3.png").write_text("Dear all")
    report = prepared(tmp_path / "out", large_set, skip_unreadable=True)

    assert list(report.unreadable) == ["large 3"]
    assert "3.png: this is not an image" in report.unreadable["large 3"]
    assert sum(part.dropped.get("unreadable_fields", 0) for part in report.by_split.values()) == 1
    assert sum(part.tiles for part in report.by_split.values()) == 8


def test_what_is_dropped_is_counted_by_reason(tmp_path: Path, write_file: WriteFile) -> None:
    random = np.random.default_rng(0)
    labels = np.zeros((512, 896), dtype=np.uint16)  # two tiles: columns 0 to 511, and 384 to 895
    labels[10:20, 10:20] = 1
    labels[40:50, 10:20] = labels[40:50, 30:40] = 2  # two pieces
    labels[60, 10:40] = 3  # one pixel wide
    labels[100:110, 300:385] = 4  # one column of it in the second tile
    labels[200:204, 380:500] = labels[212:216, 380:500] = labels[200:216, 375:384] = (
        5  # a fork: two teeth there
    )
    write_file(tmp_path / "set" / "images" / "1.png", random.integers(0, 255, labels.shape, dtype=np.uint8))
    write_file(tmp_path / "set" / "masks" / "1.png", labels)
    write_file(tmp_path / "set" / "images" / "2.png", random.integers(0, 255, (50, 50), dtype=np.uint8))
    write_file(tmp_path / "set" / "masks" / "2.png", np.zeros((50, 50), np.uint8))
    report = prepared(tmp_path / "out", Source("set", "folders", tmp_path / "set"))

    total: dict[str, int] = {}
    for part in report.by_split.values():
        for reason, count in part.dropped.items():
            total[reason] = total.get(reason, 0) + count
    assert total == {
        "labels_in_pieces": 1,
        "labels_one_pixel_wide": 1,
        "fragments_in_pieces": 1,
        "fragments_one_pixel_wide": 1,
        "empty_tiles": 1,
        "fields_without_cells": 1,
    }
    written = json.loads((tmp_path / "out" / "report.json").read_text())
    splits = written["datasets"]["set"].values()
    assert sum(part["dropped"].get("labels_in_pieces", 0) for part in splits) == 1
    assert any("1 labels in several pieces" in line for line in report.lines())


def test_the_same_pixels_in_two_splits_end_in_train(
    tmp_path: Path, miniature: Miniature, write_file: WriteFile
) -> None:
    folder = miniature("manifest")
    shutil.copy(folder / "cells" / "1.png", folder / "cells" / "3.png")  # of val and of test
    report = prepared(tmp_path / "out", Source("cells", "manifest", folder))

    assert report.by_split["cells", "train"].moved_here == {"val": 1, "test": 1}
    assert report.leaks == 1
    assert [entry.image.stem for entry in read_manifest(tmp_path / "out", "test")] == [
        f"{file_stem('cells/2')}_00000_00000"
    ]
    assert any("1 fields moved here from test" in line for line in report.lines())


def test_names_of_files_cannot_leave_the_folder_and_stay_apart() -> None:
    assert file_stem("A549-003") == "A549-003"
    stems = {file_stem(name) for name in ("../a", "/a", "a b", "a/b", "a_b", "x" * 500)}
    assert len(stems) == 6
    assert all("/" not in stem and "." not in stem and len(stem) < 120 for stem in stems)


def test_the_command_prepares_and_reports(
    tmp_path: Path, miniature: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = miniature("folders"), tmp_path / "out"
    assert main(["prepare", "--source", f"folders:mine={source}", "--out", str(out)]) == 0

    captured = capsys.readouterr()
    assert "mine" in captured.out
    assert "3 fields" in captured.err
    assert (out / "manifest.csv").exists()
    for wrong in (f"folders={tmp_path / 'absent'}", "folders", f"pictures={source}"):
        assert main(["prepare", "--source", wrong, "--out", str(tmp_path / "other")]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1


def test_a_model_that_equalises_takes_prepared_tiles_as_they_are(
    tmp_path: Path, make_scene: Scene, write_file: WriteFile
) -> None:
    """CLAHE twice is another image: a field and its tile give the same features, and the same input in training."""
    image, labels = make_scene(0, 512, 512)
    write_file(tmp_path / "raw" / "images" / "0.png", image)
    write_file(tmp_path / "raw" / "masks" / "0.png", labels)
    prepared(tmp_path / "out", Source("raw", "folders", tmp_path / "raw"))
    (entry,) = (entry for split in SPLITS for entry in entries_of(tmp_path / "out", split))
    config = replace(
        PAPER_SMALL,
        trunk=replace(PAPER_SMALL.trunk, input_px=512),
        tiling=replace(PAPER_SMALL.tiling, tile_px=512, scale=1),
    )
    predictor = Predictor(build(config))

    of_tile = LabelledImage.read(entry).features(predictor)

    assert torch.equal(of_tile.tokens, predictor.embed(image).tokens)
    seen, _ = Tiles([entry], config, seed=0)[UNCHANGED, 0]
    np.testing.assert_allclose(seen, config_channels(image, None, config), atol=1e-6)
    assert not np.allclose(seen, config_channels(*entry.read_image(), config), atol=0.01)


def entries_of(folder: Path, split: Split) -> list[Entry]:
    try:
        return read_manifest(folder, split)
    except EmptySplit:
        return []
