"""People as others see them: in answers, in live events, and beside what they did."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser


def display_name(user: AbstractBaseUser) -> str:
    """The full name if there is one, else the name that they log in with."""
    return getattr(user, "get_full_name", str)() or user.get_username()


def initials(user: AbstractBaseUser) -> str:
    """Two letters for a round badge."""
    words = display_name(user).replace(".", " ").replace("_", " ").split()
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [*display_name(user)[:2]]
    return "".join(letters).upper()


def person(user: AbstractBaseUser | None) -> dict[str, Any] | None:
    """The wire form; None for nobody, and for somebody whose account is gone."""
    return None if user is None else {"id": user.pk, "name": display_name(user), "initials": initials(user)}
