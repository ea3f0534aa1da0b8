from __future__ import annotations

import numpy as np

from worker.cellsam.data.label_checks import usable_labels


def test_a_label_of_two_pieces_is_dropped() -> None:
    labels = np.zeros((20, 20), dtype=np.int32)
    labels[2:6, 2:6] = 5
    labels[10:14, 2:6] = 5
    labels[2:6, 10:14] = 9
    kept, dropped = usable_labels(labels)
    np.testing.assert_array_equal(kept, np.where(labels == 9, 1, 0))
    assert dropped == {"in_pieces": 1}


def test_pieces_that_touch_at_a_corner_are_one() -> None:
    labels = np.zeros((20, 20), dtype=np.int32)
    labels[2:6, 2:6] = 1
    labels[6:9, 6:9] = 1
    kept, dropped = usable_labels(labels)
    np.testing.assert_array_equal(kept, labels)
    assert not dropped


def test_a_label_one_pixel_wide_is_dropped() -> None:
    labels = np.zeros((20, 20), dtype=np.int32)
    labels[2, 2:12] = 1
    labels[5:15, 5] = 2
    labels[18, 18] = 3
    labels[10:12, 10:12] = 4
    kept, dropped = usable_labels(labels)
    np.testing.assert_array_equal(kept, np.where(labels == 4, 1, 0))
    assert dropped == {"one_pixel_wide": 3}


def test_a_broken_line_counts_once() -> None:
    labels = np.zeros((20, 20), dtype=np.int32)
    labels[2, 2:5] = labels[2, 8:12] = 1
    assert usable_labels(labels)[1] == {"in_pieces": 1}


def test_touching_labels_stay_apart_and_are_numbered_in_their_order() -> None:
    labels = np.zeros((4, 12), dtype=np.int32)
    labels[:, :4], labels[:, 4:8], labels[:, 8:] = 2_000_000_000, 7, -3
    kept, dropped = usable_labels(labels)
    assert (kept[:, :4] == 2).all()
    assert (kept[:, 4:8] == 1).all()
    assert not kept[:, 8:].any()
    assert kept.dtype == np.int32
    assert not dropped


def test_fields_without_background_and_without_cells_are_fine() -> None:
    assert (usable_labels(np.full((5, 5), 3, np.int32))[0] == 1).all()
    assert not usable_labels(np.zeros((5, 5), np.int32))[0].any()
