"""Device, models and caches in one place: what a task asks for, without Django and without queues.

One engine serves one process. Everything but the trunk works on cached features; `trunk_calls` counts the exceptions.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labeling.gate import ImageScore
from labeling.rle import BoxMask
from worker.cellsam import Features, Predictor, Segmentation
from worker.cellsam.checkpoint import Card, save_neck
from worker.cellsam.evaluate import ImageResult, Sample, evaluate
from worker.cellsam.features import FeaturesError
from worker.cellsam.finetune import CurvePoint, NeckTuning, TuningConfig, TuningSample, tune_neck
from worker.cellsam.predictor import Embeddings
from worker.features import FeatureStore, MemoryCache
from worker.weights import ModelLibrary, VersionWeights, WeightFile

Progress = Callable[[float], None]
# How to get an image's pixels, (H, W, C), and the roles of its channels. Called only if its features are missing.
Source = Callable[[], tuple[NDArray[Any], Sequence[str]]]

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


@dataclass(frozen=True, slots=True)
class TunedNeck:
    """A neck tuned on the base's features. `weights` is a safetensors file; `curve` and `config` are plain JSON."""

    weights: bytes
    neck_hash: str
    threshold: float
    curve: list[dict[str, float | None]]
    config: dict[str, Any]
    predictor: Predictor


class Engine:
    """`threads` 0 leaves torch's own choice; `device` "auto" takes a GPU if there is one."""

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
        """Features from the cache, else from the trunk and then into the cache. Raises ImageError."""
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
        points = _points(prompt)
        masks, scores = predictor.decode(
            self._embedded(key, predictor), boxes=[list(prompt.box)], points=points
        )
        return DecodedPrompt(masks[0], float(scores[0]), time.perf_counter() - started)

    def tune(
        self,
        base: WeightFile,
        samples: Sequence[TuningSample],
        config: TuningConfig,
        *,
        progress: Progress = lambda done: None,
        pause: Callable[[], None] = lambda: None,
    ) -> TunedNeck:
        """A neck for the base, trained on corrected images. Runs no trunk. Raises TuningError with the reason."""
        predictor = self._library.base(base)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            tuning = tune_neck(predictor.model, samples, config, progress=progress, pause=pause)
        tuned = predictor.with_neck(tuning.state_dict, threshold=tuning.threshold)
        return TunedNeck(
            weights=_neck_file(tuning, predictor.trunk_hash),
            neck_hash=tuned.neck_hash,
            threshold=tuning.threshold,
            curve=[_point(point) for point in tuning.curve],
            config=asdict(config) | _outcome(tuning),
            predictor=tuned,
        )

    def score(
        self,
        predictors: Sequence[Predictor],
        samples: Iterable[Sample],
        *,
        pause: Callable[[], None] = lambda: None,
    ) -> list[list[ImageScore]]:
        """Each predictor's score on each held-out image, in the order of the predictors. Runs no trunk."""
        scores: list[list[ImageScore]] = [[] for _ in predictors]
        for sample in samples:
            for of_predictor, predictor in zip(scores, predictors, strict=True):
                pause()
                of_predictor += [_score(result) for result in evaluate(predictor, [sample]).images]
        return scores

    def _embedded(self, key: str, predictor: Predictor) -> Embeddings:
        """The neck's output for an image: valid for one neck, so a promotion asks for another entry."""
        address = (key, predictor.neck_hash)
        found = self._embeddings.get(address)
        if found is None:
            features = self.cached(key)
            if features is None or features.trunk_hash != predictor.trunk_hash:
                raise FeaturesMissing(key)
            found = predictor.embed_neck(features)
            self._embeddings.put(address, found, byte_size=_embeddings_bytes(features, predictor))
        return found


def choose_device(wanted: str) -> str:
    """ "auto" is the first GPU, else the CPU; anything else is taken as it is."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def _points(prompt: Prompt) -> tuple[NDArray[np.float32], NDArray[np.int64]] | None:
    """(1, P, 2) x, y and (1, P) labels; None without points."""
    if not prompt.points:
        return None
    places = np.array([[[x, y] for x, y, _ in prompt.points]], dtype=np.float32)
    labels = np.array([[int(inside) for _, _, inside in prompt.points]], dtype=np.int64)
    return places, labels


def _neck_file(tuning: NeckTuning, trunk_hash: str) -> bytes:
    card = Card(
        metrics={"validation_iou_before": tuning.iou_before, "validation_iou_after": tuning.iou_after}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "neck.safetensors"
        save_neck(tuning.state_dict, path, trunk_hash=trunk_hash, box_threshold=tuning.threshold, card=card)
        return path.read_bytes()


def _point(point: CurvePoint) -> dict[str, float | None]:
    """JSON has no NaN: the loss before the first step is null."""
    return {
        "step": point.step,
        "loss": None if math.isnan(point.loss) else point.loss,
        "validation_iou": point.validation_iou,
    }


def _outcome(tuning: NeckTuning) -> dict[str, Any]:
    names = ("best_step", "iou_before", "iou_after", "training_cells", "validation_cells")
    return {name: getattr(tuning, name) for name in names}


def _score(result: ImageResult) -> ImageScore:
    return ImageScore(
        image_id=result.name,
        group=result.group,
        true_positive=result.counts.true_positive,
        false_positive=result.counts.false_positive,
        false_negative=result.counts.false_negative,
        iou_sum=float(sum(result.ious)),
        prompted=len(result.ious),
    )


def _embeddings_bytes(features: Features, predictor: Predictor) -> int:
    """Bytes of the neck's output once every tile was asked for (float32) and of the features that it holds on to."""
    tiles, _, height, width = features.tokens.shape
    return features.nbytes + tiles * predictor.model.config.mask.dim * height * width * 4
