"""The tables. What must hold is a constraint of the database as well."""

from labeling.models.account import ApiToken
from labeling.models.cell import Cell, Edit, Source
from labeling.models.image import Image, ImageGroup, ImageStatus, Split
from labeling.models.job import Job, JobKind, JobStatus
from labeling.models.model_version import ModelVersion, Promotion, VersionStatus
from labeling.models.project import Membership, Project, Role
from labeling.models.review import CellOutcome, OutcomeKind, Proposal, Submission
from labeling.models.training_run import RunDecision, RunReason, TrainingRun

__all__ = [
    "ApiToken",
    "Cell",
    "CellOutcome",
    "Edit",
    "Image",
    "ImageGroup",
    "ImageStatus",
    "Job",
    "JobKind",
    "JobStatus",
    "Membership",
    "ModelVersion",
    "OutcomeKind",
    "Project",
    "Promotion",
    "Proposal",
    "Role",
    "RunDecision",
    "RunReason",
    "Source",
    "Split",
    "Submission",
    "TrainingRun",
    "VersionStatus",
]
