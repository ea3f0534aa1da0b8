"""The front end's page, and the headers that guard it."""

from pathlib import Path

import pytest
from django.test import Client

PAGE = b"<!doctype html><title>CellLoop</title>"


@pytest.fixture
def built(db: None, settings, tmp_path: Path) -> Path:
    settings.FRONTEND_DIR = tmp_path
    (tmp_path / "index.html").write_bytes(PAGE)
    return tmp_path


@pytest.mark.parametrize("address", ["/", "/login", "/projects/1/model", "/images/abc", "/account"])
def test_every_page_is_the_front_end(built: Path, address: str):
    answer = Client().get(address)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert "csrftoken" in answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_it_is_guarded(built: Path):
    answer = Client().get("/")
    assert "object-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_it_says_what_to_do_if_it_is_not_built(db: None, settings, tmp_path: Path):
    settings.FRONTEND_DIR = tmp_path
    answer = Client().get("/")
    assert answer.status_code == 503
    assert b"make setup" in answer.content


def test_only_reading(built: Path):
    assert Client().post("/").status_code == 405


def test_a_file_that_is_missing_is_no_page(built: Path):
    assert Client().get("/static/nothing.js").status_code == 404
