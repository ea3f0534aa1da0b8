"""What a user has set for themselves: keys and looks."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.views import ERRORS, INVALID
from labeling.services.preferences import PRESETS, preferences_get, preferences_set


class KeyPreferences(serializers.Serializer):
    preset = serializers.ChoiceField(choices=[(preset, preset) for preset in PRESETS])
    overrides = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        default=dict,
        help_text="keys of a command, in place of the preset's; an empty list: none",
    )


PLAIN = [{"type": "number"}, {"type": "boolean"}, {"type": "string"}]


@extend_schema_field({"type": "object", "additionalProperties": {"oneOf": PLAIN, "nullable": True}})
class LooksField(serializers.DictField):
    """Names with plain values."""


class PreferencesJson(serializers.Serializer):
    keys = KeyPreferences()
    looks = LooksField(required=False, default=dict)


class PreferencesView(APIView):
    """The user's own preferences, as one document."""

    @extend_schema(operation_id="preferences_get", responses={200: PreferencesJson, 401: ERRORS[401]})
    def get(self, request: Request) -> Response:
        return Response(preferences_get(user=request.user))

    @extend_schema(
        operation_id="preferences_set",
        request=PreferencesJson,
        responses={200: PreferencesJson, 401: ERRORS[401], **INVALID},
    )
    def put(self, request: Request) -> Response:
        given = PreferencesJson(data=request.data)
        given.is_valid(raise_exception=True)
        chosen: dict[str, Any] = given.validated_data
        return Response(preferences_set(user=request.user, keys=chosen["keys"], looks=chosen["looks"]))
