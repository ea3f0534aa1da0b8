"""Misconfiguration, told when the server starts and not when the first image arrives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "testserver"}


def check_data_dir(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The data directory, or the closest parent that exists, can be written to."""
    folder = settings.DATA_DIR
    while not folder.exists():
        folder = folder.parent
    if os.access(folder, os.W_OK):
        return []
    return [Error(f"{folder} cannot be written to.", hint="Set CELLLOOP_DATA_DIR.", id="backend.E001")]


def check_weights(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The weights that new projects start from are safetensors; anything that needs pickle is refused."""
    if settings.CELLLOOP_WEIGHTS.suffix != ".safetensors":
        return [Error("CELLLOOP_WEIGHTS must be a .safetensors file.", id="backend.E002")]
    return []


def check_cookies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A server that others can reach should speak https."""
    if settings.BEHIND_HTTPS or set(settings.ALLOWED_HOSTS) <= LOCAL_HOSTS:
        return []
    hint = "Put a proxy with https in front and set BEHIND_HTTPS=True."
    return [Warning("Session cookies are sent over plain http.", hint=hint, id="backend.W001")]
