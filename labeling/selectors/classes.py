"""A project's classes, and how many cells have each: read from counts that are kept, never from the cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Sum

from labeling.models import CellClass, ClassCount, Image


@dataclass(frozen=True, slots=True)
class CellsOfClass:
    """``class_id`` is None for the cells without a class."""

    class_id: UUID | None
    cells: int


def classes_of(project_id: UUID) -> list[CellClass]:
    """The project's classes in their order, archived ones among them: cells and the history may name those."""
    return list(CellClass.objects.filter(project_id=project_id).order_by("order", "id"))


def unknown_class(project_id: UUID, ids: Iterable[str]) -> str | None:
    """One of the ids that is no class of this project, if there is any. Archived ones are: undo may bring them back."""
    wanted = set(ids)
    known = CellClass.objects.filter(project_id=project_id, pk__in=wanted).values_list("pk", flat=True)
    return min(wanted - {str(pk) for pk in known}, default=None)


def class_counts(image: Image) -> list[CellsOfClass]:
    """Cells of the image by class, those without one first; only counts above 0."""
    rows = ClassCount.objects.filter(image=image, cells__gt=0).order_by("cell_class__order", "cell_class_id")
    return _with_the_rest(list(rows.values_list("cell_class_id", "cells")), image.cell_count)


def project_class_counts(project_id: UUID) -> list[CellsOfClass]:
    """The same over all images of the project."""
    rows = (
        ClassCount.objects.filter(cell_class__project_id=project_id, cells__gt=0)
        .values_list("cell_class_id")
        .annotate(total=Sum("cells"))
        .order_by("cell_class__order", "cell_class_id")
        .values_list("cell_class_id", "total")
    )
    cells = Image.objects.filter(project_id=project_id).aggregate(cells=Sum("cell_count", default=0))["cells"]
    return _with_the_rest(list(rows), cells)


def _with_the_rest(counted: list[tuple[UUID, int]], cells: int) -> list[CellsOfClass]:
    without = cells - sum(count for _, count in counted)
    rest = [CellsOfClass(None, without)] if without else []
    return rest + [CellsOfClass(class_id, count) for class_id, count in counted]
