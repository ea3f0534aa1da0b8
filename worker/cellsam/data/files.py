"""Reading the files of foreign data sets: every image and label map goes through limits before it is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile

from labeling.pixels import DEFAULT_MAX_BYTES, DEFAULT_MAX_PIXELS, PixelError, Pixels, read_pixels
from labeling.pixels.samples import DECODER_ERRORS
from worker.cellsam.data.labelled import DataError, FieldPixels, Labels

_FRAME_NUMBER = re.compile(r"(?:[ _-]+[tTfF]?)?[0-9]+$")
IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".npy")


def read_image(path: Path) -> NDArray[Any]:
    """(H, W) or (H, W, C) uint8 or uint16. A colour file whose channels are equal comes back as (H, W).

    Raises DataError for a missing, foreign, damaged or oversized file.
    """
    array = _read(path).array
    return np.asarray(array[0] if len(array) == 1 else np.moveaxis(array, 0, -1))


def read_labels(path: Path) -> Labels:
    """(H, W) int32, 0 background. Raises DataError as `read_image` does, and for lossy or several-channel files."""
    pixels = _read(path)
    if pixels.info.format == "jpeg":
        raise DataError(path, "a label map cannot be a JPEG, whose values are not kept")
    if len(pixels.array) != 1:
        raise DataError(path, f"a label map has one channel, this file has {len(pixels.array)}")
    return np.asarray(pixels.array[0], dtype=np.int32)


def read_pair(image: Path, labels: Path, roles: tuple[str, ...] = ("whole_cell",)) -> FieldPixels:
    """A field kept as two files. Three channels are taken to be a stained image, whatever `roles` says."""
    pixels = read_image(image)
    return checked(image, pixels, ("rgb",) if _is_colour(pixels) else roles, read_labels(labels))


def checked(path: Path, image: NDArray[Any], roles: tuple[str, ...], labels: Labels) -> FieldPixels:
    """Raises DataError if the image and its labels are not of one size, or there are channels without a role."""
    if image.shape[:2] != labels.shape:
        raise DataError(path, f"the image is {image.shape[:2]}, its labels are {labels.shape}")
    channels = 1 if image.ndim == 2 else image.shape[2]
    if roles != ("rgb",) and channels != len(roles):
        raise DataError(path, f"the image has {channels} channels, {len(roles)} were expected")
    return FieldPixels(image, roles, labels)


def subfolder(folder: Path, names: Iterable[str]) -> Path:
    """The first of `names` that is a folder in `folder`. Raises DataError if none is."""
    wanted = list(names)
    for name in wanted:
        if (folder / name).is_dir():
            return folder / name
    raise DataError(folder, f"no folder {' or '.join(wanted)} in it")


def existing_folder(folder: Path) -> Path:
    """The folder itself. Raises DataError if it is not there."""
    if not folder.is_dir():
        raise DataError(folder, "no such folder")
    return folder


def image_files(folder: Path) -> list[Path]:
    """All image files under a folder, by name, in natural order."""
    return sorted(
        (path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and _is_shown(path)),
        key=natural_order,
    )


def natural_order(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sorts frame 10 after frame 9."""
    parts: list[tuple[int, int | str]] = []
    number = ""
    for character in str(path):
        if character.isdigit() and character.isascii():
            number += character
            continue
        if number:
            parts.append((0, int(number)))
            number = ""
        parts.append((1, character))
    return tuple([*parts, (0, int(number))] if number else parts)


def series_of(stem: str) -> str:
    """A file's name without the number at its end: the frames of one movie have the same. A bare number stays."""
    return _FRAME_NUMBER.sub("", stem) or stem


def count_pages(path: Path) -> int:
    """Planes of a TIFF that is one image or a stack of (T, H, W). Raises DataError for other shapes."""
    return _stack_shape(path)[0]


def read_page(path: Path, index: int) -> NDArray[Any]:
    """(H, W) of one plane of a TIFF stack. Raises DataError."""
    _stack_shape(path)
    try:
        with TiffFile(path) as tiff:
            page = np.asarray(tiff.series[0].asarray(key=index))
    except DECODER_ERRORS as error:
        raise DataError(path, "the file is damaged and cannot be decoded") from error
    if page.ndim != 2 or page.dtype.kind not in "uif":
        raise DataError(path, f"plane {index} is {page.dtype} of shape {page.shape}, not a gray image")
    return page


def _stack_shape(path: Path) -> tuple[int, int, int]:
    try:
        with TiffFile(path) as tiff:
            shape = tuple(int(length) for length in tiff.series[0].shape)
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except DECODER_ERRORS as error:
        raise DataError(path, "this is not a TIFF, or it is damaged") from error
    shape = (1, *shape) if len(shape) == 2 else shape
    if len(shape) != 3:
        raise DataError(path, f"its shape {shape} is not (height, width) or (frames, height, width)")
    if shape[1] * shape[2] > DEFAULT_MAX_PIXELS or path.stat().st_size > DEFAULT_MAX_BYTES:
        raise DataError(path, f"a plane of {shape[2]} x {shape[1]} pixels is more than is accepted")
    return shape[0], shape[1], shape[2]


def _read(path: Path) -> Pixels:
    try:
        with path.open("rb") as file:
            pixels = read_pixels(file, path.name)
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except IsADirectoryError as error:
        raise DataError(path, "this is a folder") from error
    except PixelError as error:
        raise DataError(path, error.wrong) from error
    if pixels.info.frames > 1:  # taking the first would lose the others without a word
        raise DataError(path, f"it is a series of {pixels.info.frames} frames; save one frame a file")
    return pixels


def _is_colour(image: NDArray[Any]) -> bool:
    return image.ndim == 3 and image.shape[2] == 3


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_file()
