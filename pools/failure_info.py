"""Why something did not succeed, as the Batch REST API tells it."""

from __future__ import annotations

import msgspec


class NameValue(msgspec.Struct, frozen=True):
    name: str
    value: str


class FailureInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something did not succeed; category `usererror` or `servererror` (Batch REST: failureInfo)."""

    category: str
    code: str
    message: str
    details: tuple[NameValue, ...] = ()
