from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from worker.cellsam.data.importers import IMPORTERS
from worker.cellsam.data.importers.brifiseg import instances_of_classes
from worker.cellsam.data.importers.livecell import enlarge, without_overlaps
from worker.cellsam.data.labelled import DataError, LabelledField

Miniature = Callable[[str], Path]
Scene = Callable[..., tuple[NDArray[np.uint8], NDArray[np.uint16]]]
WriteFile = Callable[[Path, NDArray[Any]], None]


def import_all(layout: str, folder: Path) -> dict[str, LabelledField]:
    return {field.name: field for field in IMPORTERS[layout](folder, layout)}


def pixels_of(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, columns = np.nonzero(mask)
    return rows, columns


@pytest.mark.parametrize("layout", IMPORTERS)
def test_each_layout_yields_fields_with_an_image_and_labels_of_one_size(
    layout: str, miniature: Miniature
) -> None:
    fields = list(IMPORTERS[layout](miniature(layout), layout))

    assert len({field.name for field in fields}) == len(fields) >= 2
    for field in fields:
        pixels = field.read()
        assert pixels.labels.dtype == np.int32
        assert pixels.image.shape[:2] == pixels.labels.shape
        assert pixels.labels.max() >= 2
        channels = 1 if pixels.image.ndim == 2 else pixels.image.shape[2]
        assert pixels.roles == ("rgb",) or len(pixels.roles) == channels


@pytest.mark.parametrize("layout", IMPORTERS)
def test_a_missing_or_an_empty_folder_is_named(layout: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "absent", tmp_path / "empty"):
        with pytest.raises(DataError, match=folder.name) as caught:
            list(IMPORTERS[layout](folder, layout))
        assert "\n" not in str(caught.value)


def test_tissuenet_gives_both_channels_with_whole_cells(miniature: Miniature, make_scene: Scene) -> None:
    fields = import_all("tissuenet", miniature("tissuenet"))

    assert [f.split for f in fields.values()] == ["train"] * 3 + ["val"] * 3 + ["test"] * 3
    image, labels = make_scene(1)
    pixels = fields["val_00002"].read()
    assert pixels.roles == ("nuclear", "whole_cell")
    np.testing.assert_array_equal(pixels.image[..., 1], image)
    assert pixels.image[0, 0, 0] == 2
    np.testing.assert_array_equal(pixels.labels, labels)


def test_tissuenet_nuclei_gives_the_nuclear_channel_with_nuclei(miniature: Miniature) -> None:
    pixels = import_all("tissuenet_nuclei", miniature("tissuenet_nuclei"))["train_00000"].read()

    assert pixels.roles == ("nuclear",)
    assert pixels.image.ndim == 2
    assert set(np.unique(pixels.labels)) == {0, 3, 4}


def test_tissuenet_fields_can_be_read_in_any_order_and_without_unpickling(miniature: Miniature) -> None:
    folder = miniature("tissuenet")
    fields = list(IMPORTERS["tissuenet"](folder, "tissuenet"))

    assert [fields[index].read().image[0, 0, 0] for index in (2, 0, 1)] == [2, 0, 1]
    objects = np.array([[None]], dtype=object)
    np.savez(folder / "tissuenet_v1.1_train.npz", X=objects, y=objects)
    with pytest.raises(DataError, match="not plain numbers"):
        list(IMPORTERS["tissuenet"](folder, "tissuenet"))


def test_a_cut_tissuenet_archive_is_named(miniature: Miniature) -> None:
    path = miniature("tissuenet") / "tissuenet_v1.1_train.npz"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"tissuenet_v1\.1_train\.npz: the archive is damaged"):
        list(IMPORTERS["tissuenet"](path.parent, "tissuenet"))


def test_deepbacs_keeps_its_test_part(miniature: Miniature) -> None:
    fields = import_all("deepbacs", miniature("deepbacs"))
    assert {name: field.split for name, field in fields.items()} == {
        "test/source/train_3": "test",
        "training/source/JE2_7": "train",
        "training/source/pos1_01": "train",
    }


def test_brifiseg_makes_nuclei_of_connected_pieces(miniature: Miniature, make_scene: Scene) -> None:
    fields = import_all("brifiseg", miniature("brifiseg"))

    assert [field.split for field in fields.values()] == ["train", "test"]
    image, labels = make_scene(0)
    pixels = next(iter(fields.values())).read()
    np.testing.assert_array_equal(pixels.image, image)
    np.testing.assert_array_equal(pixels.labels, labels)


def test_brifiseg_gives_a_border_to_the_nucleus_that_it_surrounds() -> None:
    classes = np.zeros((12, 24), dtype=np.uint8)
    classes[1:11, 1:23] = 2  # two touching nuclei with a common border
    classes[3:9, 3:10] = 1
    classes[3:9, 14:21] = 1
    labels = instances_of_classes(classes)

    assert set(np.unique(labels)) == {0, 1, 2}
    np.testing.assert_array_equal(labels > 0, classes > 0)
    assert (labels[1:11, 1:11] == 1).all()
    assert (labels[1:11, 13:23] == 2).all()


def test_brifiseg_border_without_an_inside_is_a_cell_of_its_own() -> None:
    classes = np.zeros((10, 20), dtype=np.uint8)
    classes[2:6, 2:6] = 1
    classes[2:4, 12:15] = 2
    labels = instances_of_classes(classes)
    assert labels[3, 3] == 1
    assert (labels[2:4, 12:15] == 2).all()


def test_brifiseg_refuses_other_classes_and_foreign_files(miniature: Miniature) -> None:
    folder = miniature("brifiseg")
    image = next(folder.rglob("imagesTr/*.nii.gz"))
    shutil.copy(image, next(folder.rglob("labelsTr/*.nii.gz")))
    with pytest.raises(DataError, match="classes 0, 1 and 2"):
        next(IMPORTERS["brifiseg"](folder, "brifiseg")).read()
    image.write_bytes(image.read_bytes()[:200])
    with pytest.raises(DataError, match=r"A549_000_0000\.nii\.gz: .*(damaged|cut short)"):
        next(IMPORTERS["brifiseg"](folder, "brifiseg")).read()


def test_cellpose_takes_green_for_cells_and_red_for_nuclei(miniature: Miniature, make_scene: Scene) -> None:
    fields = import_all("cellpose", miniature("cellpose"))

    both, green, gray = (fields[name].read() for name in ("train/000", "train/001", "test/000"))
    assert both.roles == ("nuclear", "whole_cell")
    np.testing.assert_array_equal(both.image[..., 1], make_scene(0)[0])
    assert green.roles == gray.roles == ("whole_cell",)
    np.testing.assert_array_equal(green.image, make_scene(1)[0])
    np.testing.assert_array_equal(gray.image, make_scene(2)[0])
    assert [field.split for field in fields.values()] == ["test", "train", "train"]


def test_omnipose_pairs_masks_with_images_and_leaves_worms_out(miniature: Miniature) -> None:
    fields = import_all("omnipose", miniature("omnipose"))

    assert {(field.split, field.modality) for field in fields.values()} == {
        ("train", "bacteria_phase"),
        ("test", "bacteria_fluorescence"),
    }
    assert len(fields) == 3
    frames = [field for name, field in fields.items() if "frame" in name]
    assert len({field.group for field in frames}) == 1


def test_yeastnet_keeps_the_focal_planes_of_a_field_together(miniature: Miniature) -> None:
    fields = import_all("yeastnet", miniature("yeastnet"))

    assert fields["DSDataset2/im003"].group == fields["DSDataset2/im023"].group
    assert fields["DSDataset2/im003"].group != fields["DSDataset2/im004"].group
    assert fields["YITDataset1/im009"].group == "YITDataset1"


def test_yeaz_reads_stacks_and_keeps_movies_together(miniature: Miniature, make_scene: Scene) -> None:
    fields = import_all("yeaz", miniature("yeaz"))

    assert len(fields) == 5
    second = fields["gold-standard-PhC-plus-2/movie/0001"]
    np.testing.assert_array_equal(second.read().image, make_scene(2)[0])
    np.testing.assert_array_equal(second.read().labels, make_scene(2)[1])
    assert second.group == fields["gold-standard-PhC-plus-2/movie/0000"].group
    others = [field.group for name, field in fields.items() if "other" in name]
    assert len(others) == 2
    assert len(set(others)) == 1
    assert fields["gold-standard-BF-V-1/field_1"].modality == "yeast_brightfield"


def test_yeaz_names_a_mask_with_fewer_frames(miniature: Miniature, write_file: WriteFile) -> None:
    folder = miniature("yeaz")
    write_file(folder / "gold-standard-PhC-plus-2" / "movie_mask.tif", np.zeros((60, 80), np.uint16))
    with pytest.raises(DataError, match=r"movie_mask\.tif: it has 1 frames, its image has 2"):
        import_all("yeaz", folder)


def test_dsb2018_puts_masks_together_and_tells_stained_from_fluorescent(
    miniature: Miniature, make_scene: Scene
) -> None:
    fields = import_all("dsb2018", miniature("dsb2018"))

    gray, stained = fields["00ae65"].read(), fields["01d44a"].read()
    assert (gray.roles, stained.roles) == (("nuclear",), ("rgb",))
    np.testing.assert_array_equal(gray.labels, make_scene(0)[1])
    assert stained.image.shape == (60, 80, 3)
    assert fields["00ae65"].split is None


def test_folders_group_the_frames_in_a_subfolder(miniature: Miniature) -> None:
    fields = import_all("folders", miniature("folders"))
    assert {name: field.group for name, field in fields.items()} == {
        "a": "a",
        "movie_1/t01": "movie_1",
        "movie_1/t02": "movie_1",
    }


def test_folders_named_for_splits_are_the_splits(
    tmp_path: Path, make_scene: Scene, write_file: WriteFile
) -> None:
    image, labels = make_scene()
    for split in ("train", "test"):
        write_file(tmp_path / split / "images" / "1.png", image)
        write_file(tmp_path / split / "labels" / "1.png", labels)
    fields = import_all("folders", tmp_path)
    assert {name: field.split for name, field in fields.items()} == {"train/1": "train", "test/1": "test"}


def test_an_image_or_a_mask_alone_is_named(miniature: Miniature) -> None:
    folder = miniature("folders")
    (folder / "masks" / "a_mask.png").rename(folder / "masks" / "b_mask.png")
    with pytest.raises(DataError, match=r"a\.tif: it has no mask"):
        import_all("folders", folder)
    (folder / "images" / "a.tif").unlink()
    with pytest.raises(DataError, match=r"b_mask\.png: it has no image"):
        import_all("folders", folder)


def test_labels_of_another_size_are_refused(miniature: Miniature, write_file: WriteFile) -> None:
    folder = miniature("folders")
    write_file(folder / "masks" / "a_mask.png", np.zeros((60, 81), np.uint16))
    with pytest.raises(DataError, match=r"a\.tif: the image is \(60, 80\), its labels are \(60, 81\)"):
        import_all("folders", folder)["a"].read()


def test_an_unreadable_image_is_named(miniature: Miniature) -> None:
    folder = miniature("folders")
    (folder / "images" / "a.tif").write_text("Dear all")
    with pytest.raises(DataError, match=r"a\.tif: this is not an image"):
        import_all("folders", folder)["a"].read()


def test_a_series_is_not_cut_down_to_its_first_frame(miniature: Miniature, write_file: WriteFile) -> None:
    folder = miniature("folders")
    write_file(folder / "images" / "a.tif", np.zeros((12, 60, 80), np.uint16))
    with pytest.raises(DataError, match=r"a\.tif: .*12"):
        import_all("folders", folder)["a"].read()


def test_a_lossy_label_map_is_refused(miniature: Miniature) -> None:
    folder = miniature("folders")
    (folder / "masks" / "a_mask.png").unlink()
    Image.fromarray(np.zeros((60, 80), np.uint8)).save(folder / "masks" / "a_mask.jpg")
    with pytest.raises(DataError, match=r"a_mask\.jpg: a label map cannot be a JPEG"):
        import_all("folders", folder)["a"].read()


def test_a_label_map_that_would_run_code_is_refused(miniature: Miniature) -> None:
    folder = miniature("yeastnet")
    np.save(folder / "DSDataset1" / "Masks" / "mask000.npy", np.array([{}], dtype=object))
    with pytest.raises(DataError, match=r"mask000\.npy: it holds Python objects"):
        import_all("yeastnet", folder)["DSDataset1/im000"].read()


def test_livecell_is_twice_as_large_and_without_overlaps(miniature: Miniature) -> None:
    fields = import_all("livecell", miniature("livecell"))

    assert [field.split for field in fields.values()] == ["train", "val", "test"]
    assert next(iter(fields.values())).group == "A172_Phase_A7_1_00d00h00m"
    pixels = next(iter(fields.values())).read()
    assert pixels.image.shape == pixels.labels.shape == (120, 160)
    assert pixels.dropped["annotations_overlapping"] == 1  # the square inside another one
    expected = np.zeros((60, 80), dtype=np.int32)
    expected[10:30, 10:28] = (
        1  # columns 26 to 29 are claimed twice; 28 is as far from one median as from the other
    )
    expected[10:30, 28:46] = 2
    same = pixels.labels[::2, ::2] == expected
    assert same[:, :28].all()
    assert same[:, 29:].all()
    np.testing.assert_array_equal(pixels.labels, np.kron(pixels.labels[::2, ::2], np.ones((2, 2), int)))


def test_livecell_images_are_enlarged_bicubically_in_their_own_type() -> None:
    ramp = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (20, 1))
    large, labels = enlarge(ramp, (ramp > 100).astype(np.int32))
    assert large.dtype == np.uint8
    steps = np.diff(large[20].astype(int))[4:-4]
    assert set(steps) <= {4, 5, 6}  # nearest neighbour would give steps of 0 and 10
    assert set(np.unique(labels)) == {0, 1}


def test_a_pixel_of_two_cells_goes_to_the_one_whose_middle_is_nearer() -> None:
    left = pixels_of(np.pad(np.ones((4, 10), bool), ((0, 0), (0, 10))))
    right = pixels_of(np.pad(np.ones((4, 12), bool), ((0, 0), (8, 0))))
    labels, dropped = without_overlaps([left, right], (4, 20))
    assert dropped == 0
    assert (labels[:, :9] == 1).all()
    assert (labels[:, 10:] == 2).all()


def test_of_a_cell_that_was_drawn_twice_one_remains() -> None:
    cell = pixels_of(np.ones((4, 10), bool))
    labels, dropped = without_overlaps([cell, cell], (4, 20))
    assert dropped == 1
    assert (labels[:, :10] == 1).all()


def test_livecell_names_a_document_that_is_none_and_an_image_that_is_missing(miniature: Miniature) -> None:
    folder = miniature("livecell")
    document = json.loads((folder / "livecell_coco_train.json").read_text())
    for broken in ("{", "{}", json.dumps({**document, "annotations": [{"image_id": 5, "segmentation": 3}]})):
        (folder / "livecell_coco_train.json").write_text(broken)
        with pytest.raises(DataError, match=r"livecell_coco_train\.json: this is not a COCO document"):
            import_all("livecell", folder)
    document["images"][0]["file_name"] = "absent.tif"
    (folder / "livecell_coco_train.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"it lists absent\.tif"):
        import_all("livecell", folder)


def test_a_manifest_keeps_its_names_and_splits(miniature: Miniature, make_scene: Scene) -> None:
    fields = import_all("manifest", miniature("manifest"))

    assert [field.split for field in fields.values()] == ["train", "val", "test", "test"]
    first = fields["cells/0"]
    assert (first.dataset, first.modality, first.licence) == ("cells", "phase, culture", "MIT")
    assert first.split_is_final
    assert first.read().roles == ("nuclear", "whole_cell")
    assert fields["cells/1"].read().roles == ("whole_cell",)
    np.testing.assert_array_equal(first.read().image[..., 1], make_scene(0)[0])
