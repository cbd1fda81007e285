"""A fake of Google Compute Engine's API v1, and of the sign-in of service accounts."""

from __future__ import annotations

import base64
import itertools
import json
import re
import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .api import Answer, FakeApi, Refused, Request, route

PROJECT, ZONES = "a-project", ("europe-west1-b", "europe-west1-c")
ACCOUNT = "tester@a-project.iam.gserviceaccount.com"
TYPES = {"e2-small": (2, 2048), "e2-standard-2": (2, 8192), "n1-standard-4": (4, 15360)}
_BASE = f"/compute/v1/projects/{PROJECT}"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}\Z")


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(path: Path) -> Path:
    """A service account's key file for the fake."""
    pem = _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    told = {"type": "service_account", "project_id": PROJECT, "client_email": ACCOUNT, "private_key": pem.decode()}
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


class FakeGce(FakeApi):
    def __init__(self, boot_delay: float = 0.05) -> None:
        super().__init__(boot_delay)
        self.instances: dict[tuple[str, str], dict[str, Any]] = {}
        self.disks: dict[tuple[str, str], dict[str, Any]] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        self.by_request: dict[str, dict[str, Any]] = {}
        self.exhausted: set[str] = set()  # zones without room, as the operation tells
        self.unreachable: set[str] = set()
        self.quota = 24
        self.page = 500
        self.operation_delay = 0.02
        self.delete_delay = 0.05
        self.tokens: set[str] = set()
        self._ids = itertools.count(7_000_000_000)

    def refusal(self, status: int, message: str, reason: str = "invalid") -> Any:
        error = {"domain": "global", "reason": reason, "message": message}
        return {"error": {"code": status, "message": message, "errors": [error]}}

    def refuse(self, status: int, message: str, reason: str = "invalid") -> Refused:
        return Refused(status, self.refusal(status, message, reason))

    def admit(self, request: Request) -> None:
        if request.path == "/o/oauth2/token":
            return
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise self.refuse(401, "Invalid Credentials", "authError")

    @route("POST", "/o/oauth2/token")
    def sign_in(self, request: Request) -> Answer:
        assertion = parse_qs(request.body)["assertion"][0]
        signed, _, signature = assertion.rpartition(".")
        try:
            _key().public_key().verify(
                base64.urlsafe_b64decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
        if claims["iss"] != ACCOUNT:
            return 400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    # ------------------------------------------------------------------------------------------------ instances

    def there(self) -> list[dict[str, Any]]:
        for key, each in list(self.instances.items()):
            if each["gone"] is not None and self.now() >= each["gone"]:
                del self.instances[key]
                self.disks.pop(key, None)
            elif each["status"] in ("PROVISIONING", "STAGING") and self.now() >= each["up"]:
                each["status"] = "RUNNING"
        return list(self.instances.values())

    def look(self, instance: dict[str, Any]) -> dict[str, Any]:
        hidden = ("up", "gone", "metadata", "disks", "number")
        return {key: value for key, value in instance.items() if key not in hidden}

    def preempt(self, name: str) -> None:
        with self.lock:
            [instance] = [each for each in self.there() if each["name"] == name]
            instance["status"] = "TERMINATED"
            self._operation(instance["zone"].rsplit("/", 1)[-1], "compute.instances.preempted", instance["id"])

    @route("GET", _BASE + "/aggregated/instances")
    def list_instances(self, request: Request) -> Answer:
        found = [self.look(each) for each in self.there() if _meets(each, request.query.get("filter", ""))]
        start = int(request.query.get("pageToken", 0))
        items: dict[str, Any] = {f"zones/{zone}": {} for zone in ZONES}
        for each in found[start : start + self.page]:
            items[f"zones/{each['zone'].rsplit('/', 1)[-1]}"].setdefault("instances", []).append(each)
        for place, scope in items.items():
            if place.removeprefix("zones/") in self.unreachable:
                scope["warning"] = {"code": "UNREACHABLE"}
            elif "instances" not in scope:
                scope["warning"] = {"code": "NO_RESULTS_ON_PAGE"}
        more = {"nextPageToken": str(start + self.page)} if start + self.page < len(found) else {}
        return 200, {"items": items, **more}

    @route("GET", _BASE + "/zones/([^/]+)/instances/([^/]+)")
    def get_instance(self, request: Request, zone: str, name: str) -> Answer:
        return 200, self.look(self._instance(zone, name))

    def _instance(self, zone: str, name: str) -> dict[str, Any]:
        self.there()
        if (zone, name) not in self.instances:
            raise self.refuse(404, f"The resource 'zones/{zone}/instances/{name}' was not found", "notFound")
        return self.instances[zone, name]

    @route("POST", _BASE + "/zones/([^/]+)/instances")
    def create_instance(self, request: Request, zone: str) -> Answer:
        asked, mark = request.body, request.query.get("requestId", "")
        if mark in self.by_request:
            return 200, self.by_request[mark]
        name = asked["name"]
        if not _NAME.match(name) or not all(_LABEL.match(x) for pair in asked["labels"].items() for x in pair):
            raise self.refuse(400, f"Invalid value for field 'resource.name': '{name}'")
        self.there()
        if (zone, name) in self.instances:
            raise self.refuse(409, f"The resource '{name}' already exists", "alreadyExists")
        number = str(next(self._ids))
        operation = self._operation(zone, "insert", number)
        self.by_request[mark] = operation
        if zone in self.exhausted:
            text = f"The zone '{zone}' does not have enough resources available to fulfill the request."
            operation["failure"] = {"code": "ZONE_RESOURCE_POOL_EXHAUSTED", "message": text}
            return 200, _shown(operation)
        if len(self.instances) >= self.quota:
            text = f"Quota 'INSTANCES' exceeded. Limit: {self.quota}.0 in region europe-west1."
            operation["failure"] = {"code": "QUOTA_EXCEEDED", "message": text}
            return 200, _shown(operation)
        last = int(number) % 250 + 1
        access = asked["networkInterfaces"][0].get("accessConfigs", [])
        interface = {"networkIP": f"10.132.0.{last}", "accessConfigs": access}
        for config in access:
            config["natIP"] = f"203.0.113.{last}"
        self.instances[zone, name] = {
            "id": number,
            "name": name,
            "status": "PROVISIONING",
            "zone": f"{self.url}{_BASE}/zones/{zone}",
            "machineType": f"{self.url}{_BASE}/{asked['machineType']}",
            "creationTimestamp": datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds"),
            "description": asked["description"],
            "labels": asked["labels"],
            "networkInterfaces": [interface],
            "scheduling": asked["scheduling"],
            "metadata": asked["metadata"],
            "disks": asked["disks"],
            "up": self.now() + self.boot_delay,
            "gone": None,
        }
        self.disks[zone, name] = asked["disks"][0]
        return 200, _shown(operation)

    @route("POST", _BASE + "/zones/([^/]+)/instances/([^/]+)/reset")
    def reset_instance(self, request: Request, zone: str, name: str) -> Answer:
        instance = self._instance(zone, name)
        if instance["status"] != "RUNNING":
            raise self.refuse(400, f"Instance {name} is not running", "invalidUsage")
        return 200, _shown(self._operation(zone, "reset", instance["id"]))

    @route("DELETE", _BASE + "/zones/([^/]+)/instances/([^/]+)")
    def delete_instance(self, request: Request, zone: str, name: str) -> Answer:
        instance = self._instance(zone, name)
        if instance["gone"] is None:
            instance.update(status="STOPPING", gone=self.now() + self.delete_delay)
        return 200, _shown(self._operation(zone, "delete", instance["id"]))

    @route("GET", _BASE + "/zones/([^/]+)/instances/([^/]+)/serialPort")
    def serial_port(self, request: Request, zone: str, name: str) -> Answer:
        return 200, {"contents": f"{name} login:\n{self._instance(zone, name).get('console', '')}"}

    # ----------------------------------------------------------------------------------------------- operations

    def _operation(self, zone: str, kind: str, target: str) -> dict[str, Any]:
        name = f"operation-{next(self._ids)}"
        done = self.now() + self.operation_delay
        operation = {"name": name, "zone": zone, "operationType": kind, "targetId": target, "done": done}
        self.operations[name] = operation
        return operation

    @route("GET", _BASE + "/zones/([^/]+)/operations/([^/]+)")
    def get_operation(self, request: Request, zone: str, name: str) -> Answer:
        operation = self.operations[name]
        shown = _shown(operation)
        if self.now() >= operation["done"]:
            shown["status"] = "DONE"
            if "failure" in operation:
                shown["error"] = {"errors": [operation["failure"]]}
        return 200, shown

    @route("GET", _BASE + "/zones/([^/]+)/operations")
    def list_operations(self, request: Request, zone: str) -> Answer:
        found = [each for each in self.operations.values() if each["zone"] == zone]
        return 200, {"items": [_shown(each) for each in found if _meets(each, request.query["filter"])]}

    # ------------------------------------------------------------------------------------------------ what there is

    @route("GET", _BASE + "/zones/([^/]+)")
    def get_zone(self, request: Request, zone: str) -> Answer:
        if zone not in ZONES:
            raise self.refuse(404, f"The resource 'projects/{PROJECT}/zones/{zone}' was not found", "notFound")
        return 200, {"name": zone, "status": "UP"}

    @route("GET", _BASE + "/regions/([^/]+)")
    def get_region(self, request: Request, region: str) -> Answer:
        quotas = [
            {"metric": "CPUS", "limit": 24.0, "usage": 2.0},
            {"metric": "INSTANCES", "limit": float(self.quota), "usage": float(len(self.instances))},
        ]
        return 200, {"name": region, "quotas": quotas}

    def _type(self, name: str) -> dict[str, Any]:
        return {"name": name, "guestCpus": TYPES[name][0], "memoryMb": TYPES[name][1]}

    @route("GET", _BASE + "/zones/([^/]+)/machineTypes")
    def list_types(self, request: Request, zone: str) -> Answer:
        return 200, {"items": [self._type(name) for name in TYPES]}

    @route("GET", _BASE + "/zones/([^/]+)/machineTypes/([^/]+)")
    def get_type(self, request: Request, zone: str, name: str) -> Answer:
        if name not in TYPES:
            raise self.refuse(404, f"The resource 'machineTypes/{name}' was not found", "notFound")
        return 200, self._type(name)

    @route("GET", "/compute/v1/projects/([^/]+)/global/images/family/([^/]+)")
    def get_family(self, request: Request, project: str, name: str) -> Answer:
        if (project, name) != ("debian-cloud", "debian-12"):
            raise self.refuse(404, f"The resource '{name}' was not found", "notFound")
        return 200, {"name": "debian-12-bookworm-v20261101"}

    @route("GET", _BASE + "/global/images")
    def list_images(self, request: Request) -> Answer:
        return 200, {"items": [{"name": "our-own", "description": "made by hand"}]}

    @route("GET", _BASE + "/regions/([^/]+)/subnetworks/([^/]+)")
    def get_subnet(self, request: Request, region: str, name: str) -> Answer:
        if name != "nodes":
            raise self.refuse(404, f"The resource '{name}' was not found", "notFound")
        return 200, {"name": name}


def _shown(operation: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in operation.items() if key not in ("done", "failure")}
    return {**shown, "status": "RUNNING"}


def _meets(thing: dict[str, Any], condition: str) -> bool:
    """As far as the filter language is used: FIELD="VALUE", joined by AND."""
    for field, value in re.findall(r'([\w.-]+)="([^"]*)"', condition):
        found = thing.get("labels", {}).get(field[7:]) if field.startswith("labels.") else thing.get(field)
        if found != value:
            return False
    return True
