"""The released model's numbers, stage by stage, on weights that anyone can make: see tests/fixtures/parity/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import torch
from skimage import data

from tests.worker.cellsam.parity_run import FIXTURES, LIMITS, Golden, differences, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured() -> Iterator[Mapping[str, float]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    golden = Golden.read(FIXTURES / "cell.npz")
    yield differences(run(golden.model(), np.asarray(data.cell()), golden), golden)
    torch.set_num_threads(threads)


@pytest.mark.parametrize("stage", LIMITS)
def test_it_agrees_with_the_released_code(measured: Mapping[str, float], stage: str) -> None:
    assert measured[stage] <= LIMITS[stage]


def test_all_that_is_measured_has_a_limit(measured: Mapping[str, float]) -> None:
    assert set(measured) == set(LIMITS)
