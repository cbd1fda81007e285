"""How libcloud's drivers reach an HTTP API here: from several threads."""

from __future__ import annotations

import threading
from typing import Any

from libcloud.http import LibcloudConnection
from requests.adapters import HTTPAdapter

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
