"""Public addresses of servers in clouds where they float: taken from a pool for a server, given back with it."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..errors import InvalidRequestError
from ..http_cloud import Kept
from ..libcloud_errors import if_there


class FloatingAddresses:
    """An address belongs to a server by its description, so that one is found again after a crash in between."""

    def __init__(self, provider: str, pool: str, deployment: str) -> None:
        self._provider = provider
        self.pool = pool
        self._deployment = deployment
        self._network: Kept[str] = Kept()
        self._known: dict[str, str] = {}  # server id -> address

    def known(self, server: str) -> str | None:
        return self._known.get(server)

    def attach(self, driver: Any, name: str, server: str) -> str:
        """The address of the server, which has a port already. Idempotent."""
        ports = driver.ex_network("ports", device_id=server)["ports"]
        if not ports:
            raise InvalidRequestError(f"provider {self._provider}: server {name} has no port for a floating address")
        port = ports[0]["id"]
        found = self._all(driver, name)
        if found:
            address = found[0]
            if address.get("port_id") != port:
                body = {"floatingip": {"port_id": port}}
                driver.ex_network(f"floatingips/{address['id']}", "PUT", body)
        else:
            wanted = {
                "floating_network_id": self.network(driver),
                "port_id": port,
                "description": self._mark(name),
            }
            address = driver.ex_network("floatingips", "POST", {"floatingip": wanted})["floatingip"]
        self._known[server] = address["floating_ip_address"]
        return self._known[server]

    def release(self, driver: Any, name: str) -> None:
        for address in self._all(driver, name):
            if_there(partial(driver.ex_network, f"floatingips/{address['id']}", "DELETE"))

    def network(self, driver: Any) -> str:
        """The id of the pool. Raises InvalidRequestError."""
        return self._network.get(self.pool, lambda: network_id(driver, self.pool, self._provider))

    def _mark(self, name: str) -> str:
        return f"ebbtide {self._deployment} {name}"

    def _all(self, driver: Any, name: str) -> list[dict[str, Any]]:
        mark = self._mark(name)
        found = driver.ex_network("floatingips", description=mark)["floatingips"]
        return [address for address in found if address["description"] == mark]


def network_id(driver: Any, wanted: str, provider: str) -> str:
    """By id or name. Raises InvalidRequestError."""
    for query in ({"id": wanted}, {"name": wanted}):
        found = driver.ex_network("networks", **query)["networks"]
        if len(found) > 1:
            raise InvalidRequestError(f"provider {provider}: several networks are called {wanted!r}; give an id")
        if found:
            return str(found[0]["id"])
    raise InvalidRequestError(f"provider {provider} does not know the network {wanted!r}")
