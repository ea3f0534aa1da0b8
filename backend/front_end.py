"""The front end's page for every address that is not the API's, the admin's or a file's: routing is the browser's."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

NOT_BUILT = "The front end is not built yet. Run: make setup\n"
# Everything that the page loads is ours; WebGL textures and workers come as blobs.
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
)


@require_safe
@never_cache
@ensure_csrf_cookie
def front_end(request: HttpRequest) -> HttpResponse:
    """index.html of the built front end."""
    page = settings.FRONTEND_DIR / "index.html"
    if not page.is_file():
        return HttpResponse(NOT_BUILT, content_type="text/plain", status=503)
    return HttpResponse(page.read_bytes(), headers={"Content-Security-Policy": POLICY})
