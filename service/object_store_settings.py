"""The settings about the built-in object store, below `objectStore`."""

from __future__ import annotations

from typing import Literal

import msgspec


class ObjectStoreSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`local`: `path` (None: in the state). `s3`: all others; without keys, what boto3 finds in its usual places."""

    driver: Literal["local", "s3"] = "local"
    path: str | None = None
    bucket: str | None = None
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
