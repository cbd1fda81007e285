"""The one place of this package that makes secrets."""

from __future__ import annotations

import secrets


def new_secret() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(32)
