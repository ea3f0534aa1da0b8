"""Accounts: API tokens and the first admin."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from labeling.errors import Invalid
from labeling.models import ApiToken

MAX_TOKENS = 50
PASSWORD_BYTES = 15  # 20 characters


@transaction.atomic
def token_create(*, user: Any, name: str) -> tuple[ApiToken, str]:
    """A new API token and its secret, which is kept nowhere. Raises Invalid past MAX_TOKENS."""
    if ApiToken.objects.filter(user=user).count() >= MAX_TOKENS:
        raise Invalid(f"There are {MAX_TOKENS} tokens already. Delete one that is not used.")
    token, secret = ApiToken.objects.create(user=user, name=name.strip())
    return token, secret


@transaction.atomic
def first_admin_create(*, username: str, password_file: Path) -> str | None:
    """Make an admin with a generated password if there is none, and keep it in a file that only its owner reads.

    Returns the password, or None if an admin exists.
    """
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    write_private(password_file, f"{password}\n")
    users.create_superuser(username=username, password=password)
    return password


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600; it has that mode before it has content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
