"""Bodies of requests as typed specifications.

Most are as the types have them, and are read in one go. Those that are not (numbers as text, enums in another case, old
names, properties that are not ours) are read as a workload file is: slowly, and with every fault told in its place.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeVar

import msgspec

from ..decoding import decode
from ..positions import parse_document
from ..problems import InputError, Problem, Problems
from .errors import ApiError

S = TypeVar("S", bound=msgspec.Struct)

#: What the types would let through and the slow way does not: characters that no name or command may hold,
_NUL = b"\\u0000"
#: groups that are kept as they stand, times that an offset may lead out of the years that there are, durations in
#: spellings that mean something else elsewhere (the look ahead makes it twice as fast),
_SUSPECT = re.compile(
    rb'"(?=[v09Pp])(?:virtualMachineConfiguration"|(?:0001|9999)-|'
    rb'(?!P(?:\d{1,9}D)?(?:T(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,9}(?:\.\d{1,6})?S)?)?")[Pp][\dDHMSTWYdhmstwy.,]*")'
)
#: and numbers that are too large. A body has many digits and seldom ten in a row: that is looked for first.
_LARGE = re.compile(rb"[\[:,]\s*-?\d{10}")
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
#: What only answers about pools hold, and what they hold beside a formula and no request may.
_TELLS_OF_A_POOL, _OF_THE_FORMULA = "allocationState", ("targetDedicatedNodes", "targetLowPriorityNodes")
#: Faults told of one body at most.
_MOST_TOLD = 20


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def read(body: bytes, kind: type[S]) -> S:
    """Raises ApiError."""
    if not _is_suspect(body):
        try:
            found: S = _decoder(kind).decode(body)
            return found
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    return _slowly(body, kind)


def _is_suspect(body: bytes) -> bool:
    if _NUL in body or _SUSPECT.search(body) is not None:
        return True
    return b"0000000000" in body.translate(_DIGITS) and _LARGE.search(body) is not None


def optional(body: bytes, kind: type[S]) -> S:
    """The same where there may be no body at all, which is like an empty group. Raises ApiError."""
    return read(body if body.strip() else b"{}", kind)


def given(body: bytes) -> frozenset[str]:
    """The names of the properties that the body gives a value other than null. Raises ApiError."""
    found = _object(body)
    return frozenset(name for name, value in found.items() if value is not None)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise ApiError("InvalidRequestBody", f"the body is not JSON: {_where(body, exc)}") from None
    if not isinstance(found, dict):
        raise ApiError("InvalidRequestBody", "the body is to be a JSON object")
    return found


def _where(body: bytes, fault: Exception) -> Exception:
    """Of what is not UTF-8 msgspec counts the place from the beginning of its own text."""
    try:
        body.decode()
    except UnicodeDecodeError as exc:
        return exc
    return fault


def _slowly(body: bytes, kind: type[S]) -> S:
    given = _object(body)  # what YAML would take beyond JSON is refused
    if _TELLS_OF_A_POOL in given and str(given.get("enableAutoScale")).lower() == "true":
        # an answer that comes back: these are not what somebody asked for, but what the formula has decided
        body = msgspec.json.encode({name: value for name, value in given.items() if name not in _OF_THE_FORMULA})
    problems = Problems()
    try:
        found = decode(parse_document(body.decode(), "body").root, kind, problems, posted_back=True)
    except InputError as exc:
        raise ApiError("InvalidRequestBody", f"the body cannot be read: {exc}") from None
    if found is None or problems.errors:
        raise _refused(problems.errors)
    return found


def _refused(errors: list[Problem]) -> ApiError:
    first = errors[0]
    told = [f"{each.path}: {each.text}" if each.path else each.text for each in errors[:_MOST_TOLD]]
    if len(errors) > _MOST_TOLD:
        told.append(f"and {len(errors) - _MOST_TOLD} more")
    values = [("PropertyName", first.path)] if first.path else []
    return ApiError(first.code, "\n".join(told), (*values, ("Reason", first.text)))
