"""An image's cells as file formats take them."""

from __future__ import annotations

from collections import defaultdict

from labeling.formats import LabelClass, LabelledCell, LabelSet
from labeling.models import CellClass, Image
from labeling.selectors.cells import cell_states
from labeling.selectors.classes import classes_of
from labeling.selectors.notes import notes_of


def label_set(image: Image) -> LabelSet:
    """All cells of the image now, in the order of their labels, with their classes, and all open notes.

    Notes on cells that are gone are the image's.
    """
    states = cell_states(image.pk)
    names = _names(classes_of(image.project_id), {state.class_id for state in states.values()})
    notes: dict[str, list[str]] = defaultdict(list)
    for note in notes_of(image.pk):
        if note.resolved_at is None:
            owner = str(note.cell_id)
            notes[owner if owner in states else ""].append(note.text)
    cells = tuple(
        LabelledCell(
            label=state.label, mask=state.mask, id=state.id, score=state.score, source=state.source,
            class_name=names[state.class_id].name if state.class_id else "",
            notes=tuple(notes.get(state.id, ())),
        )
        for state in states.values()
    )  # fmt: skip
    return LabelSet(
        height=image.height, width=image.width, cells=cells, image_name=image.name,
        classes=tuple(names.values()), notes=tuple(notes.get("", ())),
    )  # fmt: skip


def _names(classes: list[CellClass], used: set[str | None]) -> dict[str, LabelClass]:
    """The classes of a file by id: those that can be chosen, and archived ones that cells still have.

    An archived class may bear the name of another one; a file tells classes apart by name.
    """
    found: dict[str, LabelClass] = {}
    for row in sorted(classes, key=lambda each: each.archived):
        if row.archived and str(row.pk) not in used:
            continue
        taken = {each.name for each in found.values()}
        name, repeat = row.name, 2
        while name in taken:
            name, repeat = f"{row.name} ({repeat})", repeat + 1
        found[str(row.pk)] = LabelClass(name=name, id=str(row.pk), colour=row.colour)
    return found
