"""The cache without pickle."""

import pickle

import pytest
from django.core.cache import cache

from labeling.live import redis_client

pytestmark = pytest.mark.usefixtures("services")


def test_it_works() -> None:
    cache.set("throttle", [1.5, 2.5])
    assert cache.get("throttle") == [1.5, 2.5]
    cache.set("count", 1)
    assert cache.incr("count") == 2


def test_a_pickle_in_redis_is_not_opened() -> None:
    redis_client().set(cache.make_and_validate_key("planted"), pickle.dumps({"a": 1}))
    with pytest.raises(UnicodeDecodeError):
        cache.get("planted")
