"""How libcloud's drivers reach an HTTP API here: from several threads, at an address that settings may name."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

from libcloud.http import LibcloudConnection
from requests.adapters import HTTPAdapter

from .errors import InvalidRequestError

_POOL = 32  # connections that are kept open to one host


class ThreadedConnection(LibcloudConnection):
    """libcloud keeps the last answer in an attribute; here each thread has its own, so that one driver serves all."""

    def __init__(self, host: str, port: int, secure: Any = None, **kwargs: Any) -> None:
        self._here = threading.local()
        base: Any = super()  # libcloud's methods are untyped
        base.__init__(host, port, secure, **kwargs)
        session: Any = self.session
        session.mount("https://", HTTPAdapter(pool_maxsize=_POOL))
        session.mount("http://", HTTPAdapter(pool_maxsize=_POOL))

    @property
    def response(self) -> Any:
        return getattr(self._here, "response", None)

    @response.setter
    def response(self, value: Any) -> None:
        self._here.response = value


def address(url: str, provider: str) -> dict[str, Any]:
    """`host`, `port` and `secure` of an endpoint, as libcloud's connections take them. Raises InvalidRequestError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or parts.path not in ("", "/"):
        raise InvalidRequestError(
            f"provider {provider}: setting endpoint is {url!r}; it must be a URL such as https://api.example.org:8443"
        )
    secure = parts.scheme == "https"
    return {"host": parts.hostname, "port": port or (443 if secure else 80), "secure": secure}
