"""Addresses under /api/."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from labeling.api import cells, decode, errors, events, exports, images, jobs, models, projects, session

PROJECT = "projects/<uuid:project_id>"
IMAGE = "images/<uuid:image_id>"

urlpatterns = [
    path("session", session.SessionView.as_view()),
    path("tokens", session.TokensView.as_view()),
    path("tokens/<uuid:token_id>", session.TokenView.as_view()),
    path("projects", projects.ProjectsView.as_view()),
    path(PROJECT, projects.ProjectView.as_view()),
    path(f"{PROJECT}/members", projects.MembersView.as_view()),
    path(f"{PROJECT}/members/<int:user_id>", projects.MemberView.as_view()),
    path(f"{PROJECT}/channel-map", projects.ChannelMapView.as_view()),
    path(f"{PROJECT}/images", images.ImagesView.as_view()),
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
    path(f"{IMAGE}/segment", images.SegmentView.as_view()),
    path(f"{IMAGE}/export", exports.ExportView.as_view()),
    path("jobs/<uuid:job_id>/cancel", jobs.JobCancelView.as_view()),
    path("schema", SpectacularJSONAPIView.as_view()),
    re_path(r"^.*$", errors.not_found),
]
