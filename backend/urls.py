"""Addresses: the API, the admin, and the front end for everything else."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from backend.front_end import front_end

handler400 = "labeling.api.errors.bad_request"
handler403 = "labeling.api.errors.forbidden"
handler404 = "labeling.api.errors.not_found"
handler500 = "labeling.api.errors.server_error"

urlpatterns = [
    path("api/", include("labeling.api.urls")),
    # One door: passwords are tried through the API alone, where tries are counted.
    path("admin/login/", RedirectView.as_view(url="/login?next=/admin/")),
    path("admin/", admin.site.urls),
    re_path(r"^(?!static/).*$", front_end),
]
