"""Secrets in files."""

from pathlib import Path

import pytest

from backend.private_files import kept_secret, write_private


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "data" / "secret-key")
    assert len(secret) >= 50
    assert kept_secret(tmp_path / "data" / "secret-key") == secret
    assert (tmp_path / "data" / "secret-key").stat().st_mode & 0o777 == 0o600


def test_it_refuses_a_secret_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    kept_secret(path)
    path.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        kept_secret(path)


def test_it_replaces_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "running.env"
    path.write_text("old and long")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
