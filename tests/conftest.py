"""What every test may ask for: PostgreSQL and Valkey of this run's own, the whole running stack, a browser.

Addresses are chosen here, before Django reads its settings; the servers start when the first test needs them,
so that tests of pure code start at once.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.conf import settings
from xdist.scheduler import LoadScopeScheduling

from backend.embedded import Postgres, Valkey
from backend.supervisor import EVERYBODY, Stack

if TYPE_CHECKING:  # imported by its fixture alone: it takes a moment, and most tests have no browser
    from playwright.sync_api import Browser, Page

RUN_DIR = Path(tempfile.mkdtemp(prefix="cellloop-tests-"))
POSTGRES = Postgres(RUN_DIR, log=RUN_DIR / "logs" / "postgres.log", durable=False)
VALKEY = Valkey(RUN_DIR, log=RUN_DIR / "logs" / "valkey.log")
OURS = re.findall(
    r"^(?:# )?([A-Z_]+)=", (Path(__file__).parent.parent / ".env.example").read_text(), re.MULTILINE
)
ORDER = ("architecture", "worker", "labeling", "backend", "integration", "e2e")
WITH_A_STACK = ("tests/integration/", "tests/e2e/", "tests/backend/test_supervisor.py")

for _name in OURS:  # a developer's own settings do not reach the tests
    os.environ.pop(_name, None)
CLEAN_ENVIRON = dict(os.environ)
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "backend.settings",
    "DATABASE_URL": POSTGRES.url,
    "REDIS_URL": VALKEY.url,
    "CELLLOOP_DATA_DIR": str(RUN_DIR / "data"),
    "SECRET_KEY": "only-for-this-test-run-" + "x" * 40,
}


# Here and not in a hook: the conftest files of folders named on the command line are read before any hook runs.
django.setup()
# A hash that is cheap to make is cheap to guess, which does no harm here. The stack has its own settings.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_xdist_setupnodes() -> None:
    """The processes to come read this file themselves, and are not to find this one's servers before that."""
    for name in os.environ.keys() - CLEAN_ENVIRON.keys():
        del os.environ[name]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "SideBySide":
    """Who runs what with `-n 2`."""
    config.option.loadscopereorder = False
    return SideBySide(config, log)


class SideBySide(LoadScopeScheduling):
    """One process has all tests of the running stack, of which there is one; others share the rest, file by file."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(WITH_A_STACK) else nodeid.split("::", 1)[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick tests first: pure code, then the database, then the running stack, then the browser.

    Of several processes that share them, one begins with the stack: its tests take longest.
    """
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        top = item.path.relative_to(tests).parts[0] if item.path.is_relative_to(tests) else ""
        return ORDER.index(top) if top in ORDER else len(ORDER)

    items.sort(key=rank)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(WITH_A_STACK))


def pytest_unconfigure() -> None:
    """Stop what was started and leave nothing behind."""
    POSTGRES.stop()
    VALKEY.stop()
    shutil.rmtree(RUN_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def services() -> None:
    """PostgreSQL and Valkey, running. Tests that use the database have them without asking."""
    POSTGRES.start()
    VALKEY.start()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: None) -> None:
    """pytest-django's hook before it makes the test database."""


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Everything that `make demo` runs but the demo: own database, own files, the weights that we ship."""
    quick = {
        "JOB_LEASE_S": "20",  # so that no test waits long for a worker that it killed
        "LOGIN_RATE": "100/min",  # so that tests of different things do not use up each other's logins
        "LOGIN_ADDRESS_RATE": "1000/min",
    }
    environ = CLEAN_ENVIRON | quick
    with Stack(data_dir=RUN_DIR / "stack", port=0, environ=environ, durable=False, say=print) as running:
        for name in EVERYBODY:
            running.wait_ready(name)
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium. For one module only: Playwright's event loop must not run beside Django's ORM."""
    from playwright.sync_api import sync_playwright

    from tests.e2e.chromium import launch_chromium

    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: "Browser", stack: Stack) -> Iterator["Page"]:
    """A fresh browser window, not logged in, whose addresses are relative to the running stack."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1440, "height": 900}, accept_downloads=True
    )
    yield context.new_page()
    context.close()
