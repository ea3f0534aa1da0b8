"""Cells of an image: as they are now, as they were at a revision, and as the model proposed them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from labeling.models import Cell, CellOutcome, Edit, Image, OutcomeKind, Source
from labeling.patch import CellState, Patch
from labeling.rle import BoxMask

TO_CHECK_BELOW = 0.7
COLUMNS = (
    "id", "label", "x0", "y0", "x1", "y1", "rle", "score", "source", "model_version_id",
    "cell_class_id",
)  # fmt: skip

# The database writes the JSON: 10,000 cells are 600,000 numbers, which Python would turn into objects and back.
_CELLS_JSON = """
SELECT coalesce(string_agg(json_build_object(
    'id', id, 'label', label, 'box', json_build_array(x0, y0, x1, y1), 'rle', rle,
    'score', score, 'source', source, 'model_version', model_version_id,
    'class_id', class_id
)::text, ',' ORDER BY label), '') FROM labeling_cell WHERE image_id = %s
"""


def cell_state(row: tuple[Any, ...]) -> CellState:
    """The state of a row of COLUMNS."""
    id_, label, x0, y0, x1, y1, rle, score, source, version, class_id = row
    return CellState(
        id=str(id_),
        label=label,
        box=(x0, y0, x1, y1),
        rle=tuple(rle),
        score=score,
        source=source,
        model_version=str(version) if version else None,
        class_id=str(class_id) if class_id else None,
    )


def cell_states(image_id: UUID) -> dict[str, CellState]:
    """All cells of the image now, by id, in the order of their labels."""
    rows = Cell.objects.filter(image_id=image_id).order_by("label").values_list(*COLUMNS)
    return {str(row[0]): cell_state(row) for row in rows}


def cell_states_by_id(image_id: UUID, ids: Iterable[str]) -> dict[str, CellState]:
    """The cells of the image among these ids."""
    rows = Cell.objects.filter(image_id=image_id, pk__in=list(ids)).values_list(*COLUMNS)
    return {str(row[0]): cell_state(row) for row in rows}


def cells_json(image_id: UUID) -> str:
    """The image's cells in wire form, as the inside of a JSON list, in the order of their labels."""
    with connection.cursor() as cursor:
        cursor.execute(_CELLS_JSON, [image_id])
        return str(cursor.fetchone()[0])


def outline_masks(image_id: UUID) -> Iterator[tuple[int, BoxMask, bool]]:
    """(label, mask, whether a person should look) of each cell, for small pictures."""
    for state in cell_states(image_id).values():
        yield state.label, state.mask, is_to_check(state)


def is_to_check(state: CellState) -> bool:
    """Whether a person should look at the cell: the model is not sure of the mask, whoever asked for it.

    The labelling page marks the same cells; a person who checked a cell clears its score.
    """
    return state.score is not None and state.score < TO_CHECK_BELOW


def cells_at(image_id: UUID, revision: int) -> dict[str, CellState]:
    """The cells as they were at ``revision``, replayed from the Edits."""
    return _replay(Edit.objects.filter(image_id=image_id, revision__lte=revision).order_by("revision"))


def edits_after(image_id: UUID, revision: int) -> QuerySet[Edit]:
    """The edits of later revisions, in order, with their authors."""
    edits = Edit.objects.filter(image_id=image_id, revision__gt=revision)
    return edits.select_related("author").order_by("revision")


def accepted_cells(image_id: UUID, revision: int) -> list[tuple[BoxMask, bool]] | None:
    """(mask, whether people had added or reshaped it) of the cells as they were submitted at ``revision``, in the order
    of their labels: what training takes as truth. None if the image was deleted."""
    outcomes = CellOutcome.objects.filter(submission__image_id=image_id, submission__revision=revision)
    touched = outcomes.filter(kind__in=[OutcomeKind.MISSED, OutcomeKind.RESHAPED])
    ids = {str(id_) for id_ in touched.values_list("cell_id", flat=True)}
    cells = sorted(cells_at(image_id, revision).values(), key=lambda cell: cell.label)
    # Its Edits go with an image, which would then seem to have no cells. It was there all along if it still is.
    if not Image.objects.filter(pk=image_id).exists():
        return None
    return [(cell.mask, cell.id in ids) for cell in cells]


def predicted_cells(image_id: UUID, revision: int) -> dict[str, CellState]:
    """What the model proposed up to ``revision``: its own Edits and its proposals that a person accepted, whatever
    people did in between."""
    edits = _model_edits(image_id, revision)
    cells: dict[str, CellState] = {}
    for patch in edits.order_by("revision").values_list("patch", flat=True):
        change = Patch.from_json(patch)
        for state in change.gone():
            cells.pop(state.id, None)
        cells |= {state.id: state for state in change.new()}
    return cells


def predicting_version(image_id: UUID, revision: int) -> UUID | None:
    """The model version whose cells people saw last; None if none was shown, or what was shown was taken away."""
    edits = _model_edits(image_id, revision).order_by("-revision")
    last = edits.values_list("model_version_id", "source", "job__proposal", "patch__added__0__label").first()
    if last is None:
        return None
    version, source, kept_as_proposal, first_shown = last
    hidden = source == Source.MODEL and kept_as_proposal is not None and first_shown is None
    return None if hidden else version


def _model_edits(image_id: UUID, revision: int) -> QuerySet[Edit]:
    """An Edit that names a version is a model's, or a person's who accepted that model's proposal as it was."""
    return Edit.objects.filter(image_id=image_id, revision__lte=revision, model_version__isnull=False)


def was_edited_by_a_person(image_id: UUID) -> bool:
    """Whether a model may still replace the image's cells."""
    return Edit.objects.filter(image_id=image_id, source=Source.PERSON).exists()


def _replay(edits: Any) -> dict[str, CellState]:
    cells: dict[str, CellState] = {}
    for patch in edits.values_list("patch", flat=True).iterator(chunk_size=200):
        change = Patch.from_json(patch)
        for state in change.gone():  # in place: Patch.apply copies, which would cost cells x edits
            del cells[state.id]
        cells |= {state.id: state for state in change.new()}
    return cells
