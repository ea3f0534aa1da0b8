"""What belongs to a user alone: API tokens, of which only a hash is kept, and preferences."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):
    """A token for scripts. ``id`` and ``name`` let its owner find it again without the secret."""

    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["-created"]


class Preferences(models.Model):
    """A user's keys and looks, as `labeling.services.accounts` checked them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="preferences"
    )
    document = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"
