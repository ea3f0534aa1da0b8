"""A user's preferences: one document of keys and looks, small and of a known shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from labeling.errors import Invalid
from labeling.models import Preferences

PRESETS = ("cellloop", "deepcell_label", "cellpose", "napari")
OVERRIDES_AT_MOST, KEYS_AT_MOST, LOOKS_AT_MOST = 300, 4, 100
NAME_LENGTH, KEY_LENGTH, VALUE_LENGTH = 64, 40, 200

Document = dict[str, Any]


def preferences_get(*, user: Any) -> Document:
    """The user's document, or the defaults."""
    row = Preferences.objects.filter(user=user).first()
    return row.document if row is not None else _document(PRESETS[0], {}, {})


def preferences_set(*, user: Any, keys: Mapping[str, Any], looks: Mapping[str, Any]) -> Document:
    """Replace the user's document. Raises Invalid for what has no place in one."""
    overrides = keys.get("overrides", {})
    if keys.get("preset") not in PRESETS:
        raise Invalid(f"A preset is one of {', '.join(PRESETS)}.")
    _check_overrides(overrides)
    _check_looks(looks)
    document = _document(keys["preset"], dict(overrides), dict(looks))
    Preferences.objects.update_or_create(user=user, defaults={"document": document})
    return document


def _document(preset: str, overrides: Document, looks: Document) -> Document:
    return {"keys": {"preset": preset, "overrides": overrides}, "looks": looks}


def _check_overrides(overrides: Mapping[str, Any]) -> None:
    if len(overrides) > OVERRIDES_AT_MOST:
        raise Invalid(f"At most {OVERRIDES_AT_MOST} commands can have keys of one's own.")
    for command, keys in overrides.items():
        _check_text(command, NAME_LENGTH, "The name of a command")
        if not isinstance(keys, list) or len(keys) > KEYS_AT_MOST:
            raise Invalid(f"{command} has a list of at most {KEYS_AT_MOST} keys.")
        for key in keys:
            _check_text(key, KEY_LENGTH, "A key")


def _check_looks(looks: Mapping[str, Any]) -> None:
    if len(looks) > LOOKS_AT_MOST:
        raise Invalid(f"At most {LOOKS_AT_MOST} looks are kept.")
    for name, value in looks.items():
        _check_text(name, NAME_LENGTH, "The name of a look")
        if isinstance(value, str):
            _check_text(value, VALUE_LENGTH, name, empty=True)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _check_number(name, value)
        elif value is not None and not isinstance(value, bool):
            raise Invalid(f"{name} is a number, a string, true, false or null.")


def _check_number(name: str, value: float) -> None:
    try:
        finite = math.isfinite(value)
    except OverflowError:  # JSON's whole numbers have no end
        finite = False
    if not finite:
        raise Invalid(f"{name} is a finite number.")


def _check_text(value: Any, length: int, what: str, *, empty: bool = False) -> None:
    fits = isinstance(value, str) and (0 if empty else 1) <= len(value) <= length
    if not fits or any(
        c == "\x00" or "\ud800" <= c <= "\udfff" for c in value
    ):  # which PostgreSQL does not take
        raise Invalid(f"{what} has {0 if empty else 1} to {length} characters.")
