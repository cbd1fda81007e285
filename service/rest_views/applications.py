"""Applications: all versions of a package under one id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runner import ApplicationPackage


def application_view(packages: Iterable[ApplicationPackage]) -> dict[str, Any]:
    """`packages`: the versions of one application, at least one."""
    ordered = sorted(packages, key=lambda each: (each.created, each.version))
    return {
        "id": ordered[0].application_id,
        "displayName": ordered[0].application_id,
        "versions": [each.version for each in ordered],
    }
