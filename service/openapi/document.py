"""The whole document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import metadata
from typing import Any

import msgspec

from ..api.operations import VERSIONS
from . import beside
from .answer_schemas import answer_schemas
from .operations import list_schemas, paths, refusals
from .parameters import headers, parameters
from .request_schemas import ENUMERATIONS, REFERENCE, Schema, answered_schemas, request_schemas

_TEXT = f"""\
The Azure Batch REST API (api-versions {" and ".join(VERSIONS)}) as ebbtide serves it, and what it serves beyond.
Durations are ISO 8601, times RFC 3339 in UTC. Properties that have no value are left out of answers, and `$select`
leaves out more.
"""
_SHARED_KEY = """\
`SharedKey ACCOUNT:SIGNATURE`, in base64: HMAC-SHA256 with the key of the account of: method, Content-Encoding,
Content-Language, Content-Length, Content-MD5, Content-Type, Date, If-Modified-Since, If-Match, If-None-Match,
If-Unmodified-Since and Range, each with a line feed behind it; `ocp-` headers by name, as `name:value` with a line
feed; `/ACCOUNT` and the path as it is sent; the parameters of the query by name, as `name:value` with a line feed
before each.
"""
#: Where schemas are.
_PLACE = REFERENCE.format(name="")


@cache
def description() -> bytes:
    """As JSON."""
    return msgspec.json.encode(document())


def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ebbtide",
            "version": metadata.version("ebbtide"),
            "description": _TEXT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"SharedKey": []}],
        "paths": {**paths(), **beside.paths()},
        "components": {
            "schemas": dict(sorted(_schemas().items())),
            "parameters": parameters(),
            "headers": headers(),
            "responses": refusals(),
            "securitySchemes": {
                "SharedKey": {"type": "apiKey", "in": "header", "name": "Authorization", "description": _SHARED_KEY}
            },
        },
    }


def _schemas() -> dict[str, Schema]:
    asked = request_schemas()
    answered = answered_schemas({name: each for name, each in asked.items() if name not in ENUMERATIONS})
    found = {**asked, **answered, **answer_schemas(answered), **list_schemas(), **beside.schemas()}
    needed = set(_needed([paths(), beside.paths()], found)) | {"Error"} | set(_needed(found["Error"], found))
    return {name: schema for name, schema in found.items() if name in needed}


def _needed(part: Any, schemas: dict[str, Schema]) -> Iterator[str]:
    """The schemas that the part refers to, and those to which they do."""
    waiting, seen = [part], set[str]()
    while waiting:
        match waiting.pop():
            case {"$ref": str(place)} if place.startswith(_PLACE):
                name = place.removeprefix(_PLACE)
                if name not in seen:
                    seen.add(name)
                    waiting.append(schemas[name])
            case dict(inner):
                waiting += inner.values()
            case list(items):
                waiting += items
    yield from seen
