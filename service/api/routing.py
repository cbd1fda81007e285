"""From a request line to the operation and the ids in it.

Ids are single segments of the raw path and decoded one by one, so that an id may hold what is quoted there. What comes
after `/files/` is one path, however its slashes are written: clients quote them, and people do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from .operations import OPERATIONS, Operation
from .own_operations import OWN_OPERATIONS

_REST = "{filePath}"
#: A certificate is named in its segment: certificates(thumbprintAlgorithm=sha1,thumbprint=...).
_CERTIFICATE = "certificates("


class Found(NamedTuple):
    """`operation` None: there is something at the path, but it does not take the method; `allowed` are those."""

    operation: Operation | None
    ids: Mapping[str, str]
    allowed: tuple[str, ...]


class Router:
    def __init__(self, operations: Iterable[Operation] = (*OPERATIONS, *OWN_OPERATIONS)) -> None:
        #: by the number of segments, whether the last takes the rest, and the first segment
        self._shapes: dict[tuple[int, bool, str], list[_Shape]] = {}
        for operation in operations:
            segments = tuple(operation.path.split("/")[1:])
            known = self._shapes.setdefault((len(segments), segments[-1] == _REST, _kind(segments[0])), [])
            shape = next((each for each in known if each.segments == segments), None)
            if shape is None:
                known.append(shape := _Shape(segments, {}))
            shape.methods[operation.method] = operation

    def find(self, method: str, raw_path: str) -> Found | None:
        """None: there is nothing at that path. Raises ValueError if a segment is not UTF-8."""
        parts = raw_path.split("/")[1:]
        kind = _kind(parts[0]) if parts else ""
        shapes = [(each, parts) for each in self._shapes.get((len(parts), False, kind), ())]
        for count in {count for count, rest, its in self._shapes if rest and count <= len(parts) and its == kind}:
            whole = [*parts[: count - 1], "/".join(parts[count - 1 :])]
            shapes += [(each, whole) for each in self._shapes[count, True, kind]]
        for shape, given in shapes:
            ids = shape.match(given)
            if ids is not None:
                return Found(shape.methods.get(method), ids, tuple(shape.methods))
        return None


def _kind(first: str) -> str:
    """Of the objects at a path: its first segment, without what may stand in parentheses."""
    return first.partition("(")[0]


class _Shape(NamedTuple):
    segments: tuple[str, ...]
    methods: dict[str, Operation]

    def match(self, given: list[str]) -> dict[str, str] | None:
        ids: dict[str, str] = {}
        for wanted, part in zip(self.segments, given, strict=True):
            if wanted[0] == "{":
                if not part:
                    return None
                ids[wanted[1:-1]] = decoded(part)
            elif wanted.startswith(_CERTIFICATE):
                if not (part.startswith(_CERTIFICATE) and part.endswith(")")):
                    return None
            elif wanted != part:
                return None
        return ids


def decoded(segment: str) -> str:
    """Raises ValueError if it is not UTF-8."""
    return unquote_to_bytes(segment).decode() if "%" in segment else segment
