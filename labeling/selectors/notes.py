"""Notes as they are read."""

from __future__ import annotations

from uuid import UUID

from labeling.models import Note


def notes_of(image_id: UUID) -> list[Note]:
    """The notes of an image and its cells, oldest first, with their people."""
    notes = Note.objects.filter(image_id=image_id).select_related("author", "resolved_by")
    return list(notes.order_by("created_at", "id"))
