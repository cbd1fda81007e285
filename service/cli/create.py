"""`create` of pools, jobs, tasks and job schedules: alike on a server and in a state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from .asking import create, request_options
from .ids import job_ids, pool_ids, task_ids
from .job import job
from .new_body import (
    app_option,
    as_object,
    complete,
    env_option,
    fetched,
    image,
    json_file_option,
    metadata_option,
    named,
    packages,
    pairs,
    read_json,
    read_object,
    retries_option,
    time_option,
)
from .pool import pool
from .schedule import schedule
from .task import task

if TYPE_CHECKING:
    from ..rest_objects import Objects

#: The groups, with `create`.
__all__ = ["job", "pool", "schedule", "task"]

_POOL_LATER = "the next `ebbtide serve` brings its nodes"
_WORK_LATER = "the next `ebbtide serve` works on it"
#: Tasks in one request at most (Batch REST API).
_TASKS = 100


@pool.command("create")
@click.argument("pool_id", metavar="[POOL]", required=False)
@click.option("--vm-size", metavar="SIZE", help="What its nodes are.")
@click.option("--image", "image_", metavar="IMAGE", help="PUBLISHER:OFFER:SKU[:VERSION], or the provider's own.")
@click.option("--dedicated", type=click.IntRange(min=0), metavar="N", help="Target of dedicated nodes.")
@click.option("--low-priority", type=click.IntRange(min=0), metavar="N", help="Target of low-priority nodes.")
@click.option("--formula", type=click.File(), metavar="FILE", help="The formula that sizes it (- reads it).")
@click.option("--interval", metavar="DURATION", help="How often the formula is evaluated, such as PT10M.")
@click.option("--slots", type=click.IntRange(min=1), metavar="N", help="Tasks that a node takes at a time.")
@click.option("--start-task", metavar="COMMAND", help="What a node runs before its first task.")
@app_option
@metadata_option
@json_file_option
@request_options
def create_pool(
    pool_id: str | None,
    vm_size: str | None,
    image_: str | None,
    dedicated: int | None,
    low_priority: int | None,
    formula: TextIO | None,
    interval: str | None,
    slots: int | None,
    start_task: str | None,
    apps: tuple[str, ...],
    metadata: tuple[str, ...],
    json_file: Path | None,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Make a pool."""
    body = read_object(json_file)
    if formula is not None:
        # the two ways to size a pool exclude each other; what stands here is meant
        body = {name: value for name, value in body.items() if not name.startswith("target")}
    given: dict[str, Any] = {
        "vmSize": vm_size,
        "virtualMachineConfiguration.imageReference": image(image_),
        "targetDedicatedNodes": dedicated,
        "targetLowPriorityNodes": low_priority,
        "enableAutoScale": True if formula is not None else None,
        "autoScaleFormula": formula.read() if formula is not None else None,
        "autoScaleEvaluationInterval": interval,
        "taskSlotsPerNode": slots,
        "startTask.commandLine": start_task,
        "applicationPackageReferences": packages(apps),
        "metadata": pairs(metadata, "--metadata"),
    }
    complete(body, given)
    name = named(body, pool_id, "POOL")
    _create(body, (name, "pool {}: created", _POOL_LATER), (state, config, as_json), "pools")


@job.command("create")
@click.argument("job_id", metavar="[JOB]", required=False)
@click.option("--pool", "pool_id", metavar="POOL", shell_complete=pool_ids, help="Where its tasks run.")
@click.option("--priority", type=click.IntRange(-1000, 1000), metavar="N", help="Over other jobs; -1000 to 1000.")
@click.option(
    "--on-all-tasks-complete",
    type=click.Choice(["noaction", "terminatejob"]),
    help="What becomes of the job when all its tasks are done.",
)
@click.option("--uses-task-dependencies", is_flag=True, default=None, help="Its tasks may wait for each other.")
@retries_option
@time_option
@env_option
@metadata_option
@json_file_option
@request_options
def create_job(
    job_id: str | None,
    pool_id: str | None,
    priority: int | None,
    on_all_tasks_complete: str | None,
    uses_task_dependencies: bool | None,
    max_retries: int | None,
    max_time: str | None,
    environment: tuple[str, ...],
    metadata: tuple[str, ...],
    json_file: Path | None,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Make a job, without tasks."""
    given = {
        "poolInfo": {"poolId": pool_id} if pool_id is not None else None,
        "priority": priority,
        "onAllTasksComplete": on_all_tasks_complete,
        "usesTaskDependencies": uses_task_dependencies,
        "constraints.maxTaskRetryCount": max_retries,
        "constraints.maxWallClockTime": max_time,
        "commonEnvironmentSettings": pairs(environment, "--env"),
        "metadata": pairs(metadata, "--metadata"),
    }
    body = complete(read_object(json_file), given)
    name = named(body, job_id, "JOB")
    _create(body, (name, "job {}: created", _WORK_LATER), (state, config, as_json), "jobs")


@task.command("create")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@click.argument("task_id", metavar="[TASK]", required=False)
@click.option("--command", metavar="COMMAND", help="Its command line; a shell is `/bin/sh -c '...'`.")
@click.option(
    "--depends-on", multiple=True, metavar="TASK", shell_complete=task_ids,
    help="A task it waits for; may be given several times.",
)  # fmt: skip
@click.option("--slots", type=click.IntRange(min=1), metavar="N", help="How many task slots of a node it takes.")
@retries_option
@time_option
@env_option
@app_option
@click.option(
    "--resource-file", "resource_files", multiple=True, metavar="PATH=URL",
    help="A file that is fetched before, to PATH in its working directory; may be given several times.",
)  # fmt: skip
@json_file_option
@request_options
def create_task(
    job_id: str,
    task_id: str | None,
    command: str | None,
    depends_on: tuple[str, ...],
    slots: int | None,
    max_retries: int | None,
    max_time: str | None,
    environment: tuple[str, ...],
    apps: tuple[str, ...],
    resource_files: tuple[str, ...],
    json_file: Path | None,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Add a task to a job, or all of a list in a JSON file."""
    given = {
        "commandLine": command,
        "dependsOn.taskIds": list(depends_on),
        "requiredSlots": slots,
        "constraints.maxTaskRetryCount": max_retries,
        "constraints.maxWallClockTime": max_time,
        "environmentSettings": pairs(environment, "--env"),
        "applicationPackageReferences": packages(apps),
        "resourceFiles": fetched(resource_files),
    }
    found = read_json(json_file)
    many = found.get("value") if isinstance(found, dict) and "id" not in found else found
    way = (state, config, as_json)
    if not isinstance(many, list):
        body = complete(as_object(found, json_file), given)
        name = named(body, task_id, "TASK")
        _create(body, (name, f"task {{}} of job {job_id}: created", _WORK_LATER), way, "jobs", job_id, "tasks")
        return
    if task_id is not None:
        raise click.UsageError(f"{json_file} holds a list of tasks: leave {task_id} out")
    _create_tasks(job_id, [complete(as_object(each, json_file), given) for each in many], way)


@schedule.command("create")
@click.argument("schedule_id", metavar="[ID]", required=False)
@click.option("--pool", "pool_id", metavar="POOL", shell_complete=pool_ids, help="Where the tasks of its jobs run.")
@click.option("--every", metavar="DURATION", help="The time between two jobs, such as P1D; none: one job.")
@click.option("--from", "from_", metavar="TIME", help="No job before, ISO 8601.")
@click.option("--until", metavar="TIME", help="No job after, ISO 8601.")
@click.option("--window", metavar="DURATION", help="How late a job may be made.")
@click.option("--command", metavar="COMMAND", help="The command line of the job manager task of its jobs.")
@metadata_option
@json_file_option
@request_options
def create_schedule(
    schedule_id: str | None,
    pool_id: str | None,
    every: str | None,
    from_: str | None,
    until: str | None,
    window: str | None,
    command: str | None,
    metadata: tuple[str, ...],
    json_file: Path | None,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Make a job schedule."""
    body = read_object(json_file)
    body.setdefault("schedule", {})
    given = {
        "jobSpecification.poolInfo": {"poolId": pool_id} if pool_id is not None else None,
        "jobSpecification.jobManagerTask": {"id": "manager", "commandLine": command} if command is not None else None,
        "schedule.recurrenceInterval": every,
        "schedule.doNotRunUntil": from_,
        "schedule.doNotRunAfter": until,
        "schedule.startWindow": window,
        "metadata": pairs(metadata, "--metadata"),
    }
    complete(body, given)
    name = named(body, schedule_id, "ID")
    way = (state, config, as_json)
    _create(body, (name, "job schedule {}: created", _WORK_LATER), way, "jobschedules")


def _create(
    body: dict[str, Any], told: tuple[str, str, str], way: tuple[Path, Path | None, bool], *segments: str
) -> None:
    """`told`: the id, what is said of it, and what is said if no controller works."""
    name, done, later = told

    def make(objects: Objects) -> None:
        objects.ask("POST", *segments, body=body)

    create(*way, [(name, make)], done, later)


def _create_tasks(job_id: str, bodies: list[dict[str, Any]], way: tuple[Path, Path | None, bool]) -> None:
    """A hundred at a time, each told by itself."""
    from ..rest_objects import RequestRefused

    results: dict[int, dict[str, Any]] = {}

    def added(number: int, objects: Objects) -> None:
        first = number - number % _TASKS
        if first not in results:
            value = bodies[first : first + _TASKS]
            try:
                answer = objects.ask("POST", "jobs", job_id, "addtaskcollection", body={"value": value})
            except RequestRefused as exc:
                where = f"none of the tasks {first + 1:,} to {first + len(value):,} of the file was added"
                raise click.ClickException(f"{exc.code}: {exc}; {where}") from None
            results.update(enumerate(answer["value"], first))
        error = results[number].get("error")
        if error is not None:
            raise RequestRefused(error["code"], error["message"]["value"].partition("\nRequestId:")[0])

    def adding(number: int) -> Callable[[Objects], None]:
        return lambda objects: added(number, objects)

    wanted = [(str(each.get("id", "")), adding(number)) for number, each in enumerate(bodies)]
    create(*way, wanted, f"task {{}} of job {job_id}: created", _WORK_LATER)
