"""Which versions of the applications of a workload file references without a version stand for."""

from __future__ import annotations

from collections.abc import Iterable

from pools import folded
from runner import ApplicationSpec


def default_versions(applications: Iterable[ApplicationSpec]) -> frozenset[tuple[str, str]]:
    """(id, version) in lower case. It may stand on the entry of any version; an application without is not in it."""
    named = ((each.id, each.default_version) for each in applications)
    return frozenset((folded(name), folded(version)) for name, version in named if version is not None)
