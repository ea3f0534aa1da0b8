"""The shipped model, an untrained one of the same shape, and images that need no download."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from labeling.simulate import Simulated, simulate
from worker.cellsam import TINY, CellSAM, Features, Predictor, load
from worker.cellsam.build import build

WEIGHTS = Path(__file__).parents[3] / "worker" / "weights" / "tiny.safetensors"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two threads are hardly faster on the small model, and much slower while something else runs."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shipped() -> CellSAM:
    return load(WEIGHTS)


@pytest.fixture(scope="session")
def predictor(shipped: CellSAM) -> Predictor:
    return Predictor(shipped)


@pytest.fixture(scope="session")
def untrained() -> CellSAM:
    torch.manual_seed(0)
    return build(TINY).eval()


@pytest.fixture(scope="session")
def nuclei() -> Simulated:
    return simulate("nuclei", height=256, width=256, cells=40, seed=1)


@pytest.fixture(scope="session")
def nuclei_features(predictor: Predictor, nuclei: Simulated) -> Features:
    return predictor.embed(nuclei.image[0])
