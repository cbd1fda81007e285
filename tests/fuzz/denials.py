"""Each request once more, by somebody who may not ask it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from random import Random

from service.api.operations import OPERATIONS
from service.api.own_operations import OWN_OPERATIONS

from ..service.openapi.described import fits
from .connection import Key, Reply, Request, signed

_READS = {each.name: each.reads for each in (*OPERATIONS, *OWN_OPERATIONS)}
#: What the layer below says.
_NO_HTTP = b"Invalid HTTP request received."
READER = "one who may only read"
_GARBAGE = (
    *("SharedKey", "SharedKey ", "SharedKey :", "SharedKey a", "SharedKey a:", "SharedKey :b", "sharedkey a:b"),
    *("Basic YTpi", "Bearer x", "SharedKeyLite a:b", "SharedKey a:é", "SharedKey a:b:c", "é", "\t"),
    "SharedKey " + "a" * 5000 + ":b",
)


class Denials:
    """`key`: of an account that may do everything; `reader`: of one that may only read."""

    def __init__(self, random: Random, key: Key, reader: Key) -> None:
        self._random = random
        self._key, self._reader = key, reader
        self._ways: Mapping[str, Callable[[Request], dict[str, str]]] = {
            "unsigned": lambda _: {},
            "garbage": lambda _: {"Authorization": random.choice(_GARBAGE)},
            "another key": lambda it: signed(it, Key(key.account, reader.key)),
            "another account": lambda it: signed(it, Key("nobody", key.key)),
            "the account of the reader": lambda it: signed(it, Key(reader.account, key.key)),
            "another path": lambda it: signed(it, key, path=f"{it.path}&other=1" if "?" in it.path else f"{it.path}x"),
            "another method": lambda it: signed(it._replace(method="GET" if it.method != "GET" else "HEAD"), key),
            "an hour ago": lambda it: signed(it, key, time.time() - 3600),
            "in an hour": lambda it: signed(it, key, time.time() + 3600),
            "without its date": self._undated,
        }

    def of(self, request: Request) -> tuple[str, dict[str, str]]:
        """How it is denied, and the headers of authentication."""
        if not _READS.get(request.operation, True) and self._random.random() < 0.2:
            return READER, signed(request, self._reader)
        way = self._random.choice(tuple(self._ways))
        return way, self._ways[way](request)

    def _undated(self, request: Request) -> dict[str, str]:
        return {"Authorization": signed(request, self._key)["Authorization"]}


def no_http(request: Request) -> bool:
    """The layer below may refuse it, in its own words."""
    texts = (request.method, request.path, *(value for _, value in request.headers))
    return not request.operation or any(ord(each) < 32 or ord(each) == 127 for text in texts for each in text)


def let_through(request: Request, way: str, reply: Reply) -> list[str]:
    """What somebody was told who may not ask."""
    if no_http(request) and reply.status in (0, 400) and reply.body in (_NO_HTTP, b""):
        return []
    if reply.status == 404 and b'"ResourceNotFound"' in reply.body and way == READER:
        return []  # nothing is there for anybody
    if not request.operation and reply.status == 405 and len(reply.body) < 200:
        return []  # something is there, which does not take the method: that is no secret
    if reply.status not in (401, 403):
        return [f"{way}: {reply.status} {reply.body[:200]!r}"]
    if request.method == "HEAD":
        return [f"{way}: a body"] if reply.body else []
    answer = json.loads(reply.body)
    wrong = fits("Error", answer)
    if answer["code"] not in ("AuthenticationFailed", "AuthorizationFailure") or len(reply.body) > 12_000:
        wrong.append(f"{way}: {reply.body[:200]!r}")
    return wrong
