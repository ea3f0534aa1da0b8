"""Pieces of work on one core each: the same answers, no more cores, and nothing else in the process notices."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident

import numpy as np
import pytest
import torch

from labeling.rle import masks_of_labels
from labeling.simulate import Simulated
from worker.cellsam import Features, Predictor
from worker.cellsam.side_by_side import side_by_side

CPU = torch.device("cpu")
SOON = 60  # seconds until a test that waits for another thread gives up


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_answers_come_in_the_order_of_the_items(two_threads: None) -> None:
    assert side_by_side(lambda item: item * item, range(50), CPU) == [item * item for item in range(50)]
    assert side_by_side(str, [], CPU) == []


def test_two_are_under_way_at_a_time_and_no_more(two_threads: None) -> None:
    together = Barrier(2)

    def act(_: int) -> int:
        together.wait(SOON)  # passes only if another is under way
        return get_ident()

    threads = set(side_by_side(act, range(6), CPU))

    assert len(threads) == 2
    assert get_ident() not in threads


def test_each_has_one_thread_and_no_gradients(two_threads: None) -> None:
    with torch.enable_grad():
        seen = side_by_side(lambda _: (torch.get_num_threads(), torch.is_grad_enabled()), range(4), CPU)
        assert torch.is_grad_enabled()

    assert set(seen) == {(1, False)}


def test_all_others_keep_their_threads(two_threads: None) -> None:
    side_by_side(str, range(4), CPU)

    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == 2
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("threads", "items", "device"), [(1, 4, "cpu"), (2, 1, "cpu"), (2, 4, "meta")])
def test_it_is_a_plain_loop_where_nothing_is_to_be_gained(
    two_threads: None, threads: int, items: int, device: str
) -> None:
    torch.set_num_threads(threads)

    ran = side_by_side(lambda _: (get_ident(), torch.get_num_threads()), range(items), torch.device(device))

    assert ran == [(get_ident(), threads)] * items


def test_the_first_failure_is_told(two_threads: None) -> None:
    def act(item: int) -> int:
        if item in (3, 7):
            raise ValueError(f"no {item}")
        return item

    with pytest.raises(ValueError, match="no 3"):
        side_by_side(act, range(20), CPU)


def test_prompts_on_two_threads_have_the_masks_of_one(
    predictor: Predictor, nuclei: Simulated, nuclei_features: Features, two_threads: None
) -> None:
    boxes = np.array([mask.box for _, mask in masks_of_labels(nuclei.labels)], dtype=np.float32)[::-1]
    embeddings = predictor.embed_neck(nuclei_features)
    torch.set_num_threads(1)
    masks, scores = predictor.decode(embeddings, boxes=boxes)

    torch.set_num_threads(2)
    masks_too, scores_too = predictor.decode(embeddings, boxes=boxes)

    assert masks == masks_too
    assert np.array_equal(scores, scores_too)


def test_cells_on_two_threads_are_those_of_one_every_time(
    predictor: Predictor, nuclei_features: Features, two_threads: None
) -> None:
    torch.set_num_threads(1)
    alone = predictor.segment_features(nuclei_features)

    torch.set_num_threads(2)
    first, second = (predictor.segment_features(nuclei_features) for _ in range(2))

    assert first.masks == second.masks
    assert np.array_equal(first.scores, second.scores)
    # CellFinder and neck do run on both threads: other roundings.
    assert np.allclose(alone.scores, first.scores, atol=1e-4)
    assert np.mean(alone.labels == first.labels) > 0.999
