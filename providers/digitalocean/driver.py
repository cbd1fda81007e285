"""libcloud's driver for DigitalOcean, with what it lacks: an address of choice, and queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from libcloud.common.digitalocean import DigitalOcean_v2_Connection
from libcloud.compute.drivers.digitalocean import DigitalOcean_v2_NodeDriver

from ..errors import TransientError
from ..http_connection import ThreadedConnection
from ..libcloud_errors import if_there

_READS = 6  # of a list whose pages do not hold still


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

    def ex_droplets(self, **query: str) -> list[dict[str, Any]]:
        """Pages are numbered: when a droplet ends that stood on one that was read, those behind it move up, and the
        first of the next page is in neither. So a list of several pages is read until nothing has gone since the
        reading before, which missed none then. Raises TransientError if it never holds still."""
        before: set[int] | None = None
        for _ in range(_READS):
            found, pages = self._read_droplets(query)
            if pages == 1 or (before is not None and before <= found.keys()):
                return list(found.values())
            before = set(found)
        raise TransientError("droplets come and go faster than their list can be read; it is read again later")

    def _read_droplets(self, query: Mapping[str, str]) -> tuple[dict[int, dict[str, Any]], int]:
        """By id; and the number of pages."""
        found: dict[int, dict[str, Any]] = {}
        page, more = 0, True
        while more:
            page += 1
            answer = self.ex_get(f"/v2/droplets?{urlencode({**query, 'page': page})}")
            found |= {each["id"]: each for each in answer["droplets"]}
            more = "next" in answer.get("links", {}).get("pages", {})
        return found, page

    def ex_post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self.connection.request(path, method="POST", data=json.dumps(body)).object

    def ex_find(self, path: str) -> Any | None:
        """None if there is no such thing."""
        return if_there(lambda: self.ex_get(path))

    def ex_delete(self, path: str) -> None:
        """Idempotent."""
        if_there(lambda: self.connection.request(path, method="DELETE"))
