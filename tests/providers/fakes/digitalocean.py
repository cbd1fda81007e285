"""A fake of DigitalOcean's API v2."""

from __future__ import annotations

import base64
import hashlib
import itertools
from datetime import UTC, datetime
from typing import Any

from .api import Answer, FakeApi, Refused, Request, route

TOKEN = "dop_v1_of_a_test"
SIZES = {"s-1vcpu-1gb": (1, 1024, 0.00893), "s-2vcpu-4gb": (2, 4096, 0.03571), "s-4vcpu-8gb": (4, 8192, 0.07143)}
REGIONS = ["fra1", "nyc3"]


class FakeDigitalOcean(FakeApi):
    def __init__(self, boot_delay: float = 0.05) -> None:
        super().__init__(boot_delay)
        self.droplets: dict[int, dict[str, Any]] = {}
        self.keys: dict[int, dict[str, Any]] = {}
        self.tags: set[str] = set()
        self.limit = 25
        self.page = 200
        self._ids = itertools.count(3_164_400)

    def refusal(self, status: int, message: str) -> Any:
        return {"id": {401: "unauthorized", 404: "not_found"}.get(status, "unprocessable_entity"), "message": message}

    def refuse(self, status: int, message: str) -> Refused:
        return Refused(status, self.refusal(status, message))

    def admit(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise self.refuse(401, "Unable to authenticate you")

    def _paged(self, request: Request, key: str, items: list[Any]) -> Answer:
        size = min(int(request.query.get("per_page", 20)), self.page)
        page = int(request.query.get("page", 1))
        last = max(1, -(-len(items) // size))
        ahead = {"next": page + 1, "last": last} if page < last else {}
        pages = {name: f"{self.url}{request.path}?page={number}&per_page={size}" for name, number in ahead.items()}
        links = {"pages": pages} if last > 1 else {}
        return 200, {key: items[(page - 1) * size : page * size], "links": links, "meta": {"total": len(items)}}

    # ------------------------------------------------------------------------------------------------- droplets

    def look(self, droplet: dict[str, Any]) -> dict[str, Any]:
        if droplet["status"] == "new" and self.now() >= droplet["up"]:
            droplet["status"] = "active"
        there = droplet["status"] != "new"
        number = droplet["id"] % 250 + 1
        nets = [
            {"ip_address": f"10.110.0.{number}", "type": "private"},
            {"ip_address": f"203.0.113.{number}", "type": "public"},
        ]
        hidden = ("up", "user_data", "ssh_keys")
        shown = {key: value for key, value in droplet.items() if key not in hidden}
        return {**shown, "networks": {"v4": nets if there else [], "v6": []}}

    @route("GET", "/v2/droplets")
    def list_droplets(self, request: Request) -> Answer:
        found = [self.look(droplet) for droplet in self.droplets.values()]
        if "tag_name" in request.query:
            found = [each for each in found if request.query["tag_name"] in each["tags"]]
        elif "name" in request.query:
            found = [each for each in found if request.query["name"].lower() == each["name"].lower()]
        return self._paged(request, "droplets", found)

    @route("GET", "/v2/droplets/([0-9]+)")
    def get_droplet(self, request: Request, number: str) -> Answer:
        return 200, {"droplet": self.look(self._droplet(number))}

    def _droplet(self, number: str) -> dict[str, Any]:
        if int(number) not in self.droplets:
            raise self.refuse(404, "The resource you were accessing could not be found.")
        return self.droplets[int(number)]

    @route("POST", "/v2/droplets")
    def create_droplet(self, request: Request) -> Answer:
        asked = request.body
        if len(self.droplets) >= self.limit:
            raise self.refuse(422, "creating this/these droplet(s) will exceed your droplet limit")
        if asked["region"] not in REGIONS:
            raise self.refuse(422, "You specified an invalid region for Droplet creation.")
        if asked["size"] not in SIZES:
            raise self.refuse(422, "You specified an invalid size for Droplet creation.")
        if not all(part.replace("-", "").isalnum() for part in asked["name"].split(".")):
            raise self.refuse(422, "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
        known = {key["fingerprint"] for key in self.keys.values()}
        if not set(asked["ssh_keys"]) <= known:
            raise self.refuse(422, "are invalid key identifiers for Droplet creation.")
        for tag in asked["tags"]:
            if len(tag) > 255 or not all(c.isascii() and (c.isalnum() or c in ":-_") for c in tag):
                raise self.refuse(422, f"Tag {tag} is invalid")
            self.tags.add(tag)
        number = next(self._ids)
        droplet = {
            "id": number,
            "name": asked["name"],
            "status": "new",
            "size_slug": asked["size"],
            "size": self._size(asked["size"]),
            "region": {"slug": asked["region"], "name": asked["region"].upper()},
            "image": {"id": asked["image"]},
            "created_at": datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tags": asked["tags"],
            "vpc_uuid": asked.get("vpc_uuid"),
            "user_data": asked["user_data"],
            "ssh_keys": asked["ssh_keys"],
            "up": self.now() + self.boot_delay,
        }
        self.droplets[number] = droplet
        return 202, {"droplet": self.look(droplet), "links": {}}

    @route("POST", "/v2/droplets/([0-9]+)/actions")
    def act(self, request: Request, number: str) -> Answer:
        droplet = self._droplet(number)
        if request.body != {"type": "reboot"}:
            raise self.refuse(422, "there is no such action here")
        return 201, {"action": {"status": "in-progress", "type": "reboot", "resource_id": droplet["id"]}}

    @route("DELETE", "/v2/droplets/([0-9]+)")
    def delete_droplet(self, request: Request, number: str) -> Answer:
        del self.droplets[self._droplet(number)["id"]]
        return 204, None

    # ------------------------------------------------------------------------------------------- what is beside

    @route("GET", "/v2/account")
    def account(self, request: Request) -> Answer:
        return 200, {"account": {"droplet_limit": self.limit, "status": "active", "status_message": ""}}

    @route("GET", "/v2/account/keys")
    def list_keys(self, request: Request) -> Answer:
        return self._paged(request, "ssh_keys", list(self.keys.values()))

    @route("GET", "/v2/account/keys/(.+)")
    def get_key(self, request: Request, mark: str) -> Answer:
        return 200, {"ssh_key": self._key(mark)}

    def _key(self, mark: str) -> dict[str, Any]:
        for key in self.keys.values():
            if mark in (str(key["id"]), key["fingerprint"]):
                return key
        raise self.refuse(404, "The resource you were accessing could not be found.")

    @route("POST", "/v2/account/keys")
    def create_key(self, request: Request) -> Answer:
        digest = hashlib.md5(base64.b64decode(request.body["public_key"].split()[1])).hexdigest()
        mark = ":".join(digest[i : i + 2] for i in range(0, 32, 2))
        if any(key["fingerprint"] == mark for key in self.keys.values()):
            raise self.refuse(422, "SSH Key is already in use on your account")
        number = next(self._ids)
        self.keys[number] = {"id": number, "fingerprint": mark, **request.body}
        return 201, {"ssh_key": self.keys[number]}

    @route("DELETE", "/v2/account/keys/(.+)")
    def delete_key(self, request: Request, mark: str) -> Answer:
        del self.keys[self._key(mark)["id"]]
        return 204, None

    @route("DELETE", "/v2/tags/(.+)")
    def delete_tag(self, request: Request, name: str) -> Answer:
        if name not in self.tags:
            raise self.refuse(404, "The resource you were accessing could not be found.")
        self.tags.remove(name)
        return 204, None

    def _size(self, slug: str) -> dict[str, Any]:
        cpus, memory, price = SIZES[slug]
        return {
            "slug": slug,
            "vcpus": cpus,
            "memory": memory,
            "disk": 25,
            "transfer": 1.0,
            "price_monthly": round(price * 672),
            "price_hourly": price,
            "regions": REGIONS,
            "available": True,
        }

    @route("GET", "/v2/sizes")
    def list_sizes(self, request: Request) -> Answer:
        gpu = {**self._size(next(iter(SIZES))), "slug": "gpu-h100x1-80gb"}
        return self._paged(request, "sizes", [*(self._size(slug) for slug in SIZES), gpu])

    @route("GET", "/v2/images")
    def list_images(self, request: Request) -> Answer:
        private = request.query.get("private") == "true"
        image = {"id": 9_001, "slug": None, "name": "my snapshot", "distribution": "Debian", "public": False}
        return self._paged(request, "images", [image if private else self._debian()])

    def _debian(self) -> dict[str, Any]:
        return {"id": 7_001, "slug": "debian-12-x64", "name": "12 x64", "distribution": "Debian", "public": True}

    @route("GET", "/v2/images/(.+)")
    def get_image(self, request: Request, mark: str) -> Answer:
        if mark not in ("debian-12-x64", "7001"):
            raise self.refuse(404, "The resource you were accessing could not be found.")
        return 200, {"image": self._debian()}

    @route("GET", "/v2/vpcs/(.+)")
    def get_vpc(self, request: Request, mark: str) -> Answer:
        if mark != "vpc-1":
            raise self.refuse(404, "The resource you were accessing could not be found.")
        return 200, {"vpc": {"id": mark, "region": REGIONS[0]}}
