"""What tasks of a file depend on, and what their ways of ending mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pools import folded
from runner import KnownTasks, TaskDependencies, TaskIdRange, cycle_text, find_cycle

from .cursor import Cursor
from .decoding import listed, nearest
from .positions import Scalar
from .problems import Problems

#: Names are offered for a wrong id only among so many.
_OFFERED = 20


def check_dependencies(job: Cursor, tasks: Sequence[Cursor], problems: Problems) -> None:
    """They stand in the same job, and no task depends on itself."""
    depending: dict[str, tuple[Cursor, TaskDependencies]] = {}
    for task in tasks:
        where, wanted = task.get("dependsOn"), _wanted(task)
        if where is None or not (wanted.task_ids or wanted.task_id_ranges):
            continue
        if not job.true("usesTaskDependencies"):
            text = "is heeded only if the job has usesTaskDependencies: true; set it"
            problems.error(where.place, where.path, text)
            return
        depending.setdefault(task.text("id") or "", (where, wanted))
    ids = [name for task in tasks if (name := task.text("id")) is not None]
    _all_known(ids, depending, problems)
    there = set(ids)
    cycle = find_cycle(there, {name: wanted for name, (_, wanted) in depending.items() if name in there})
    if cycle:
        where = depending[cycle[0]][0]
        problems.error(where.place, where.path, cycle_text(cycle))


def _wanted(task: Cursor) -> TaskDependencies:
    depends = task.get("dependsOn")
    if depends is None:
        return TaskDependencies()
    ids = tuple(each.tree.text for each in depends.each("taskIds") if isinstance(each.tree, Scalar))
    ranges = tuple(
        TaskIdRange(start=each.whole("start", 0), end=each.whole("end", 0)) for each in depends.each("taskIdRanges")
    )
    return TaskDependencies(task_ids=ids, task_id_ranges=ranges)


def _all_known(ids: list[str], depending: Mapping[str, tuple[Cursor, TaskDependencies]], problems: Problems) -> None:
    there = set(map(folded, ids))
    known = KnownTasks(lambda task_id: folded(task_id) in there)
    for name, (where, wanted) in depending.items():
        backwards = next((each for each in wanted.task_id_ranges if not 0 <= each.start <= each.end), None)
        missing = known.missing(wanted) if backwards is None else None
        if backwards is not None:
            text = f"{backwards.start} to {backwards.end} is no range of ids"
            problems.error(where.place, f"{where.path}.taskIdRanges", text)
        elif missing is not None:
            others = [each for each in ids if each != name]
            near = nearest(missing.task_id, others)
            hint = f"did you mean {near}?" if near else f"there are {listed(others[:_OFFERED]) or 'none'}"
            problems.error(where.place, where.path, f"the job has {missing}; {hint}")


def check_conditions(job: Cursor, task: Cursor, problems: Problems) -> None:
    """Its exit conditions."""
    conditions = task.get("exitConditions")
    if conditions is None:
        return
    seen: set[int] = set()
    for mapping in conditions.each("exitCodes"):
        code = mapping.whole("code", 0)
        if code in seen:
            problems.error(mapping.place, f"{mapping.path}.code", f"the code {code} stands there twice")
        seen.add(code)
    for spread in conditions.each("exitCodeRanges"):
        start, end = spread.whole("start", 0), spread.whole("end", 0)
        if start > end:
            problems.error(spread.place, spread.path, f"{start} to {end} holds no exit code")
    acts = (job.text("onTaskFailure") or "").lower() == "performexitoptionsjobaction"
    for options in _options(conditions):
        action, dependency = options.get("jobAction"), options.get("dependencyAction")
        if action is not None and not acts and (options.text("jobAction") or "").lower() != "none":
            text = "is heeded only if the job has onTaskFailure: performexitoptionsjobaction; set it"
            problems.error(action.place, action.path, text)
        if dependency is not None and not job.true("usesTaskDependencies"):
            text = "is heeded only if the job has usesTaskDependencies: true; set it"
            problems.error(dependency.place, dependency.path, text)


def _options(conditions: Cursor) -> Iterator[Cursor]:
    for mapping in (*conditions.each("exitCodes"), *conditions.each("exitCodeRanges")):
        if (options := mapping.get("exitOptions")) is not None:
            yield options
    for name in ("preProcessingError", "fileUploadError", "default"):
        if (options := conditions.get(name)) is not None:
            yield options
