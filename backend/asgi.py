"""ASGI entry point of the web process."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from backend.limits import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

application = BodyLimit(
    get_asgi_application(),
    upload_bytes=settings.MAX_UPLOAD_MB * 2**20,
    other_bytes=settings.MAX_JSON_MB * 2**20,
)
