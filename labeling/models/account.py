"""API tokens. Only a hash is kept; a token is shown once, when it is made."""

from __future__ import annotations

import uuid

from django.db import models
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):
    """A token for scripts. ``id`` and ``name`` let its owner find it again without the secret."""

    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["-created"]
