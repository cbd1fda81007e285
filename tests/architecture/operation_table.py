"""The tables of operations in docs/api.md."""

from collections.abc import Iterable, Iterator

from service.api.absent import INSTEAD
from service.api.operations import OPERATIONS, Operation
from service.api.own_operations import OWN_OPERATIONS

_GUARDS = {"all": "If-*", "dates": "If-(Un)Modified-Since", "none": ""}
#: What docs/api.md tells of all lists.
_PAGES = ("maxresults", "$skiptoken")
_INTRODUCTION = """\
They are called as azure-batch 14 calls them: `pool.add` is its `client.pool.add(...)`, and `create_pool` of
azure-batch 15. The answer is that without fault; `If-*` are all four conditional headers."""
#: What the operations do that nobody knows from Azure Batch.
_OURS = {
    "application.put_package": "adds a version of an [application](applications.md#by-http): the body is its zip",
    "application.get_package": "what is known of a version",
    "application.delete_package": "removes a version that nothing references",
    "application.patch": "names the default version",
    "application.delete": "removes all versions",
    "pool.list_auto_scale_runs": "[what its formula decided](history.md#over-http), on what it saw",
    "pool.list_planner_passes": "what the planner then did, and why",
    "pool.list_samples": "what was measured of it",
    "pool.resume": "lets a pool make nodes again that has stopped because [too many failed](nodes.md#when-nodes-fail)",
    "job.get_forgotten": "when a job of a workload file was forgotten, which is [not run again](cli.md#ebbtide-run)",
    "task.list_deleted": "ids of deleted tasks of such a job, which are not added again",
    "job_schedule.run": "makes a job [now](schedules.md#what-can-be-asked)",
}


def as_markdown() -> str:
    served = [each for each in OPERATIONS if each.served]
    absent = [each for each in OPERATIONS if not each.served]
    lines = ["## Operations of Azure Batch", "", _INTRODUCTION, "", *_table(served)]
    lines += ["", "## Operations of our own", ""]
    lines += ["| operation | request | answer | what it does |", "|---|---|---|---|"]
    lines += [f"| {_named(each)} | {each.status} | {_OURS[each.name]} |" for each in OWN_OPERATIONS]
    lines += ["", "## What there is not", "", "| operation | request | instead |", "|---|---|---|"]
    lines += [f"| {_named(each)} | {INSTEAD[each.name]} |" for each in absent]
    return "\n".join([*lines, ""])


def _table(operations: Iterable[Operation]) -> Iterator[str]:
    yield "| operation | request | answer | query | headers |"
    yield "|---|---|---|---|---|"
    for each in operations:
        query = ", ".join(f"`{name}`" for name in each.query if name not in _PAGES)
        yield f"| {_named(each)} | {each.status} | {query} | {_GUARDS[each.conditions]} |"


def _named(operation: Operation) -> str:
    return f"`{operation.name}` | `{operation.method} {operation.path}`"
