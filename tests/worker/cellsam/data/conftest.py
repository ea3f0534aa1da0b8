"""Small labelled scenes, and data sets written in the layouts in which they are published."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

Scene = tuple[NDArray[np.uint8], NDArray[np.uint16]]


def scene(seed: int = 0, height: int = 60, width: int = 80) -> Scene:
    """An image of four bright squares on noise, and their labels 1..4."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 40, (height, width), dtype=np.uint8)
    labels = np.zeros((height, width), dtype=np.uint16)
    for number, (y, x) in enumerate([(4, 5), (4, 40), (30, 8), (33, 50)], start=1):
        labels[y : y + 12, x : x + 14] = number
        image[y : y + 12, x : x + 14] += np.uint8(150)
    return image, labels


def save(path: Path, array: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".png":
        Image.fromarray(array).save(path)
    else:
        tifffile.imwrite(path, array)


def colour(*planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack(planes, axis=-1)


def save_nifti(path: Path, plane: NDArray[Any]) -> None:
    """As nnU-Net keeps two-dimensional data: one gzipped plane, the width first."""
    codes = {"uint8": 2, "int16": 4, "float32": 16}
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, plane.shape[1], plane.shape[0], 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, codes[plane.dtype.name], plane.dtype.itemsize * 8)
    struct.pack_into("<f", header, 108, 352.0)
    header[344:348] = b"n+1\0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(bytes(header) + plane.tobytes()))


def tissuenet(folder: Path) -> None:
    for seed, split in enumerate(("train", "val", "test")):
        image, labels = scene(seed)
        nuclei = np.where(labels > 2, labels, 0)
        x = np.stack([np.stack([image // 2, image], -1)] * 3).astype(np.float32)
        x[:, 0, 0, 0] = np.arange(3)  # so that the three fields differ
        y = np.stack([np.stack([labels, nuclei], -1)] * 3).astype(np.int32)
        folder.mkdir(parents=True, exist_ok=True)
        meta = np.array([{"tissue": "spleen"}], dtype=object)
        np.savez_compressed(folder / f"tissuenet_v1.1_{split}.npz", X=x, y=y, meta=meta)


def deepbacs(folder: Path) -> None:
    for seed, name in enumerate(("training/{}/pos1_01", "training/{}/JE2_7", "test/{}/train_3")):
        image, labels = scene(seed)
        save(folder / f"{name.format('source')}.tif", image.astype(np.uint16))
        save(folder / f"{name.format('target')}.tif", labels)


def brifiseg(folder: Path) -> None:
    for seed, (images, labels_folder) in enumerate((("imagesTr", "labelsTr"), ("imagesTs", "labelsTs"))):
        image, labels = scene(seed)
        task = folder / "1channel" / "Task001_A549"
        save_nifti(task / images / f"A549_00{seed}_0000.nii.gz", image.astype(np.float32))
        save_nifti(task / labels_folder / f"A549_00{seed}.nii.gz", (labels > 0).astype(np.uint8))


def cellpose(folder: Path) -> None:
    for seed, name in enumerate(("train/000", "train/001", "test/000")):
        image, labels = scene(seed)
        blank = np.zeros_like(image)
        picture = {0: colour(image // 2, image, blank), 1: colour(blank, image, blank), 2: image}[seed]
        save(folder / f"{name}_img.png", picture)
        save(folder / f"{name}_masks.png", labels)


def omnipose(folder: Path) -> None:
    names = ("bact_phase/train_sorted/cereus/frame_001", "bact_phase/train_sorted/cereus/frame_002",
             "bact_fluor/test_sorted/vibrio/7", "worm/train/0001")  # fmt: skip
    for seed, name in enumerate(names):
        image, labels = scene(seed)
        save(folder / f"{name}.tif", image)
        save(folder / f"{name}_masks.tif", labels)
        save(folder / f"{name}_flows.tif", image)


def yeastnet(folder: Path) -> None:
    for seed, (home, number) in enumerate(
        (("DSDataset1", 0), ("DSDataset2", 3), ("DSDataset2", 23), ("DSDataset2", 4), ("YITDataset1", 9))
    ):
        image, labels = scene(seed)
        save(folder / home / "Images" / f"im{number:03}.tif", image)
        save(folder / home / "Masks" / f"mask{number:03}.npy", labels.astype(np.int32))


def yeaz(folder: Path) -> None:
    image, labels = scene(0)
    save(folder / "gold-standard-BF-V-1" / "field_1_im.tif", image.astype(np.uint16))
    save(folder / "gold-standard-BF-V-1" / "field_1_mask.tif", labels)
    frames = scene(1), scene(2)
    movie = folder / "gold-standard-PhC-plus-2"
    save(movie / "movie_im.tif", np.stack([image for image, _ in frames]))
    save(movie / "movie_mask.tif", np.stack([labels for _, labels in frames]))
    for frame in (10, 11):
        image, labels = scene(frame)
        save(movie / f"other_T_{frame}_im.tif", image)
        save(movie / f"other_T_{frame}_mask.tif", labels)


def dsb2018(folder: Path) -> None:
    for seed, name in enumerate(("00ae65", "01d44a")):
        image, labels = scene(seed)
        opaque = np.full_like(image, 255)
        home = folder / "stage1_train" / name
        picture = (
            colour(image, image, image, opaque) if seed == 0 else colour(image, 255 - image, image, opaque)
        )
        save(home / "images" / f"{name}.png", picture)
        for label in range(1, 5):
            save(home / "masks" / f"{name}{label}.png", np.where(labels == label, 255, 0).astype(np.uint8))


def folders(folder: Path) -> None:
    for seed, name in enumerate(("a", "movie_1/t01", "movie_1/t02")):
        image, labels = scene(seed)
        save(folder / "images" / f"{name}.tif", image)
        save(folder / "masks" / f"{name}_mask.png", labels)


def livecell(folder: Path) -> None:
    files = {
        "train": "A172_Phase_A7_1_00d00h00m_1",
        "val": "A172_Phase_A7_1_00d04h00m_2",
        "test": "BV2_Phase_B4_1_00d00h00m_1",
    }
    for seed, (split, name) in enumerate(files.items()):
        kind = "livecell_test_images" if split == "test" else "livecell_train_val_images"
        save(folder / "images" / kind / f"{name}.tif", scene(seed)[0])
        squares = {7: (10, 10, 30, 30), 8: (26, 10, 46, 30), 9: (12, 12, 28, 28)}  # 9 lies inside 7
        annotations = [
            {"id": number, "image_id": 5, "category_id": 1, "iscrowd": 0, "area": (x1 - x0) * (y1 - y0),
             "bbox": [x0, y0, x1 - x0, y1 - y0], "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]]}
            for number, (x0, y0, x1, y1) in squares.items()
        ]  # fmt: skip
        document = {
            "images": [{"id": 5, "file_name": f"{name}.tif", "height": 60, "width": 80}],
            "annotations": annotations,
            "categories": [{"id": 1, "name": "cell"}],
        }
        (folder / f"livecell_coco_{split}.json").write_text(json.dumps(document))


def manifest(folder: Path) -> None:
    lines = ["dataset,modality,split,image,labels,licence,group"]
    for seed, split in enumerate(("train", "val", "test", "test")):
        image, labels = scene(seed)
        picture = colour(np.zeros_like(image), image // 2, image) if seed == 0 else image
        save(folder / "cells" / f"{seed}.png", picture)
        save(folder / "cells" / f"{seed}_labels.png", labels)
        lines.append(f'cells,"phase, culture",{split},cells/{seed}.png,cells/{seed}_labels.png,MIT,open')
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")


MINIATURES: dict[str, Callable[[Path], None]] = {
    "tissuenet": tissuenet,
    "tissuenet_nuclei": tissuenet,
    "deepbacs": deepbacs,
    "brifiseg": brifiseg,
    "cellpose": cellpose,
    "omnipose": omnipose,
    "yeastnet": yeastnet,
    "yeaz": yeaz,
    "dsb2018": dsb2018,
    "phase400": folders,
    "folders": folders,
    "livecell": livecell,
    "manifest": manifest,
}  # fmt: skip


@pytest.fixture
def miniature(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a data set in the named layout and returns its folder."""

    def write(layout: str) -> Path:
        folder = tmp_path / layout
        MINIATURES[layout](folder)
        return folder

    return write


@pytest.fixture
def make_scene() -> Callable[..., Scene]:
    return scene


@pytest.fixture
def write_file() -> Callable[[Path, NDArray[Any]], None]:
    """PNG, TIFF or .npy by the path's ending."""
    return save
