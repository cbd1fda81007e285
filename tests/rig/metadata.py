"""The metadata service that a host finds at 169.254.169.254: version 2 only, so nothing without a token."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

#: Paths below /latest/ and what they hold; a path that is not there is answered by 404.
Tree = Mapping[str, str]
_LONGEST = 21600


def tree(instance: Any, notice: float | None, region: str, user_data: bytes, public_key: str) -> dict[str, str]:
    """`notice`: the Instant at which the instance is reclaimed, if that is known."""
    zone = instance.placement.zone
    name = instance.private_dns_name
    found = {
        "meta-data/ami-id": instance.image_id,
        "meta-data/ami-launch-index": str(instance.ami_launch_index),
        "meta-data/hostname": name,
        "meta-data/instance-action": "none",
        "meta-data/instance-id": instance.id,
        "meta-data/instance-life-cycle": "spot" if instance.lifecycle == "spot" else "on-demand",
        "meta-data/instance-type": instance.instance_type,
        "meta-data/local-hostname": name,
        "meta-data/local-ipv4": instance.private_ip,
        "meta-data/placement/availability-zone": zone,
        "meta-data/placement/region": region,
        "meta-data/security-groups": "\n".join(group.name for group in instance.nics[0].group_set),
        "dynamic/instance-identity/document": json.dumps(
            {
                "accountId": instance.owner_id,
                "availabilityZone": zone,
                "imageId": instance.image_id,
                "instanceId": instance.id,
                "instanceType": instance.instance_type,
                "privateIp": instance.private_ip,
                "region": region,
            }
        ),
    }
    if instance.public_ip:
        found["meta-data/public-ipv4"] = instance.public_ip
    if public_key:
        found["meta-data/public-keys/0/openssh-key"] = public_key
    if user_data:
        found["user-data"] = user_data.decode("latin-1")
    if notice is not None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(notice))
        found["meta-data/spot/instance-action"] = json.dumps({"action": "terminate", "time": at})
        found["meta-data/spot/termination-time"] = at
    return found


class Metadata:
    """Of one host. `look` gives what there is now."""

    def __init__(self, look: Callable[[], Tree]) -> None:
        self._look = look
        self._tokens: dict[str, float] = {}

    def serve(self, connection: socket.socket, peer: Any) -> None:
        """One connection, in a thread of its own."""
        threading.Thread(target=self._serve, args=(connection, peer), name="rig-metadata", daemon=True).start()

    def _serve(self, connection: socket.socket, peer: Any) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_PUT(self) -> None:
                self._answer(*service.token(self.path, self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")))

            def do_GET(self) -> None:
                self._answer(*service.get(self.path, self.headers.get("X-aws-ec2-metadata-token")))

            def _answer(self, status: int, text: str) -> None:
                body = text.encode("latin-1")
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        with connection:
            try:
                Handler(connection, peer, None)  # type: ignore[arg-type] # the server is only asked to log
            except OSError:
                pass  # the host has gone meanwhile

    def token(self, path: str, life: str | None) -> tuple[int, str]:
        if path.rstrip("/") != "/latest/api/token":
            return 404, ""
        if life is None or not life.isdigit() or not 1 <= int(life) <= _LONGEST:
            return 400, "the time to live of the token is missing, or is not 1 to 21600 seconds"
        token = secrets.token_urlsafe(40)
        self._tokens[token] = time.monotonic() + int(life)
        return 200, token

    def get(self, path: str, token: str | None) -> tuple[int, str]:
        if token is None or self._tokens.get(token, 0.0) < time.monotonic():
            return 401, "Unauthorized"
        asked = path.partition("?")[0].removeprefix("/latest/").strip("/")
        there = self._look()
        if asked in there:
            return 200, there[asked]
        below = {key.removeprefix(f"{asked}/") for key in there if key.startswith(f"{asked}/")} if asked else set(there)
        names = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})
        return (200, "\n".join(names)) if names else (404, "Not Found")
