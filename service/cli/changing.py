"""`set` and `reset` of pools, jobs, tasks and job schedules: alike on a server and in a state.

`set` changes what is given, and of a group, such as `constraints`, nothing beside it; `reset` gives all that is not
given its default, as a PUT of the Batch REST API does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from .asking import create, request_options
from .create import job, pool, schedule, task
from .door import BadInput
from .ids import application_ids, job_ids, pool_ids, schedule_ids, task_ids
from .new_body import Body, complete, json_file_option, packages, pairs, read_object

if TYPE_CHECKING:
    from ..rest_objects import Objects, View

#: The groups, with `set` and `reset`.
__all__ = ["job", "pool", "schedule", "task"]

F = TypeVar("F", bound=Callable[..., Any])

_LATER = "the next `ebbtide serve` works on it"
#: How often what is there is read again, if somebody else changes it meanwhile.
_TRIES = 5


class _Property(NamedTuple):
    """An option, and the property that it is, such as `constraints.maxTaskRetryCount`. `read`: from what was given."""

    flag: str
    path: str
    metavar: str
    told: str
    kind: Any = None
    read: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        return self.flag.strip("-").replace("-", "_")


class _Kind(NamedTuple):
    """`segments`: what stands before each id in the path. `noun`: with {} for each id. `merged`: groups of which `set`
    keeps what is not given."""

    segments: tuple[str, ...]
    noun: str
    properties: tuple[_Property, ...]
    merged: tuple[str, ...]


_RETRIES = "How often a task that fails is tried again; -1: always."
_POOL = _Kind(
    ("pools",),
    "pool {}",
    (
        _Property("--start-task", "startTask.commandLine", "COMMAND", "What a node runs before its first task."),
        _Property(
            "--app", "applicationPackageReferences", "APP",
            "ID, or ID#VERSION, of an application; may be given several times, and takes the place of all.",
            read=packages,
        ),
        _Property(
            "--metadata", "metadata", "NAME=VALUE", "May be given several times, and takes the place of all.",
            read=partial(pairs, option="--metadata"),
        ),
    ),
    ("startTask",),
)  # fmt: skip
_JOB = _Kind(
    ("jobs",),
    "job {}",
    (
        _Property("--pool", "poolInfo.poolId", "POOL", "Where its tasks run; of `set`, while it is disabled."),
        _Property("--priority", "priority", "N", "Over other jobs; -1000 to 1000.", click.IntRange(-1000, 1000)),
        _Property("--max-parallel-tasks", "maxParallelTasks", "N", "Its tasks that run at a time; -1: any.", int),
        _Property(
            "--on-all-tasks-complete", "onAllTasksComplete", "",
            "What becomes of the job when all its tasks are done.", click.Choice(["noaction", "terminatejob"]),
        ),
        _Property(
            "--max-retries", "constraints.maxTaskRetryCount", "N", _RETRIES, click.IntRange(min=-1),
        ),
        _Property("--max-time", "constraints.maxWallClockTime", "DURATION", "How long it may take, such as PT8H."),
        _Property(
            "--metadata", "metadata", "NAME=VALUE", "May be given several times, and takes the place of all.",
            read=partial(pairs, option="--metadata"),
        ),
    ),
    ("constraints",),
)  # fmt: skip
_TASK = _Kind(
    ("jobs", "{job_id}", "tasks"),
    "task {} of job {job_id}",
    (
        _Property("--max-retries", "constraints.maxTaskRetryCount", "N", _RETRIES, click.IntRange(min=-1)),
        _Property("--max-time", "constraints.maxWallClockTime", "DURATION", "How long it may take, such as PT1H."),
        _Property("--retention", "constraints.retentionTime", "DURATION", "How long its files stay on its node."),
    ),
    ("constraints",),
)
_SCHEDULE = _Kind(
    ("jobschedules",),
    "job schedule {}",
    (
        _Property("--pool", "jobSpecification.poolInfo.poolId", "POOL", "Where the tasks of its next jobs run."),
        _Property("--every", "schedule.recurrenceInterval", "DURATION", "The time between two jobs, such as P1D."),
        _Property("--from", "schedule.doNotRunUntil", "TIME", "No job before, ISO 8601."),
        _Property("--until", "schedule.doNotRunAfter", "TIME", "No job after, ISO 8601."),
        _Property("--window", "schedule.startWindow", "DURATION", "How late a job may be made."),
        _Property(
            "--command", "jobSpecification.jobManagerTask.commandLine", "COMMAND",
            "The command line of the job manager task of its next jobs.",
        ),
        _Property(
            "--metadata", "metadata", "NAME=VALUE", "May be given several times, and takes the place of all.",
            read=partial(pairs, option="--metadata"),
        ),
    ),
    ("schedule", "jobSpecification"),
)  # fmt: skip
_COMPLETIONS = {"--pool": pool_ids, "--app": application_ids}


def _options(kind: _Kind) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for each in reversed(kind.properties):
            command = click.option(
                each.flag,
                each.name,
                metavar=each.metavar or None,
                type=each.kind,
                multiple=each.read is not None,
                help=each.told,
                shell_complete=_COMPLETIONS.get(each.flag),
            )(command)
        return json_file_option(request_options(command))

    return decorate


def _changed(
    kind: _Kind, name: str, options: Mapping[str, Any], done: tuple[str, str], way: Mapping[str, Any], **outer: str
) -> None:
    """`done`: the method, and what is behind the id in the path."""
    method, rest = done
    body = read_object(way["json_file"])
    given = {each.path: _read(each, options[each.name]) for each in kind.properties}
    given = {path: value for path, value in given.items() if value is not None}
    whole = method != "PATCH" and kind is not _TASK
    if not given and not body and not whole:
        raise click.UsageError("give what is to change: options, or --json-file")
    body.pop("id", None)
    place = tuple(each.format(**outer) for each in kind.segments)

    def ask(objects: Objects) -> None:
        from ..rest_objects import RequestRefused

        groups = () if whole else (group for group in kind.merged if any(_within(path, group) for path in given))
        missing = tuple(group for group in groups if group not in body)
        blank: Body = {"applicationPackageReferences": [], "metadata": []} if kind is _POOL and whole else {}
        for tries_left in reversed(range(_TRIES)):
            present = objects.one(*place, name) if missing else {}
            wanted = complete({**blank, **body, **_kept(present, missing)}, given)
            try:
                objects.ask(method, *place, name, *filter(None, [rest]), body=wanted, if_match=present.get("eTag"))
                return
            except RequestRefused as exc:
                if exc.code != "ConditionNotMet" or not tries_left:
                    raise

    told = f"{kind.noun.replace('{job_id}', outer.get('job_id', ''))}: changed"
    create(way["state"], way["config"], way["as_json"], [(name, ask)], told, _LATER)


def _read(each: _Property, value: Any) -> Any:
    if each.read is None:
        return value
    return each.read(value) if value else None


def _within(path: str, group: str) -> bool:
    return path.startswith(f"{group}.")


def _kept(present: View, groups: Iterable[str]) -> Body:
    """These groups, as they are at present. Raises BadInput."""
    kept = {group: present.get(group, {}) for group in groups}
    for group, found in kept.items():
        if _has_secret(found):
            raise BadInput(f"{group} has a password in it, which is told to nobody: give {group} by --json-file")
    return kept


def _has_secret(value: Any) -> bool:
    """Somebody who logs in somewhere has a password, and no answer holds that."""
    if isinstance(value, Mapping):
        if "username" in value and "password" not in value:
            return True
        return any(map(_has_secret, value.values()))
    return isinstance(value, Iterable) and not isinstance(value, str) and any(map(_has_secret, value))


@pool.command("set")
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@_options(_POOL)
def set_pool(pool_id: str, **options: Any) -> None:
    """Change properties of a pool: start task, applications and metadata by options, more by --json-file.

    Nodes get what is new when they start: those that are there when they are rebooted, or reimaged.
    """
    _changed(_POOL, pool_id, options, ("PATCH", ""), options)


@pool.command("reset")
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@_options(_POOL)
def reset_pool(pool_id: str, **options: Any) -> None:
    """Give a pool this start task, these applications and this metadata; what is not given it has no more."""
    _changed(_POOL, pool_id, options, ("POST", "updateproperties"), options)


@job.command("set")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@_options(_JOB)
def set_job(job_id: str, **options: Any) -> None:
    """Change properties of a job: those that are given."""
    _changed(_JOB, job_id, options, ("PATCH", ""), options)


@job.command("reset")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@_options(_JOB)
def reset_job(job_id: str, **options: Any) -> None:
    """Change a job: what is not given gets its default. --pool is needed, or a JSON file with poolInfo."""
    _changed(_JOB, job_id, options, ("PUT", ""), options)


@task.command("set")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@click.argument("task_id", metavar="TASK", shell_complete=task_ids)
@_options(_TASK)
def set_task(job_id: str, task_id: str, **options: Any) -> None:
    """Change the constraints of a task: those that are given."""
    _changed(_TASK, task_id, options, ("PUT", ""), options, job_id=job_id)


@schedule.command("set")
@click.argument("schedule_id", metavar="ID", shell_complete=schedule_ids)
@_options(_SCHEDULE)
def set_schedule(schedule_id: str, **options: Any) -> None:
    """Change properties of a job schedule: those that are given. Jobs that are there stay as they are."""
    _changed(_SCHEDULE, schedule_id, options, ("PATCH", ""), options)


@schedule.command("reset")
@click.argument("schedule_id", metavar="ID", shell_complete=schedule_ids)
@_options(_SCHEDULE)
def reset_schedule(schedule_id: str, **options: Any) -> None:
    """Give a job schedule this schedule and these jobs; what is not given gets its default."""
    _changed(_SCHEDULE, schedule_id, options, ("PUT", ""), options)
