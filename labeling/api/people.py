"""People as they appear beside what they do."""

from __future__ import annotations

from rest_framework import serializers


class PersonOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    initials = serializers.CharField()


class TabOut(PersonOut):
    """One browser tab of a person on one image."""

    session = serializers.CharField()
    editing = serializers.BooleanField(help_text="it holds the lease")
