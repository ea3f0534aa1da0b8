"""A tuned version that goes out as one file is the model that serves: for the engine, and for the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import tifffile
import torch
from django.core.files.base import ContentFile

from labeling.ladder import Rung
from labeling.models import ModelVersion, VersionStatus
from labeling.selectors.model_versions import version_spec
from labeling.services.activation import version_activate
from labeling.services.checkpoints import version_checkpoint, version_import
from tests.scenes import nuclei
from tests.worker.conftest import Lab
from worker.cellsam import Predictor, load
from worker.cellsam.__main__ import main
from worker.cellsam.checkpoint import TunedFile, tuned_bytes
from worker.tasks.process import background_engine, version_weights

THRESHOLD = 0.61
PARTS = {Rung.NECK: ("neck",), Rung.FINDER: ("neck", "finder"), Rung.TRUNK: ("neck", "finder", "trunk")}


def tuned(lab: Lab, rung: Rung) -> ModelVersion:
    """A version of the shipped model with the rung's parts a little moved."""
    base = background_engine().predictor(version_weights(version_spec(lab.base)))
    parts = {
        part: {
            name: (t * 1.01).half().float() for name, t in base.model.get_submodule(part).state_dict().items()
        }
        for part in PARTS[rung]
    }
    made = base.with_parts(parts, threshold=THRESHOLD)
    content = tuned_bytes(
        TunedFile(
            rung=rung, parts=parts, parent_trunk_hash=base.trunk_hash, trunk_hash=made.trunk_hash,
            neck_hash=made.neck_hash, finder_hash=made.finder_hash, threshold=THRESHOLD,
        )
    )  # fmt: skip
    version = ModelVersion(
        project=lab.project, parent=lab.base, number=1, name="v1", rung=rung, architecture="tiny",
        weights_sha256=hashlib.sha256(content).hexdigest(), trunk_hash=made.trunk_hash, neck_hash=made.neck_hash,
        finder_hash=made.finder_hash, preprocessing=lab.base.preprocessing, threshold=THRESHOLD,
        status=VersionStatus.REJECTED,
    )  # fmt: skip
    version.weights.save("tuned.safetensors", ContentFile(content), save=False)
    version.save()
    return version


@pytest.mark.parametrize("rung", list(Rung), ids=lambda rung: rung.name.lower())
def test_the_exported_file_is_the_version(lab: Lab, tmp_path: Path, rung: Rung) -> None:
    version = tuned(lab, rung)
    path = tmp_path / "exported.safetensors"
    path.write_bytes(b"".join(version_checkpoint(version).chunks()))
    served = background_engine().predictor(version_weights(version_spec(version)))
    alone = Predictor(load(path))
    assert alone.model.config.thresholds.box == THRESHOLD
    state = served.model.state_dict()
    assert state.keys() == alone.model.state_dict().keys()
    for name, tensor in alone.model.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_the_command_line_reads_it(lab: Lab, tmp_path: Path) -> None:
    path, image = tmp_path / "exported.safetensors", tmp_path / "nuclei.tif"
    path.write_bytes(b"".join(version_checkpoint(tuned(lab, Rung.FINDER)).chunks()))
    image.write_bytes(nuclei(3, side=96, cells=4).tiff)
    main(["segment", str(image), "--weights", str(path)])
    assert tifffile.imread(tmp_path / "nuclei_labels.tif").max() > 0


def test_an_imported_file_serves_as_its_hashes_say(lab: Lab) -> None:
    exported = ContentFile(b"".join(version_checkpoint(tuned(lab, Rung.TRUNK)).chunks()))
    version = version_import(project=lab.project, content=exported, name="mine.safetensors", by=lab.alice)
    version_activate(project_id=lab.project.pk, version_id=version.pk, by=lab.alice)
    served = background_engine().predictor(version_weights(version_spec(version)))  # checks all hashes
    assert (served.trunk_hash, served.neck_hash) == (version.trunk_hash, version.neck_hash)
    assert version.trunk_hash != lab.base.trunk_hash
