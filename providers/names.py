"""What a VM may be called: safe as a file name and as a process marker, and carrying the deployment id."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import InvalidRequestError
from .provider import VmSpec

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_RULE = "use 1 to 128 letters, digits, '.', '_' and '-', first a letter or digit"


def carries(name: str, deployment: str) -> bool:
    """True if `deployment` stands in `name` as a whole part: at an end or between hyphens."""
    return f"-{deployment}-" in f"-{name}-"


def check_deployment(deployment: str) -> str:
    """Raises InvalidRequestError."""
    if not _PLAIN.match(deployment):
        raise InvalidRequestError(f"deployment id {deployment!r}: {_RULE}")
    return deployment


def check_name(name: str, deployment: str) -> str:
    """Raises InvalidRequestError."""
    if not _PLAIN.match(name):
        raise InvalidRequestError(f"VM name {name!r}: {_RULE}")
    if not carries(name, deployment):
        raise InvalidRequestError(
            f"VM name {name!r} does not carry the deployment id: call it '{deployment}-...', to be unique"
        )
    return name


def check_spec(spec: VmSpec, deployment: str) -> None:
    """The VM is this deployment's, and named so. Raises InvalidRequestError."""
    check_name(spec.name, deployment)
    if spec.deployment != deployment:
        raise InvalidRequestError(
            f"VM {spec.name} is for deployment {spec.deployment!r}; this provider serves {deployment!r}"
        )


def unknown(provider: str, kind: str, wanted: str, known: Iterable[str]) -> InvalidRequestError:
    """The refusal of a size or image that the provider does not offer."""
    listed = ", ".join(sorted(known))
    return InvalidRequestError(f"provider {provider} does not know the {kind} {wanted!r}; it knows {listed}")
