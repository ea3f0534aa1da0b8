"""Segmentations that wait for a person's decision: those that came after an edit, and what is not worth showing."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Func, IntegerField, QuerySet

from labeling.models import Edit, Proposal, ProposalStatus, Source
from labeling.patch import CellState, Patch


def open_proposals(image_id: UUID) -> list[Proposal]:
    """Those that nobody has accepted or dismissed, newest first."""
    rows = Proposal.objects.filter(image_id=image_id, status=ProposalStatus.OPEN)
    return list(rows.select_related("model_version").order_by("-created_at"))


def proposals_open(image_id: UUID) -> int:
    """How many wait."""
    return Proposal.objects.filter(image_id=image_id, status=ProposalStatus.OPEN).count()


def cells_kept_back(image_id: UUID) -> int:
    """How many cells of the segmentation that is shown wait in a proposal, because they are too faint to show."""
    cells = Func(F("patch__added"), function="jsonb_array_length", output_field=IntegerField())
    return _kept_back(image_id).values_list(cells, flat=True).first() or 0


def faint_cells(image_id: UUID) -> tuple[CellState, ...]:
    """The cells that `cells_kept_back` counts."""
    patch = _kept_back(image_id).values_list("patch", flat=True).first()
    return Patch.from_json(patch).added if patch else ()


def _kept_back(image_id: UUID) -> QuerySet[Proposal]:
    """Open proposals whose job has shown cells, too; newest first."""
    shown = Edit.objects.filter(image_id=image_id, source=Source.MODEL, job__isnull=False).values("job")
    kept = Proposal.objects.filter(image_id=image_id, status=ProposalStatus.OPEN, job__in=shown)
    return kept.order_by("-created_at")
