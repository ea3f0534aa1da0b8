"""Misconfiguration is told at the start."""

from pathlib import Path

import pytest

from backend.checks import check_cookies, check_data_dir, check_weights


def test_it_works(settings):
    assert check_data_dir(None) == check_weights(None) == check_cookies(None) == []


def test_a_data_directory_that_cannot_be_written_to(settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere
    settings.DATA_DIR = Path("/srv/cellloop")
    assert [message.id for message in check_data_dir(None)] == ["backend.E001"]


def test_weights_that_need_pickle(settings):
    settings.CELLLOOP_WEIGHTS = Path("model.pt")
    assert [message.id for message in check_weights(None)] == ["backend.E002"]


def test_plain_http_on_a_public_name(settings):
    settings.ALLOWED_HOSTS = ["cells.example.org"]
    assert [message.id for message in check_cookies(None)] == ["backend.W001"]
    settings.BEHIND_HTTPS = True
    assert check_cookies(None) == []
