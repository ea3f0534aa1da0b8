"""Files that are there whole or not at all: written under another name, then renamed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SUFFIX = ".partial"


def write_array(path: Path, array: NDArray[Any]) -> None:
    """As .npy, without pickle."""
    unfinished = path.with_name(path.name + _SUFFIX)
    with unfinished.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    unfinished.replace(path)


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """The pieces one after the other, which need not be in memory at once."""
    unfinished = path.with_name(path.name + _SUFFIX)
    with unfinished.open("w", newline="") as file:
        file.writelines(pieces)
    unfinished.replace(path)
