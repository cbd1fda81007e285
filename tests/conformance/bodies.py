"""From plain values to the structs of requests, by the way that workload files take."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from service.decoding import decode
from service.positions import parse_document
from service.problems import InputError, Problems

S = TypeVar("S", bound=msgspec.Struct)


def decoded(plain: Any, wanted: type[S]) -> S:
    """Raises InputError."""
    problems = Problems()
    found = decode(parse_document(json.dumps(plain), "body").root, wanted, problems)
    if found is None:
        raise InputError("body", problems)
    return found


def attributes(plain: dict[str, Any], wanted: type[msgspec.Struct]) -> frozenset[str]:
    """Those of the struct that the body gives."""
    names = {field.encode_name: field.name for field in msgspec.structs.fields(wanted)}
    return frozenset(names[each] for each in plain)
