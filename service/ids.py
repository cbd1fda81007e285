"""The one place of this package that makes secrets."""

from __future__ import annotations

import random
import secrets
import uuid

#: for what must be unique and no secret: the system's own source lets other threads in at each call
_random = random.Random(secrets.randbits(128))


def new_secret() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(32)


def random_bytes(count: int) -> bytes:
    return secrets.token_bytes(count)


def new_request_id() -> str:
    """As the Batch REST API has them."""
    return str(uuid.UUID(int=_random.getrandbits(128), version=4))
