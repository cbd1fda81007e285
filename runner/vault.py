"""Passwords that stand in specifications are sealed before these are stored, and opened as they leave for a node.

Sealing is deterministic (AES-SIV, RFC 5297): the same password sealed again is the same text, so that specifications
can be compared. That two passwords are equal is all that the sealed texts tell.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha512
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec.structs import replace

from pools import ContainerRegistry, UserAccount, invalid_password

from .job_errors import require
from .task_spec import TaskSpec

_PREFIX = "sealed:"
_T = TypeVar("_T")


class VaultError(Exception):
    """A password was sealed with a secret that is lost, or the text is none of ours."""

    #: what the failure of a task is called that needs it
    code = "PasswordUnavailable"


class Vault:
    def __init__(self, secret: bytes) -> None:
        """`secret`: of the deployment, for this purpose only; at least 32 bytes."""
        if len(secret) < 32:
            raise ValueError("a secret of at least 32 bytes")
        self._cipher = AESSIV(hmac.digest(secret, b"passwords of specifications", sha512))

    def seal(self, password: str) -> str:
        """One that is sealed already stays as it is. Raises JobError if it is no password."""
        if password.startswith(_PREFIX):
            try:
                self.open(password)
            except VaultError:
                pass  # a password that begins so
            else:
                return password
        # when it is sealed nobody can tell any more
        require("userAccounts and registries", "password", invalid_password(password))
        sealed = self._cipher.encrypt(password.encode("utf-8", "surrogatepass"), [b"password"])
        return _PREFIX + base64.b64encode(sealed).decode()

    def open(self, sealed: str) -> str:
        """Raises VaultError."""
        if not sealed.startswith(_PREFIX):
            raise VaultError("the password is not sealed; give it again")
        try:
            data = base64.b64decode(sealed.removeprefix(_PREFIX), validate=True)
            return self._cipher.decrypt(data, [b"password"]).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError) as exc:
            text = "the state's secret is not the one that the password was sealed with; give it again"
            raise VaultError(text) from exc

    def sealed(self, spec: _T) -> _T:
        """The specification (of pools, jobs, tasks; a workload) with all its passwords sealed. Raises
        JobError."""
        found: _T = self._sealed(spec)
        return found

    def opened(self, items: Any) -> Any:
        """JSON-like values with every `password` in them opened. Raises VaultError."""
        if isinstance(items, dict):
            return {
                key: self.open(value) if key == "password" and isinstance(value, str) else self.opened(value)
                for key, value in items.items()
            }
        return [self.opened(item) for item in items] if isinstance(items, list | tuple) else items

    def _sealed(self, value: Any) -> Any:
        if isinstance(value, UserAccount | ContainerRegistry):
            return value if value.password is None else replace(value, password=self.seal(value.password))
        if isinstance(value, TaskSpec) and value.container_settings is None:
            return value  # there may be a million of them
        if isinstance(value, msgspec.Struct):
            changed = {}
            for name in value.__struct_fields__:
                before = getattr(value, name)
                if (after := self._sealed(before)) is not before:
                    changed[name] = after
            return replace(value, **changed) if changed else value
        if isinstance(value, tuple):
            if all(type(each) is TaskSpec and each.container_settings is None for each in value):
                return value
            parts = tuple(map(self._sealed, value))
            return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
        if isinstance(value, dict):
            return {key: self._of_dict(key, each) for key, each in value.items()}
        return [self._sealed(each) for each in value] if isinstance(value, list) else value

    def _of_dict(self, key: str, value: Any) -> Any:
        return self.seal(value) if key == "password" and isinstance(value, str) else self._sealed(value)
