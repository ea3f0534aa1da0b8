"""Jobs as people see them, and the wish to end one."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.views import ERRORS
from labeling.models import JobKind, JobStatus, Role
from labeling.selectors.access import job_for
from labeling.services.jobs import job_cancel


class JobOut(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=JobKind.choices)
    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress = serializers.FloatField()
    message = serializers.CharField()
    error = serializers.CharField()
    image = serializers.UUIDField(source="image_id", allow_null=True)


class JobCancelView(APIView):
    """A queued job ends now, a running one at its next step."""

    @extend_schema(operation_id="job_cancel", request=None, responses={200: JobOut, **ERRORS})
    def post(self, request: Request, job_id: UUID) -> Response:
        job = job_for(request.user, job_id, at_least=Role.ANNOTATOR)
        if job.kind == JobKind.TRAIN:  # is ended by those who may start it
            job_for(request.user, job_id, at_least=Role.ADMIN)
        return Response(JobOut(job_cancel(job_id=job.pk)).data)
