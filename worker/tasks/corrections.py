"""What a training run reads: submitted images as features with the cells that people accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from labeling.selectors.cells import masks_at
from labeling.selectors.channels import channel_roles
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec
from labeling.selectors.training import run_get, run_images
from worker.cellsam import Features
from worker.cellsam.evaluate import Sample
from worker.cellsam.finetune import TuningSample, labels_of
from worker.tasks.inputs import read_image
from worker.tasks.lease import Lease
from worker.tasks.process import background_engine, version_weights

# Features of training images are in memory together; with more, those of the images uploaded last.
TRAINING_BYTES = 2**32
COLOR, GRAY = "color images", "gray images"  # the gate guards each kind by itself


class Corrections:
    """The images of a job's run, at the revisions and in the splits that its snapshot fixed."""

    def __init__(self, lease: Lease) -> None:
        self.run = run_get(lease.job_id)
        self.base = version_weights(version_spec(self.run.base))
        self.active = version_weights(version_spec(self.run.compared_with))
        self.recomputed = 0  # images whose features were not in the cache any more
        self._lease = lease
        self._images = run_images(self.run)

    def count(self, split: str) -> int:
        """Images of the split."""
        return sum(1 for _, _, its in self._images if its == split)

    def training(self) -> list[TuningSample]:
        """Submitted images of the training split, as far as memory goes."""
        samples: list[TuningSample] = []
        held = 0
        for image, revision, split in reversed(self._images):
            if split != "train" or held > TRAINING_BYTES:
                continue
            sample = TuningSample(self._features(image), masks_at(image.pk, revision))
            held += sample.features.nbytes
            samples.append(sample)
            self._lease.pause()
        return samples[::-1]

    def held_out(self) -> Iterator[Sample]:
        """Submitted images that no version ever trained on, one at a time."""
        for image, revision, split in self._images:
            if split != "held_out":
                continue
            sample = TuningSample(self._features(image), masks_at(image.pk, revision))
            roles = channel_roles(image)
            group = COLOR if roles is not None and roles["rgb"] else GRAY
            yield Sample(str(image.pk), group, sample.features, labels_of(sample))

    def _features(self, image: Any) -> Features:
        """From the cache, or from the trunk again."""

        def recompute() -> tuple[NDArray[Any], Any]:
            self.recomputed += 1
            return read_image(image)

        key = features_key(image=image, version=self.run.base)
        return background_engine().embed(key, recompute, self.base, progress=lambda done: self._lease.pause())
