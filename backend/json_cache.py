"""What the cache keeps in Redis is JSON: by pickle, Django's default, whoever writes to Redis could run code here."""

import json
from typing import Any


class JsonSerializer:
    """For `django.core.cache.backends.redis`. Raises TypeError for what JSON cannot say."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)
