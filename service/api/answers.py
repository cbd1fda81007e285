"""Answers that are alike for every kind of object."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from pools import Pool, Record
from runner import Job, JobSchedule

from ..noted import noted
from ..rest_views import etag
from .application import http_date
from .call import Answer, Call

log = logging.getLogger(__name__)

#: The header of an answer that tells what of the request has no effect.
WARNING = "ebbtide-warning"


def versioned(record: Record) -> dict[str, str]:
    """The headers that tell which version of an object an answer is about."""
    return {"ETag": f'"{etag(record)}"', "Last-Modified": http_date(record.modified)}


def of_object(call: Call, entity: str, view: Mapping[str, Any], record: Record) -> Answer:
    content = {"odata.metadata": f"{call.base}/$metadata#{entity}/@Element", **view}
    return Answer(None if call.operation.method == "HEAD" else content, versioned(record))


def made(call: Call, record: Record, url: str | None) -> Answer:
    """What was created is at `url`."""
    spec = record.spec if isinstance(record, Pool | Job | JobSchedule) else None
    place = url or call.base + call.path
    return Answer(headers={**versioned(record), "Location": place, "DataServiceId": place, **_warning(call, spec)})


def changed(call: Call, record: Record | None, spec: msgspec.Struct | None = None) -> Answer:
    """`record`: as it is now; None: it is gone. `spec`: what was asked for, of which
    something may have no effect."""
    about = versioned(record) if record is not None else {}
    return Answer(headers={"DataServiceId": call.base + call.path, **about, **_warning(call, spec)})


def _warning(call: Call, spec: msgspec.Struct | None) -> dict[str, str]:
    """What of the request has no effect, for its client and for the log."""
    found = noted(spec) if spec is not None else ()
    for each in found:
        log.warning("%s %s: %s", call.operation.method, call.path, each)
    return {WARNING: "; ".join(found)} if found else {}
