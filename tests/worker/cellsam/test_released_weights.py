"""Released weights become a file of ours, or an error that names what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from worker.cellsam import PUBLISHED, Predictor, load
from worker.cellsam.__main__ import main
from worker.cellsam.build import build
from worker.cellsam.channels import config_channels
from worker.cellsam.checkpoint import Card, CheckpointError, read_card, save, trunk_hash
from worker.cellsam.config import PUBLISHED_PLAIN, CellSAMConfig, TilingConfig
from worker.cellsam.features import FINDER_MAP, TRUNK_MAP, Features
from worker.cellsam.model_input import ModelInput
from worker.cellsam.released_weights import released_model, released_name

LAYOUT = json.loads((Path(__file__).parents[2] / "fixtures" / "parity" / "state_dict.json").read_text())


def small(config: CellSAMConfig) -> CellSAMConfig:
    """The wiring in a size that runs in a moment."""
    size = {"input_px": 128, "dim": 32, "depth": 2, "heads": 2, "window": 4, "global_blocks": (1,)}
    assert config.finder_trunk is not None
    return replace(
        config,
        trunk=replace(config.trunk, **size),  # type: ignore[arg-type]
        finder_trunk=replace(config.finder_trunk, **size),  # type: ignore[arg-type]
        finder=replace(
            config.finder, dim=32, heads=4, ffn_dim=32, encoder_layers=1, decoder_layers=2, queries=20
        ),
        mask=replace(config.mask, dim=32, mlp_dim=32, iou_hidden_dim=32),
        tiling=TilingConfig(tile_px=64, scale=2, overlap_px=16, stretch_px=128),
    )


ADVERSARIAL, PLAIN = small(PUBLISHED), small(PUBLISHED_PLAIN)
read = partial(released_model, source="cellsam.pt", adversarial=ADVERSARIAL, plain=PLAIN)


def released(config: CellSAMConfig, *, second_sam: bool, seed: int = 0) -> dict[str, Tensor]:
    """A small model's weights as the released file has them, with all that is in it beside."""
    torch.manual_seed(seed)
    state = build(config).state_dict()
    tensors = {released_name(name, config, second_sam=second_sam): tensor for name, tensor in state.items()}
    copies = {
        name.replace("_embed.1.", "_embed.0."): tensor
        for name, tensor in tensors.items()
        if "_embed.1." in name
    }
    first = {
        name.replace("model_cp.", "model."): torch.zeros_like(tensor)
        for name, tensor in tensors.items()
        if name.startswith("model_cp.")
    }
    return {**tensors, **copies, **first}


@pytest.mark.parametrize(("config", "second_sam"), [(PUBLISHED, True), (PUBLISHED_PLAIN, False)])
def test_the_released_layout_has_every_tensor_in_our_shape(config: CellSAMConfig, second_sam: bool) -> None:
    with torch.device("meta"):
        state = build(config).state_dict()

    wanted = {
        released_name(name, config, second_sam=second_sam): list(tensor.shape)
        for name, tensor in state.items()
    }

    assert wanted.items() <= LAYOUT.items()
    assert len(wanted) == len(state)


def test_a_second_set_of_sam_weights_decides_the_mode_and_is_the_one_that_masks() -> None:
    tensors = released(ADVERSARIAL, second_sam=True)

    model = read(tensors)

    assert model.config.strategies.inputs == "adversarial"
    ours = model.state_dict()
    assert torch.equal(ours["neck.0.weight"], tensors["model_cp.image_encoder.neck.0.weight"])
    assert torch.equal(
        ours["finder_trunk.pos_embed"], tensors["cellfinder.decode_head.backbone.body.pos_embed"]
    )
    assert not torch.equal(ours["finder_trunk.pos_embed"], ours["trunk.pos_embed"])


def test_without_it_the_first_set_masks_on_plain_inputs() -> None:
    tensors = released(PLAIN, second_sam=False)

    model = read(tensors)

    assert model.config.strategies.inputs == "plain"
    assert torch.equal(model.state_dict()["neck.0.weight"], tensors["model.image_encoder.neck.0.weight"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model_cp.mask_decoder.iou_token.weight": None}, "missing: model_cp.mask_decoder.iou_token.weight"),
        (
            {"cellfinder.decode_head.transformer.position.weight": torch.zeros(21, 2)},
            r"another shape: cellfinder.decode_head.transformer.position.weight \(21, 2\) instead of \(20, 2\)",
        ),
        ({"optimizer.step": torch.zeros(1)}, "unexpected: optimizer.step"),
        ({"model_cp.surprise": torch.zeros(1)}, "unexpected: model_cp.surprise"),
        (
            {"cellfinder.decode_head.transformer.class_embed.2.bias": torch.zeros(2)},
            "unexpected: .*class_embed.2.bias",
        ),
    ],
)
def test_what_does_not_fit_is_named_as_the_file_names_it(
    change: dict[str, Tensor | None], named: str
) -> None:
    tensors = {**released(ADVERSARIAL, second_sam=True), **change}

    with pytest.raises(CheckpointError, match=named):
        read({name: tensor for name, tensor in tensors.items() if tensor is not None})


def test_a_converted_model_is_the_same_model_in_its_file(tmp_path: Path) -> None:
    model = read(released(ADVERSARIAL, second_sam=True))
    save(model, tmp_path / "small.safetensors", card=Card(licence="for tests"), half=False)

    again = load(tmp_path / "small.safetensors")

    config, card = read_card(tmp_path / "small.safetensors")
    assert config == ADVERSARIAL
    assert card.licence == "for tests"
    assert trunk_hash(again) == trunk_hash(model)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))


def test_its_features_hold_a_map_for_each_trunk_and_survive_the_store() -> None:
    predictor = Predictor(read(released(ADVERSARIAL, second_sam=True)))
    image = np.random.default_rng(0).integers(0, 255, (90, 110)).astype(np.uint8)

    features = Features.from_bytes(predictor.embed(image).to_bytes())

    assert set(features.maps) == {TRUNK_MAP, FINDER_MAP}
    assert features.tokens.shape == (1, 32, 8, 8)  # stretched: one tile, though the image is wider than one
    assert not torch.equal(features.finder_tokens, features.tokens)
    found = predictor.segment_features(features)
    assert found.labels.shape == (90, 110)
    masks, scores = predictor.decode(features, boxes=[[10, 10, 60, 50]])
    assert len(masks) == len(scores) == 1


def test_another_finder_trunk_makes_other_features() -> None:
    tensors = released(ADVERSARIAL, second_sam=True)
    name = "cellfinder.decode_head.backbone.body.pos_embed"
    changed = {**tensors, name: tensors[name] + 1}

    assert trunk_hash(read(tensors)) != trunk_hash(read(changed))


@pytest.mark.parametrize("size", [(200, 140), (300, 300)])
def test_a_larger_image_comes_in_tiles(size: tuple[int, int]) -> None:
    predictor = Predictor(read(released(ADVERSARIAL, second_sam=True)))

    features = predictor.embed(np.random.default_rng(0).random(size))

    assert len(features.tokens) > 4
    assert predictor.segment_features(features).labels.shape == size


def test_compat_gives_a_numbered_map_of_the_blocks() -> None:
    config = replace(ADVERSARIAL, strategies=replace(ADVERSARIAL.strategies, compat=True))
    model = read(released(ADVERSARIAL, second_sam=True))
    model.config = config
    done: list[float] = []

    found = Predictor(model).segment(np.random.default_rng(0).random((150, 410)), progress=done.append)

    assert done == [0.5, 1.0]
    assert found.labels.shape == (150, 410)
    assert len(found.masks) == len(found.scores) == len(found.boxes) == found.labels.max()


def test_the_papers_stages_refuse_a_model_with_two_trunks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "small.safetensors"
    save(read(released(ADVERSARIAL, second_sam=True)), weights, card=Card())

    for stage in ("train-finder", "train-neck"):
        named = ["--data", str(tmp_path), "--weights", str(weights), "--out", str(tmp_path / "run")]
        assert main([stage, *named, "--epochs", "1"]) == 2
        assert "one trunk" in capsys.readouterr().err


def test_a_lightning_checkpoint_is_unwrapped_and_a_wrong_file_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"state_dict": {"model_cp.x": torch.zeros(1)}, "epoch": 3}, tmp_path / "lightning.pt")
    (tmp_path / "not.pt").write_bytes(b"weights?")
    target = tmp_path / "out.safetensors"

    for name, reason in (("lightning.pt", "model_cp.x"), ("not.pt", "not a PyTorch"), ("none.pt", "no such")):
        assert main(["convert", str(tmp_path / name), "--out", str(target)]) == 2
        error = capsys.readouterr().err
        assert reason in error
        assert error.count("\n") == 1
    assert not target.exists()


def test_an_image_is_stretched_as_released_to_the_last_bit() -> None:
    """It is cut to bytes afterwards: where the last bit differs, a pixel can differ by a whole step."""
    image = np.random.default_rng(0).integers(0, 255, (52, 70), dtype=np.uint8)

    stretched = ModelInput.of(image, None, ADVERSARIAL).tile(0)

    pixels = torch.from_numpy(config_channels(image, None, ADVERSARIAL))[None]
    released = F.interpolate(pixels, (128, 128), mode="bilinear", align_corners=False, antialias=True)
    assert torch.equal(stretched, released[0])
