"""An image's cells as file formats take them."""

from __future__ import annotations

from labeling.formats import LabelledCell, LabelSet
from labeling.models import Image
from labeling.selectors.cells import cell_states


def label_set(image: Image) -> LabelSet:
    """All cells of the image now, in the order of their labels."""
    cells = tuple(
        LabelledCell(label=state.label, mask=state.mask, id=state.id, score=state.score, source=state.source)
        for state in cell_states(image.pk).values()
    )
    return LabelSet(height=image.height, width=image.width, cells=cells, image_name=image.name)
