"""The benchmark compares like with like: its plain port gives our numbers, and it says what each part took."""

from __future__ import annotations

import json
import mmap
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from labeling.simulate import simulate
from worker.cellsam import PUBLISHED
from worker.cellsam.__main__ import main
from worker.cellsam.benchmark import BenchmarkError
from worker.cellsam.benchmark.marks import DECODING, STAGES, Marks, Spent, forget_peak, peak_mb
from worker.cellsam.benchmark.placed_boxes import PlacedBoxes
from worker.cellsam.benchmark.plain import PlainCellSAM, plain_trunk
from worker.cellsam.benchmark.plain_finder import plain_find
from worker.cellsam.benchmark.run import Task, benchmark
from worker.cellsam.build import build
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.model import CellSAM

CPU = torch.device("cpu")
CLOSE = 1e-4  # of the largest value
BOXES = 9


def _small_trunk(own: Any) -> Any:
    return replace(own, input_px=96, dim=32, depth=2, heads=2, window=4, global_blocks=(1,))


SMALL = replace(
    PUBLISHED,
    name="small published",
    trunk=_small_trunk(PUBLISHED.trunk),
    finder_trunk=_small_trunk(PUBLISHED.finder_trunk),
    finder=replace(PUBLISHED.finder, dim=32, ffn_dim=32, encoder_layers=1, decoder_layers=2, queries=120),
    mask=replace(PUBLISHED.mask, dim=32, mlp_dim=32, iou_hidden_dim=16),
    tiling=replace(PUBLISHED.tiling, tile_px=48, overlap_px=12),
)


@pytest.fixture(scope="module")
def model() -> CellSAM:
    torch.manual_seed(0)
    made = build(SMALL).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return made


@pytest.fixture(scope="module")
def figures(model: CellSAM) -> dict[str, Any]:
    return benchmark(model, Task(48, BOXES, repeat=1, precisions=(None, torch.bfloat16), against="default"))


def apart(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@torch.no_grad()
def test_the_plain_port_has_our_numbers(model: CellSAM) -> None:
    pixels, features = torch.rand(1, 3, 96, 96), torch.randn(1, 32, 6, 6)

    assert apart(model.trunk(pixels), plain_trunk(model.trunk, pixels)) < CLOSE
    ours, plain = model.find(features), plain_find(model.finder, features)  # type: ignore[arg-type]
    for our_layer, plain_layer in zip(ours.layers, plain.layers, strict=True):
        assert apart(our_layer.logits, plain_layer.logits) < CLOSE
        assert apart(our_layer.boxes_cxcywh_unit, plain_layer.boxes_cxcywh_unit) < CLOSE


def test_the_plain_port_labels_the_same_pixels(figures: dict[str, Any]) -> None:
    assert figures["runs"]["ours fp32"]["cells"] > 0
    assert figures["agreement"]["plain fp32"] > 0.995


def test_every_stage_has_its_time(figures: dict[str, Any]) -> None:
    for way in figures["runs"].values():
        assert tuple(way["stages"]) == STAGES
        assert way["seconds"] == pytest.approx(
            sum(stage["seconds"] for stage in way["stages"].values()), abs=0.001
        )


def test_ratios_compare_the_ways_of_one_run(figures: dict[str, Any]) -> None:
    runs = figures["runs"]
    ratio = figures["ratios"]["plain fp32, default call / ours bf16"]

    assert set(runs) == {"ours fp32", "ours bf16", "plain fp32", "plain fp32, default call"}
    assert ratio["seconds"] == pytest.approx(
        runs["plain fp32, default call"]["seconds"] / runs["ours bf16"]["seconds"], rel=0.05
    )


def test_a_prompt_is_compared_with_all_that_the_plugin_repeats(figures: dict[str, Any]) -> None:
    prompt, stages = figures["prompt"]["fp32"], figures["runs"]["plain fp32"]["stages"]

    repeated = prompt["plain_repeats_the_trunk"]["seconds"]
    assert repeated > stages["trunk"]["seconds"]
    assert repeated < figures["runs"]["plain fp32"]["seconds"]
    assert set(prompt["cpu_ms_per_prompt_in_batches_of"]) == {1, 2, 4, 8, 16, 32}


def test_the_default_call_runs_the_trunks_on_every_block(model: CellSAM) -> None:
    calls: list[int] = []
    hook = model.trunk.patch_embed.register_forward_hook(lambda *_: calls.append(1))
    image = simulate("nuclei", height=96, width=96, cells=9, seed=0).image[0]

    PlainCellSAM(model, model.config.thresholds).segment(image, Marks.started(CPU))
    once = len(calls)
    PlainCellSAM(model, model.config.thresholds).segment_by_default(
        np.tile(image, (5, 1)), Marks.started(CPU)
    )
    hook.remove()

    assert once == 1
    assert len(calls) - once == 2  # 480 rows are two blocks of 400


def test_the_plain_port_refuses_what_needs_tiles(model: CellSAM) -> None:
    with pytest.raises(BenchmarkError, match="one tile"):
        PlainCellSAM(model, model.config.thresholds).segment(
            np.zeros((1100, 1100), np.uint8), Marks.started(CPU)
        )


def test_placed_boxes_are_found(model: CellSAM) -> None:
    placed = PlacedBoxes(model.finder, BOXES)

    output = placed(torch.randn(1, 32, 6, 6))

    assert int((output.scores > 0.5).sum()) == BOXES
    with pytest.raises(BenchmarkError, match="121 boxes"):
        PlacedBoxes(model.finder, 121)(torch.randn(1, 32, 6, 6))


def test_time_belongs_to_the_stage_that_ends() -> None:
    marks = Marks.started(CPU)
    sum(range(200_000))
    marks.mark("trunk")
    marks.mark(DECODING)

    assert marks.stages["trunk"].cpu_seconds > marks.stages[DECODING].cpu_seconds
    assert marks.total == marks.stages["trunk"] + marks.stages[DECODING]
    assert Spent(3, 2).times(Spent(2, 4)) == {"seconds": 1.5, "cpu_seconds": 0.5}


def test_the_peak_of_memory_is_that_since_it_was_forgotten() -> None:
    forget_peak(CPU)
    before = peak_mb(CPU)
    if before is None:  # a system that does not tell
        assert not hasattr(CPU, "peak")
        return
    with mmap.mmap(-1, 2**26) as block:  # pages of its own: the heap may have as many left from earlier tests
        block[:: mmap.PAGESIZE] = bytes(2**26 // mmap.PAGESIZE)

    after = peak_mb(CPU)

    assert after is not None
    assert after - before > 32
    forget_peak(CPU)
    assert peak_mb(CPU) < after  # type: ignore[operator]


def test_the_command_prints_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(CONFIGURATIONS, "tiny", SMALL)

    code = main(["benchmark", "--device", "cpu", "--repeat", "1", "--boxes", "4", "--precision", "fp32"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["config"] == "small published"
    assert told["boxes"] == 4
    assert told["threads"] == torch.get_num_threads()
    assert "plain fp32 / ours fp32" in told["ratios"]
