"""YeastNet (Salem et al. 2021, Applied Sciences; github.com/kaernlab/YeastNet): budding yeast in brightfield.

Layout: `<set>/Images/imNNN.tif` with `<set>/Masks/maskNNN.npy`, instance labels. In DSDataset2 each of 20 fields was
taken at three focal planes, as images n, n + 20 and n + 40: one group. The YIT sets are movies: one group each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from worker.cellsam.data.files import existing_folder, natural_order, read_pair
from worker.cellsam.data.labelled import DataError, LabelledField

LICENCE = "not stated"
FOCAL_PLANE_SET, FIELDS_A_PLANE = "DSDataset2", 20
_IMAGE = re.compile(r"im([0-9]+)\.tiff?$")


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    images = [path for path in existing_folder(folder).rglob("Images/im*.tif*") if _IMAGE.match(path.name)]
    if not images:
        raise DataError(folder, "no <set>/Images/imNNN.tif in it")
    for image in sorted(images, key=natural_order):
        home = image.parents[1]
        digits = image.stem.removeprefix("im")
        yield LabelledField(
            dataset=dataset,
            name=f"{home.name}/{image.stem}",
            modality="yeast_brightfield",
            group=_group(home.name, int(digits)),
            split=None,
            licence=LICENCE,
            read=partial(read_pair, image, home / "Masks" / f"mask{digits}.npy"),
        )


def _group(home: str, number: int) -> str:
    if home == FOCAL_PLANE_SET:
        return f"{home}/{number % FIELDS_A_PLANE}"
    return home if home.startswith("YIT") else f"{home}/{number}"
