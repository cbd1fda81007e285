"""What somebody asked for that is accepted without effect: said when it is asked for, and kept with the object."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import fields

from pools import PoolSpecification
from runner import JobScheduleSpec, JobSpecification

from .rest_properties import NEUTRAL, accepted


def noted(spec: msgspec.Struct) -> tuple[str, ...]:
    """`property: why it has no effect`, of a pool, a job or a job schedule; what only tasks have is all heeded."""
    match spec:
        case PoolSpecification():
            parts: tuple[tuple[str, msgspec.Struct | None], ...] = (
                ("", spec),
                ("networkConfiguration.", spec.network_configuration),
                ("taskSchedulingPolicy.", spec.task_scheduling_policy),
            )
            return tuple(found for path, part in parts if part is not None for found in _of(path, part))
        case JobSpecification():
            auto = spec.pool_info.auto_pool_specification
            pool = auto.pool if auto is not None else None
            path = "poolInfo.autoPoolSpecification.pool."
            return () if pool is None else tuple(path + each for each in noted(pool))
        case JobScheduleSpec():
            return tuple(f"jobSpecification.{each}" for each in noted(spec.job_specification))
    return ()


def _of(path: str, part: msgspec.Struct) -> Iterator[str]:
    for attribute, name, why in _without_effect(type(part)):
        value = getattr(part, attribute)
        if value and value not in _neutral(name):
            yield f"{path}{name}: {why}"


@cache
def _without_effect(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, str], ...]:
    """Attribute, property, and why it has no effect."""
    why, names = accepted(kind), {each.encode_name: each.name for each in fields(kind)}
    return tuple((names[name], name, text) for name, text in why.items())


def _neutral(name: str) -> tuple[Any, ...]:
    return tuple(NEUTRAL.get(name, ()))
