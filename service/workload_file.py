"""Reading a workload file: all that is wrong with it is told at once, before anything is created."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from pathlib import Path

from pools import without_collector
from runner import Workload

from .cursor import Cursor
from .decoding import decode
from .offers import Offer
from .parameters import SECTION, with_parameters
from .positions import Document, Listing, Mapping, Tree, read_document
from .problems import InputError, Problem, Problems
from .settings import Settings
from .workload_checks import Present, WorkloadChecks


@dataclass(frozen=True)
class LoadedWorkload:
    """A workload that can be run. `base`: what its paths are relative to; `warnings`: lines for people."""

    spec: Workload
    path: Path
    base: Path
    warnings: tuple[str, ...] = ()


#: How one pool, job or job schedule is recognized that stands in a file by itself, as the Azure CLI takes it.
_ALONE = (("vmSize", "pools"), ("jobSpecification", "jobSchedules"), ("poolInfo", "jobs"))


def load_workload(
    path: Path,
    settings: Settings,
    offers: MappingOf[str, Offer] | None,
    parameters: MappingOf[str, str] | None = None,
    present: Present | None = None,
) -> LoadedWorkload:
    """Raises InputError. `offers`: what there is at each provider, by its name; None: whoever gets the workload looks
    at that. `parameters`: values, by name. `present`: what the file may refer to beside what stands in it."""
    with without_collector():
        return _load(path, settings, offers, parameters or {}, present)


def read_workload(path: Path, parameters: MappingOf[str, str]) -> Workload:
    """What a workload file names, though it could not be run any more. Raises InputError."""
    problems = Problems()
    document, root, alone = _tree(path, parameters, problems)
    spec = decode(root, Workload, problems)
    if spec is None:
        raise InputError(document.file, [_shortened(problem, alone) for problem in problems.errors])
    return spec


def _tree(path: Path, parameters: MappingOf[str, str], problems: Problems) -> tuple[Document, Tree, str]:
    """The file, what stands in it with its parameters, and see `_whole`. Raises InputError."""
    document = read_document(path)
    tree = document.root
    if parameters or "param:" in document.text or SECTION in document.text:
        tree = with_parameters(tree, parameters, problems)
    root, alone = _whole(tree)
    if problems.errors:  # what follows from them says nothing new
        raise InputError(document.file, [_shortened(problem, alone) for problem in problems.errors])
    return document, root, alone


def _load(
    path: Path,
    settings: Settings,
    offers: MappingOf[str, Offer] | None,
    parameters: MappingOf[str, str],
    present: Present | None,
) -> LoadedWorkload:
    problems = Problems()
    document, root, alone = _tree(path, parameters, problems)
    spec = decode(root, Workload, problems)
    base = path.parent
    WorkloadChecks(Cursor(root), base, offers, settings, document.lines, problems, present).run()
    if spec is not None and not any((spec.pools, spec.jobs, spec.job_schedules, spec.applications)):
        problems.error(root.place, "", "holds nothing to run: no pools, jobs or jobSchedules")
    found = [_shortened(problem, alone) for problem in problems]
    errors = [problem for problem in found if not problem.warning]
    if errors or spec is None:
        raise InputError(document.file, errors)
    return LoadedWorkload(spec, path, base, _rendered(document, found))


def _whole(root: Tree) -> tuple[Tree, str]:
    """The tree of a workload file, and the prefix of paths that its writer does not know of."""
    if isinstance(root, Mapping):
        for mark, name in _ALONE:
            if mark in root.entries and name not in root.entries:
                return Mapping({name: (root.place, Listing((root,), root.place))}, root.place), f"{name}[0]"
    return root, ""


def _shortened(problem: Problem, prefix: str) -> Problem:
    if not prefix or not problem.path.startswith(prefix):
        return problem
    return replace(problem, path=problem.path[len(prefix) :].lstrip("."))


def _rendered(document: Document, problems: list[Problem]) -> tuple[str, ...]:
    return tuple(problem.render(document.file) for problem in sorted(problems, key=lambda found: found.place))
