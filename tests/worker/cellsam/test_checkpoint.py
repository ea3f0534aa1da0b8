from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from worker.cellsam import PAPER, TINY, CellSAM, load
from worker.cellsam.checkpoint import (
    Card,
    CheckpointError,
    TunedFile,
    file_sha256,
    load_tuned,
    read_card,
    save,
    state_hash,
    tuned_bytes,
    with_thresholds,
)
from worker.cellsam.config import CellSAMConfig, ConfigError


@pytest.fixture
def saved(untrained: CellSAM, tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save(untrained, path, card=Card({"data": ["x"]}, {"f1": 0.5}, "Apache-2.0"), half=False)
    return path


def test_a_model_comes_back_as_it_was(untrained: CellSAM, saved: Path) -> None:
    again = load(saved)

    assert again.config == untrained.config
    assert state_hash(again.state_dict()) == state_hash(untrained.state_dict())
    assert read_card(saved) == (TINY, Card({"data": ["x"]}, {"f1": 0.5}, "Apache-2.0"))


def test_loading_leaves_the_random_sequence_alone(saved: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    load(saved)
    assert torch.equal(torch.rand(4), expected)


def test_half_precision_halves_the_file(untrained: CellSAM, saved: Path, tmp_path: Path) -> None:
    save(untrained, tmp_path / "half.safetensors", card=Card())
    assert (tmp_path / "half.safetensors").stat().st_size < 0.51 * saved.stat().st_size
    assert load(tmp_path / "half.safetensors").trunk.pos_embed.dtype == torch.float32


def test_a_threshold_travels_with_the_weights(saved: Path, tmp_path: Path) -> None:
    save(with_thresholds(load(saved), box=0.35), tmp_path / "other.safetensors", card=Card())
    assert load(tmp_path / "other.safetensors").config.thresholds.box == 0.35


def rewritten(path: Path, change: str) -> Path:
    tensors = load_file(path)
    name = "neck.0.weight"
    if change == "missing":
        del tensors[name]
    elif change == "unexpected":
        tensors["surplus"] = torch.zeros(1)
    else:
        tensors[name] = tensors[name][:5].contiguous()
    out = path.with_name(f"{change}.safetensors")
    save_file(tensors, out, metadata={"format": "cellloop-cellsam-1", "config": TINY.to_json()})
    return out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", "missing: neck.0.weight"),
        ("unexpected", "unexpected: surplus"),
        ("shape", r"neck.0.weight \(5, 192, 1, 1\) instead of"),
    ],
)
def test_it_says_which_tensor_does_not_fit(saved: Path, change: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        load(rewritten(saved, change))


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("the pickle was executed",))

    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load(path)


def test_foreign_and_missing_files_are_named(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match=r"foreign\.safetensors: its format"):
        load(tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match="no such weight file"):
        load(tmp_path / "absent.safetensors")


def test_a_truncated_file_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load(saved)


def test_tuned_parts_are_a_file_of_their_own(untrained: CellSAM, tmp_path: Path) -> None:
    path = tmp_path / "tuned.safetensors"
    neck = dict(untrained.neck.state_dict())
    tuned = TunedFile(1, {"neck": neck}, "abc", "abc", state_hash(neck), "def", 0.45)
    path.write_bytes(tuned_bytes(tuned))

    found = load_tuned(path)

    assert (found.rung, found.parent_trunk_hash, found.finder_hash, found.threshold) == (
        1,
        "abc",
        "def",
        0.45,
    )
    assert state_hash(found.parts["neck"]) == state_hash(neck)
    with pytest.raises(CheckpointError, match="format"):
        load(path)


def test_hashes_tell_weights_apart(untrained: CellSAM, saved: Path) -> None:
    state = {name: tensor.clone() for name, tensor in untrained.neck.state_dict().items()}
    before = state_hash(state)
    state["0.weight"][0, 0, 0, 0] += 1
    assert state_hash(state) != before
    assert len(file_sha256(saved)) == 64


@pytest.mark.parametrize("config", [TINY, PAPER])
def test_configurations_survive_json(config: CellSAMConfig) -> None:
    assert CellSAMConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ["", "[]", '{"name": "tiny"}', TINY.to_json().replace('"depth"', '"deep"')])
def test_foreign_configurations_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        CellSAMConfig.from_json(text)
