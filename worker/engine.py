"""Device, models and caches in one place: what a task asks for, without Django and without queues.

One engine serves one process. Everything but the trunk works on cached features; `trunk_calls` counts the exceptions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from labeling.gate import ImageScore
from labeling.rle import BoxMask
from worker.cached_features import (
    Embedding,
    FeatureCache,
    FeaturesAddress,
    FeaturesMissing,
    ImageFeatures,
    ImageSource,
)
from worker.cellsam import Features, Predictor, Segmentation
from worker.cellsam.device import choose_device
from worker.cellsam.predictor import Embeddings
from worker.cellsam.prompts import prompt_batches
from worker.cellsam.sweep import CellList, TilesDone, never, sweep, untold
from worker.cellsam.tuning import Ladder, TuningConfig, TuningSample
from worker.features import FeatureStore, MemoryCache
from worker.scoring import HeldOutImage, score_image
from worker.weights import ModelLibrary, VersionWeights, WeightFile

__all__ = ["DecodedPrompt", "Engine", "FeaturesAddress", "FeaturesMissing", "ImageSource", "Prompt"]

Progress = Callable[[float], None]

MEMORY_BYTES = 2**29  # for decoded features, and as much again for necks' output


@dataclass(frozen=True, slots=True)
class Prompt:
    """A person's box x0, y0, x1, y1 in image pixels, and points (x, y, inside the cell) that refine it."""

    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class DecodedPrompt:
    """The mask of one prompt, the decoder's own estimate of its IoU, and the seconds that the model took."""

    mask: BoxMask
    score: float
    model_s: float


class Engine:
    """`threads` 0 leaves torch's own choice; `device` as in `choose_device`."""

    def __init__(
        self,
        *,
        features: FeatureStore,
        device: str = "auto",
        threads: int = 0,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        if threads:
            torch.set_num_threads(threads)
        self.device = choose_device(device)
        self._cache = FeatureCache(features, memory_bytes=memory_bytes)
        self._library = ModelLibrary(device=self.device)
        self._embeddings: MemoryCache[Embeddings] = MemoryCache(budget_bytes=memory_bytes)

    def predictor(self, version: VersionWeights) -> Predictor:
        """The version's predictor, kept in memory. Raises WeightsError."""
        return self._library.predictor(version)

    def warm(self, base: WeightFile) -> None:
        """Load a base and run everything once, so that the first person does not pay for it."""
        predictor = self._library.base(base)
        features = predictor.embed(np.zeros((32, 32), dtype=np.uint8), ("whole_cell",))
        predictor.decode(features, boxes=[[4, 4, 20, 20]])

    def embed(
        self,
        address: FeaturesAddress,
        source: ImageSource,
        version: VersionWeights,
        *,
        progress: Progress = untold,
    ) -> None:
        """All features of an image into the cache, a block at a time: those that are there stay, the trunk makes the
        others. Raises ImageError.

        `source` is called only if some are missing.
        """
        for _ in self._embedding(address, source, version, progress).every_block():
            pass

    def features(
        self,
        address: FeaturesAddress,
        source: ImageSource,
        version: VersionWeights,
        *,
        progress: Progress = untold,
    ) -> Features:
        """As `embed`, and all of them in memory at once, however large the image is."""
        return self._embedding(address, source, version, progress).whole()

    def segment(
        self,
        address: FeaturesAddress,
        source: ImageSource,
        version: VersionWeights,
        *,
        progress: Progress = untold,
    ) -> Segmentation:
        """All cells of an image, with the features of a block in memory at a time; they stay in the cache.

        `progress` is told the share done and may raise to stop: the next call finds the blocks that were finished.
        Raises ImageError.
        """
        predictor = self.predictor(version)
        image = self._cache.of(address, predictor)
        told = TilesDone(len(image.frame.embedded) + len(image.frame.searched), progress, never)
        embedding = Embedding(image, predictor, source, told)
        found = _segmented(predictor, image, embedding.block, told)
        # Coarser levels, where no cells are looked for: a box around something very large is decoded there.
        for number in range(image.block_with(image.frame.searched[-1]) + 1, len(image.blocks)):
            embedding.block(number)
        return found

    def decode(self, address: FeaturesAddress, prompt: Prompt, version: VersionWeights) -> DecodedPrompt:
        """The mask of one prompt on cached features: neck and decoder alone, never the trunk. Reads the block that
        shows the prompt.

        Raises FeaturesMissing, PromptError for a prompt outside the image, WeightsError.
        """
        predictor = self.predictor(version)
        started = time.perf_counter()
        image = self._cache.of(address, predictor)
        prompts = [prompt.box], [prompt.points]
        ((tile, _, _),) = prompt_batches(*prompts, image.frame, needs_boxes=False, at_most=1)
        embeddings = self._embedded(address.key, image, image.block_with(tile), predictor)
        masks, scores = predictor.decode(embeddings, boxes=prompts[0], points=prompts[1])
        return DecodedPrompt(masks[0], float(scores[0]), time.perf_counter() - started)

    def labels(
        self,
        address: FeaturesAddress,
        version: VersionWeights,
        *,
        should_stop: Callable[[], bool] = never,
    ) -> Segmentation:
        """All cells that a version finds on cached features, block by block; never the trunk.

        Raises FeaturesMissing, WeightsError, and Stopped if asked to stop between tiles.
        """
        predictor = self.predictor(version)
        image = self._cache.of(address, predictor)
        told = TilesDone(len(image.frame.searched), untold, should_stop)
        return _segmented(predictor, image, image.require, told)

    def ladder(
        self,
        base: WeightFile,
        samples: Sequence[TuningSample],
        config: TuningConfig,
        *,
        folder: Path | None = None,
        run: str = "",
    ) -> Ladder:
        """The rungs of tuning a base on corrected images; see `Ladder`. Raises TuningError with the reason."""
        return Ladder(self._library.base(base), samples, config, folder=folder, run=run)

    def score(
        self,
        predictors: Sequence[Predictor],
        images: Iterable[HeldOutImage],
        *,
        pause: Callable[[], None] = lambda: None,
    ) -> list[list[ImageScore]]:
        """Each predictor's score on each held-out image, in the order of the predictors; holds one image at a time."""
        scores: list[list[ImageScore]] = [[] for _ in predictors]
        for image in images:
            for of_predictor, predictor in zip(scores, predictors, strict=True):
                pause()
                of_predictor.append(score_image(predictor, image, pause=pause))
        return scores

    def _embedding(
        self, address: FeaturesAddress, source: ImageSource, version: VersionWeights, progress: Progress
    ) -> Embedding:
        predictor = self.predictor(version)
        image = self._cache.of(address, predictor)
        return Embedding(image, predictor, source, TilesDone(len(image.frame.embedded), progress, never))

    def _embedded(self, key: str, image: ImageFeatures, number: int, predictor: Predictor) -> Embeddings:
        """The neck's output for a block: valid for one neck, so a promotion asks for another entry."""
        place = (key, number, predictor.neck_hash)
        found = self._embeddings.get(place)
        if found is None:
            features = image.require(number)
            found = predictor.embed_neck(features)
            self._embeddings.put(place, found, byte_size=_embeddings_bytes(features, predictor))
        return found


def _segmented(
    predictor: Predictor, image: ImageFeatures, block: Callable[[int], Features], told: TilesDone
) -> Segmentation:
    """All cells of an image from its blocks, which `block` gives by number, one after the other."""
    found, frame = CellList(), image.frame
    doubted = sweep(
        frame,
        lambda tiles: predictor.search_tiles(block(image.block_with(tiles[0])), tiles, told),
        found,
        told,
        overlaps=predictor.model.config.strategies.overlaps,
    )
    return Segmentation.of(found.cells, frame.height, frame.width, doubted=doubted)


def _embeddings_bytes(features: Features, predictor: Predictor) -> int:
    """Bytes of the neck's output once every tile was asked for (float32) and of the features that it holds on to."""
    tiles, _, height, width = features.tokens.shape
    return features.nbytes + tiles * predictor.model.config.mask.dim * height * width * 4
