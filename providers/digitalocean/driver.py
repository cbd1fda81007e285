"""libcloud's driver for DigitalOcean, with what it lacks: an address of choice, and queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from libcloud.common.digitalocean import DigitalOcean_v2_Connection
from libcloud.compute.drivers.digitalocean import DigitalOcean_v2_NodeDriver

from ..http_connection import ThreadedConnection
from ..libcloud_errors import if_there


class _Connection(DigitalOcean_v2_Connection):
    conn_class = ThreadedConnection


class Droplets(DigitalOcean_v2_NodeDriver):
    """Its `ex_` methods give what the API says, as it says it."""

    connectionCls = _Connection  # noqa: N815 - libcloud's name
    connection: Any  # libcloud's methods are untyped

    def __new__(cls, token: str, url: str, timeout: float) -> Droplets:
        return object.__new__(cls)  # libcloud's chooses the class by the version of the API

    def __init__(self, token: str, url: str, timeout: float) -> None:
        self._url = url
        base: Any = super()
        base.__init__(token, timeout=timeout)

    def _ex_connection_class_kwargs(self) -> dict[str, Any]:
        return {"url": self._url}

    def ex_get(self, path: str) -> Any:
        return self.connection.request(path).object

    def ex_all(self, path: str, key: str, **query: str) -> list[dict[str, Any]]:
        """Every page of a list."""
        pages: Any = self._paginated_request
        found: list[dict[str, Any]] = pages(f"{path}?{urlencode(query)}" if query else path, key)
        return found

    def ex_post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self.connection.request(path, method="POST", data=json.dumps(body)).object

    def ex_find(self, path: str) -> Any | None:
        """None if there is no such thing."""
        return if_there(lambda: self.ex_get(path))

    def ex_delete(self, path: str) -> None:
        """Idempotent."""
        if_there(lambda: self.connection.request(path, method="DELETE"))
