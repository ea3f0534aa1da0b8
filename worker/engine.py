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
from worker.cellsam import Features, Predictor, Segmentation
from worker.cellsam.device import choose_device
from worker.cellsam.features import FeaturesError
from worker.cellsam.predictor import Embeddings
from worker.cellsam.tuning import Ladder, Source, TuningConfig, TuningSample
from worker.features import FeatureStore, MemoryCache
from worker.scoring import HeldOutImage, score_image
from worker.weights import ModelLibrary, VersionWeights, WeightFile

Progress = Callable[[float], None]

MEMORY_BYTES = 2**29  # for decoded features, and as much again for necks' output
EMBED_SHARE = 0.5  # of a segmentation's time, for its progress


class FeaturesMissing(LookupError):
    """The features are not in the cache (not computed yet, or evicted)."""


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
        self._store = features
        self._library = ModelLibrary(device=self.device)
        self._features: MemoryCache[Features] = MemoryCache(budget_bytes=memory_bytes)
        self._embeddings: MemoryCache[Embeddings] = MemoryCache(budget_bytes=memory_bytes)

    def predictor(self, version: VersionWeights) -> Predictor:
        """The version's predictor, kept in memory. Raises WeightsError."""
        return self._library.predictor(version)

    def warm(self, base: WeightFile) -> None:
        """Load a base and run everything once, so that the first person does not pay for it."""
        predictor = self._library.base(base)
        features = predictor.embed(np.zeros((32, 32), dtype=np.uint8), ("whole_cell",))
        predictor.decode(features, boxes=[[4, 4, 20, 20]])

    def cached(self, key: str) -> Features | None:
        """Features from memory or disk; None if they are in neither, or are of another format."""
        found = self._features.get(key)
        if found is not None:
            return found
        payload = self._store.get(key)
        if payload is None:
            return None
        try:
            features = Features.from_bytes(payload)
        except FeaturesError:  # written by another version of the code
            return None
        self._features.put(key, features, byte_size=features.nbytes)
        return features

    def embed(
        self, key: str, source: Source, version: VersionWeights, *, progress: Progress = lambda done: None
    ) -> Features:
        """Features from the cache, else from the trunk and then into the cache. Raises ImageError.

        `source` is called only if they are missing.
        """
        predictor = self.predictor(version)
        found = self.cached(key)
        if found is not None and found.trunk_hash == predictor.trunk_hash:
            progress(1.0)
            return found
        image, roles = source()
        features = predictor.embed(image, roles, progress=progress)
        self._store.put(key, features.to_bytes())
        self._features.put(key, features, byte_size=features.nbytes)
        return features

    def segment(
        self, key: str, source: Source, version: VersionWeights, *, progress: Progress = lambda done: None
    ) -> Segmentation:
        """All cells of an image. `progress` is told the share done and may raise to stop. Raises ImageError."""
        features = self.embed(key, source, version, progress=lambda done: progress(done * EMBED_SHARE))
        return self.predictor(version).segment_features(
            features, progress=lambda done: progress(EMBED_SHARE + done * (1 - EMBED_SHARE))
        )

    def decode(self, key: str, prompt: Prompt, version: VersionWeights) -> DecodedPrompt:
        """The mask of one prompt on cached features: neck and decoder alone, never the trunk.

        Raises FeaturesMissing, PromptError for a prompt outside the image, WeightsError.
        """
        predictor = self.predictor(version)
        started = time.perf_counter()
        masks, scores = predictor.decode(
            self._embedded(key, predictor), boxes=[prompt.box], points=[prompt.points]
        )
        return DecodedPrompt(masks[0], float(scores[0]), time.perf_counter() - started)

    def labels(
        self, key: str, version: VersionWeights, *, should_stop: Callable[[], bool] = lambda: False
    ) -> Segmentation:
        """All cells that a version finds on cached features; never the trunk.

        Raises FeaturesMissing, WeightsError, and Stopped if asked to stop between tiles.
        """
        predictor = self.predictor(version)
        return predictor.segment_features(self._cached_for(key, predictor), should_stop=should_stop)

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
                of_predictor.append(score_image(predictor, image))
        return scores

    def _cached_for(self, key: str, predictor: Predictor) -> Features:
        """Raises FeaturesMissing unless they are there and of this predictor's trunk."""
        features = self.cached(key)
        if features is None or features.trunk_hash != predictor.trunk_hash:
            raise FeaturesMissing(key)
        return features

    def _embedded(self, key: str, predictor: Predictor) -> Embeddings:
        """The neck's output for an image: valid for one neck, so a promotion asks for another entry."""
        address = (key, predictor.neck_hash)
        found = self._embeddings.get(address)
        if found is None:
            features = self._cached_for(key, predictor)
            found = predictor.embed_neck(features)
            self._embeddings.put(address, found, byte_size=_embeddings_bytes(features, predictor))
        return found


def _embeddings_bytes(features: Features, predictor: Predictor) -> int:
    """Bytes of the neck's output once every tile was asked for (float32) and of the features that it holds on to."""
    tiles, _, height, width = features.tokens.shape
    return features.nbytes + tiles * predictor.model.config.mask.dim * height * width * 4
