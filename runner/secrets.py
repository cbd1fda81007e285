"""Secrets that specifications only refer to: read on the controller, each time anew, as a command leaves for a node.

What they are is in no record, log or answer: only in what the node is told, over SSH, and there in the environment of
the command. What is said of one that cannot be had is its reference, and never its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pools import REFERENCE, SecretReference, holds_secrets

from .vault import VaultError

#: Bytes of one secret at most: what a variable of a process can hold, and room for what stands around it.
LARGEST = 96 * 1024
_LINE = re.compile(r"[^\x00-\x1f\x7f]+")


class SecretError(VaultError):
    """A secret cannot be had. Says which, and the cure."""

    code = "SecretUnavailable"


class Secrets:
    def __init__(
        self, folder: Path | None = None, prefix: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """`folder`: of the files that may be referred to. `prefix`: how the names of the variables begin that may be,
        which `environment` holds. None: none may be."""
        self._folder = folder
        self._prefix = prefix
        self._environment = environment or {}

    def filled(self, text: str) -> str:
        """The text with what it refers to. Raises SecretError."""
        if not holds_secrets(text):
            return text
        return REFERENCE.sub(lambda found: self._value(_reference(found)), text)

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Raises SecretError, which names the variable."""
        found = {}
        for name, value in settings.items():
            try:
                found[name] = self.filled(value)
            except SecretError as exc:
                raise SecretError(f"environmentSettings: {name}: {exc}") from None
        return found

    def passwords(self, items: Any) -> Any:
        """JSON-like values; every `password` in them that is nothing but a reference becomes what it refers to. Raises
        SecretError."""
        if isinstance(items, dict):
            return {key: self._password(key, value) for key, value in items.items()}
        return [self.passwords(item) for item in items] if isinstance(items, list | tuple) else items

    def _password(self, key: str, value: Any) -> Any:
        if key != "password" or not isinstance(value, str):
            return self.passwords(value)
        found = REFERENCE.fullmatch(value)
        if found is None:
            return value
        password = self._value(_reference(found))
        if _LINE.fullmatch(password) is None:
            raise SecretError(f"{_reference(found)}: a password must be one line, and not empty")
        return password

    def _value(self, reference: SecretReference) -> str:
        value = self._read(reference) if reference.kind == "file" else self._variable(reference)
        if "\0" in value:
            raise SecretError(f"{reference}: it holds a NUL character, which no variable can")
        return value

    def _variable(self, reference: SecretReference) -> str:
        if self._prefix is None:
            raise SecretError(f"{reference}: the settings allow no variables (secrets.prefix)")
        name = self._prefix + reference.name
        if name not in self._environment:
            raise SecretError(f"{reference}: the controller was started without the variable {name}")
        return self._environment[name]

    def _read(self, reference: SecretReference) -> str:
        """Without the line feed at its end that editors write."""
        if self._folder is None:
            raise SecretError(f"{reference}: the settings name no folder of secrets (secrets.folder)")
        path = self._folder / reference.name
        try:
            if not path.is_file():
                raise SecretError(f"{reference}: there is no file of that name in the folder of secrets")
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
            if len(data) > LARGEST:
                raise SecretError(f"{reference}: it is larger than {LARGEST:,} bytes")
            return data.decode().removesuffix("\n").removesuffix("\r")
        except OSError as exc:
            raise SecretError(f"{reference}: its file cannot be read: {exc.strerror}") from None
        except UnicodeDecodeError:
            raise SecretError(f"{reference}: its file is not UTF-8") from None


def _reference(found: re.Match[str]) -> SecretReference:
    kind, name = found.groups()
    return SecretReference("file" if kind == "file" else "env", name)
