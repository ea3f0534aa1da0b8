"""One image's labels as a file."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from labeling.api.views import ERRORS, INVALID
from labeling.errors import Invalid
from labeling.formats import FORMATS
from labeling.selectors.access import image_for
from labeling.selectors.exports import label_set

REPORT_HEADER = "X-CellLoop-Report"


class ExportView(APIView):
    """The labels of an image in a file format; the header says what the format could not carry."""

    @extend_schema(
        operation_id="image_export",
        parameters=[OpenApiParameter("format", str, enum=list(FORMATS), required=True)],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **ERRORS, **INVALID},
    )
    def get(self, request: Request, image_id: UUID) -> HttpResponseBase:
        image = image_for(request.user, image_id)
        key = request.query_params.get("format", "")
        if key not in FORMATS:
            raise Invalid(f"A format is one of {', '.join(FORMATS)}.")
        written = FORMATS[key].write(label_set(image))
        name = PurePath(image.name).stem + FORMATS[key].suffix
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "X-CellLoop-Revision": str(image.revision),
        }
        if written.report:
            headers[REPORT_HEADER] = quote(" ".join(written.report), safe=" ,.:;()[]'")
        return HttpResponse(written.data, content_type=FORMATS[key].media_type, headers=headers)
