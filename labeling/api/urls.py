"""Addresses under /api/."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from labeling.api import (
    cells,
    classes,
    decode,
    errors,
    events,
    exports,
    images,
    jobs,
    leases,
    models,
    notes,
    preferences,
    projects,
    proposals,
    queue,
    series,
    session,
)

PROJECT = "projects/<uuid:project_id>"
IMAGE = "images/<uuid:image_id>"

urlpatterns = [
    path("session", session.SessionView.as_view()),
    path("tokens", session.TokensView.as_view()),
    path("tokens/<uuid:token_id>", session.TokenView.as_view()),
    path("me/preferences", preferences.PreferencesView.as_view()),
    path("projects", projects.ProjectsView.as_view()),
    path(PROJECT, projects.ProjectView.as_view()),
    path(f"{PROJECT}/members", projects.MembersView.as_view()),
    path(f"{PROJECT}/members/<int:user_id>", projects.MemberView.as_view()),
    path(f"{PROJECT}/channel-map", projects.ChannelMapView.as_view()),
    path(f"{PROJECT}/images", images.ImagesView.as_view()),
    path(f"{PROJECT}/classes", classes.ClassesView.as_view()),
    path(f"{PROJECT}/classes/order", classes.ClassOrderView.as_view()),
    path(f"{PROJECT}/class-counts", classes.ProjectClassCountsView.as_view()),
    path("classes/<uuid:class_id>", classes.ClassView.as_view()),
    path(f"{PROJECT}/queue", queue.QueueView.as_view()),
    path(f"{PROJECT}/events", events.EventsView.as_view()),
    path(f"{PROJECT}/model", models.ModelView.as_view()),
    path(f"{PROJECT}/active-version", models.ActiveVersionView.as_view()),
    path(f"{PROJECT}/training-runs", models.TrainingRunsView.as_view()),
    path("training-runs/<uuid:run_id>/cancel", models.TrainingRunCancelView.as_view()),
    path(IMAGE, images.ImageView.as_view()),
    path(f"{IMAGE}/tiles/<int:channel>/<int:level>/<int:row>/<int:col>", images.TileView.as_view()),
    path(f"{IMAGE}/thumbnail", images.ThumbnailView.as_view()),
    path(f"{IMAGE}/outlines", images.OutlinesView.as_view()),
    path(f"{IMAGE}/cells", cells.CellsView.as_view()),
    path(f"{IMAGE}/edits", cells.EditsView.as_view()),
    path(f"{IMAGE}/decode", decode.DecodeView.as_view()),
    path(f"{IMAGE}/submit", cells.SubmitView.as_view()),
    path(f"{IMAGE}/classes", classes.ImageClassCountsView.as_view()),
    path(f"{IMAGE}/notes", notes.NotesView.as_view()),
    path("notes/<uuid:note_id>", notes.NoteView.as_view()),
    path(f"{IMAGE}/lease", leases.LeaseView.as_view()),
    path(f"{IMAGE}/leave", leases.LeaveView.as_view()),
    path(f"{IMAGE}/skip", queue.SkipView.as_view()),
    path(f"{IMAGE}/warm", queue.WarmView.as_view()),
    path(f"{IMAGE}/proposals", proposals.ProposalsView.as_view()),
    path("proposals/<uuid:proposal_id>/accept", proposals.ProposalAcceptView.as_view()),
    path("proposals/<uuid:proposal_id>/dismiss", proposals.ProposalDismissView.as_view()),
    path("series/<uuid:series_id>", series.SeriesView.as_view()),
    path(f"{IMAGE}/segment", images.SegmentView.as_view()),
    path(f"{IMAGE}/export", exports.ExportView.as_view()),
    path("jobs/<uuid:job_id>/cancel", jobs.JobCancelView.as_view()),
    path("schema", SpectacularJSONAPIView.as_view()),
    re_path(r"^.*$", errors.not_found),
]
