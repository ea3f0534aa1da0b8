"""Secrets that are made once and kept in files that only their owner can read."""

import os
import secrets
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write atomically with mode 0600; the text is never in a file that others can open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def kept_secret(path: Path, length: int = 50) -> str:
    """The secret in `path`, made on first use. Refuses a file that others may read."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(length) + "\n")
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{path} can be read by others; run: chmod 600 {path}")
    return path.read_text(encoding="utf-8").strip()
