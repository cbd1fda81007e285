"""One request, as handlers see it, and what they answer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..rest_views import Links
from .errors import ApiError
from .operations import Operation

_HOST = re.compile(r"[A-Za-z0-9._~\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
#: Objects in one page at most, and if nothing is said.
MOST = 1000


async def _nothing() -> AsyncIterator[bytes]:
    for piece in tuple[bytes, ...]():
        yield piece


@dataclass(frozen=True, slots=True)
class Call:
    """`ids`: of the path, decoded. `query`: by names in lower case. `headers`: by names in lower case. `base`: scheme
    and host as the client sees them. `query_string`: as it came. `stream`: the body of an operation that takes it
    piece by piece; `body` is empty then."""

    operation: Operation
    ids: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    path: str
    query_string: str
    request_id: str
    stream: AsyncIterator[bytes] = field(default_factory=_nothing)

    @property
    def links(self) -> Links:
        return Links(self.base)

    def flag(self, name: str) -> bool:
        """Raises ApiError if it is neither true nor false."""
        text = self.query.get(name, "false").lower()
        if text not in ("true", "false"):
            raise ApiError("InvalidQueryParameterValue", f"{name} must be true or false, not {text!r}")
        return text == "true"

    @property
    def page_size(self) -> int:
        """Raises ApiError."""
        text = self.query.get("maxresults")
        size = MOST if text is None else int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
        if not 1 <= size <= MOST:
            values = (("QueryParameterName", "maxresults"), ("QueryParameterValue", text or ""))
            raise ApiError("InvalidQueryParameterValue", f"maxresults must be 1 to {MOST}, not {text!r}", values)
        return size


@dataclass(frozen=True, slots=True)
class Answer:
    """`content`: JSON-like, bytes as they are, or what brings them; None: nothing. `status` None: the operation's."""

    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    content_type: str = "application/json;odata=minimalmetadata"

    def encoded(self) -> bytes | AsyncIterator[bytes]:
        content = self.content
        if content is None:
            return b""
        return content if isinstance(content, bytes) or hasattr(content, "__aiter__") else msgspec.json.encode(content)


def base_url(scheme: str, headers: Mapping[str, str], server: tuple[str, int | None] | None) -> str:
    """Scheme and host as the client asked them, also through proxies that say so; without a slash at the end."""
    forwarded = _first(headers.get("x-forwarded-proto", "")).lower()
    scheme = forwarded if forwarded in ("http", "https") else scheme
    for host in (_first(headers.get("x-forwarded-host", "")), headers.get("host", "")):
        if _HOST.fullmatch(host):
            return f"{scheme}://{host}"
    name, port = server if server is not None else ("localhost", None)
    return f"{scheme}://{name}:{port}" if port is not None else f"{scheme}://{name}"


def _first(listed: str) -> str:
    """What the outermost of several proxies says."""
    return listed.partition(",")[0].strip()
