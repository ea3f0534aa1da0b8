"""The tables. What must hold is a constraint of the database as well."""

from labeling.models.account import ApiToken, Preferences
from labeling.models.cell import Cell, Edit, Source
from labeling.models.cell_class import CellClass, ClassCount
from labeling.models.image import Axis, Image, ImageGroup, ImageStatus, Series, Split
from labeling.models.job import Job, JobKind, JobStatus
from labeling.models.model_version import ModelVersion, Promotion, VersionStatus
from labeling.models.note import Note
from labeling.models.presence import Presence
from labeling.models.project import Membership, Presegmentation, Project, Role
from labeling.models.review import CellOutcome, OutcomeKind, Proposal, ProposalStatus, Submission
from labeling.models.training_run import RunDecision, RunReason, TrainingRun

__all__ = [
    "ApiToken",
    "Axis",
    "Cell",
    "CellClass",
    "CellOutcome",
    "ClassCount",
    "Edit",
    "Image",
    "ImageGroup",
    "ImageStatus",
    "Job",
    "JobKind",
    "JobStatus",
    "Membership",
    "ModelVersion",
    "Note",
    "OutcomeKind",
    "Preferences",
    "Presegmentation",
    "Presence",
    "Project",
    "Promotion",
    "Proposal",
    "ProposalStatus",
    "Role",
    "RunDecision",
    "RunReason",
    "Series",
    "Source",
    "Split",
    "Submission",
    "TrainingRun",
    "VersionStatus",
]
