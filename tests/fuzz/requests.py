"""Requests for every operation of the description: paths, queries, headers and bodies, right and wrong."""

from __future__ import annotations

import io
import zipfile
from random import Random
from typing import Any
from urllib.parse import quote

from ..service.openapi.described import operations, resolved
from . import vocabulary
from .connection import Request
from .generator import Generator

_JSON = "application/json; odata=minimalmetadata"
_KINDS = (_JSON, "application/json", "text/plain", "", "application/json; charset=utf-16", "é")
#: What needs no account, and what would end all.
_NOT_ASKED = ("/openapi.json", "/healthz", "/drain", "/left")
#: Asked for more often than once in a while: what fills the place.
_OFTEN = {"pool.add": 4, "job.add": 5, "task.add": 6, "task.add_collection": 3, "job_schedule.add": 3, "pool.get": 2}
#: After these what is always there is gone for a while, or is another.
_WRECKING = frozenset(
    (
        *("pool.delete", "pool.resize", "pool.enable_auto_scale", "pool.remove_nodes", "pool.patch"),
        *("pool.update_properties", "job.delete", "job.terminate", "job.disable", "task.delete"),
    )
)
_VALUES = (
    *("'base'", "'a'", "1", "true", "null", "datetime'2026-01-31T12:00:00Z'", "''", "'it''s'", "-1.5", "datetime'x'"),
    "id",
)
_TIMES = ("datetime'2026-01-31T12:00:00Z'", *(f"datetime'{time}'" for time in vocabulary.ENDS))
_NO_FILTERS = ("state eq", "eq", "(((", "'", "1 eq 1", "not", "id eq 'a' id", "x" * 9000, "(" * 60)


class Requests:
    """`nodes`: ids of nodes that are there."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._bodies = Generator(random)
        self._operations = [each for each in operations() if each[0] not in _NOT_ASKED]
        self._weights = [
            0.2 if operation.get("deprecated") else _OFTEN.get(operation["operationId"], 1.0)
            for _, _, operation in self._operations
        ]
        self.etags: list[str] = ["*"]

    @property
    def nodes(self) -> tuple[str, ...]:
        return self._bodies.nodes

    @nodes.setter
    def nodes(self, nodes: tuple[str, ...]) -> None:
        self._bodies.nodes = nodes

    def any(self) -> Request:
        if self._random.random() < 0.02:
            return self._astray()
        ((path, method, operation),) = self._random.choices(self._operations, self._weights)
        return self.of(path, method, operation)

    def of(self, path: str, method: str, operation: dict[str, Any]) -> Request:
        headers: list[tuple[str, str]] = []
        query: list[tuple[str, str]] = [("api-version", "2025-06-01")]
        for each in map(resolved, operation["parameters"]):
            likely = 0.2 if each["in"] == "query" else 0.05
            if each["name"] not in ("api-version", "ocp-date") and self._random.random() < likely:
                (query if each["in"] == "query" else headers).append((each["name"], self._parameter(each)))
        if self._random.random() < 0.03:
            query.append(self._random.choice((("x", "1"), ("$filter", ""), ("$select", "id"), ("$top", "1"), ("", ""))))
        body: bytes | None = None
        asked = operation.get("requestBody")
        if asked is not None:
            ((kind, media),) = asked["content"].items()
            body = self._package() if kind == "application/zip" else self._bodies.body(media["schema"])
            headers.append(("Content-Type", self._random.choice(_KINDS) if self._random.random() < 0.05 else _JSON))
        elif method not in ("GET", "HEAD"):
            body = b"" if self._random.random() < 0.9 else b"{}"
        name = operation["operationId"]
        where = f"{self._path(path, method, name)}?{self._encoded(query)}"
        return Request(name, method, where, tuple(headers), body)

    def _path(self, path: str, method: str, name: str) -> str:
        if self._random.random() < 0.8:  # that of which there is something
            path = path.replace("/pools/{poolId}/nodes", "/pools/base/nodes")
            path = path.replace("/jobs/{jobId}/tasks/{taskId}/", "/jobs/base/tasks/done/")
        found = "/".join(self._segment(each, method) for each in path.split("/"))
        # it takes a while until it is there again
        spared = name in _WRECKING and self._random.random() < 0.9
        return found.replace("/pools/base", "/pools/p1", 1).replace("/jobs/base", "/jobs/j1", 1) if spared else found

    def _segment(self, segment: str, method: str) -> str:
        if "{" not in segment:
            return segment
        begin, _, rest = segment.partition("{")
        name, _, end = rest.partition("}")
        return f"{begin}{self._id(name, method)}{end}"

    def _id(self, name: str, method: str) -> str:
        if name == "filePath":
            known = vocabulary.FILES if method != "DELETE" else vocabulary.DELETABLE
            likely = known[:3] if self._random.random() < 0.4 else known
            return quote(self._random.choice(likely), safe=self._random.choice(("", "/", "/.")))
        if name == "nodeId" and self.nodes and self._random.random() < 0.85:
            return quote(self._random.choice(self.nodes), safe="")
        if self._random.random() < 0.05:
            return quote(self._random.choice(vocabulary.HOSTILE), safe="")
        return quote(self._random.choice(vocabulary.IDS.get(name, vocabulary.HOSTILE)), safe="")

    def _parameter(self, each: dict[str, Any]) -> str:
        name, known = each["name"], each.get("x-ebbtide-properties", ())
        if self._random.random() < 0.1:
            return self._random.choice(vocabulary.HOSTILE).replace("\r", "").replace("\n", "")
        match name:
            case "$filter":
                return self.condition(known)
            case "$select":
                return ",".join(self._random.choice(known) for _ in range(self._random.randrange(1, 4)))
            case "$expand":
                return self._random.choice(("stats", "STATS", "stats,stats", "x", ""))
            case "maxresults":
                return str(self._random.choice((*vocabulary.NUMBERS, 1, 2, 1000)))
            case "If-Match" | "If-None-Match":
                return self._random.choice((*vocabulary.ETAGS, *self.etags[-3:] * 3))
            case "If-Modified-Since" | "If-Unmodified-Since":
                return self._random.choice(vocabulary.DATES)
            case "ocp-range" | "Range":
                return self._random.choice(vocabulary.RANGES)
            case "recursive" | "force" | "default" | "return-client-request-id" | "declared":
                return self._random.choice(("true", "false", "True", "1", ""))
        return self._random.choice(("30", "a", "2024-02-01.19.0", ""))

    def condition(self, known: Any, depth: int = 0) -> str:
        """An OData filter, mostly a right one."""
        dice = self._random.random()
        if depth < 4 and dice < 0.25:
            word = self._random.choice(("and", "or", "AND"))
            return f"{self.condition(known, depth + 1)} {word} {self.condition(known, depth + 1)}"
        if depth < 4 and dice < 0.35:
            return f"not ({self.condition(known, depth + 1)})"
        name = self._random.choice(tuple(known) or ("id",))
        if dice < 0.45:
            return f"startswith({name},{self._random.choice(_VALUES)})"
        if dice < 0.5:
            return self._random.choice(_NO_FILTERS)
        operator = self._random.choice(("eq", "ne", "gt", "ge", "lt", "le", "EQ", "has"))
        value = self._random.choice(_TIMES if name.endswith("Time") and dice < 0.9 else _VALUES)
        return f"{value} {operator} {name}" if dice > 0.95 else f"{name} {operator} {value}"

    def _encoded(self, query: list[tuple[str, str]]) -> str:
        safe = self._random.choice(("$", "", "$'"))
        return "&".join(f"{quote(name, safe=safe)}={quote(value, safe=safe)}" for name, value in query)

    def _package(self) -> bytes:
        dice = self._random.random()
        if dice < 0.5:
            return package(f"echo {self._random.randrange(3)}")
        return self._random.choice((b"", b"PK", b"x" * 1000, b"PK\x05\x06" + b"\0" * 18, b"PK\x05\x06" + b"\xff" * 18))

    def _astray(self) -> Request:
        """To where nothing is, or by a method that nothing has."""
        path = self._random.choice(
            (
                *("/", "", "//", "/pools/", "/Pools", "/pools//nodes", "/pools/base/nodes/", "/healthz/"),
                *("/pools/%", "/pools/%zz", "/pools/%ff", "/pools/base%00", "/%2e%2e/pools", "/../pools", "/pools/.."),
                *("/jobs/" + "x" * 9000, "/certificates", "/certificates(", "/certificates()", "/$metadata", "/health"),
                *("/jobs/base/tasks/done/files/", "/storage/x", "/pools;x=1", "/pools%3Fapi-version=1"),
                "/openapi.json/x",
                *("/accounts.json", "/left", "/gc", "/requests", "/nodes", "*", "pools", "http://x/pools"),
            )
        )
        method = self._random.choice(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "GIT"))
        body = None if method in ("GET", "HEAD", "TRACE") else b"{}"
        query = self._random.choice(("", "?", "?api-version=1", "?&&=&%", "?" + "a=1&" * 70))
        return Request("", method, path + query, (), body)


def package(script: str) -> bytes:
    """The zip of an application."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("run.sh", script)
    return file.getvalue()
