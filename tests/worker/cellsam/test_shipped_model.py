from __future__ import annotations

import pytest
import torch

from labeling.matching import count_matches
from labeling.simulate import Simulated
from worker.cellsam import TINY, CellSAM, Features, Predictor, load
from worker.cellsam.build import build
from worker.cellsam.checkpoint import read_card

from .conftest import WEIGHTS


def test_it_finds_simulated_nuclei(predictor: Predictor, nuclei: Simulated) -> None:
    found = predictor.segment(nuclei.image[0])
    assert count_matches(nuclei.labels, found.labels).f1 > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_with_a_random_cellfinder_nothing_is_found(
    nuclei: Simulated, nuclei_features: Features, seed: int
) -> None:
    """No classical segmentation hides in the path: boxes come from CellFinder's weights or not at all."""
    model = load(WEIGHTS)
    torch.manual_seed(seed)
    model.finder = build(TINY).finder

    found = Predictor(model).segment_features(nuclei_features)

    assert count_matches(nuclei.labels, found.labels).f1 < 0.1


def test_a_16_bit_copy_gives_the_same_cells(predictor: Predictor, nuclei: Simulated) -> None:
    image = nuclei.image[0]
    once = predictor.segment(image)
    doubled = predictor.segment(image * 2)
    assert count_matches(once.labels, doubled.labels).f1 > 0.95


def test_the_file_is_small_and_says_where_it_comes_from(shipped: CellSAM) -> None:
    _, card = read_card(WEIGHTS)

    assert WEIGHTS.stat().st_size <= 30 * 2**20
    assert sum(parameter.numel() for parameter in shipped.parameters()) <= 15e6
    assert card.licence
    assert "dsb2018" in card.training["data"]
