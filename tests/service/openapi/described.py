"""Answers beside the description of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from service.openapi import description

_URI = "urn:description"
_RESOLVED = re.compile(r"#/components/(\w+)/(.+)")


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(description())
    return found


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method in capitals, and the operation."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method.upper(), operation


@cache
def named() -> dict[str, dict[str, Any]]:
    """The operations by name."""
    return {operation["operationId"]: operation for _, _, operation in operations()}


def resolved(part: Any) -> dict[str, Any]:
    """What it refers to, if that is all it does."""
    found = _RESOLVED.fullmatch(part.get("$ref", ""))
    return document()["components"][found[1]][found[2]] if found else part


def faults(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """In what the answer is not as it is described. `headers`: by names in lower case."""
    found = named()[operation]["responses"].get(str(status))
    if found is None:
        return [f"{operation} is not said to answer {status}: {body[:500]!r}"]
    answer = resolved(found)
    wrong = [f"no header {name}" for name in _always(answer) if name.lower() not in headers]
    (content,) = answer.get("content", {"": None}).items()
    kind, media = content
    if kind == "application/json" and body:
        try:
            value = json.loads(body)
        except ValueError as error:
            return [*wrong, f"no JSON: {error}"]
        place = f"{_URI}#/components/schemas/{media['schema']['$ref'].rpartition('/')[2]}"
        wrong += [f"{each.json_path}: {each.message[:300]}" for each in _validator(place).iter_errors(value)]
    elif not kind and body:
        wrong.append(f"a body, where none is described: {body[:300]!r}")
    return [f"{operation} {status}: {each}" for each in wrong]


def fits(schema: str, value: Any) -> list[str]:
    """In what the value is not as the schema of that name has it."""
    place = f"{_URI}#/components/schemas/{schema}"
    return [f"{each.json_path}: {each.message[:300]}" for each in _validator(place).iter_errors(value)]


def _always(answer: Mapping[str, Any]) -> list[str]:
    return [name for name in answer.get("headers", {}) if name != "client-request-id"]


@cache
def _registry() -> Registry:
    # formats are checked where the values are compared; `date-time` needs a package that nothing else does
    return Registry().with_resource(_URI, DRAFT202012.create_resource(document()))


@cache
def _validator(place: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": place}, registry=_registry(), format_checker=_FORMATS
    )


_FORMATS = jsonschema.FormatChecker(formats=())
_SPAN = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}(\d{4})?)?Z")
_URL = re.compile(r"https?://[^\s\"<>\\^`{|}]+")


def _checks(name: str, pattern: re.Pattern[str]) -> None:
    @_FORMATS.checks(name)
    def check(value: object) -> bool:
        return not isinstance(value, str) or pattern.fullmatch(value) is not None


_checks("duration", _SPAN)
_checks("date-time", _TIME)
_checks("uri", _URL)
