"""Objects of the Batch REST API, wherever they are: on a server, or in the records of a state.

A way asks for one operation. What is built on it knows pages, and no place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlsplit

View = dict[str, Any]

#: The header of an answer that tells what of the request has no effect.
WARNING = "ebbtide-warning"
#: Objects in a page at most (Batch REST API).
_PAGE = 1000
#: Bytes of a file that are sent at a time.
_PIECE = 1 << 18


class RequestRefused(Exception):
    """`code` as the Batch REST API spells it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ClocksDiffer(RequestRefused):
    """The server takes nothing that was signed at another time; the message says what to do."""


class Unanswered(Exception):
    """Nobody could be asked, or it is not known what came of it; the message says which, and what to do."""


class Way(Protocol):
    def __call__(
        self, method: str, path: str, query: Mapping[str, str], body: object | None, if_match: str | None = None
    ) -> Any:
        """What is answered; None: nothing. `path`: percent-encoded. `body`: JSON-like, or the file that holds it.
        `if_match`: the eTag that the object is to have still. Raises RequestRefused, Unanswered."""


def unheard(warning: str) -> None:
    """For whoever does not ask for anything that could have no effect."""


def path_of(*segments: str) -> str:
    """The path of what is named. Raises RequestRefused for what would lead to something else, and is no id."""
    return "".join(f"/{_quoted(segment)}" for segment in segments)


def _quoted(segment: str) -> str:
    try:
        found = quote(segment, safe="")
    except UnicodeEncodeError:
        found = ""
    if found in ("", ".", ".."):
        raise RequestRefused("InvalidUri", f"{segment!r} is no id, and names nothing")
    return found


def pieces(file: Path) -> Iterator[bytes]:
    with open(file, "rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece


class Objects:
    def __init__(self, way: Way) -> None:
        self._way = way

    def one(self, *segments: str, query: Mapping[str, str] | None = None) -> View:
        """`one("jobs", "j", "tasks", "t")`. Raises RequestRefused, Unanswered; so does everything here."""
        found: View = self._way("GET", path_of(*segments), query or {}, None)
        return {name: value for name, value in found.items() if name != "odata.metadata"}

    def each(
        self, *segments: str, query: Mapping[str, str] | None = None, limit: int | None = None
    ) -> Iterator[View]:
        """The objects of a list, page by page as they are wanted."""
        left, token = limit, ""
        while left is None or left > 0:
            size = {"maxresults": str(min(left, _PAGE))} if left is not None else {}
            page = {**(query or {}), **size, **({"$skiptoken": token} if token else {})}
            answer = self._way("GET", path_of(*segments), page, None)
            yield from answer["value"]
            left = left - len(answer["value"]) if left is not None else None
            # only the token counts: the rest is the address as somebody else may see it
            token = dict(parse_qsl(urlsplit(answer.get("odata.nextLink", "")).query)).get("$skiptoken", "")
            if not token:
                return

    def ask(
        self,
        method: str,
        *segments: str,
        body: object | None = None,
        query: Mapping[str, str] | None = None,
        if_match: str | None = None,
    ) -> Any:
        """What is answered to a request that changes something, or is no plain GET. `if_match`: see Way."""
        return self._way(method, path_of(*segments), query or {}, body, if_match)
