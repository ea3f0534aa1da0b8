"""Weight files are what they claim to be, bases are loaded once, and a tuned version is its neck alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from worker.cellsam import TINY, Predictor, load
from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, save, save_neck, state_hash
from worker.weights import ModelLibrary, VersionWeights, WeightFile, WeightsError


@pytest.fixture(scope="module")
def base_file(tmp_path_factory: pytest.TempPathFactory) -> WeightFile:
    """A tiny model with random weights: enough for everything here."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "base.safetensors"
    save(build(TINY), path, card=Card())
    return weight_file(path)


def weight_file(path: Path) -> WeightFile:
    return WeightFile(path, hashlib.sha256(path.read_bytes()).hexdigest())


def base_version(file: WeightFile) -> VersionWeights:
    neck = load(file.path).neck.state_dict()
    return VersionWeights(base=file, neck=None, neck_hash=state_hash(neck), threshold=0.5)


def tuned_version(base: WeightFile, folder: Path, *, trunk_hash: str | None = None) -> VersionWeights:
    """The base's neck, a little moved."""
    predictor = Predictor(load(base.path))
    state = {name: tensor + 0.01 for name, tensor in predictor.model.neck.state_dict().items()}
    path = folder / "neck.safetensors"
    save_neck(state, path, trunk_hash=trunk_hash or predictor.trunk_hash, box_threshold=0.35, card=Card())
    return VersionWeights(base=base, neck=weight_file(path), neck_hash=state_hash(state), threshold=0.35)


def test_it_works(base_file: WeightFile) -> None:
    predictor = ModelLibrary().predictor(base_version(base_file))
    assert predictor.neck_hash == base_version(base_file).neck_hash
    assert predictor.thresholds.box == 0.5


def test_it_loads_a_base_once(base_file: WeightFile, tmp_path: Path) -> None:
    library = ModelLibrary()
    base, tuned = (
        library.predictor(base_version(base_file)),
        library.predictor(tuned_version(base_file, tmp_path)),
    )
    assert tuned.model.trunk is base.model.trunk
    assert tuned.model.mask_decoder is base.model.mask_decoder
    assert tuned.neck_hash != base.neck_hash
    assert tuned.thresholds.box == 0.35
    assert library.predictor(tuned_version(base_file, tmp_path)) is tuned


def test_it_refuses_a_changed_file(base_file: WeightFile, tmp_path: Path) -> None:
    path = tmp_path / "base.safetensors"
    raw = bytearray(base_file.path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(WeightsError, match=r"base\.safetensors was changed"):
        ModelLibrary().predictor(replace(base_version(base_file), base=WeightFile(path, base_file.sha256)))


def test_it_names_a_missing_file(base_file: WeightFile, tmp_path: Path) -> None:
    gone = WeightFile(tmp_path / "gone.safetensors", base_file.sha256)
    with pytest.raises(WeightsError, match=r"gone\.safetensors is missing"):
        ModelLibrary().predictor(replace(base_version(base_file), base=gone))


def test_it_refuses_a_neck_of_another_base(base_file: WeightFile, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="tuned on another base"):
        ModelLibrary().predictor(tuned_version(base_file, tmp_path, trunk_hash="0" * 64))


def test_it_refuses_a_neck_that_the_version_does_not_name(base_file: WeightFile, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="the version says"):
        ModelLibrary().predictor(replace(tuned_version(base_file, tmp_path), neck_hash="0" * 64))
