"""What operations are asked beside their bodies: parameters of paths and queries, and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..api.call import MOST
from ..api.operations import COMMON, OPERATIONS, Operation
from ..api.own_operations import OWN_OPERATIONS
from ..api.properties import FILTERS, PROPERTIES
from .request_schemas import Schema

#: The names that `$filter` and `$select` know.
NAMES = "x-ebbtide-properties"
#: The operations that give the bytes of a file.
FILES = frozenset(("file.get_from_task", "file.get_from_compute_node"))


def of_operation(operation: Operation, kind: str) -> Iterator[Schema]:
    """`kind`: what its answer holds, as `properties` calls it."""
    names = [*COMMON, *operation.query]
    headers = ["client-request-id", "return-client-request-id", "ocp-date"]
    if operation.conditions != "none":
        headers += ["If-Modified-Since", "If-Unmodified-Since"]
    if operation.conditions == "all" or operation.name.endswith((".get", ".exists")):
        headers += ["If-Match", "If-None-Match"]
    if operation.name in FILES:
        headers += ["ocp-range", "Range"]
    for name in names:
        if name in ("$filter", "$select"):
            yield _of_names(name, kind)
        else:
            yield {"$ref": f"#/components/parameters/{name.removeprefix('$')}"}
    yield from ({"$ref": f"#/components/parameters/{name}"} for name in dict.fromkeys(headers))


def _of_names(name: str, kind: str) -> Schema:
    known = ("name",) if kind == "file" else (FILTERS if name == "$filter" else PROPERTIES)[kind]
    text = (
        "A condition on properties: `eq ne gt ge lt le`, `and or not`, `startswith(PROPERTY, 'text')`, parentheses, "
        "times as `datetime'2026-01-31T12:00:00Z'`; by"
        if name == "$filter"
        else "Properties of the answer, with commas between them:"
    )
    text += f" {', '.join(f'`{each}`' for each in sorted(known))}."
    return {"name": name, "in": "query", "description": text, "schema": {"type": "string"}, NAMES: sorted(known)}


def parameters() -> dict[str, Any]:
    """Those that more than one operation has, by name."""
    texts = {
        "api-version": ("query", {"type": "string", "examples": ["2025-06-01"]}, "Any is served the same."),
        "timeout": ("query", {"type": "string"}, "Counts for nothing."),
        "$skiptoken": ("query", {"type": "string"}, "Where a page begins, as `odata.nextLink` has it."),
        "$expand": ("query", {"enum": ["stats"]}, "With what was used so far."),
        "maxresults": ("query", {"type": "integer", "minimum": 1, "maximum": MOST}, "Items of a page at most."),
        "starttime": ("query", {"type": "string", "format": "date-time"}, "Only what is not older."),
        "endtime": ("query", {"type": "string", "format": "date-time"}, "Only what is not newer."),
        "newestfirst": ("query", {"type": "boolean"}, "The newest first, and not the oldest."),
        "metrics": ("query", {"type": "string"}, "Only these, with commas between; others are left out."),
        "recursive": ("query", {"type": "boolean"}, "With all that is in folders."),
        "force": ("query", {"type": "boolean"}, "Counts for nothing: what is asked always comes to its end."),
        "declared": ("query", {"type": "boolean"}, "A workload file declares it: what is deleted of it stays so."),
        "default": ("query", {"type": "boolean"}, "It becomes the default version."),
        "ocp-date": ("header", {"type": "string"}, "When the request was made (RFC 1123); part of what is signed."),
        "client-request-id": ("header", {"type": "string"}, "A name of the client's for its request."),
        "return-client-request-id": ("header", {"type": "boolean"}, "Whether the answer is to hold that name."),
        "If-Match": ("header", {"type": "string"}, "Only if the object has one of these ETags; `*`: any."),
        "If-None-Match": ("header", {"type": "string"}, "Only if the object has none of these ETags."),
        "If-Modified-Since": ("header", {"type": "string"}, "Only if it has changed since (RFC 1123)."),
        "If-Unmodified-Since": ("header", {"type": "string"}, "Only if it has not changed since (RFC 1123)."),
        "ocp-range": ("header", {"type": "string"}, "`bytes=FIRST-LAST`: a part of the file, answered with 200."),
        "Range": ("header", {"type": "string"}, "The same, answered with 206."),
    }
    found: dict[str, Any] = {
        name.removeprefix("$"): {"name": name, "in": place, "description": text, "schema": schema}
        for name, (place, schema, text) in texts.items()
    }
    for path in {operation.path for operation in (*OPERATIONS, *OWN_OPERATIONS)}:
        for name in re.findall(r"\{(\w+)\}", path):
            text = {"description": "A path with its slashes quoted (`%2F`)."} if name == "filePath" else {}
            found[name] = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, **text}
    return dict(sorted(found.items()))


def headers() -> dict[str, Any]:
    texts = {
        "request-id": "The name of the request, for the log of the server.",
        "client-request-id": "As the client named the request, if it wants that back.",
        "DataServiceVersion": "3.0.",
        "Location": "Where it is that was created.",
        "ETag": "The version of the object.",
    }
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in texts.items()}
