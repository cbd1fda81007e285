"""The one place of this package that makes secrets."""

from __future__ import annotations

import secrets
import uuid


def new_secret() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(32)


def random_bytes(count: int) -> bytes:
    return secrets.token_bytes(count)


def new_request_id() -> str:
    """As the Batch REST API has them."""
    return str(uuid.uuid4())
