"""libcloud's driver for OpenStack, usable from several threads; its catalog is read by service type alone."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.drivers.openstack import (
    OpenStack_2_Connection,
    OpenStack_2_ImageConnection,
    OpenStack_2_NetworkConnection,
    OpenStack_2_NodeDriver,
)

from ..errors import TransientError
from ..http_connection import ThreadedConnection

_READS = 5  # of a list whose pages do not hold still


@dataclass(frozen=True)
class Account:
    url: str  # Keystone's, without a version
    user: str  # or the id of an application credential
    secret: str = field(repr=False)
    application_credential: bool
    project: str | None
    user_domain: str
    project_domain: str  # an id
    region: str | None


class _Service:
    """What the connections to Nova, Glance and Neutron have in common."""

    conn_class = ThreadedConnection
    service_name: Any = None  # the names in catalogs differ from site to site
    service_region: Any = None
    _signing_in = threading.RLock()

    def morph_action_hook(self, action: str) -> Any:
        base: Any = super()
        with self._signing_in:
            return base.morph_action_hook(action)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Once more with a new token, if the old one was revoked."""
        base: Any = super()
        try:
            return base.request(*args, **kwargs)
        except BaseHTTPError as exc:
            if exc.code != 401:
                raise
            return base.request(*args, **kwargs)


class _Nova(_Service, OpenStack_2_Connection):
    pass


class _Glance(_Service, OpenStack_2_ImageConnection):
    pass


class _Neutron(_Service, OpenStack_2_NetworkConnection):
    pass


class Servers(OpenStack_2_NodeDriver):
    """Its `ex_` methods give what the APIs say, as they say it."""

    connectionCls = _Nova  # noqa: N815 - libcloud's names
    image_connectionCls = _Glance  # noqa: N815
    network_connectionCls = _Neutron  # noqa: N815
    connection: Any  # libcloud's methods are untyped
    image_connection: Any
    network_connection: Any

    def __init__(self, account: Account, timeout: float) -> None:
        base: Any = super()
        arguments = {
            "ex_force_auth_url": account.url,
            "ex_force_auth_version": "3.x_appcred" if account.application_credential else "3.x_password",
            "ex_tenant_name": account.project,
            "ex_domain_name": account.user_domain,
            "ex_tenant_domain_id": account.project_domain,
            "ex_force_service_region": account.region,
        }
        base.__init__(account.user, account.secret, timeout=timeout, **arguments)

    def ex_get(self, path: str, **query: str) -> Any:
        return self.connection.request(path, params=query).object

    def ex_all(self, path: str, key: str, **query: str) -> list[dict[str, Any]]:
        """Every page of a list of Nova's. A page begins behind the last server of the one before: if that has gone
        meanwhile, Nova refuses the next page, and the list is read from its start. Raises TransientError if that
        happens again and again."""
        pages: Any = self._paginated_request
        for _ in range(_READS):
            try:
                found: list[dict[str, Any]] = pages(path, key, self.connection, params={**query})[key]
            except BaseHTTPError as exc:
                if exc.code != 400 or "marker" not in str(exc):
                    raise
            else:
                return found
        raise TransientError(f"{path}: servers go faster than their list can be read; it is read again later")

    def ex_post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self.connection.request(path, method="POST", data=body).object

    def ex_delete(self, path: str) -> None:
        self.connection.request(path, method="DELETE")

    def ex_images(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.image_connection.request("/v2/images", params=query).object["images"]
        return found

    def ex_image(self, image: str) -> Any:
        return self.image_connection.request(f"/v2/images/{quote(image, safe='')}").object

    def ex_network(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None, **query: str) -> Any:
        """A call of Neutron."""
        return self.network_connection.request(f"/v2.0/{path}", method=method, data=body, params=query).object
