"""The running stack, and the admin at its HTTP API."""

from __future__ import annotations

import pytest

from backend.supervisor import Stack
from tests.integration.http_client import Person


@pytest.fixture(scope="session")
def person(stack: Stack) -> Person:
    """Logged in once for all tests: logins are counted against guessing."""
    return Person(stack.url, "admin", stack.admin_password)
