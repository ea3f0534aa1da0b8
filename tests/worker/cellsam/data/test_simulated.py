from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worker.cellsam.data.manifest import EmptySplit, Field, read_manifest
from worker.cellsam.data.simulated import write_simulated


def test_simulated_images_are_a_data_folder_to_train_on(tmp_path: Path) -> None:
    paths = list(write_simulated(tmp_path, share=0.01))

    entries = read_manifest(tmp_path, "train")
    assert [entry.image for entry in entries] == paths
    assert {entry.modality for entry in entries} == {"simulated_tissue", "simulated_rods", "simulated_phase"}
    fields = {entry.modality: Field.read(entry, colour=True) for entry in entries}
    assert len(fields["simulated_tissue"].pixels) == 2
    assert len(fields["simulated_rods"].pixels) == 1
    assert all(field.labels.max() > 1 for field in fields.values())
    with pytest.raises(EmptySplit):
        read_manifest(tmp_path, "test")


def test_the_same_seed_writes_the_same_pixels(tmp_path: Path) -> None:
    one, again, other = (
        [path.read_bytes() for path in write_simulated(tmp_path / name, seed=seed, share=0.01)]
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert one == again
    assert not np.array_equal(one, other)
