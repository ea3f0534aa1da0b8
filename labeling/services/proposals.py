"""Deciding on a proposal: accepted it becomes an Edit by the person, dismissed it stays for the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import Conflict, NotFound
from labeling.models import Cell, Edit, Image, Proposal, ProposalStatus
from labeling.patch import CellState, Patch
from labeling.selectors.cells import cell_states
from labeling.selectors.proposals import proposals_open
from labeling.services.edits import edit_check, edit_known, edit_store, image_locked
from labeling.services.outcomes import SAME_CELL_ABOVE, uncovered

Mode = Literal["replace", "add"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The edit that a proposal became, as its client applies it."""

    edit_id: UUID
    revision: int
    patch: dict[str, Any]


@transaction.atomic
def proposal_accept(
    *, proposal: Proposal, by: Any, edit_id: UUID, base_revision: int, mode: Mode, session: str | None = None
) -> Accepted:
    """Make the proposal the image's cells (``replace``), or add those of its cells that are not there (``add``).

    A repetition gives the same answer. Raises LeaseLost or StaleRevision as an edit does, Conflict if it is decided
    already or nothing would change.
    """
    image = image_locked(proposal.image_id)
    known = edit_known(image, edit_id)
    if known is not None:
        return Accepted(edit_id, known.revision, known.patch)
    edit_check(image, by, base_revision, session)
    proposal = _open(proposal)
    patch = _patch(image, Patch.from_json(proposal.patch).added, mode)
    if patch.size == 0:
        raise Conflict("The proposal has nothing that is not there already.", code="nothing_to_add")
    patch.validate(image.height, image.width)
    stored = edit_store(
        image, author=by, edit_id=edit_id, patch=patch, session=session,
        model_version_id=proposal.model_version_id,
    )  # fmt: skip
    _decide(image, proposal, by, ProposalStatus.ACCEPTED, Edit(pk=stored.edit_id))
    return Accepted(edit_id, stored.revision, patch.to_json())


@transaction.atomic
def proposal_dismiss(*, proposal: Proposal, by: Any) -> None:
    """Show the proposal no more. Raises Conflict if it was accepted; dismissing twice is dismissing."""
    image = image_locked(proposal.image_id)
    current = Proposal.objects.filter(pk=proposal.pk).first()
    if current is not None and current.status == ProposalStatus.DISMISSED:
        return
    _decide(image, _open(proposal), by, ProposalStatus.DISMISSED, None)


def _open(proposal: Proposal) -> Proposal:
    """The proposal as it is under the image's lock."""
    current = Proposal.objects.filter(pk=proposal.pk).first()
    if current is None:
        raise NotFound("The proposal")
    if current.status != ProposalStatus.OPEN:
        raise Conflict(f"This proposal was {current.status} already.", code="decided")
    return current


def _decide(image: Image, proposal: Proposal, by: Any, status: ProposalStatus, edit: Edit | None) -> None:
    proposal.status, proposal.decided_by, proposal.decided_at = status, by, timezone.now()
    proposal.edit = edit
    proposal.save(update_fields=["status", "decided_by", "decided_at", "edit"])
    live.publish(image.project_id, "proposal", {"image": str(image.pk), "open": proposals_open(image.pk)})


def _patch(image: Image, proposed: Sequence[CellState], mode: Mode) -> Patch:
    current = tuple(cell_states(image.pk).values())
    chosen = (
        list(proposed) if mode == "replace" else list(uncovered(proposed, current, above=SAME_CELL_ABOVE))
    )
    if Cell.objects.filter(pk__in=[state.id for state in chosen]).exists():
        raise Conflict("Cells of this proposal are in the image already.", code="decided")
    labels = range(image.next_label, image.next_label + len(chosen))
    added = tuple(replace(state, label=label) for state, label in zip(chosen, labels, strict=True))
    return Patch(added=added, removed=current if mode == "replace" else ())
