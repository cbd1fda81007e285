"""What brings the applications of a workload file to a server: each version whose content is not there yet.

A default version that the file names is set before versions come that would be it without that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pools import folded
from runner import ApplicationSpec, PackageStore, check_source

from ..rest_objects import Objects, View
from .changes import Change, Difference, Plan, Step
from .reading import found

_KIND = "application"
#: Of a checksum, characters that people are shown.
_SHOWN = 12


def plan_applications(
    specs: Sequence[ApplicationSpec], base: Path, scratch: Path, objects: Objects, plan: Plan
) -> None:
    """`base`: what their sources are relative to. `scratch`: a folder for what is packed, as long as the plan is of
    use. Raises PackageError, RequestRefused, Unanswered, OSError."""
    groups: dict[str, list[ApplicationSpec]] = {}
    for spec in specs:
        groups.setdefault(folded(spec.id), []).append(spec)
    for group in groups.values():
        _plan_one(group, base, scratch, objects, plan)


def _plan_one(group: list[ApplicationSpec], base: Path, scratch: Path, objects: Objects, plan: Plan) -> None:
    held = found(objects, "applications", group[0].id)
    name = held["id"] if held is not None else group[0].id
    default = next((each.default_version for each in group if each.default_version is not None), None)
    changes = {folded(each.version): _version(each, name, base, scratch, held) for each in group}
    if default is not None:
        changes = _with_default(name, default, held, changes)
    for change in changes.values():
        plan.note(change)


def _version(spec: ApplicationSpec, name: str, base: Path, scratch: Path, held: View | None) -> Change:
    known = {folded(each["version"]): each for each in held["packages"]} if held is not None else {}
    package, digest = _packed(base / spec.source, scratch)
    there = known.get(folded(spec.version))
    version = there["version"] if there is not None else spec.version
    told = f"{name}, version {version}"
    if there is not None and there["sha256"] == digest:
        return Change(kind=_KIND, name=told)
    step = Step("PUT", ("applications", name, "versions", version), package)
    size = f"{package.stat().st_size:,} bytes"
    if there is None:
        return Change(kind=_KIND, name=f"{told} ({size})", new=True, steps=(step,))
    content = Difference("sha256", there["sha256"][:_SHOWN], digest[:_SHOWN])
    return Change(kind=_KIND, name=f"{told} ({size})", differences=(content,), steps=(step,))


def _with_default(name: str, default: str, held: View | None, changes: dict[str, Change]) -> dict[str, Change]:
    """Whatever comes, references without a version never stand for another one in between."""
    before = held["defaultVersion"] if held is not None else None
    own, others = changes.get(folded(default)), {key: each for key, each in changes.items() if key != folded(default)}
    if own is not None and own.steps:
        step = own.steps[0]._replace(query=(("default", "true"),))
        return {folded(default): replace(own, steps=(step,)), **others}
    patch = Step("PATCH", ("applications", name), {"defaultVersion": default})
    if before is None or folded(before) != folded(default):
        moved = Change(kind=_KIND, name=name, differences=(Difference("defaultVersion", before, default),))
        return {"": replace(moved, steps=(patch,)), **changes}
    for key, each in others.items():
        if each.steps:  # it may be the default only because it is the newest
            return changes | {key: replace(each, steps=(patch, *each.steps))}
    return changes


def _packed(source: Path, scratch: Path) -> tuple[Path, str]:
    """The zip, and its checksum."""
    if source.is_dir():
        store = PackageStore(scratch)
        package = store.add("", "", source, 0.0)
        return store.path(package), package.sha256
    check_source(source)
    with open(source, "rb") as file:
        return source, hashlib.file_digest(file, "sha256").hexdigest()
