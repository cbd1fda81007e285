"""The SSH key that new droplets are created with: without one, DigitalOcean makes a root password and mails it."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from libcloud.common.exceptions import BaseHTTPError

from ..errors import InvalidRequestError


def fingerprint(public_key: str) -> str:
    """As DigitalOcean names a key. Raises InvalidRequestError."""
    try:
        blob = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, ValueError) as exc:
        raise InvalidRequestError(f"{public_key[:40]!r} is no public key in OpenSSH form") from exc
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, 32, 2))


class DeploymentKey:
    """The deployment's key at DigitalOcean: made when a droplet needs it, removed when the last has gone."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._users = 0

    @contextmanager
    def used(self, driver: Any, public_key: str) -> Iterator[str]:
        """Its fingerprint. It is there, and stays, while this lasts."""
        mark = fingerprint(public_key)
        with self._lock:
            if _found(driver, mark) is None:
                try:
                    driver.ex_post("/v2/account/keys", {"name": self._name, "public_key": public_key})
                except BaseHTTPError:
                    if _found(driver, mark) is None:  # another controller may have been faster
                        raise
            self._users += 1
        try:
            yield mark
        finally:
            with self._lock:
                self._users -= 1

    def remove(self, driver: Any, unneeded: Callable[[], bool]) -> None:
        """Remove it if `unneeded` says that no droplet is left, and none is being made. One that the user has put
        there under another name stays."""
        with self._lock:
            if self._users or not unneeded():
                return
            for key in driver.ex_all("/v2/account/keys", "ssh_keys"):
                if key["name"] == self._name:
                    driver.ex_delete(f"/v2/account/keys/{key['id']}")


def _found(driver: Any, mark: str) -> Any | None:
    told = driver.ex_find(f"/v2/account/keys/{mark}")
    return told and told["ssh_key"]
