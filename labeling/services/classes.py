"""A project's ontology: classes are added, changed, put in order, and archived once cells have had them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from labeling import live
from labeling.errors import Conflict, Invalid, NotFound
from labeling.models import CellClass, ClassCount, Image, Project
from labeling.patch import CellState
from labeling.selectors.classes import classes_of

CLASSES_AT_MOST, NAME_LENGTH = 200, 100
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@transaction.atomic
def class_create(*, project: Project, name: str, colour: str, key: int | None = None) -> CellClass:
    """A class at the end of the order. Raises Invalid for a broken value, Conflict for a name or key that is taken."""
    existing = _locked(project.pk)
    if len(existing) >= CLASSES_AT_MOST:
        raise Invalid(f"A project has at most {CLASSES_AT_MOST} classes.")
    order = 1 + max((row.order for row in existing), default=-1)
    row = CellClass(project=project, order=order)
    _set(row, {"name": name, "colour": colour, "key": key}, existing)
    row.save(force_insert=True)
    live.publish(project.pk, "classes", {})
    return row


@transaction.atomic
def class_update(*, cell_class: CellClass, **changes: Any) -> CellClass:
    """Change what is given of name, colour, key, order and archived. Raises Invalid or Conflict."""
    existing = _locked(cell_class.project_id)
    row = next((other for other in existing if other.pk == cell_class.pk), None)
    if row is None:
        raise NotFound("The class")
    _set(row, changes, existing)
    row.save()
    live.publish(row.project_id, "classes", {})
    return row


@transaction.atomic
def classes_order(*, project: Project, ids: Sequence[UUID]) -> list[CellClass]:
    """Put all classes of the project in this order. Raises Invalid if the ids are not those of all, each once."""
    rows = {row.pk: row for row in _locked(project.pk)}
    if len(ids) != len(rows) or set(ids) != set(rows):
        raise Invalid("Name each class of the project once.")
    for order, class_id in enumerate(ids):
        rows[class_id].order = order
    CellClass.objects.bulk_update(rows.values(), ["order"])
    live.publish(project.pk, "classes", {})
    return classes_of(project.pk)


@transaction.atomic
def class_delete(*, cell_class: CellClass) -> CellClass | None:
    """Delete a class that no Edit ever named; archive any other, for cells and the history name it. None: deleted."""
    row = next((other for other in _locked(cell_class.project_id) if other.pk == cell_class.pk), None)
    if row is None:
        raise NotFound("The class")
    live.publish(row.project_id, "classes", {})
    if not row.used:
        row.delete()
        return None
    row.archived = True
    row.save(update_fields=["archived"])
    return row


def class_counts_change(image: Image, gone: Iterable[CellState], new: Iterable[CellState]) -> None:
    """Count the classes of cells that went and came, at the cost of the classes touched. The image is locked."""
    change: dict[str, int] = {}
    for states, step in ((gone, -1), (new, 1)):
        for state in states:
            if state.class_id is not None:
                change[state.class_id] = change.get(state.class_id, 0) + step
    named = [class_id for class_id, cells in change.items() if cells > 0]
    if named:
        CellClass.objects.filter(pk__in=named, used=False).update(used=True)
    for class_id, cells in change.items():
        if cells and not _count_of(image, class_id).update(cells=F("cells") + cells):
            ClassCount.objects.create(image=image, cell_class_id=UUID(class_id), cells=cells)


def _count_of(image: Image, class_id: str) -> Any:
    return ClassCount.objects.filter(image=image, cell_class_id=UUID(class_id))


def _locked(project_id: UUID) -> list[CellClass]:
    """The classes as they are, with the project's lock: two people who take one key at once take turns."""
    if Project.objects.select_for_update(no_key=True).filter(pk=project_id).first() is None:
        raise NotFound("The project")
    return classes_of(project_id)


def _set(row: CellClass, changes: Mapping[str, Any], existing: Iterable[CellClass]) -> None:
    for field, value in changes.items():
        setattr(row, field, value)
    row.name, row.colour = row.name.strip(), row.colour.lower()
    if not 0 < len(row.name) <= NAME_LENGTH:
        raise Invalid(f"A class has a name of 1 to {NAME_LENGTH} characters.")
    if not _COLOUR.fullmatch(row.colour):
        raise Invalid("A colour is written as #rrggbb.")
    if row.key is not None and not 1 <= row.key <= 9:
        raise Invalid("A key is a digit from 1 to 9.")
    if not row.archived:
        _check_free(row, [other for other in existing if other.pk != row.pk and not other.archived])


def _check_free(row: CellClass, others: Iterable[CellClass]) -> None:
    for other in others:
        if other.name == row.name:
            raise Conflict(f"There is a class {row.name} already.", code="name_taken")
        if row.key is not None and other.key == row.key:
            raise Conflict(f"Key {row.key} chooses {other.name} already.", code="key_taken")
