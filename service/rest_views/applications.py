"""Applications: all versions of a package under one id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runner import ApplicationPackage

from ..iso8601 import format_instant


def application_view(packages: Iterable[ApplicationPackage]) -> dict[str, Any]:
    """`packages`: the versions of one application, at least one. `defaultVersion` and `packages` are ours."""
    ordered = sorted(packages, key=lambda each: (each.created, each.version))
    # as references without a version have it
    default = max(ordered, key=lambda each: (each.default, each.created))
    return {
        "id": ordered[0].application_id,
        "displayName": ordered[0].application_id,
        "versions": [each.version for each in ordered],
        "defaultVersion": default.version,
        "packages": [_details(each) for each in ordered],
    }


def package_view(package: ApplicationPackage) -> dict[str, Any]:
    return {"applicationId": package.application_id, **_details(package)}


def _details(package: ApplicationPackage) -> dict[str, Any]:
    return {
        "version": package.version,
        "creationTime": format_instant(package.created),
        "contentLength": package.size,
        "sha256": package.sha256,
    }
