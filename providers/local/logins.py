"""Who may log in to a local node beside the controller: its node users, as the agent has written them down.

They are read at each question, so that what the agent writes counts at once; so does the time at which one is over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Where the agent keeps them, below the node root.
LOGINS_FILE = ".ebbtide/logins.json"


@dataclass(frozen=True)
class Login:
    """`uid`: who it is on the machine, None: the node's own user. `serial`: another one for each user of one name."""

    name: str
    uid: int | None
    home: str
    serial: str


class Logins:
    def __init__(self, root: Path, now: Callable[[], float]) -> None:
        """`root`: of the node."""
        self._file = root / LOGINS_FILE
        self._now = now

    def by_password(self, name: str, password: str) -> Login | None:
        """The user, if that is its password."""
        entry = self._entry(name)
        if entry is None or entry.get("hash") is None:
            return None
        salt, rounds = bytes.fromhex(entry["salt"]), int(entry["rounds"])
        derived = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), salt, rounds)
        return _login(name, entry) if hmac.compare_digest(derived.hex(), entry["hash"]) else None

    def by_key(self, name: str, key: bytes) -> Login | None:
        """The user, if that is its key (the client has yet to prove that it holds it)."""
        entry = self._entry(name)
        if entry is None or not entry.get("key"):
            return None
        try:
            own = base64.b64decode(entry["key"].split()[1], validate=True)
        except (binascii.Error, IndexError):
            return None
        return _login(name, entry) if hmac.compare_digest(own, key) else None

    def stands(self, login: Login) -> bool:
        """Is it still a user of the node, and the same one?"""
        entry = self._entry(login.name)
        return entry is not None and entry.get("serial") == login.serial

    def _entry(self, name: str) -> dict[str, Any] | None:
        try:
            entries = json.loads(self._file.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        entry: dict[str, Any] | None = entries.get(name)
        return entry if entry is not None and entry["made"] and self._now() < entry["expires"] else None


def _login(name: str, entry: dict[str, Any]) -> Login:
    return Login(name, entry["uid"], entry["home"], entry["serial"])
