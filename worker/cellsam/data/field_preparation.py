"""One field through the appendix's pipeline: checks, normalisation, tiles, files."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.rle import BoxMask, masks_of_labels
from worker.cellsam.data.equalisation import Pixels, equalised_channels
from worker.cellsam.data.journal import PreparedCell, PreparedField, PreparedTile
from worker.cellsam.data.label_checks import usable_labels
from worker.cellsam.data.labelled import FieldPixels, LabelledField, Labels
from worker.cellsam.data.tiles import SIDE_PX, cut_tile, tile_corners
from worker.cellsam.data.whole_files import write_array

EMPTY_TILES = "empty_tiles"
EMPTY_FIELDS = "fields_without_cells"

MaskCoder = Callable[[BoxMask, int, int], str]  # mask, height, width of the image -> COCO's compressed counts


class FieldWriter:
    """Prepares fields of one source into `out`/tiles/`source`."""

    def __init__(self, out: Path, source: str, encode: MaskCoder, *, keep_colour: bool) -> None:
        self.out = out
        self.folder = Path("tiles") / source
        self.encode = encode
        self.keep_colour = keep_colour

    def prepare(self, field: LabelledField) -> PreparedField:
        """Write the field's tiles; files of an earlier, unfinished try are overwritten. Raises DataError."""
        pixels = field.read()
        labels, unusable = usable_labels(pixels.labels)
        dropped = Counter(dict(pixels.dropped)) + _named("labels", unusable)
        tiles: list[PreparedTile] = []
        if labels.any():
            channels = equalised_channels(pixels.image, pixels.roles, keep_colour=self.keep_colour)
            for y, x in tile_corners(*labels.shape):
                tile_labels, unusable = usable_labels(cut_tile(labels[None], y, x)[0])
                dropped += _named("fragments", unusable)
                if tile_labels.any():
                    stem = self.folder / f"{file_stem(field.name)}_{y:05}_{x:05}"
                    tiles.append(self._write(stem, cut_tile(channels, y, x), tile_labels, pixels, (y, x)))
                else:
                    dropped[EMPTY_TILES] += 1
        if not tiles:
            dropped[EMPTY_FIELDS] += 1
        return described(field, tiles=tuple(tiles), dropped=dict(sorted(dropped.items())))

    def _write(
        self, stem: Path, channels: Pixels, labels: Labels, field: FieldPixels, corner: tuple[int, int]
    ) -> PreparedTile:
        image, label_map = stem.with_name(f"{stem.name}.npy"), stem.with_name(f"{stem.name}_labels.npy")
        write_array(self.out / image, channels)
        write_array(self.out / label_map, labels[None])
        y, x = corner
        return PreparedTile(
            image=image.as_posix(),
            labels=label_map.as_posix(),
            pixels=pixels_hash(field.image[y : y + SIDE_PX, x : x + SIDE_PX], field.roles),
            channels=sum(bool(plane.any()) for plane in channels),
            cells=tuple(_cell(label, mask, self.encode) for label, mask in masks_of_labels(labels)),
        )


def described(field: LabelledField, **outcome: Any) -> PreparedField:
    """The journal's entry of a field; `outcome` gives tiles and counts, or why it could not be read."""
    return PreparedField(
        dataset=field.dataset,
        name=field.name,
        modality=field.modality,
        group=field.group,
        split=field.split,
        split_is_final=field.split_is_final,
        licence=field.licence,
        **outcome,
    )


def pixels_hash(image: NDArray[Any], roles: tuple[str, ...]) -> str:
    """SHA-256 of stored pixels with their shape, type and roles; "" for pixels without contrast, which say nothing."""
    if image.min() == image.max():
        return ""
    head = f"{image.shape} {image.dtype.str} {roles}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).hexdigest()


def file_stem(name: str) -> str:
    """A field's name as a file name: what is no plain letter becomes _, and a hash keeps such names apart."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "_", name)[:100]
    return plain if plain == name else f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _cell(label: int, mask: BoxMask, encode: MaskCoder) -> PreparedCell:
    x0, y0, _, _ = mask.box
    return PreparedCell(
        label=label,
        box_xywh_px=(x0, y0, mask.width, mask.height),
        area=mask.area,
        counts=encode(mask, SIDE_PX, SIDE_PX),
    )


def _named(what: str, counts: Mapping[str, int]) -> Counter[str]:
    return Counter({f"{what}_{reason}": count for reason, count in counts.items()})
