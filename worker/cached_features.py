"""Features of images in memory and on disk, a block of tiles at a time, and what makes those that are in neither.

An image of one block has its features in one file, as a whole; a larger one has a file for each block, so that what is
in memory does not grow with the image, and a box reads a block and not gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from worker.cellsam import Features, Predictor
from worker.cellsam.channels import Image, ImageError
from worker.cellsam.features import FeaturesError
from worker.cellsam.model_input import ModelInput
from worker.cellsam.preprocess import Frame
from worker.cellsam.sweep import TilesDone, blocks_of
from worker.features import FeatureStore, MemoryCache

OpenedImage = tuple[
    Image, Sequence[str]
]  # pixels, (H, W, C) at once or in parts, and the roles of their channels
ImageSource = Callable[[], OpenedImage]

# A frame works out its tiles when it is first asked, which takes a large image longer than a box.
_frame = lru_cache(maxsize=64)(Frame)


class FeaturesMissing(LookupError):
    """The features are not in the cache (not computed yet, or evicted)."""


@dataclass(frozen=True, slots=True)
class FeaturesAddress:
    """Where an image's features are: their key in the cache, and the image's size in pixels, which tells the blocks."""

    key: str
    height: int
    width: int


class FeatureCache:
    """Looks in memory, up to `memory_bytes`, and then in the store."""

    def __init__(self, store: FeatureStore, *, memory_bytes: int) -> None:
        self.store = store
        self.memory: MemoryCache[Features] = MemoryCache(budget_bytes=memory_bytes)

    def of(self, address: FeaturesAddress, predictor: Predictor) -> ImageFeatures:
        return ImageFeatures(self, address, predictor)


class ImageFeatures:
    """What the cache has of an image, as far as it fits the trunk and the tiles of `predictor`."""

    def __init__(self, cache: FeatureCache, address: FeaturesAddress, predictor: Predictor) -> None:
        self._cache, self._key = cache, address.key
        self._trunk_hash = predictor.trunk_hash
        self.frame = _frame(address.height, address.width, predictor.model.config.tiling)
        self.blocks = blocks_of(self.frame)

    def block_with(self, tile: int) -> int:
        """The number of the block that a tile is in."""
        return self.frame.embedded.index(tile) // len(self.blocks[0])

    def holds(self, number: int) -> bool:
        """Whether something is on disk; it is not read."""
        return self._cache.store.holds(self._key, self._place(number))

    def get(self, number: int) -> Features | None:
        """A block; None if it is not there, or was made by another trunk or another version of the code."""
        found = self._cache.memory.get((self._key, number))
        if found is None:
            found = self._read(number)
        if found is None or found.trunk_hash != self._trunk_hash:
            return None
        return found if found.frame == self.frame and found.held == self._held(number) else None

    def require(self, number: int) -> Features:
        """`get`. Raises FeaturesMissing."""
        found = self.get(number)
        if found is None:
            raise FeaturesMissing(self._key)
        return found

    def put(self, number: int, features: Features) -> None:
        """Keep a block, on disk and in memory."""
        self._cache.store.put(self._key, features.to_bytes(), self._place(number))
        self._remember(number, features)

    def _read(self, number: int) -> Features | None:
        payload = self._cache.store.get(self._key, self._place(number))
        if payload is None:
            return None
        try:
            found = Features.from_bytes(payload)
        except FeaturesError:  # written by another version of the code
            return None
        if found.frame == self.frame:
            found = replace(found, frame=self.frame)  # its tiles are worked out already
        self._remember(number, found)
        return found

    def _remember(self, number: int, features: Features) -> None:
        self._cache.memory.put((self._key, number), features, byte_size=features.nbytes)

    def _place(self, number: int) -> int | None:
        return None if len(self.blocks) == 1 else number

    def _held(self, number: int) -> tuple[int, ...]:
        return () if len(self.blocks) == 1 else self.blocks[number]


class Embedding:
    """An image's features: from the cache, else from the trunk and then into the cache.

    `source` is called if a block is missing, once. `told` counts each tile that is there or computed, and its
    `progress` may raise to stop: what was finished by then is kept.
    """

    def __init__(
        self, image: ImageFeatures, predictor: Predictor, source: ImageSource, told: TilesDone
    ) -> None:
        self._image, self._predictor, self._source, self._told = image, predictor, source, told

    def block(self, number: int) -> Features:
        """Raises ImageError."""
        tiles = self._image.blocks[number]
        found = self._image.get(number)
        if found is not None:
            self._told.count(len(tiles))
            return found
        made = self._predictor.embed_tiles(self._made, tiles, self._told)
        if len(self._image.blocks) == 1:
            made = Features.joined([made])
        self._image.put(number, made)
        return made

    def whole(self) -> Features:
        """All blocks in memory at once, however large the image is."""
        return self.block(0) if len(self._image.blocks) == 1 else Features.joined(self.every_block())

    def every_block(self) -> Iterator[Features]:
        """Those that are missing first: someone may wait for them."""
        for number in sorted(range(len(self._image.blocks)), key=self._image.holds):
            yield self.block(number)

    @cached_property
    def _made(self) -> ModelInput:
        """Normalised by the whole image: a block that is computed alone is the same as among the others."""
        made = ModelInput.of(*self._source(), self._predictor.model.config)
        if made.frame != self._image.frame:
            size, expected = made.frame, self._image.frame
            raise ImageError(
                f"the image is {size.width} x {size.height} pixels, not {expected.width} x {expected.height}"
            )
        return replace(made, frame=self._image.frame)
