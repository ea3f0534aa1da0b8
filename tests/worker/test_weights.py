"""Weight files are what they claim to be, bases are loaded once, and a tuned version is what it changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.worker.cellsam.small_model import SMALL
from worker.cellsam import Predictor, load
from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, CheckpointError, TunedFile, save, tuned_bytes
from worker.weights import ModelLibrary, VersionWeights, WeightFile, WeightsError


@pytest.fixture(scope="module")
def base_file(tmp_path_factory: pytest.TempPathFactory) -> WeightFile:
    """A small model with random weights: enough for everything here."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "base.safetensors"
    save(build(SMALL), path, card=Card())
    return weight_file(path)


def weight_file(path: Path) -> WeightFile:
    return WeightFile(path, hashlib.sha256(path.read_bytes()).hexdigest())


def base_version(file: WeightFile) -> VersionWeights:
    return version_of(file, None, Predictor(load(file.path)), 0.5)


def version_of(
    base: WeightFile, tuned: WeightFile | None, predictor: Predictor, threshold: float
) -> VersionWeights:
    return VersionWeights(
        base=base,
        tuned=tuned,
        trunk_hash=predictor.trunk_hash,
        neck_hash=predictor.neck_hash,
        finder_hash=predictor.finder_hash,
        threshold=threshold,
    )


def moved(predictor: Predictor, parts: Iterable[str]) -> Predictor:
    """The same model with these parts a little moved."""
    return predictor.with_parts(
        {
            part: {
                name: (tensor + 0.5).half().float()
                for name, tensor in predictor.model.get_submodule(part).state_dict().items()
            }
            for part in parts
        }
    )


def tuned_file(base: Predictor, made: Predictor, rung: int) -> TunedFile:
    parts = ("neck", "finder", "trunk")[:rung]
    return TunedFile(
        rung=rung,
        parts={part: dict(made.model.get_submodule(part).state_dict()) for part in parts},
        parent_trunk_hash=base.trunk_hash,
        trunk_hash=made.trunk_hash,
        neck_hash=made.neck_hash,
        finder_hash=made.finder_hash,
        threshold=0.35,
    )


def tuned_version(
    base: WeightFile, folder: Path, *, rung: int = 1, said: Mapping[str, Any] = MappingProxyType({})
) -> VersionWeights:
    """`said`: what the file claims of itself instead of the truth."""
    predictor = Predictor(load(base.path))
    made = moved(predictor, ("neck", "finder", "trunk")[:rung])
    path = folder / "tuned.safetensors"
    path.write_bytes(tuned_bytes(replace(tuned_file(predictor, made, rung), **said)))
    return version_of(base, weight_file(path), made, 0.35)


def test_it_works(base_file: WeightFile) -> None:
    predictor = ModelLibrary().predictor(base_version(base_file))
    assert predictor.neck_hash == base_version(base_file).neck_hash
    assert predictor.thresholds.box == 0.5


@pytest.mark.parametrize(("rung", "shared"), [(1, {"trunk", "finder"}), (2, {"trunk"}), (3, set())])
def test_a_version_shares_with_its_base_what_tuning_left(
    base_file: WeightFile, tmp_path: Path, rung: int, shared: set[str]
) -> None:
    library = ModelLibrary()
    version = tuned_version(base_file, tmp_path, rung=rung)
    base, tuned = library.predictor(base_version(base_file)), library.predictor(version)
    parts = {"trunk", "neck", "finder", "prompt_encoder", "mask_decoder"}
    same = {part for part in parts if getattr(tuned.model, part) is getattr(base.model, part)}
    assert same == shared | {"prompt_encoder", "mask_decoder"}
    assert tuned.thresholds.box == 0.35
    assert library.predictor(version) is tuned
    assert (tuned.trunk_hash == base.trunk_hash) == (rung < 3)


def test_a_neck_file_of_an_earlier_release_still_works(base_file: WeightFile, tmp_path: Path) -> None:
    predictor = Predictor(load(base_file.path))
    made = moved(predictor, ["neck"])
    path = tmp_path / "neck.safetensors"
    about = {"format": "cellloop-neck-1", "trunk_hash": predictor.trunk_hash, "box_threshold": "0.35"}
    card = {"training": json.dumps({}), "metrics": json.dumps({}), "licence": ""}
    save_file(dict(made.model.neck.state_dict()), path, metadata=about | card)
    version = replace(version_of(base_file, weight_file(path), made, 0.35), finder_hash="")
    assert ModelLibrary().predictor(version).neck_hash == made.neck_hash


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


def test_it_refuses_what_was_tuned_on_another_base(base_file: WeightFile, tmp_path: Path) -> None:
    elsewhere = tuned_version(
        base_file, tmp_path, said={"trunk_hash": "0" * 64, "parent_trunk_hash": "0" * 64}
    )
    with pytest.raises(WeightsError, match="tuned on another base"):
        ModelLibrary().predictor(elsewhere)


@pytest.mark.parametrize("part", ["trunk", "neck", "finder"])
def test_it_refuses_weights_that_the_version_does_not_name(
    base_file: WeightFile, tmp_path: Path, part: str
) -> None:
    version = tuned_version(base_file, tmp_path, rung=2)
    with pytest.raises(WeightsError, match=f"the {part}'s hash is .*, the version says 000000000000"):
        ModelLibrary().predictor(replace(version, **{f"{part}_hash": "0" * 64}))  # type: ignore[arg-type]


def test_it_refuses_a_tuned_file_that_is_not_what_it_says(base_file: WeightFile, tmp_path: Path) -> None:
    for said, words in (
        ({"rung": 2}, "are not the parts of rung 2"),
        ({"rung": 7}, "are not the parts of rung 7"),
        ({"neck_hash": "0" * 64}, "not what their hash says"),
        ({"trunk_hash": "0" * 64}, "names a trunk of its own and has none"),
    ):
        with pytest.raises(CheckpointError, match=words):
            ModelLibrary().predictor(tuned_version(base_file, tmp_path, said=said))
    version = tuned_version(base_file, tmp_path)
    assert version.tuned is not None
    save_file({"neck.0.weight": torch.zeros(1)}, version.tuned.path, metadata={"format": "cellloop-tuned-1"})
    with pytest.raises(CheckpointError, match="metadata is incomplete"):
        ModelLibrary().predictor(replace(version, tuned=weight_file(version.tuned.path)))
