"""Who has an image open, and which of them may edit it.

In PostgreSQL and not in Redis: an edit asks for the lease in the transaction that writes it, so that a take-over and an
edit cannot pass each other, and a Redis that is away neither locks anybody out nor lets two people in.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Presence(models.Model):
    """One browser tab on one image. Over once ``expires_at`` has passed; one tab an image holds the lease."""

    image = models.ForeignKey("labeling.Image", on_delete=models.CASCADE, related_name="presences")
    session = models.CharField(max_length=64)  # made by the client, one a tab
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    holds_lease = models.BooleanField(default=False)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "session"], name="presence_once_a_session"),
            models.UniqueConstraint(
                fields=["image"], condition=Q(holds_lease=True), name="lease_once_an_image"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="presence_by_end")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.image_id}"
