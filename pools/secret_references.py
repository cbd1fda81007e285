"""References to secrets, in the values of environment settings and as passwords: `${secret:file:NAME}` and
`${secret:env:NAME}`. Specifications, records and answers hold the references; see `Secrets`. Pure."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_START = "${secret:"
#: Names are parts of paths and of variables' names.
REFERENCE = re.compile(r"\$\{secret:(file|env):([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})\}", re.ASCII)


class SecretReference(NamedTuple):
    """`file`: of the folder of secrets; `env`: a variable of the controller's."""

    kind: Literal["file", "env"]
    name: str

    def __str__(self) -> str:
        return f"{_START}{self.kind}:{self.name}}}"


def holds_secrets(text: str) -> bool:
    """Does it refer to a secret, or look as if it should?"""
    return _START in text


def invalid_password(text: str) -> str | None:
    """What is wrong with a password as it is given, or None."""
    if not text or any(char in "\n\r\0" for char in text):
        return "must be one line, and not empty"
    if _START in text and not REFERENCE.fullmatch(text):
        return "is a reference to a secret, ${secret:file:NAME} or ${secret:env:NAME}, and nothing else, or holds none"
    return None


def invalid_references(text: str) -> str | None:
    """What is wrong with the references in `text`, or None."""
    if _START not in text or text.count(_START) == len(REFERENCE.findall(text)):
        return None
    return (
        "a secret is referred to as ${secret:file:NAME} or ${secret:env:NAME}; its name has 1 to 128 letters, digits, "
        "hyphens, underscores and dots, and begins with no dot or hyphen"
    )
