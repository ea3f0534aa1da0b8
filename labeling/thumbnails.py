"""Small pictures for lists: the image itself, and its cells' outlines as a transparent layer of the same size."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.pixels import RGB_NAMES
from labeling.rle import BoxMask

MAX_SIDE = 384

_CHANNEL_COLOURS = ("#6C9CFF", "#F5824A", "#5FD38D", "#E86AD0", "#F2D94B", "#E8ECF0")
_CELL_COLOURS = ("#FFF53B", "#B06FFF", "#FF5232", "#B7FFE6", "#EC7CB1", "#C3DB8F", "#F5BFFF", "#45A177")
_TO_CHECK = "#FFB72E"
_CASING = "#050608"
_LINE_ALPHA, _FILL_ALPHA, _CASING_ALPHA = 255, 43, 148
_LOW, _HIGH = 0.5, 99.7  # percentiles shown as black and as full

# Places in the outline picture's palette: transparent, casing, eight lines, amber line, eight fills, amber fill.
_CLEAR, _CASING_PLACE, _FIRST_LINE = 0, 1, 2
_AMBER = len(_CELL_COLOURS)
_FIRST_FILL = _FIRST_LINE + _AMBER + 1

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Ints = NDArray[np.int64]


def thumbnail_size(height: int, width: int, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """(height, width) of the small picture: the same shape, at most ``max_side`` long, never enlarged."""
    scale = min(1.0, max_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def thumbnail(array_chw: Plane, *, channel_names: Sequence[str] = (), max_side: int = MAX_SIDE) -> bytes:
    """A WebP of a (C, H, W) image: RGB as it is, one channel in grey, several each in its colour and added up.

    Contrast runs from a low to a high percentile of each channel; RGB keeps its own.
    """
    channels, height, width = array_chw.shape
    size = thumbnail_size(height, width, max_side)
    if tuple(channel_names) == RGB_NAMES and channels == 3:
        planes = [_shrink(plane, size) for plane in array_chw]
        picture = np.stack(planes, axis=-1) / (
            255.0 if array_chw.dtype == np.uint8 else _rgb_white(array_chw)
        )
    elif channels == 1:
        picture = np.repeat(_contrast(_shrink(array_chw[0], size))[..., None], 3, axis=2)
    else:
        picture = np.zeros((*size, 3))
        for plane, colour in zip(array_chw, _CHANNEL_COLOURS, strict=False):
            picture += _contrast(_shrink(plane, size))[..., None] * (np.array(_rgb(colour)) / 255.0)
    out = io.BytesIO()
    Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)).save(
        out, "WEBP", quality=82, method=0
    )
    return out.getvalue()


def outlines_png(
    height: int, width: int, masks: Iterable[tuple[int, BoxMask, bool]], *, max_side: int = MAX_SIDE
) -> bytes:
    """A transparent PNG, as large as the thumbnail, with the outline of each (label, mask, needs_check).

    Later cells lie on top. Neighbours differ in colour; a cell that needs a check is amber. Costs the runs of the
    masks and the small picture, never the image's size.
    """
    cells = list(masks)
    size = thumbnail_size(height, width, max_side)
    owner = _paint_small(height, width, [mask for _, mask, _ in cells], size)  # 0, or 1 + place in cells
    colours = _colours(owner, [label for label, _, _ in cells], [check for _, _, check in cells])
    picture = Image.fromarray(_draw(owner, colours), mode="P")
    picture.putpalette(_PALETTE)
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=_ALPHAS, compress_level=6)
    return out.getvalue()


def _shrink(plane_hw: Plane, size: tuple[int, int]) -> NDArray[np.float32]:
    """The plane at ``size``, averaged; a coarse mean first, so that Pillow sees at most about 4 times the size."""
    height, width = plane_hw.shape
    step = max(1, min(height // (2 * size[0]), width // (2 * size[1])))
    if step > 1:
        rows, columns = height // step, width // step
        blocks = plane_hw[: rows * step, : columns * step].reshape(rows, step, columns, step)
        coarse = blocks.mean(axis=(1, 3), dtype=np.float32)
    else:
        coarse = plane_hw.astype(np.float32)
    return np.asarray(
        Image.fromarray(coarse).resize((size[1], size[0]), Image.Resampling.BOX), dtype=np.float32
    )


def _contrast(plane_hw: NDArray[np.float32]) -> NDArray[np.float64]:
    low, high = np.percentile(plane_hw[::2, ::2], (_LOW, _HIGH))
    shown = np.clip((plane_hw - low) / max(float(high - low), 1.0), 0, 1)
    # In fluorescence a few bright cells set the range; lifting the dark end keeps the others visible.
    return np.asarray(shown**0.7 if np.median(shown[::2, ::2]) < 0.25 else shown, dtype=np.float64)


def _rgb_white(array_chw: Plane) -> float:
    """Full scale of a 16-bit colour picture: cameras leave high bits unused."""
    return float(2 ** max(8, int(array_chw.max()).bit_length()) - 1)


def _paint_small(height: int, width: int, masks: list[BoxMask], size: tuple[int, int]) -> NDArray[np.int32]:
    """(h, w) map of who owns the image pixel nearest to the middle of each small pixel: 0, or 1 + place in masks."""
    owner = np.zeros(size, dtype=np.int32)
    if not masks:
        return owner
    place, y, x0, x1 = _row_spans(masks)
    rows, columns = (np.arange(n) for n in size)
    sampled_y = ((rows + 0.5) * height / size[0]).astype(np.int64)
    sampled_x = ((columns + 0.5) * width / size[1]).astype(np.int64)
    row_of_y = np.full(height, -1, dtype=np.int64)
    row_of_y[sampled_y] = rows
    row = np.where((y >= 0) & (y < height), row_of_y[np.clip(y, 0, height - 1)], -1)
    first, last = (
        np.searchsorted(sampled_x, x0),
        np.searchsorted(sampled_x, x1),
    )  # small columns [first, last)
    seen = (row >= 0) & (first < last)
    place, row, first, count = place[seen], row[seen], first[seen], (last - first)[seen]
    index = np.repeat(row * size[1] + first - np.cumsum(count) + count, count) + np.arange(int(count.sum()))
    owner.ravel()[index] = np.repeat(
        place + 1, count
    )  # spans are in the order of the cells, so later ones win
    return owner


def _row_spans(masks: list[BoxMask]) -> tuple[Ints, Ints, Ints, Ints]:
    """The set pixels of all masks as (place in masks, y, x0, x1), half-open, one entry for each row of each run."""
    lengths = np.array([len(mask.rle) for mask in masks], dtype=np.int64)
    runs = np.fromiter(
        chain.from_iterable(mask.rle for mask in masks), dtype=np.int64, count=int(lengths.sum())
    )
    boxes = np.array([mask.box for mask in masks], dtype=np.int64).reshape(-1, 4)
    first_run = np.cumsum(lengths) - lengths
    ends = np.cumsum(runs)
    number = np.arange(runs.size) - np.repeat(first_run, lengths)
    before = np.repeat(np.concatenate(([0], ends))[first_run], lengths)  # pixels of earlier masks
    is_set = (number % 2 == 1) & (runs > 0)
    place = np.repeat(np.arange(len(masks)), lengths)[is_set]
    end, start = (ends - before)[is_set], (ends - before - runs)[is_set]
    wide = (boxes[:, 2] - boxes[:, 0])[place]
    top, bottom = start // wide, (end - 1) // wide
    rows = bottom - top + 1
    at = np.repeat(np.arange(place.size), rows)  # a run that crosses row ends becomes one span a row
    y = top[at] + np.arange(at.size) - np.repeat(np.cumsum(rows) - rows, rows)
    x0 = np.maximum(start[at] - y * wide[at], 0)
    x1 = np.minimum(end[at] - y * wide[at], wide[at])
    left, upper = boxes[place[at], 0], boxes[place[at], 1]
    return place[at], y + upper, x0 + left, x1 + left


def _colours(owner: NDArray[np.int32], labels: list[int], checks: list[bool]) -> NDArray[np.uint8]:
    """(n,) palette colour of each cell: from its label if no neighbour has that one, else the next free one."""
    neighbours = _neighbours(owner, len(labels))
    colours = np.full(len(labels), 255, dtype=np.uint8)
    for place, label in enumerate(labels):
        if checks[place]:
            colours[place] = _AMBER
            continue
        taken = {colours[other] for other in neighbours[place]}
        wanted = [(label * 5 + step * 3) % len(_CELL_COLOURS) for step in range(len(_CELL_COLOURS))]
        colours[place] = next((colour for colour in wanted if colour not in taken), wanted[0])
    return colours


def _neighbours(owner: NDArray[np.int32], count: int) -> list[list[int]]:
    """For each cell the cells within 3 small pixels of it along a row, a column or a diagonal."""
    pairs = []
    for dy, dx in ((0, 1), (1, 0), (0, 3), (3, 0), (2, 2), (2, -2)):
        a = owner[: owner.shape[0] - dy, max(0, -dx) : owner.shape[1] - max(0, dx)]
        b = owner[dy:, max(0, dx) : owner.shape[1] - max(0, -dx)]
        touching = (a != b) & (a > 0) & (b > 0)
        pairs.append(a[touching].astype(np.int64) * (count + 1) + b[touching])
    found: list[list[int]] = [[] for _ in range(count)]
    for code in np.unique(np.concatenate(pairs)).tolist():
        one, other = code // (count + 1) - 1, code % (count + 1) - 1
        found[one].append(other)
        found[other].append(one)
    return found


def _draw(owner: NDArray[np.int32], colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Places in the palette: a 1-pixel line inside each cell, a faint fill, a dark casing around the line."""
    edge = np.zeros(owner.shape, dtype=bool)
    padded = np.pad(owner, 1)  # a cell that the image's border cuts is closed along it
    inner = padded[1:-1, 1:-1]
    for shifted in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]):
        edge |= shifted != inner
    line = edge & (owner > 0)
    around = np.pad(line, 1)
    casing = around[:-2, 1:-1] | around[2:, 1:-1] | around[1:-1, :-2] | around[1:-1, 2:]
    colour = np.concatenate((np.zeros(1, dtype=np.uint8), colours))[owner]
    picture = np.where(owner > 0, colour + np.uint8(_FIRST_FILL), np.uint8(_CLEAR))
    picture[casing] = _CASING_PLACE
    picture[line] = colour[line] + np.uint8(_FIRST_LINE)
    return picture.astype(np.uint8)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


_SWATCHES = (*_CELL_COLOURS, _TO_CHECK)
_PALETTE = [*chain.from_iterable(_rgb(colour) for colour in ("#000000", _CASING, *_SWATCHES, *_SWATCHES))]
_ALPHAS = bytes([0, _CASING_ALPHA] + [_LINE_ALPHA] * len(_SWATCHES) + [_FILL_ALPHA] * len(_SWATCHES))
