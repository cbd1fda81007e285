"""What is told of pools, jobs and tasks beside themselves: counts, images, subtasks, preparation and release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import request_options, unanswered, written
from .changing import job, pool, schedule, task
from .ids import job_ids, task_ids
from .listing import query_of, show, show_list, table
from .source import objects, refuse, source_options

if TYPE_CHECKING:
    from ..rest_objects import View

#: The groups, with these commands.
__all__ = ["job", "pool", "schedule", "task"]

_filter = click.option("--filter", "filter_", metavar="FILTER", help="Only those that fulfil it: OData.")
_job = click.argument("job_id", metavar="JOB", shell_complete=job_ids)


@pool.command("node-counts")
@_filter
@source_options
def node_counts(filter_: str | None, state: Path, as_json: bool) -> None:
    """Show how many nodes of each pool are in which state."""
    with objects(state, as_json) as found:
        counts = list(found.each("nodecounts", query=query_of(filter_, None)))
    if as_json:
        show(counts, True)
        return
    kinds = (("dedicated", "dedicated"), ("lowPriority", "low-priority"))
    rows = [
        (each["poolId"], told, each[kind]["total"], _states(each[kind]) or None)
        for each in counts
        for kind, told in kinds
        if each[kind]["total"] or kind == "dedicated"
    ]
    table(("pool", "kind", "nodes", "in which states"), rows)


def _states(counts: View) -> str:
    return ", ".join(f"{number:,} {name.lower()}" for name, number in counts.items() if number and name != "total")


@pool.command("supported-images")
@_filter
@request_options
def supported_images(filter_: str | None, state: Path, config: Path | None, as_json: bool) -> None:
    """Show the images that pools can start from."""
    from ..rest_objects import RequestRefused

    try:
        # what is not recorded, providers tell: as if something were to be changed
        with unanswered(), written(state, config) as (found, _):
            images = list(found.each("supportedimages", query=query_of(filter_, None)))
    except RequestRefused as exc:
        refuse(exc, as_json)
    heads = ("image", "node agent", "capabilities", "providers")
    show_list(images, as_json, None, heads, _image_row)


def _image_row(image: View) -> tuple[object, ...]:
    """The image as `ebbtide pool create --image` takes it."""
    reference = image["imageReference"]
    name = reference.get("virtualMachineImageId") or ":".join(
        reference[part] for part in ("publisher", "offer", "sku", "version")
    )
    providers = ", ".join(each["name"] for each in image.get("providers", ()))
    return name, image["nodeAgentSKUId"], ", ".join(image.get("capabilities", ())), providers


@job.command("task-counts")
@_job
@source_options
def task_counts(job_id: str, state: Path, as_json: bool) -> None:
    """Show how many tasks of a job are in which state, and how many slots they take."""
    with objects(state, as_json) as found:
        counts = found.one("jobs", job_id, "taskcounts")
    if as_json:
        show(counts, True)
        return
    tasks, slots = counts["taskCounts"], counts.get("taskSlotCounts", {})
    table(("state", "tasks", "slots"), [(name, number, slots.get(name)) for name, number in tasks.items()])


@job.command("prep-release-status")
@_job
@_filter
@source_options
def prep_release_status(job_id: str, filter_: str | None, state: Path, as_json: bool) -> None:
    """Show what the preparation and release tasks of a job did on each node."""
    with objects(state, as_json) as found:
        place = ("jobs", job_id, "jobpreparationandreleasetaskstatus")
        nodes = list(found.each(*place, query=query_of(filter_, None)))
    heads = ("node", "pool", "preparation", "exit code", "release", "exit code", "reason")
    show_list(nodes, as_json, None, heads, _node_row)


def _node_row(node: View) -> tuple[object, ...]:
    parts: list[Any] = [
        node.get(f"job{name}TaskExecutionInfo", {}) for name in ("Preparation", "Release")
    ]
    cells = [cell for part in parts for cell in (part.get("result") or part.get("state"), part.get("exitCode"))]
    failures = [part["failureInfo"] for part in parts if "failureInfo" in part]
    reason = f"{failures[0]['code']}: {failures[0]['message']}" if failures else None
    return node["nodeId"], node["poolId"], *cells, reason


@task.command("subtasks")
@_job
@click.argument("task_id", metavar="TASK", shell_complete=task_ids)
@source_options
def subtasks(job_id: str, task_id: str, state: Path, as_json: bool) -> None:
    """Show the subtasks of a multi-instance task, which run on its other nodes."""
    with objects(state, as_json) as found:
        several = found.one("jobs", job_id, "tasks", task_id, "subtasksinfo")["value"]
    heads = ("subtask", "state", "exit code", "node", "reason")
    show_list(several, as_json, None, heads, _subtask_row)


def _subtask_row(subtask: View) -> tuple[object, ...]:
    failure = subtask.get("failureInfo")
    return (
        subtask["id"],
        subtask.get("result") or subtask["state"],
        subtask.get("exitCode"),
        subtask.get("nodeInfo", {}).get("nodeId"),
        f"{failure['code']}: {failure['message']}" if failure is not None else None,
    )
