"""Projects and their members."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.db import transaction

from labeling.errors import Conflict, Forbidden, Invalid, NotFound
from labeling.models import (
    Cell,
    CellOutcome,
    Edit,
    Image,
    Membership,
    ModelVersion,
    Project,
    Promotion,
    Proposal,
    Role,
    Submission,
    TrainingRun,
)
from labeling.selectors.access import RANKS
from labeling.selectors.model_versions import default_version
from labeling.services.activation import project_locked
from labeling.services.jobs import open_jobs_lock
from labeling.services.loop_settings import loop_settings_set
from labeling.services.schedules import schedule_remove

NAME_LENGTH = 200


@transaction.atomic
def project_create(*, name: str, created_by: Any) -> Project:
    """A project that its maker owns, with the newest base model."""
    project = Project(name=_checked_name(name), created_by=created_by, active_version=default_version())
    project.save(force_insert=True)
    Membership.objects.create(project=project, user=created_by, role=Role.OWNER)
    if project.active_version is not None:
        Promotion.objects.create(project=project, version=project.active_version)
    return project


@transaction.atomic
def project_update(*, project: Project, name: str | None = None, **loop: Any) -> Project:
    """Change what is given: the name, or settings of the loop. Raises Invalid for an empty name or a broken setting."""
    project = loop_settings_set(project=project, **loop) if loop else project_locked(project.pk)
    if name is not None:
        project.name = _checked_name(name)
        project.save(update_fields=["name"])
    return project


@transaction.atomic
def project_delete(*, project: Project) -> None:
    """Delete a project with its images, history, models and files."""
    open_jobs_lock(project_id=project.pk)
    Project.objects.select_for_update().filter(pk=project.pk).first()  # no upload comes in any more
    images = Image.objects.select_for_update().filter(project=project).order_by("pk")  # and no edit
    names = [name for row in images.values_list("file", "pyramid", "thumbnail") for name in row if name]
    names += ModelVersion.objects.filter(project=project).values_list("weights", flat=True)
    # The largest tables first, by one statement each: a cascade would read their rows into memory.
    CellOutcome.objects.filter(submission__image__project=project).delete()
    Proposal.objects.filter(image__project=project).delete()
    Cell.objects.filter(image__project=project).delete()
    Edit.objects.filter(image__project=project).delete()
    Promotion.objects.filter(project=project).delete()
    Submission.objects.filter(image__project=project).delete()
    Project.objects.filter(pk=project.pk).update(active_version=None, pending_version=None)
    TrainingRun.objects.filter(project=project).delete()
    schedule_remove(project.pk)
    project.delete()
    transaction.on_commit(lambda: _delete_files(names), robust=True)


@transaction.atomic
def member_add(*, project: Project, username: str, role: Role, by_role: Role) -> Membership:
    """Let a user into the project. Raises Invalid for an unknown name, Conflict for someone who is in it already."""
    _check_may_grant(by_role, role)
    user = get_user_model().objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Invalid(f"There is no user named {username}.", code="no_such_user")
    membership, created = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": role}
    )
    if not created:
        raise Conflict(f"{username} is in this project already.", code="already_a_member")
    return membership


@transaction.atomic
def member_set_role(*, project: Project, user_id: int, role: Role, by_role: Role) -> Membership:
    """Change a member's role. The last owner stays one."""
    membership = _member(project, user_id)
    _check_may_grant(by_role, role)
    _check_may_grant(by_role, Role(membership.role))
    if role != Role.OWNER:
        _check_not_the_last_owner(project, membership)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def member_remove(*, project: Project, user_id: int, by_role: Role) -> None:
    """Take a member out. The last owner stays."""
    membership = _member(project, user_id)
    _check_may_grant(by_role, Role(membership.role))
    _check_not_the_last_owner(project, membership)
    membership.delete()


def _delete_files(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _member(project: Project, user_id: int) -> Membership:
    Project.objects.select_for_update().get(pk=project.pk)  # two owners who remove each other at once
    membership = Membership.objects.select_related("user").filter(project=project, user_id=user_id).first()
    if membership is None:
        raise NotFound("The member")
    return membership


def _check_may_grant(by_role: Role, role: Role) -> None:
    """Admins manage people up to their own role."""
    if RANKS[by_role] < RANKS[Role.ADMIN] or RANKS[role] > RANKS[by_role]:
        raise Forbidden(f"Your role here is {by_role.value}, which cannot change who is {role.value}.")


def _check_not_the_last_owner(project: Project, membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    if not project.memberships.filter(role=Role.OWNER).exclude(pk=membership.pk).exists():
        raise Conflict("A project keeps at least one owner.", code="last_owner")


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(f"A project's name has 1 to {NAME_LENGTH} characters.")
    return name
