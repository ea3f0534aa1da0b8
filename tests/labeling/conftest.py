"""The world of the domain's tests, and ways into its API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from labeling.live import redis_client
from tests.factories import World, make_world

Login = Callable[[Any], APIClient]


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture(autouse=True)
def clean_redis(request: pytest.FixtureRequest) -> None:
    """Tests that use the database use Redis too: no throttle, message or key of one reaches the next."""
    uses_database = {"db", "transactional_db", "world"} & set(request.fixturenames)
    if uses_database or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("services")
        redis_client().flushdb()
        cache.clear()


@pytest.fixture
def login() -> Login:
    def make(user: Any) -> APIClient:
        client = APIClient()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def as_alice(world: World, login: Login) -> APIClient:
    return login(world.alice)


@pytest.fixture
def as_bob(world: World, login: Login) -> APIClient:
    return login(world.bob)


@pytest.fixture
def as_charlie(world: World, login: Login) -> APIClient:
    return login(world.charlie)


@pytest.fixture
def as_vera(world: World, login: Login) -> APIClient:
    return login(world.vera)
