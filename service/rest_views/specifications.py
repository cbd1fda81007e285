"""What was asked for, as it is answered: with the values that hold where nothing was said, and without passwords."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from runner import RELEASE_LIMIT, UNLIMITED, JobConstraints, JobReleaseTask, TaskConstraints

from ..iso8601 import format_duration, format_instant

#: "No limit", as the service spells it: a hundred nanoseconds less than 2 to the 63rd.
NO_LIMIT = "P10675199DT2H48M5.4775807S"
#: How long the folder of a task stays on its node.
_RETENTION = timedelta(days=7)
#: What holds where nothing was said, and the specification says None.
_MEANT: Mapping[type, Mapping[str, Any]] = {
    JobConstraints: {"max_wall_clock_time": UNLIMITED},
    TaskConstraints: {"max_wall_clock_time": UNLIMITED, "retention_time": _RETENTION, "max_task_retry_count": 0},
    JobReleaseTask: {"max_wall_clock_time": RELEASE_LIMIT, "retention_time": _RETENTION},
}
#: Nobody gets these back.
_SECRET = frozenset(("password",))


def duration(time: timedelta) -> str:
    return NO_LIMIT if time >= UNLIMITED else format_duration(time)


def instant(time: float | None) -> str | None:
    return None if time is None else format_instant(time)


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None."""
    return {name: value for name, value in values.items() if value is not None}


def specification_view(spec: msgspec.Struct) -> dict[str, Any]:
    """Properties that are None, or lists without items, are left out."""
    meant, found = _MEANT.get(type(spec), {}), {}
    # not by `fields`, which evaluates all annotations every time
    for name, encoded in zip(spec.__struct_fields__, spec.__struct_encode_fields__, strict=True):
        value = getattr(spec, name)
        if value is None:
            value = meant.get(name)
        if value not in (None, ()) and encoded not in _SECRET:
            found[encoded] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    match value:
        case msgspec.Struct():
            return specification_view(value)
        case timedelta():
            return duration(value)
        case datetime():
            return format_instant(value.timestamp())
        case StrEnum():
            return str(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items() if name not in _SECRET}
    return value
