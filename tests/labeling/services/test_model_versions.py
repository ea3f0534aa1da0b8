"""Registering weight files."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from safetensors.numpy import save_file

from labeling.errors import Invalid
from labeling.models import ModelVersion, Project, Promotion
from labeling.services.model_versions import model_version_register
from tests.factories import make_user

CONFIG: dict[str, Any] = {
    "name": "tiny",
    "trunk": {"dim": 8},
    "tiling": {"tile_px": 256},
    "thresholds": {"box": 0.35},
}


def weight_file(
    folder: Path, *, name: str = "tiny.safetensors", trunk: float = 1.0, neck: float = 1.0, **metadata: str
) -> Path:
    path = folder / name
    tensors = {"trunk.w": np.full((2, 2), trunk, np.float16), "neck.w": np.full(3, neck, np.float16)}
    values = {
        "format": "cellloop-cellsam-1",
        "config": json.dumps(CONFIG),
        "licence": "Apache-2.0",
    } | metadata
    save_file(tensors, path, metadata=values)
    return path


def test_it_works(db: None, tmp_path: Path):
    version = model_version_register(path=weight_file(tmp_path, metrics='{"f1": 0.8}'))
    assert (version.number, version.name, version.architecture) == (1, "tiny 1", "tiny")
    assert (version.threshold, version.licence, version.metrics) == (0.35, "Apache-2.0", {"f1": 0.8})
    assert len(version.trunk_hash) == len(version.neck_hash) == 64
    assert version.weights.size == (tmp_path / "tiny.safetensors").stat().st_size


def test_the_same_file_again_is_the_same_version(db: None, tmp_path: Path):
    path = weight_file(tmp_path)
    assert model_version_register(path=path).pk == model_version_register(path=path).pk
    assert ModelVersion.objects.count() == 1


def test_hashes_tell_trunk_and_neck_apart(db: None, tmp_path: Path):
    first = model_version_register(path=weight_file(tmp_path))
    second = model_version_register(path=weight_file(tmp_path, name="b.safetensors", neck=2.0))
    assert first.trunk_hash == second.trunk_hash
    assert first.neck_hash != second.neck_hash
    assert second.number == 2


def test_projects_without_a_model_start_to_use_it(db: None, tmp_path: Path):
    from labeling.services.projects import project_create

    project = project_create(name="Early", created_by=make_user("alice"))
    version = model_version_register(path=weight_file(tmp_path))
    assert Project.objects.get(pk=project.pk).active_version == version
    assert Promotion.objects.get(project=project).version == version


@pytest.mark.parametrize(
    "content", [b"", b"not safetensors", b"\x80\x04\x95pickle"], ids=["empty", "text", "pickle"]
)
def test_it_rejects_what_is_no_weight_file(db: None, tmp_path: Path, content: bytes):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=r"x\.safetensors"):
        model_version_register(path=path)


def test_it_rejects_another_format(db: None, tmp_path: Path):
    with pytest.raises(Invalid, match="not a CellLoop model"):
        model_version_register(path=weight_file(tmp_path, format="neck"))


def test_the_command_says_what_is_wrong(db: None, tmp_path: Path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("register_model", tmp_path / "none.safetensors")


def test_the_command_works(db: None, tmp_path: Path):
    out = StringIO()
    call_command("register_model", weight_file(tmp_path), stdout=out)
    assert out.getvalue().startswith("tiny 1: ")
