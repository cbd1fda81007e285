"""A fake of Keystone v3, Nova, Glance and Neutron, under one address."""

from __future__ import annotations

import itertools
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from .api import Answer, FakeApi, Refused, Request, route

USER, PASSWORD, PROJECT = "tester", "a secret of the test", "playground"
FLAVORS = {"m1.small": (1, 2048), "m1.medium": (2, 4096), "m1.large": (4, 8192)}
IMAGE, NETWORK, POOL = "debian-12", "private-net", "public-net"

Answered = Answer | tuple[int, Any, dict[str, str]]


class FakeOpenStack(FakeApi):
    def __init__(self, boot_delay: float = 0.05) -> None:
        super().__init__(boot_delay)
        self.servers: dict[str, dict[str, Any]] = {}
        self.floating: dict[str, dict[str, Any]] = {}
        self.delete_delay = 0.05
        self.quota = 20
        self.page = 1000
        self.tokens: set[str] = set()
        self._numbers = itertools.count(10)

    def refusal(self, status: int, message: str) -> Any:
        return {"badRequest": {"code": status, "message": message}}

    def refuse(self, status: int, message: str, **headers: str) -> Refused:
        return Refused(status, self.refusal(status, message), headers)

    def admit(self, request: Request) -> None:
        if request.path == "/v3/auth/tokens":
            return
        if request.headers.get("x-auth-token") not in self.tokens:
            raise self.refuse(401, "The request you have made requires authentication.")

    # ------------------------------------------------------------------------------------------------ Keystone

    @route("POST", "/v3/auth/tokens")
    def sign_in(self, request: Request) -> Answered:
        identity = request.body["auth"]["identity"]
        if "application_credential" in identity["methods"]:
            given = identity["application_credential"]
            right = (given["id"], given["secret"]) == ("cred-1", PASSWORD)
        else:
            user, scope = identity["password"]["user"], request.body["auth"]["scope"]["project"]
            right = (user["name"], user["password"], scope["name"]) == (USER, PASSWORD, PROJECT)
        if not right:
            raise self.refuse(401, "The request you have made requires authentication.")
        token = uuid.uuid4().hex
        self.tokens.add(token)
        places = {"compute": "/compute/v2.1", "image": "/image", "network": "/network"}
        catalog = [
            {
                "type": kind,
                "name": f"the {kind} service",
                "endpoints": [{"region": "RegionTest", "interface": "public", "url": self.url + path}],
            }
            for kind, path in places.items()
        ]
        body = {"token": {"expires_at": "2100-01-01T00:00:00.000000Z", "catalog": catalog, "user": {}, "roles": []}}
        return 201, body, {"X-Subject-Token": token}

    # ---------------------------------------------------------------------------------------------------- Nova

    def look(self, server: dict[str, Any]) -> dict[str, Any]:
        if server["status"] == "BUILD" and self.now() >= server["up"]:
            server["status"] = "ACTIVE"
        addresses = {}
        if server["status"] == "ACTIVE":
            fixed = {"addr": f"10.0.0.{server['number']}", "version": 4, "OS-EXT-IPS:type": "fixed"}
            addresses = {NETWORK: [fixed]}
            for each in self.floating.values():
                if each["port_id"] == f"port-{server['id']}":
                    shown = {"addr": each["floating_ip_address"], "version": 4, "OS-EXT-IPS:type": "floating"}
                    addresses[NETWORK].append(shown)
        hidden = ("up", "gone", "number", "asked")
        shown = {key: value for key, value in server.items() if key not in hidden}
        task = "deleting" if server["gone"] is not None else None
        return {**shown, "addresses": addresses, "OS-EXT-STS:task_state": task}

    def there(self) -> list[dict[str, Any]]:
        for key, server in list(self.servers.items()):
            if server["gone"] is not None and self.now() >= server["gone"]:
                del self.servers[key]
        return list(self.servers.values())

    @route("GET", "/compute/v2.1/servers/detail")
    def list_servers(self, request: Request) -> Answer:
        found = self.there()
        if "name" in request.query:
            found = [each for each in found if re.search(request.query["name"], each["name"])]
        if "marker" in request.query:
            marker, ids = request.query["marker"], [each["id"] for each in found]
            if marker not in ids:
                raise self.refuse(400, f"marker [{marker}] not found")
            found = found[ids.index(marker) + 1 :]
        body: dict[str, Any] = {"servers": [self.look(each) for each in found[: self.page]]}
        if len(found) > self.page:
            query = f"name={request.query.get('name', '')}&marker={found[self.page - 1]['id']}"
            body["servers_links"] = [{"rel": "next", "href": f"{self.url}{request.path}?{query}"}]
        return 200, body

    @route("GET", "/compute/v2.1/servers/([^/]+)")
    def get_server(self, request: Request, key: str) -> Answer:
        return 200, {"server": self.look(self._server(key))}

    def _server(self, key: str) -> dict[str, Any]:
        self.there()
        if key not in self.servers:
            raise self.refuse(404, f"Instance {key} could not be found.")
        return self.servers[key]

    @route("POST", "/compute/v2.1/servers")
    def create_server(self, request: Request) -> Answer:
        asked = request.body["server"]
        if len(self.there()) >= self.quota:
            message = f"Quota exceeded for instances: Requested 1, but already used {self.quota} of {self.quota}"
            raise self.refuse(403, message)
        flavors = {f"flavor-{number}": name for number, name in enumerate(FLAVORS)}
        if asked["flavorRef"] not in flavors:
            raise self.refuse(400, f"Flavor {asked['flavorRef']} could not be found.")
        key = str(uuid.uuid4())
        self.servers[key] = {
            "id": key,
            "name": asked["name"],
            "status": "BUILD",
            "metadata": asked["metadata"],
            "flavor": {"id": asked["flavorRef"]},
            "created": datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "OS-EXT-AZ:availability_zone": asked.get("availability_zone", ""),
            "up": self.now() + self.boot_delay,
            "gone": None,
            "number": next(self._numbers),
            "asked": asked,
        }
        return 202, {"server": {"id": key, "links": [], "adminPass": "x"}}

    @route("DELETE", "/compute/v2.1/servers/([^/]+)")
    def delete_server(self, request: Request, key: str) -> Answer:
        server = self._server(key)
        if server["gone"] is not None:
            raise self.refuse(409, f"Cannot 'delete' instance {key} while it is in task_state deleting")
        server["gone"] = self.now() + self.delete_delay
        for each in self.floating.values():
            if each["port_id"] == f"port-{key}":
                each["port_id"] = None
        return 204, None

    @route("POST", "/compute/v2.1/servers/([^/]+)/action")
    def act(self, request: Request, key: str) -> Answer:
        server = self._server(key)
        if server["status"] == "BUILD" and self.now() < server["up"]:
            raise self.refuse(409, "Instance is not ready")
        if request.body == {"reboot": {"type": "SOFT"}}:
            return 202, None
        return 200, {"output": f"{server['name']} login: \n{server.get('console', '')}"}

    @route("GET", "/compute/v2.1/flavors/detail")
    def list_flavors(self, request: Request) -> Answer:
        found = [
            {"id": f"flavor-{number}", "name": name, "vcpus": cpus, "ram": memory, "disk": 20, "swap": ""}
            for number, (name, (cpus, memory)) in enumerate(FLAVORS.items())
        ]
        return 200, {"flavors": found}

    @route("GET", "/compute/v2.1/limits")
    def limits(self, request: Request) -> Answer:
        used = {"maxTotalInstances": self.quota, "totalInstancesUsed": len(self.there()), "maxTotalCores": -1}
        return 200, {"limits": {"absolute": used, "rate": []}}

    # ------------------------------------------------------------------------------------------ Glance, Neutron

    @route("GET", "/image/v2/images")
    def list_images(self, request: Request) -> Answer:
        found = [{"id": "image-1", "name": IMAGE, "status": "active"}]
        return 200, {"images": [each for each in found if request.query.get("name", IMAGE) == each["name"]]}

    @route("GET", "/image/v2/images/(.+)")
    def get_image(self, request: Request, key: str) -> Answer:
        if key != "image-1":
            raise self.refuse(404, f"Failed to find image {key}")
        return 200, {"id": "image-1", "name": IMAGE, "status": "active"}

    @route("GET", "/network/v2.0/networks")
    def list_networks(self, request: Request) -> Answer:
        found = [{"id": "net-1", "name": NETWORK}, {"id": "net-2", "name": POOL}]
        for key, value in request.query.items():
            found = [each for each in found if each[key] == value]
        return 200, {"networks": found}

    @route("GET", "/network/v2.0/ports")
    def list_ports(self, request: Request) -> Answer:
        server = request.query["device_id"]
        return 200, {"ports": [{"id": f"port-{server}"}] if server in self.servers else []}

    @route("GET", "/network/v2.0/floatingips")
    def list_floating(self, request: Request) -> Answer:
        found = [each for each in self.floating.values() if each["description"] == request.query["description"]]
        return 200, {"floatingips": found}

    @route("POST", "/network/v2.0/floatingips")
    def create_floating(self, request: Request) -> Answer:
        asked = request.body["floatingip"]
        key = str(uuid.uuid4())
        address = f"203.0.113.{len(self.floating) + 1}"
        self.floating[key] = {"id": key, "floating_ip_address": address, **asked}
        return 201, {"floatingip": self.floating[key]}

    @route("PUT", "/network/v2.0/floatingips/(.+)")
    def update_floating(self, request: Request, key: str) -> Answer:
        self.floating[key].update(request.body["floatingip"])
        return 200, {"floatingip": self.floating[key]}

    @route("DELETE", "/network/v2.0/floatingips/(.+)")
    def delete_floating(self, request: Request, key: str) -> Answer:
        if self.floating.pop(key, None) is None:
            raise self.refuse(404, "Floating IP could not be found")
        return 204, None
