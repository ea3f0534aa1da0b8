"""Notes on an image or one of its cells."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import Forbidden, Invalid, NotFound
from labeling.models import Cell, Image, Note

TEXT_LENGTH, NOTES_AT_MOST = 2000, 2000


@transaction.atomic
def note_create(*, image: Image, author: Any, text: str, cell_id: UUID | None = None) -> Note:
    """Leave a note. A cell that is not saved yet may be named; one of another image is Invalid."""
    text = text.strip()
    if not 0 < len(text) <= TEXT_LENGTH or "\x00" in text:
        raise Invalid(f"A note has 1 to {TEXT_LENGTH} characters.")
    if cell_id is not None and Cell.objects.filter(pk=cell_id).exclude(image=image).exists():
        raise Invalid("This cell is not of this image.")
    image = _locked(image.pk)
    if image.notes.count() >= NOTES_AT_MOST:
        raise Invalid(f"An image has at most {NOTES_AT_MOST} notes.")
    note = Note.objects.create(image=image, author=author, text=text, cell_id=cell_id)
    _count(image, note)
    return note


@transaction.atomic
def note_resolve(*, note: Note, by: Any, resolved: bool) -> Note:
    """Say that a note is settled, or is not. A repetition changes nothing."""
    image = _locked(note.image_id)
    note = _current(note)
    if resolved != (note.resolved_at is not None):
        note.resolved_by, note.resolved_at = (by, timezone.now()) if resolved else (None, None)
        note.save(update_fields=["resolved_by", "resolved_at"])
        _count(image, note)
    return note


@transaction.atomic
def note_delete(*, note: Note, by: Any) -> None:
    """Take back a note of one's own. Raises Forbidden for somebody else's."""
    image = _locked(note.image_id)
    note = _current(note)
    if note.author_id != by.pk:
        raise Forbidden("Only its author deletes a note; you may resolve it.")
    note_id = note.pk
    note.delete()
    note.pk = note_id
    _count(image, note)


def _locked(image_id: UUID) -> Image:
    image = Image.objects.select_for_update(no_key=True).filter(pk=image_id).first()
    if image is None:
        raise NotFound("The image")
    return image


def _current(note: Note) -> Note:
    current = Note.objects.select_related("author", "resolved_by").filter(pk=note.pk).first()
    if current is None:
        raise NotFound("The note")
    return current


def _count(image: Image, note: Note) -> None:
    image.note_count = image.notes.filter(resolved_at__isnull=True).count()
    image.save(update_fields=["note_count"])
    data = {"image": str(image.pk), "note": str(note.pk), "open": image.note_count}
    live.publish(image.project_id, "note", data)
