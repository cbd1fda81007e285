"""A fake of Azure Resource Manager: sign-in, virtual machines, interfaces, addresses and disks of one group."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from .api import Answer, FakeApi, Refused, Request, route

TENANT, SUBSCRIPTION, CLIENT, SECRET = "a-tenant", "11111111-2222-3333-4444-555555555555", "a-client", "a secret"
GROUP, REGION, NETWORK = "nodes-group", "westeurope", "nodes-net"
SIZES = {"Standard_B2s": (2, 4096), "Standard_D2s_v3": (2, 8192), "Standard_D4s_v3": (4, 16384)}
_SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{GROUP}"
_COMPUTE, _NETWORK = "/providers/Microsoft.Compute", "/providers/Microsoft.Network"
_VMS = f"{_GROUP}{_COMPUTE}/virtualMachines"


class FakeAzure(FakeApi):
    def __init__(self, boot_delay: float = 0.05) -> None:
        super().__init__(boot_delay)
        self.things: dict[str, dict[str, Any]] = {}  # path in lower case -> resource
        self.quota = 10
        self.page = 50
        self.delete_delay = 0.05
        self.fails_with: str | None = None  # code with which new VMs fail after they were accepted
        self.keeps_disks = False  # deleting a VM forgets to take its disk along
        self.tokens: set[str] = set()
        self._number = 3

    def refusal(self, status: int, message: str, code: str = "InvalidParameter") -> Any:
        return {"error": {"code": code, "message": message}}

    def refuse(self, status: int, code: str, message: str) -> Refused:
        return Refused(status, self.refusal(status, message, code))

    def admit(self, request: Request) -> None:
        if request.path.endswith("/oauth2/token"):
            return
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise self.refuse(401, "InvalidAuthenticationToken", "The access token is invalid.")
        if "api-version" not in request.query:
            raise self.refuse(400, "MissingApiVersionParameter", "The api-version query parameter is required.")

    @route("POST", f"/{TENANT}/oauth2/token")
    def sign_in(self, request: Request) -> Answer:
        asked = {key: values[0] for key, values in parse_qs(request.body).items()}
        if (asked["client_id"], asked["client_secret"]) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret.\r\nTrace"}
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return 200, {"access_token": token, "expires_on": str(int(self.now()) + 3600), "token_type": "Bearer"}

    # --------------------------------------------------------------------------------------------------- things

    def kind(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind, after the time that has passed."""
        for path, thing in list(self.things.items()):
            if thing.get("gone") is not None and self.now() >= thing["gone"]:
                self._drop_vm(path)
        marked = f"/{kind.lower()}/"
        return [thing for path, thing in self.things.items() if marked in path]

    def _drop_vm(self, path: str) -> None:
        vm = self.things.pop(path)
        properties = vm["properties"]
        disk = properties["storageProfile"]["osDisk"]
        if disk["deleteOption"] == "Delete" and not self.keeps_disks:
            self.things.pop(f"{_GROUP}{_COMPUTE}/disks/{disk['name']}".lower(), None)
        for each in properties["networkProfile"]["networkInterfaces"]:
            nic = self.things.pop(each["id"].lower()) if each["properties"]["deleteOption"] == "Delete" else None
            for config in nic["properties"]["ipConfigurations"] if nic else []:
                address = config["properties"].get("publicIPAddress")
                if address and address.get("properties", {}).get("deleteOption") == "Delete":
                    self.things.pop(address["id"].lower(), None)

    def _page(self, request: Request, found: list[Any]) -> Answer:
        start = int(request.query.get("$skiptoken", 0))
        body: dict[str, Any] = {"value": found[start : start + self.page]}
        if start + self.page < len(found):
            others = "&".join(f"{key}={value}" for key, value in request.query.items() if key != "$skiptoken")
            body["nextLink"] = f"{self.url}{request.path}?{others}&$skiptoken={start + self.page}"
        return 200, body

    def _thing(self, path: str) -> dict[str, Any]:
        self.kind("")
        if path.lower() not in self.things:
            raise self.refuse(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
        return self.things[path.lower()]

    def _store(self, request: Request, **more: Any) -> dict[str, Any]:
        path = request.path.lower()
        known = self.things.get(path, {})
        named = {"id": request.path, "name": request.path.rsplit("/", 1)[-1]}
        self.things[path] = {**known, **request.body, **named, **more}
        return self.things[path]

    # ------------------------------------------------------------------------------------------ virtual machines

    def look(self, vm: dict[str, Any], expand: bool) -> dict[str, Any]:
        if vm["power"] == "starting" and self.now() >= vm["up"]:
            vm["power"] = "running"
            vm["provisioning"] = "Succeeded"
        hidden = ("power", "provisioning", "up", "gone", "failure")
        shown = {key: value for key, value in vm.items() if key not in hidden}
        properties = {**vm["properties"], "provisioningState": vm["provisioning"]}
        if expand:
            statuses = [{"code": f"ProvisioningState/{vm['provisioning'].lower()}"}]
            if vm["provisioning"] == "Failed":
                code, text = vm["failure"]
                statuses = [{"code": f"ProvisioningState/failed/{code}", "message": text}]
            else:
                statuses.append({"code": f"PowerState/{vm['power']}"})
            properties["instanceView"] = {"statuses": statuses}
        return {**shown, "properties": properties}

    def evict(self, name: str) -> None:
        with self.lock:
            vm = self._thing(f"{_VMS}/{name}")
            assert vm["properties"]["priority"] == "Spot" and vm["properties"]["evictionPolicy"] == "Deallocate"
            self.look(vm, False)
            vm["power"] = "deallocated"

    @route("GET", _VMS)
    def list_vms(self, request: Request) -> Answer:
        return self._page(request, [self.look(vm, False) for vm in self.kind("virtualMachines")])

    @route("GET", f"{_SUBSCRIPTION}{_COMPUTE}/virtualMachines")
    def list_statuses(self, request: Request) -> Answer:
        assert request.query["statusOnly"] == "true"
        return self._page(request, [self.look(vm, True) for vm in self.kind("virtualMachines")])

    @route("GET", f"({_VMS}/[^/]+)")
    def get_vm(self, request: Request, path: str) -> Answer:
        return 200, self.look(self._thing(path), request.query.get("$expand") == "instanceView")

    @route("PUT", f"({_VMS}/[^/]+)")
    def put_vm(self, request: Request, path: str) -> Answer:
        asked = request.body["properties"]
        assert request.body["location"] == REGION
        base64.b64decode(asked["osProfile"]["customData"], validate=True)
        if asked["hardwareProfile"]["vmSize"] not in SIZES:
            raise self.refuse(400, "InvalidParameter", "The value of parameter vmSize is invalid.")
        for nic in asked["networkProfile"]["networkInterfaces"]:
            self._thing(nic["id"])
        exists = path.lower() in self.things
        if not exists and len(self.kind("virtualMachines")) >= self.quota:
            text = "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."
            raise self.refuse(409, "OperationNotAllowed", text)
        created = datetime.fromtimestamp(self.now(), UTC).isoformat()
        up = self.now() + self.boot_delay
        vm = self._store(request, power="starting", provisioning="Creating", up=up, gone=None)
        vm["properties"] = {"timeCreated": created, **asked}
        if self.fails_with is not None:
            failure = (self.fails_with, "We do not have sufficient capacity for the requested VM size.")
            vm.update(provisioning="Failed", power="unknown", failure=failure)
        disk = asked["storageProfile"]["osDisk"]["name"]
        disk_path = f"{_GROUP}{_COMPUTE}/disks/{disk}"
        self.things[disk_path.lower()] = {"id": disk_path, "name": disk, "properties": {}}
        return 201, self.look(vm, False)

    @route("POST", f"({_VMS}/[^/]+)/restart")
    def restart_vm(self, request: Request, path: str) -> Answer:
        self.get_vm(request, path)
        return 202, None

    @route("DELETE", f"({_VMS}/[^/]+)")
    def delete_vm(self, request: Request, path: str) -> Answer:
        self.kind("")
        if path.lower() not in self.things:
            return 204, None
        vm = self.things[path.lower()]
        if vm["gone"] is None:
            vm.update(provisioning="Deleting", gone=self.now() + self.delete_delay)
        return 202, None

    # ------------------------------------------------------------------------------------------- what is beside

    @route("GET", f"{_GROUP}{_NETWORK}/(networkInterfaces|publicIPAddresses)")
    def list_beside(self, request: Request, kind: str) -> Answer:
        return self._page(request, self.kind(kind))

    @route("GET", f"({_GROUP}{_NETWORK}/(?:networkInterfaces|publicIPAddresses)/[^/]+)")
    def get_beside(self, request: Request, path: str) -> Answer:
        return 200, self._thing(path)

    @route("PUT", f"({_GROUP}{_NETWORK}/networkInterfaces/[^/]+)")
    def put_nic(self, request: Request, path: str) -> Answer:
        nic = self._store(request)
        for config in nic["properties"]["ipConfigurations"]:
            subnet = config["properties"]["subnet"]["id"]
            if f"/virtualNetworks/{NETWORK}/subnets/" not in subnet:
                del self.things[path.lower()]
                raise self.refuse(400, "InvalidResourceReference", f"Resource {subnet} was not found.")
            self._number += 1
            config["properties"]["privateIPAddress"] = f"10.5.0.{self._number}"
            if "publicIPAddress" in config["properties"]:
                self._thing(config["properties"]["publicIPAddress"]["id"])
        return 201, nic

    @route("PUT", f"({_GROUP}{_NETWORK}/publicIPAddresses/[^/]+)")
    def put_address(self, request: Request, path: str) -> Answer:
        address = self._store(request)
        self._number += 1
        address["properties"]["ipAddress"] = f"203.0.113.{self._number}"
        return 201, address

    @route("DELETE", f"({_GROUP}(?:{_NETWORK}|{_COMPUTE})/(?:networkInterfaces|publicIPAddresses|disks)/[^/]+)")
    def delete_beside(self, request: Request, path: str) -> Answer:
        for vm in self.kind("virtualMachines"):
            used = [nic["id"].lower() for nic in vm["properties"]["networkProfile"]["networkInterfaces"]]
            if path.lower() in used:
                raise self.refuse(400, "NicInUse", f"Network interface {path} is used by a VM.")
        return (200 if self.things.pop(path.lower(), None) else 204), None

    @route("GET", f"{_GROUP}{_COMPUTE}/disks")
    def list_disks(self, request: Request) -> Answer:
        return self._page(request, self.kind("disks"))

    @route("GET", f"{_GROUP}{_COMPUTE}/images")
    def list_images(self, request: Request) -> Answer:
        return 200, {"value": [{"id": f"{_GROUP}{_COMPUTE}/images/our-own", "name": "our-own"}]}

    @route("GET", f"{_GROUP}")
    def get_group(self, request: Request) -> Answer:
        return 200, {"id": _GROUP, "location": REGION}

    @route("GET", f"{_GROUP}{_NETWORK}/virtualNetworks/{NETWORK}/subnets/([^/]+)")
    def get_subnet(self, request: Request, name: str) -> Answer:
        if name not in ("default", "nodes"):
            raise self.refuse(404, "NotFound", f"Resource {name} was not found.")
        return 200, {"name": name}

    @route("GET", f"{_SUBSCRIPTION}{_COMPUTE}/locations/{REGION}/vmSizes")
    def list_sizes(self, request: Request) -> Answer:
        found = [{"name": n, "numberOfCores": cpus, "memoryInMB": memory} for n, (cpus, memory) in SIZES.items()]
        return 200, {"value": found}

    @route("GET", f"{_SUBSCRIPTION}{_COMPUTE}/locations/{REGION}/usages")
    def list_usages(self, request: Request) -> Answer:
        return 200, {"value": [{"name": {"value": "cores"}, "currentValue": 2, "limit": self.quota}]}

    @route("GET", f"{_SUBSCRIPTION}{_COMPUTE}/locations/{REGION}/publishers/(.+)/versions")
    def list_versions(self, request: Request, image: str) -> Answer:
        if image != "Debian/artifacttypes/vmimage/offers/debian-12/skus/12-gen2":
            raise self.refuse(404, "ImageNotFound", "Artifact: VMImage was not found.")
        return 200, [{"name": "0.20261101.1"}]
