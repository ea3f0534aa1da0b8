"""File formats for labels: plain functions over a LabelSet, and the list of them."""

from __future__ import annotations

from labeling.formats import coco, label_tiff
from labeling.formats.label_set import Format, FormatError, LabelClass, LabelledCell, LabelSet, Written

__all__ = ["FORMATS", "Format", "FormatError", "LabelClass", "LabelSet", "LabelledCell", "Written"]

# A new format: one module with write and read, one entry here; the round-trip test takes it from this list.
FORMATS: dict[str, Format] = {
    entry.key: entry
    for entry in (
        Format("label-tiff", "Label TIFF", "_labels.tif", "image/tiff", label_tiff.write, label_tiff.read),
        Format("coco", "COCO JSON", "_coco.json", "application/json", coco.write, coco.read),
    )
}
