"""Every property of every request of the Batch REST API, and what becomes of it: one table, for the documents and the
tests. What is implemented is told by the structs, all else by `rest_properties`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec import inspect as shape

from pools import AT_ONCE, FOR_NEW_NODES, WITHOUT_NODES, PoolSpec, VirtualMachineConfiguration
from runner import JOB_CHANGEABLE, JobScheduleSpec, JobSpec, TaskSpec

from .api.jobs import DisableBody, TerminateBody
from .api.node_operations import DisableSchedulingBody, RebootBody, ReimageBody, RemoveNodesBody
from .api.node_users import ChangedUser, NewUser
from .api.pools import EnableAutoScaleBody, EvaluateAutoScaleBody, ResizeBody
from .api.tasks import Collection, UpdateBody
from .rest_properties import accepted, answered, old_names, refused


class Status(StrEnum):
    """What becomes of a property that somebody gives."""

    IMPLEMENTED = "implemented"
    WITHOUT_EFFECT = "no effect, with a warning"
    REFUSED = "refused"
    ANSWERED = "only answered; ignored"


class Row(NamedTuple):
    """`text`: why, or what there is instead; "" of what is implemented."""

    name: str
    status: Status
    text: str = ""


#: The bodies of requests, and what they are called in the documents.
BODIES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("Pool", PoolSpec),
    ("Resizing of a pool", ResizeBody),
    ("Enabling of autoscale", EnableAutoScaleBody),
    ("Evaluation of a formula", EvaluateAutoScaleBody),
    ("Removal of nodes", RemoveNodesBody),
    ("Reboot of a node", RebootBody),
    ("Reimaging of a node", ReimageBody),
    ("Disabling of a node's scheduling", DisableSchedulingBody),
    ("User of a node", NewUser),
    ("User of a node, changed", ChangedUser),
    ("Job", JobSpec),
    ("Disabling of a job", DisableBody),
    ("Termination of a job", TerminateBody),
    ("Job schedule", JobScheduleSpec),
    ("Task", TaskSpec),
    ("Collection of tasks", Collection),
    ("Task, changed", UpdateBody),
)


#: What makes a node ready, and does so again when it starts anew.
_PREPARATIONS = ("application_package_references", "start_task")


def objects() -> dict[str, type[msgspec.Struct]]:
    """The bodies, and then what they are made of, by name."""
    found: dict[str, type[msgspec.Struct]] = dict(BODIES)
    kinds: list[type[msgspec.Struct]] = [*found.values(), VirtualMachineConfiguration]
    for kind in kinds:
        for inner in _within(kind):
            if inner not in found.values():
                found[inner.__name__] = inner
    return found


def rows(kind: type[msgspec.Struct]) -> tuple[Row, ...]:
    """Of a struct, in the order of their names."""
    without_effect, old = accepted(kind), {new: name for name, new in old_names(kind).items()}
    found = [Row(name, Status.REFUSED, text) for name, text in refused(kind).items()]
    found += [Row(name, Status.ANSWERED) for name in answered(kind)]
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        if name in without_effect:
            found.append(Row(name, Status.WITHOUT_EFFECT, without_effect[name]))
        else:
            found.append(Row(name, Status.IMPLEMENTED, f"also as `{old[name]}`" if name in old else ""))
    return tuple(sorted(found, key=lambda row: row.name.lower()))


def changes() -> Iterator[tuple[str, str, str]]:
    """What PATCH and PUT may change: of what, the property, and when it counts."""
    of_pools = (
        (AT_ONCE, "at once"),
        ((each for each in FOR_NEW_NODES if each not in _PREPARATIONS), "for new nodes"),
        (_PREPARATIONS, "for new nodes, and those that are rebooted or reimaged"),
        (WITHOUT_NODES, "while the pool has no node"),
    )
    names = {field.name: field.encode_name for field in msgspec.structs.fields(PoolSpec)}
    for attributes, when in of_pools:
        yield from (("pool", names[each], when) for each in attributes)
    yield from (("job", name, "at once") for name in (*JOB_CHANGEABLE, "metadata"))
    yield "job", "poolInfo", "while the job is disabled; of a pool that was made for it alone only `keepAlive`"
    yield from (("job schedule", name, "for jobs to come") for name in ("jobSpecification", "metadata", "schedule"))


def as_markdown() -> str:
    lines = ["## What may change", "", "| | property | when |", "|---|---|---|"]
    lines += [f"| {title} | `{name}` | {when} |" for title, name, when in changes()]
    lines.append("")
    for title, kind in objects().items():
        lines += [f"## {title}", "", "| property | | |", "|---|---|---|"]
        lines += [f"| `{row.name}` | {row.status} | {row.text} |" for row in rows(kind)]
        lines.append("")
    return "\n".join(lines)


def _within(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """The struct, and those that it is made of."""
    seen: dict[type[msgspec.Struct], None] = {}
    waiting: list[shape.Type] = [shape.type_info(kind)]
    while waiting:
        match waiting.pop(0):
            case shape.StructType() as struct:
                if struct.cls not in seen:
                    seen[struct.cls] = None
                    waiting += [field.type for field in struct.fields]
            case shape.UnionType() as union:
                waiting += union.types
            case shape.VarTupleType() | shape.ListType() as items:
                waiting.append(items.item_type)
            case shape.Metadata() as meta:
                waiting.append(meta.type)
    yield from seen
