"""Geometry: how an image's pixels, boxes and masks get into the model's square inputs and back. Nowhere else.

Frames of reference. *Image pixels*: (x, y), pixel (0, 0) covers [0, 1) x [0, 1). *Level pixels*: the image averaged
over blocks of 2^level on a side; level 0 is the image itself. *Input pixels*: inside one tile, after scaling, what the
trunk sees and prompts are given in.

A tiling that stretches (`TilingConfig.stretch_px`) has one tile for an image that is small enough: the whole image,
with a scale of its own along each axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from worker.cellsam.config import TilingConfig
from worker.cellsam.products import linear

Boxes = NDArray[np.float32]  # (N, 4) x0, y0, x1, y1
Window = tuple[int, int, int, int]  # half-open x0, y0, x1, y1 in image pixels
ReadWindow = Callable[[Window], NDArray[np.float32]]  # -> (3, y1 - y0, x1 - x0) in [0, 1]

# A prompt's box fills at most this share of its tile's side; a larger one goes to a coarser level. Beyond it too little
# of the surroundings is visible, and such large cells were not seen in training.
LARGEST_SHARE = 0.8
EDGE_PX = 2.0  # input pixels from a tile's edge at which a box counts as cut
# Levels above the finest on which cells are looked for: they show cells of up to LARGEST_SHARE of 2^3 tiles whole.
COARSER_LEVELS = 3
STRIP_PX = 2**22  # image pixels that are read at once to make a coarse tile


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the level's pixels with its top left corner at (x, y)."""

    level: int
    x: int
    y: int


@dataclass(frozen=True)
class Frame:
    """All tiles of an image of `height` x `width`: the finest level first, row-major, then each coarser one.

    Levels go up until one tile holds the whole image, so every box inside the image lies wholly inside some tile. Tiles
    start at the origin and never wrap around; an image smaller than a tile is mirrored to the right and to the bottom.
    """

    height: int
    width: int
    tiling: TilingConfig

    @cached_property
    def stretched(self) -> bool:
        """Whether the whole image is the only tile, stretched to the input."""
        return max(self.height, self.width) <= self.tiling.stretch_px

    @cached_property
    def tile_size(self) -> tuple[int, int]:
        """(width, height) of a tile in level pixels."""
        side = self.tiling.tile_px
        return (self.width, self.height) if self.stretched else (side, side)

    @cached_property
    def levels(self) -> int:
        count = 1
        while not self.stretched and max(self.level_size(count - 1)) > self.tiling.tile_px:
            count += 1
        return count

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        return tuple(
            Tile(level, x, y)
            for level, (down, across) in enumerate(self._starts)
            for y in down
            for x in across
        )

    @cached_property
    def finest(self) -> range:
        """Indices of the tiles of level 0, where most cells are found."""
        return range(self._first[1])

    @cached_property
    def searched(self) -> tuple[int, ...]:
        """Indices of the tiles where cells are looked for, from top to bottom: no later one begins further up."""
        found = range(self._first[min(self.levels, 1 + COARSER_LEVELS)])
        return tuple(sorted(found, key=lambda index: (self.top(index), -self.tiles[index].level, index)))

    @cached_property
    def embedded(self) -> tuple[int, ...]:
        """Indices of all tiles in the order in which they are embedded: first those where cells are looked for."""
        return *self.searched, *range(len(self.searched), len(self.tiles))

    def top(self, index: int) -> int:
        """The first row of the image that a tile shows."""
        return self.tile_window(self.tiles[index])[1]

    def level_size(self, level: int) -> tuple[int, int]:
        """(height, width) of a level in its own pixels."""
        block = 2**level
        return -(-self.height // block), -(-self.width // block)

    def inputs(self, pixels: NDArray[np.float32]) -> Iterator[Tensor]:
        """(3, H, W) in [0, 1] -> for each tile of `tiles`, in order, its model input (3, S, S) float32."""
        for tile in self.tiles:
            yield self.input_of(lambda window: pixels[:, window[1] : window[3], window[0] : window[2]], tile)

    def input_of(self, read: ReadWindow, tile: Tile) -> Tensor:
        """A tile's model input (3, S, S) float32. Holds a tile of any level and STRIP_PX of the image at a time."""
        return self._input(self._padded(self._reduced(read, tile)))

    def to_input(self, boxes_xyxy_px: Boxes, tile: Tile) -> Boxes:
        """Boxes in image pixels -> the tile's input pixels. Points (N, 2) are boxes without a second corner."""
        offset = np.resize(np.array([tile.x, tile.y], dtype=np.float32), boxes_xyxy_px.shape[-1])
        scale = np.resize(self._scale, boxes_xyxy_px.shape[-1])
        return np.asarray((boxes_xyxy_px / 2**tile.level - offset) * scale, dtype=np.float32)

    def to_image(self, boxes_xyxy_input: Boxes, tile: Tile) -> Boxes:
        """The inverse of `to_input`."""
        offset = np.resize(np.array([tile.x, tile.y], dtype=np.float32), boxes_xyxy_input.shape[-1])
        scale = np.resize(self._scale, boxes_xyxy_input.shape[-1])
        return np.asarray((boxes_xyxy_input / scale + offset) * 2**tile.level, dtype=np.float32)

    def clip(self, boxes_xyxy_px: Boxes) -> Boxes:
        """Boxes cut at the image's border."""
        limit = np.array([self.width, self.height, self.width, self.height], dtype=np.float32)
        return np.clip(boxes_xyxy_px, 0, limit)

    def tile_of_box(self, box_xyxy_px: NDArray[np.float32]) -> int:
        """Index of the tile that shows this box (inside the image) best: the finest level with a tile that holds all of
        it and leaves room for its surroundings; there, the tile in whose middle it lies most.
        """
        last = self.levels - 1
        side = float(max(box_xyxy_px[2] - box_xyxy_px[0], box_xyxy_px[3] - box_xyxy_px[1]))
        for level in range(self.levels):
            if level < last and side > self._largest(level):
                continue
            best = self._best_tile(box_xyxy_px, level)
            if best is not None:
                return best
        return len(self.tiles) - 1  # the top level's only tile

    def too_large_for_finest(self, boxes_xyxy_px: Boxes) -> NDArray[np.bool_]:
        """(N,) whether no tile of level 0 shows a box with its surroundings."""
        sides = (boxes_xyxy_px[:, 2:] - boxes_xyxy_px[:, :2]).max(axis=1, initial=0)
        return np.asarray(sides > self._largest(0))

    def owned(self, boxes_xyxy_px: Boxes, index: int) -> NDArray[np.bool_]:
        """(N,) whether a box's centre is inside the image and nearer to the middle of tile `index` than of any other.

        Each point of the image belongs to exactly one tile of a level, so a cell seen by two tiles is kept once.
        """
        tile = self.tiles[index]
        x, y = (boxes_xyxy_px[:, :2] + boxes_xyxy_px[:, 2:]).T / 2
        down, across = self._starts[tile.level]
        left, right = self._core(tile.x, across, self.tile_size[0], tile.level)
        top, bottom = self._core(tile.y, down, self.tile_size[1], tile.level)
        inside = (x >= 0) & (y >= 0) & (x < self.width) & (y < self.height)
        return np.asarray(inside & (x >= left) & (x < right) & (y >= top) & (y < bottom))

    def cut(self, boxes_xyxy_px: Boxes, index: int) -> NDArray[np.bool_]:
        """(N,) whether a box reaches an edge of tile `index` behind which the image goes on."""
        tile, (across, down) = self.tiles[index], self.tile_size
        height, width = self.level_size(tile.level)
        margin = EDGE_PX / self.tiling.scale  # a stretched image goes on nowhere
        x0, y0, x1, y1 = boxes_xyxy_px.T / 2**tile.level - np.array([[tile.x], [tile.y], [tile.x], [tile.y]])
        reached = np.zeros(len(boxes_xyxy_px), dtype=bool)
        for beyond, distance in (
            (tile.x > 0, x0),
            (tile.y > 0, y0),
            (tile.x + across < width, across - x1),
            (tile.y + down < height, down - y1),
        ):
            if beyond:
                reached |= distance <= margin
        return reached

    def tile_window(self, tile: Tile) -> Window:
        """The image pixels that a tile shows."""
        block, (across, down) = 2**tile.level, self.tile_size
        x1, y1 = min(self.width, (tile.x + across) * block), min(self.height, (tile.y + down) * block)
        return tile.x * block, tile.y * block, x1, y1

    def map_to_window(
        self, map_hw: NDArray[np.float32], tile: Tile, window: Window, *, through_input: bool = False
    ) -> NDArray[np.float32]:
        """A map over a tile's whole input, at any resolution, read with bilinear interpolation at the pixels of
        `window` (inside the tile's window) -> (y1 - y0, x1 - x0). Costs the window, not the tile.

        `through_input` gives what SAM's two steps give: enlarged to the input's resolution first, read there then.
        """
        x0, y0, x1, y1 = window
        across = self._reading(0, (x0, x1), tile, map_hw.shape[1], through_input)
        down = self._reading(1, (y0, y1), tile, map_hw.shape[0], through_input)
        return _product(_product(down, map_hw), across.T)

    def window_to_map(
        self, mask_hw: NDArray[np.bool_], tile: Tile, window: Window, side: int
    ) -> NDArray[np.float32]:
        """The other way, for a mask: (side, side) share of each of the tile's map pixels that it covers, in [0, 1]."""
        x0, y0, x1, y1 = window
        across = self._coverage(0, (x0, x1), tile, side)
        down = self._coverage(1, (y0, y1), tile, side)
        return _product(_product(down.T, mask_hw.astype(np.float32)), across)

    @cached_property
    def _scale(self) -> NDArray[np.float32]:
        """(2,) input pixels per level pixel along x and y."""
        return (self.tiling.input_px / np.array(self.tile_size)).astype(np.float32)

    @cached_property
    def _starts(self) -> tuple[tuple[list[int], list[int]], ...]:
        """For each level the places where tiles begin (down, across), in level pixels."""
        across, down = self.tile_size
        overlap = self.tiling.overlap_px
        return tuple(
            (_spread(height, down, overlap), _spread(width, across, overlap))
            for height, width in map(self.level_size, range(self.levels))
        )

    @cached_property
    def _first(self) -> tuple[int, ...]:
        """The index of each level's first tile, and their number."""
        counts = [len(down) * len(across) for down, across in self._starts]
        return tuple(sum(counts[:level]) for level in range(self.levels + 1))

    def _largest(self, level: int) -> float:
        """Image pixels on the longer side of the largest box that a level's tiles show with its surroundings."""
        return float(LARGEST_SHARE * self.tiling.tile_px * 2**level)

    def _core(self, start: int, starts: Sequence[int], side: int, level: int) -> tuple[float, float]:
        """In image pixels, the stretch along one axis that a tile owns: half-way into each overlap."""
        position, block = starts.index(start), 2**level
        low = -np.inf if position == 0 else (starts[position - 1] + side + start) / 2 * block
        high = np.inf if position == len(starts) - 1 else (start + side + starts[position + 1]) / 2 * block
        return float(low), float(high)

    def _best_tile(self, box: NDArray[np.float32], level: int) -> int | None:
        """The tile in whose middle a box lies most, of those that hold all of it."""
        down, across = self._starts[level]
        row = _middlemost(box[1::2], down, self.tile_size[1], self.height, 2**level)
        column = _middlemost(box[0::2], across, self.tile_size[0], self.width, 2**level)
        if row is None or column is None:
            return None
        return self._first[level] + row * len(across) + column

    def _reduced(self, read: ReadWindow, tile: Tile) -> NDArray[np.float32]:
        """(3, h, w) a tile's pixels averaged over blocks; those of the image's border count the pixels that exist."""
        x0, y0, x1, y1 = self.tile_window(tile)
        block = 2**tile.level
        if block == 1:
            return read((x0, y0, x1, y1))
        rows = max(1, STRIP_PX // (x1 - x0) // block) * block
        strips = [
            F.avg_pool2d(
                torch.from_numpy(np.ascontiguousarray(read((x0, top, x1, min(y1, top + rows)))))[None],
                block,
                ceil_mode=True,
            )[0].numpy()
            for top in range(y0, y1, rows)
        ]
        return np.concatenate(strips, axis=1)

    def _padded(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(3, h, w) -> (3, tile's height, tile's width)."""
        across, down = self.tile_size
        missing = [
            (0, max(0, side - length)) for side, length in zip((down, across), pixels.shape[1:], strict=True)
        ]
        if not any(high for _, high in missing):
            return pixels
        mode: Literal["reflect", "constant"] = "reflect" if self.tiling.padding == "mirror" else "constant"
        return np.pad(pixels, [(0, 0), *missing], mode=mode)

    def _input(self, padded: NDArray[np.float32]) -> Tensor:
        pixels = torch.from_numpy(padded.copy())
        side = self.tiling.input_px
        if pixels.shape[1:] == (side, side):
            return pixels
        # Only an axis that shrinks needs the antialiasing; enlarging is the same but for the last bit. The released
        # model has it in any case, and cuts what comes out to bytes, where a last bit can become a whole step.
        antialias = self.stretched or max(self.tile_size) > side
        return F.interpolate(
            pixels[None], (side, side), mode="bilinear", align_corners=False, antialias=antialias
        )[0]

    def _reading(
        self, axis: int, span: tuple[int, int], tile: Tile, side: int, through_input: bool
    ) -> NDArray[np.float32]:
        """(span, side) weights by which the image's pixels read `side` map pixels along one axis."""
        centres = (np.arange(*span) + 0.5) / 2**tile.level - (tile.x, tile.y)[axis]
        share = centres / self.tile_size[axis]
        if not through_input:
            return _interpolation(share, side)
        input_px = self.tiling.input_px
        enlarging = _interpolation((np.arange(input_px) + 0.5) / input_px, side)
        return _product(_interpolation(share, input_px), enlarging)

    def _coverage(self, axis: int, span: tuple[int, int], tile: Tile, side: int) -> NDArray[np.float32]:
        """(span, side) share of each of `side` map pixels that an image pixel covers along one axis."""
        step = self.tile_size[axis] * 2**tile.level / side  # image pixels per map pixel
        edges = np.arange(side)[None] * step + (tile.x, tile.y)[axis] * 2**tile.level
        pixels = np.arange(*span)[:, None]
        shared = np.minimum(pixels + 1, edges + step) - np.maximum(pixels, edges)
        return np.asarray(np.clip(shared, 0, None) / step, dtype=np.float32)


def at_scale(tiling: TilingConfig, scale: float) -> TilingConfig:
    """Tiles that show the image enlarged `scale` times more, in the same inputs: of fewer or more source pixels."""
    if scale == 1:
        return tiling
    tile_px = round(tiling.tile_px / scale)
    return replace(
        tiling,
        tile_px=tile_px,
        scale=tiling.input_px / tile_px,
        overlap_px=round(tiling.overlap_px / scale),
        stretch_px=round(tiling.stretch_px / scale),
    )


def _spread(length: int, side: int, overlap: int) -> list[int]:
    """Evenly spread, whole-pixel starts of tiles that cover `length` with at least the wanted overlap."""
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _middlemost(
    span: NDArray[np.float32], starts: Sequence[int], side: int, length: int, block: int
) -> int | None:
    """Along one axis: which of the tiles that hold a span of image pixels has its middle nearest to the span's."""
    low = np.array(starts) * block
    holds = (low <= span[0]) & (span[1] <= np.minimum(length, low + side * block))
    if not holds.any():
        return None
    distance = np.abs(low + side * block / 2 - (span[0] + span[1]) / 2)
    return int(np.where(holds, distance, np.inf).argmin())


def _interpolation(share: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """(n, side) weights of linear interpolation between the centres of `side` pixels, edges repeated, at n places given
    as shares of the length.
    """
    position = np.clip(share * side - 0.5, 0, side - 1)
    first = np.minimum(position.astype(np.int64), max(side - 2, 0))
    weights = np.zeros((len(share), side), dtype=np.float32)
    rows = np.arange(len(share))
    weights[rows, first] = 1 - (position - first)
    weights[rows, np.minimum(first + 1, side - 1)] += position - first
    return weights


def _product(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, k) times (k, n) -> (m, n). NumPy's own products take every core, whatever torch was told."""
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        product: NDArray[np.float32] = linear(torch.from_numpy(a), torch.from_numpy(b).t()).numpy()
    return product
