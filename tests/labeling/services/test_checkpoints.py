"""Versions as files: one full model out, one full model in."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient
from safetensors.numpy import load, save

from labeling.errors import Conflict, Invalid
from labeling.models import ModelVersion, Project, VersionStatus
from labeling.selectors.loop import loop_view
from labeling.selectors.proof import f1_by_version
from labeling.selectors.training import run_imported
from labeling.services.activation import version_activate
from labeling.services.checkpoints import version_checkpoint, version_import
from labeling.services.model_versions import model_version_register
from labeling.services.training import training_complete
from tests.factories import World, make_tuned
from tests.labeling.services.test_model_versions import CONFIG
from tests.labeling.services.test_training import scores, start, submit_two, trained

FORMAT = "cellloop-cellsam-1"


def full_model(*, neck: float = 1.0, config: dict[str, Any] | None = None, **metadata: str) -> bytes:
    tensors = {
        "trunk.w": np.ones((2, 2), np.float16), "neck.w": np.full(3, neck, np.float16),
        "finder.w": np.ones(2, np.float16), "mask_decoder.w": np.ones(1, np.float16),
    }  # fmt: skip
    values = {"format": FORMAT, "config": json.dumps(config or CONFIG), "licence": "Apache-2.0"}
    return save(tensors, metadata=values | metadata)


@pytest.fixture
def base(world: World, tmp_path: Path) -> ModelVersion:
    """A base with weights in its file, in use in the project."""
    (tmp_path / "base.safetensors").write_bytes(full_model())
    base = model_version_register(path=tmp_path / "base.safetensors")
    version_activate(project_id=world.project.pk, version_id=base.pk)
    world.project.refresh_from_db()
    return base


def take_in(world: World, content: bytes) -> ModelVersion:
    return version_import(
        project=world.project, content=ContentFile(content), name="theirs.safetensors", by=world.alice
    )


def tuned(world: World) -> ModelVersion:
    """A version whose neck is 7 and whose finder is 5."""
    content = save(
        {"neck.w": np.full(3, 7, np.float32), "cellfinder.w": np.full(2, 5, np.float32)},
        metadata={"format": "cellloop-tuned-1"},
    )
    version = make_tuned(world.project, weights_sha256=hashlib.sha256(content).hexdigest(), threshold=0.62)
    Path(default_storage.path(str(version.weights.name))).write_bytes(content)
    return version


def exported(version: ModelVersion) -> bytes:
    return b"".join(version_checkpoint(version).chunks())


def test_a_tuned_version_goes_out_as_one_full_model(world: World, base: ModelVersion):
    content = exported(tuned(world))
    assert {name: tensor.tolist() for name, tensor in load(content).items()} == {
        "trunk.w": [[1, 1], [1, 1]], "neck.w": [7, 7, 7], "finder.w": [5, 5], "mask_decoder.w": [1],
    }  # fmt: skip
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    assert (metadata["format"], json.loads(metadata["config"])["thresholds"]["box"]) == (FORMAT, 0.62)
    assert json.loads(metadata["training"])["tuned"]["version"] == "v1"


def test_a_base_goes_out_as_it_came_in(world: World, base: ModelVersion):
    assert exported(base) == base.weights.open("rb").read()


def test_what_went_out_comes_in_and_may_serve(world: World, base: ModelVersion):
    content = exported(tuned(world))
    version = take_in(world, content)
    assert (version.status, version.rung, version.parent, version.name) == (
        VersionStatus.IMPORTED,
        0,
        None,
        "v2",
    )
    assert (version.threshold, version.licence, version.architecture) == (0.62, "Apache-2.0", "tiny")
    assert (version.trunk_hash, version.preprocessing) == (base.trunk_hash, base.preprocessing)
    assert version.neck_hash != base.neck_hash
    assert version.finder_hash != base.finder_hash
    assert version.config["imported_by"] == "alice"
    assert version.weights.open("rb").read() == content
    version_activate(project_id=world.project.pk, version_id=version.pk, by=world.alice)
    assert Project.objects.get(pk=world.project.pk).active_version == version


def test_a_run_measures_it_beside_its_candidates_and_leaves_the_choice_to_people(
    world: World, base: ModelVersion
):
    version = take_in(world, full_model(neck=2))
    submit_two(world)
    run, claim = start(world)
    assert run_imported(run) == [version]
    pauses: list[bool] = []
    training_complete(
        claim=claim, run_id=run.pk, active_scores=scores(30), candidates=[trained(20)], config={},
        imported={version.pk: scores(45)}, pause=lambda: pauses.append(True),
    )  # fmt: skip
    assert len(pauses) == 2  # one for each that is compared: the lease is renewed, and boxes go first
    project = Project.objects.get(pk=world.project.pk)
    assert project.active_version == base
    (view,) = [view for view in loop_view(project).versions if view.version == version]
    assert (view.state, view.reason.startswith("Better: F1 0.600 → 0.900")) == ("imported", True)
    assert view.evaluation["candidate"]["f1"] == f1_by_version(project)[version.pk] == pytest.approx(0.9)


def test_an_imported_version_that_is_activated_is_known_by_what_a_run_measured_of_it(
    world: World, base: ModelVersion
):
    version = take_in(world, full_model(neck=2))
    submit_two(world)
    for found in (40, 45):  # of 50 cells in each image
        run, claim = start(world)
        training_complete(
            claim=claim, run_id=run.pk, active_scores=scores(30), candidates=[trained(20)], config={},
            imported={version.pk: scores(found)},
        )  # fmt: skip
    version_activate(project_id=world.project.pk, version_id=version.pk, by=world.alice)
    assert Project.objects.get(pk=world.project.pk).active_precision == pytest.approx(0.9)


def test_the_same_file_comes_in_once(world: World, base: ModelVersion):
    content = full_model(neck=2)
    take_in(world, content)
    folder = f"weights/projects/{world.project.pk}/versions"
    with pytest.raises(Conflict, match="v1 of this project already"):
        take_in(world, content)
    assert len(default_storage.listdir(folder)[1]) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x80\x04\x95 a pickle", "not a safetensors file"),
        (save({"neck.w": np.ones(3)}, metadata={"format": "cellloop-neck-1"}), "no full CellLoop model"),
        (full_model(config={"name": "vit_h"}), "architecture"),
        (full_model(config=CONFIG | {"trunk": {"dim": 10**9}}), "not that of a base"),
        (full_model(config=CONFIG | {"thresholds": {"box": 7}}), "threshold"),
        (full_model(neck=float("inf")), "no finite numbers"),
        (
            save({"neck.w": np.ones(3)}, metadata={"format": FORMAT, "config": json.dumps(CONFIG)}),
            "not that of a base",
        ),
        (save({}, metadata={"format": FORMAT, "config": "{"}), "what model"),
    ],
    ids=["pickle", "neck", "unknown", "huge", "threshold", "infinite", "parts", "config"],
)
def test_it_refuses_what_it_cannot_serve(world: World, base: ModelVersion, content: bytes, reason: str):
    with pytest.raises(Invalid, match=rf"theirs\.safetensors cannot be imported: .*{reason}"):
        take_in(world, content)
    assert not ModelVersion.objects.filter(project=world.project).exists()


def test_a_damaged_file_does_not_go_out(world: World, base: ModelVersion):
    version = tuned(world)
    Path(default_storage.path(str(version.weights.name))).write_bytes(b"something else")
    with pytest.raises(Invalid, match="was changed"):
        version_checkpoint(version)


async def received(answer: Any) -> bytes:
    return b"".join([chunk async for chunk in answer.streaming_content])


def test_it_works_over_http(world: World, base: ModelVersion, as_alice: APIClient):
    version = tuned(world)
    answer = as_alice.get(f"/api/model-versions/{version.pk}/checkpoint")
    content = async_to_sync(received)(answer)
    assert int(answer["Content-Length"]) == len(content)
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''Nuclei-v1.safetensors"
    address = f"/api/projects/{world.project.pk}/model-versions/import"
    taken = as_alice.post(
        address, {"file": SimpleUploadedFile("mine.safetensors", content)}, format="multipart"
    )
    assert taken.status_code == 201
    assert (taken.json()["state"], taken.json()["name"]) == ("imported", "v2")
    again = as_alice.post(
        address, {"file": SimpleUploadedFile("mine.safetensors", content)}, format="multipart"
    )
    assert (again.status_code, again.json()["code"]) == (409, "already_imported")
    bad = as_alice.post(address, {"file": SimpleUploadedFile("x", b"nothing")}, format="multipart")
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_model")


def test_weight_files_cannot_be_asked_for_all_the_time(world: World, base: ModelVersion, as_alice: APIClient):
    address = f"/api/projects/{world.project.pk}/model-versions/import"
    answers = [as_alice.post(address, {}, format="multipart").status_code for _ in range(31)]
    assert answers == [400] * 30 + [429]
