"""Who may see and do what: the one place that decides. Every object that a request names is fetched through here.

A stranger gets NotFound, a member whose role does not reach gets Forbidden.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import F, Q, QuerySet

from labeling.errors import Forbidden, NotFound
from labeling.models import (
    CellClass,
    Image,
    Job,
    Membership,
    ModelVersion,
    Note,
    Project,
    Proposal,
    Role,
    Series,
    TrainingRun,
)
from labeling.selectors.model_versions import fields_of_its_run

User = AbstractBaseUser | AnonymousUser

RANKS = {Role.VIEWER: 0, Role.ANNOTATOR: 1, Role.ADMIN: 2, Role.OWNER: 3}
NEEDS = {
    Role.VIEWER: "see this project",
    Role.ANNOTATOR: "label images in this project",
    Role.ADMIN: "manage this project",
    Role.OWNER: "do this: it takes an owner of the project",
}


def projects_of(user: User) -> QuerySet[Project]:
    """The projects that the user is a member of."""
    return Project.objects.filter(memberships__user_id=_id(user))


def role_in(user: User, project_id: UUID) -> Role | None:
    """The user's role in the project, None for a stranger."""
    role = (
        Membership.objects.filter(user_id=_id(user), project_id=project_id)
        .values_list("role", flat=True)
        .first()
    )
    return Role(role) if role else None


def project_for(user: User, project_id: UUID, *, at_least: Role = Role.VIEWER) -> tuple[Project, Role]:
    """The project and the user's role in it."""
    row = (
        Membership.objects.filter(user_id=_id(user), project_id=project_id)
        .select_related("project", "project__active_version")
        .defer(*fields_of_its_run("project__active_version"))
        .first()
    )
    if row is None:
        raise NotFound("The project")
    _check_role(Role(row.role), at_least)
    return row.project, Role(row.role)


def image_for(user: User, image_id: UUID, *, at_least: Role = Role.VIEWER) -> Image:
    """The image with its project and the model in use: one query, for this is asked at every box and every edit."""
    images = Image.objects.select_related(
        "project__active_version__parent", "submitted_by", "skipped_by", "series"
    )
    images = images.defer(*fields_of_its_run("project__active_version"))
    members = images.filter(pk=image_id, project__memberships__user_id=_id(user))
    image = members.annotate(role=F("project__memberships__role")).first()
    if image is None:
        raise NotFound("The image")
    _check_role(Role(image.role), at_least)
    return image


def job_for(user: User, job_id: UUID, *, at_least: Role = Role.VIEWER) -> Job:
    """The job."""
    job = Job.objects.filter(pk=job_id, project__memberships__user_id=_id(user)).first()
    if job is None:
        raise NotFound("The job")
    _require(user, job.project_id, at_least)
    return job


def run_for(user: User, run_id: UUID, *, at_least: Role = Role.VIEWER) -> TrainingRun:
    """The training run, with its job."""
    runs = TrainingRun.objects.select_related("job", "project", "candidate", "compared_with", "started_by")
    run = runs.filter(pk=run_id, project__memberships__user_id=_id(user)).first()
    if run is None:
        raise NotFound("The training run")
    _require(user, run.project_id, at_least)
    return run


def class_for(user: User, class_id: UUID, *, at_least: Role = Role.VIEWER) -> CellClass:
    """The class of cells."""
    row = CellClass.objects.filter(pk=class_id, project__memberships__user_id=_id(user)).first()
    if row is None:
        raise NotFound("The class")
    _require(user, row.project_id, at_least)
    return row


def note_for(user: User, note_id: UUID, *, at_least: Role = Role.VIEWER) -> Note:
    """The note, with its image."""
    notes = Note.objects.select_related("image")
    note = notes.filter(pk=note_id, image__project__memberships__user_id=_id(user)).first()
    if note is None:
        raise NotFound("The note")
    _require(user, note.image.project_id, at_least)
    return note


def series_for(user: User, series_id: UUID, *, at_least: Role = Role.VIEWER) -> Series:
    """The series."""
    series = Series.objects.filter(pk=series_id, project__memberships__user_id=_id(user)).first()
    if series is None:
        raise NotFound("The series")
    _require(user, series.project_id, at_least)
    return series


def proposal_for(user: User, proposal_id: UUID, *, at_least: Role = Role.VIEWER) -> Proposal:
    """The proposal, with its image."""
    proposals = Proposal.objects.select_related("image")
    proposal = proposals.filter(pk=proposal_id, image__project__memberships__user_id=_id(user)).first()
    if proposal is None:
        raise NotFound("The proposal")
    _require(user, proposal.image.project_id, at_least)
    return proposal


def version_for(user: User, version_id: UUID, *, at_least: Role = Role.VIEWER) -> ModelVersion:
    """The model version, with its base and project. A base belongs to the installation: to anyone who is logged in."""
    versions = ModelVersion.objects.select_related("parent", "project")
    mine = Q(project__isnull=True) | Q(project__memberships__user_id=_id(user))
    version = versions.filter(mine, pk=version_id).first()
    if version is None:
        raise NotFound("The model version")
    if version.project_id is not None:
        _require(user, version.project_id, at_least)
    return version


def _id(user: User) -> int:
    """The key of a user who is logged in. Raises NotFound for anyone else."""
    if user.pk is None:
        raise NotFound
    return int(user.pk)


def _require(user: User, project_id: UUID, at_least: Role) -> None:
    role = role_in(user, project_id)
    if role is None:
        raise NotFound("The project")
    _check_role(role, at_least)


def _check_role(role: Role, at_least: Role) -> None:
    if RANKS[role] < RANKS[at_least]:
        raise Forbidden(f"Your role here is {role.value}, which cannot {NEEDS[at_least]}.")
