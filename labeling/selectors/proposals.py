"""Segmentations that came after a person's edit and wait for a decision."""

from __future__ import annotations

from uuid import UUID

from labeling.models import Proposal, ProposalStatus


def open_proposals(image_id: UUID) -> list[Proposal]:
    """Those that nobody has accepted or dismissed, newest first."""
    rows = Proposal.objects.filter(image_id=image_id, status=ProposalStatus.OPEN)
    return list(rows.select_related("model_version").order_by("-created_at"))


def proposals_open(image_id: UUID) -> int:
    """How many wait."""
    return Proposal.objects.filter(image_id=image_id, status=ProposalStatus.OPEN).count()
