"""What a training run reads: submitted images as features with the cells that people accepted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from labeling.ladder import Rung
from labeling.selectors.cells import accepted_cells
from labeling.selectors.channels import channel_roles
from labeling.selectors.model_versions import version_spec
from labeling.selectors.training import run_get, run_images, run_imported, run_settings
from worker.cached_features import OpenedImage
from worker.cellsam import Features, Predictor
from worker.cellsam.tuning import TuningConfig, TuningSample
from worker.scoring import HeldOutImage
from worker.tasks.inputs import features_address, open_image, read_image
from worker.tasks.lease import Lease
from worker.tasks.process import background_engine, version_weights

# Features of training images are in memory together; with more, new ones come first, then those uploaded last. An image
# has all of its blocks in memory here, and at the gate: one that is very large can take more than this by itself.
TRAINING_BYTES = 2**32
COLOR, GRAY = "color images", "gray images"  # the gate guards each kind by itself


class Corrections:
    """The images of a job's run, at the revisions and in the splits that its snapshot fixed.

    An image that is deleted during the run, which may take hours, is left out wherever it is read afterwards.
    """

    def __init__(self, lease: Lease) -> None:
        self.run = run_get(lease.job_id)
        self.base = version_weights(version_spec(self.run.base))
        self.active = version_weights(version_spec(self.run.compared_with))
        self.recomputed = 0  # images whose features were not in the cache any more
        self.imported = {
            version.pk: version_weights(version_spec(version)) for version in run_imported(self.run)
        }  # measured beside the candidates
        settings = run_settings(self.run)
        self.rungs = tuple(Rung(rung) for rung in settings["rungs"])
        self.config = TuningConfig(replay_share=settings["replay_share"], seed=settings["seeds"][0])
        self._earlier = set(settings["earlier_images"])
        self._lease = lease
        self._images = run_images(self.run)

    def count(self, split: str) -> int:
        """Images of the split."""
        return sum(1 for _, _, its in self._images if its == split)

    def training(self) -> list[TuningSample]:
        """Submitted images of the training split, as far as memory goes."""
        images = [(image, revision) for image, revision, split in reversed(self._images) if split == "train"]
        images.sort(key=lambda one: self._is_earlier(one[0]))
        samples: list[TuningSample] = []
        held = 0
        for image, revision in images:
            if held > TRAINING_BYTES:
                break
            cells = accepted_cells(image.pk, revision)
            if cells is None:
                continue
            sample = TuningSample(
                features=self._features(image),
                cells=[mask for mask, _ in cells],
                cluster=image.group_key,
                earlier=self._is_earlier(image),
                source=partial(read_image, image),
            )
            held += sample.features.nbytes
            samples.append(sample)
            self._lease.pause()
        return samples

    def held_out(self) -> Iterator[HeldOutImage]:
        """Submitted images that no version ever trained on, one at a time."""
        for image, revision, split in self._images:
            if split != "held_out":
                continue
            cells = accepted_cells(image.pk, revision)
            if cells is None:
                continue
            roles = channel_roles(image)
            yield HeldOutImage(
                image_id=str(image.pk),
                group=COLOR if roles is not None and roles["rgb"] else GRAY,
                cluster=image.group_key,
                blind=image.blind,
                cells=[mask for mask, _ in cells],
                touched=frozenset(index for index, (_, touched) in enumerate(cells) if touched),
                features=partial(self._features_for, image),
            )

    def _is_earlier(self, image: Any) -> bool:
        return str(image.pk) in self._earlier

    def _features_for(self, image: Any, predictor: Predictor) -> Features:
        """As the predictor's trunk sees the image. Only what stored versions see is kept."""
        if predictor.trunk_hash == self.run.base.trunk_hash:
            return self._features(image)
        if predictor.trunk_hash == self.run.compared_with.trunk_hash:
            return self._features(image, of_active=True)
        return predictor.embed(*self._opened(image), progress=lambda done: self._lease.pause())

    def _features(self, image: Any, *, of_active: bool = False) -> Features:
        """From the cache, or from the trunk again."""

        def recompute() -> OpenedImage:
            self.recomputed += 1
            return self._opened(image)

        version = self.run.compared_with if of_active else self.run.base
        weights = self.active if of_active else self.base
        address = features_address(image, version)
        return background_engine().features(
            address, recompute, weights, progress=lambda done: self._lease.pause()
        )

    def _opened(self, image: Any) -> OpenedImage:
        return open_image(image, pause=self._lease.pause)
