"""Accounts: who may use the API, with which keys. They stand in STATE/accounts.json, which only its user may read.

Each has two keys, so that one can be renewed while clients use the other. A server takes over what changes there with
the next request.
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from ..deployment_key import StateError, write_file

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
#: Bytes of a key, and how many one has at least that somebody else has made.
KEY, _SHORTEST = 64, 32
Kind = Literal["readwrite", "readonly"]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """`keys`: base64, the primary and the secondary. `created`: an Instant."""

    name: str
    kind: Kind = "readwrite"
    keys: tuple[str, str]
    created: float


class AccountError(StateError):
    """An account that cannot be made, or is not there."""


class Accounts:
    def __init__(self, state: Path) -> None:
        self._path = state / "accounts.json"
        self._seen: tuple[int, int, int] | None = None
        self._accounts: Mapping[str, Account] = {}

    def all(self) -> Mapping[str, Account]:
        """By name, as they are now. Raises AccountError."""
        try:
            stat = os.stat(self._path)
            seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if seen != self._seen:
                read = msgspec.json.decode(self._path.read_bytes(), type=list[Account])
                if not all(_is_key(key) for each in read for key in each.keys):
                    raise ValueError("a key is not the base64 of at least 32 bytes")
                self._accounts, self._seen = {each.name: each for each in read}, seen
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as exc:  # of msgspec, too
            raise AccountError(f"{self._path}: the accounts cannot be read: {exc}; restore it, or remove it") from None
        return self._accounts

    def get(self, name: str) -> Account:
        """Raises AccountError."""
        return self._known(self.all(), name)

    def create(self, name: str, kind: Kind, now: float, secret: Callable[[int], bytes]) -> Account:
        """Raises AccountError."""
        if not _NAME.fullmatch(name):
            raise AccountError(f"{name!r} is no name of an account: 1 to 64 letters, digits, - and _")
        with self._changing() as accounts:
            if name in accounts:
                cure = f"`ebbtide account key renew {name}` makes one of its keys anew"
                raise AccountError(f"there is an account {name!r} already; {cure}")
            made = Account(name=name, kind=kind, keys=(_key(secret), _key(secret)), created=now)
            accounts[name] = made
        return made

    def renew(self, name: str, key: Literal["primary", "secondary"], secret: Callable[[int], bytes]) -> Account:
        """The other key goes on being good. Raises AccountError."""
        with self._changing() as accounts:
            known = self._known(accounts, name)
            keys = (_key(secret), known.keys[1]) if key == "primary" else (known.keys[0], _key(secret))
            accounts[name] = made = replace(known, keys=keys)
        return made

    def delete(self, name: str) -> None:
        """Raises AccountError."""
        with self._changing() as accounts:
            del accounts[self._known(accounts, name).name]

    def _known(self, accounts: Mapping[str, Account], name: str) -> Account:
        if name not in accounts:
            raise AccountError(f"there is no account {name!r}; there are: {', '.join(accounts) or 'none'}")
        return accounts[name]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        with open(self._path.with_suffix(".lock"), "w", opener=_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            accounts = dict(self.all())
            yield accounts
            write_file(self._path, msgspec.json.format(msgspec.json.encode(list(accounts.values()))), 0o600)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _key(secret: Callable[[int], bytes]) -> str:
    return base64.b64encode(secret(KEY)).decode()


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) >= _SHORTEST
    except ValueError:
        return False
