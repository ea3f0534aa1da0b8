"""The detector's annotations: a COCO instance document of the tiles of one split.

Written piece by piece, since that of a large set does not fit in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from worker.cellsam.data.journal import PreparedTile
from worker.cellsam.data.tiles import SIDE_PX

CATEGORY = {"id": 1, "name": "cell", "supercategory": "cell"}


def coco_document(tiles: Callable[[], Iterator[PreparedTile]]) -> Iterator[str]:
    """The document's text. `tiles` is walked through twice: once for the images, once for the annotations.

    `file_name` is relative to the prepared folder and names a (3, 512, 512) array. `label` is a cell's value in the
    tile's label map.
    """
    yield '{"info":{"description":"Prepared by CellLoop"},"licenses":[],"categories":'
    yield _text([CATEGORY]) + ',"images":['
    for number, tile in enumerate(tiles(), start=1):
        image = {"id": number, "file_name": tile.image, "height": SIDE_PX, "width": SIDE_PX}
        yield ("\n" if number == 1 else ",\n") + _text(image)
    yield '],"annotations":['
    written = 0
    for number, tile in enumerate(tiles(), start=1):
        for cell in tile.cells:
            written += 1
            annotation = {
                "id": written,
                "image_id": number,
                "category_id": CATEGORY["id"],
                "segmentation": {"size": [SIDE_PX, SIDE_PX], "counts": cell.counts},
                "bbox": cell.box_xywh_px,
                "area": cell.area,
                "iscrowd": 0,
                "label": cell.label,
            }
            yield ("\n" if written == 1 else ",\n") + _text(annotation)
    yield "]}\n"


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
