"""Requests, one after the other, each judged: the answer, what it did, and what one hears who may not ask it."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ..service.openapi.described import faults
from . import effects, vocabulary
from .connection import Reply, Request, signed
from .denials import Denials, let_through, no_http
from .requests import Requests
from .world import World

#: After so many requests the world is put in order.
_TENDED = 400
_MEGABYTE = 1 << 20


@dataclass
class Finding:
    request: Request
    reply: Reply
    wrong: str

    def __str__(self) -> str:
        asked = f"{self.request.method} {self.request.path[:300]} {str(self.request.headers)[:300]}"
        body = f"\n    {self.request.body[:600]!r}" if self.request.body else ""
        return f"{self.wrong[:600]}\n  {asked}{body}\n  -> {self.reply.status} {self.reply.body[:300]!r}"

    def case(self) -> dict[str, Any]:
        """As a line of a file of cases."""
        body = self.request.body
        return {
            "operation": self.request.operation,
            "method": self.request.method,
            "path": self.request.path,
            "headers": [list(each) for each in self.request.headers],
            "body": None if body is None else base64.b64encode(body).decode(),
            "wrong": self.wrong,
        }


@dataclass
class Campaign:
    """`memory`: by the number of requests, the bytes of the server then."""

    world: World
    seed: int
    findings: list[Finding] = field(default_factory=list)
    memory: dict[int, int] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    done: int = 0
    denied: int = 0

    def run(self, requests: int, seconds: float = 1e9, marks: tuple[int, ...] = ()) -> None:
        """So many requests, or as many as there is time for. The memory is taken at the marks."""
        random = Random(self.seed)
        source, denials = Requests(random), Denials(random, self.world.key, self.world.reader)
        deadline = time.monotonic() + seconds
        while self.done < requests and time.monotonic() < deadline:
            if self.done % _TENDED == 0:
                self.world.tend()
                if self.done % (5 * _TENDED) == 0:
                    self.world.ready()
                source.nodes = self.world.nodes()
            self._one(source.any(), source, denials)
            self.done += 1
            if self.done in marks:
                self.world.tend()
                self.memory[self.done] = self.world.memory

    def _one(self, request: Request, source: Requests, denials: Denials) -> None:
        way, authorization = denials.of(request)
        reply = self.world.connection.ask(request, authorization)
        self.denied += 1
        self._found(request, reply, let_through(request, way, reply))
        reply = self.judge(request)
        if "etag" in reply.headers:
            source.etags = [*source.etags[-9:], reply.headers["etag"]]

    def judge(self, request: Request) -> Reply:
        """The answer to it, by somebody who may ask; what is wrong with it is a finding."""
        reply = self.world.connection.ask(request, signed(request, self.world.key))
        self.statuses[request.operation, reply.status] += 1
        self._found(request, reply, self._wrong(request, reply))
        return reply

    def _wrong(self, request: Request, reply: Reply) -> list[str]:
        wrong: list[str] = []
        if no_http(request) and reply.status in (0, 400):
            return []
        if reply.status == 0:
            wrong.append("the server hung up")
        if reply.status >= 500:
            wrong.append("the server is at fault")
        if vocabulary.HUSH.encode() in reply.body or vocabulary.HUSH in str(reply.headers):
            wrong.append("a secret is told")
        if vocabulary.PASSWORDS in reply.body:
            wrong.append("a file of the machine is told")
        if request.operation and reply.status not in (0, 431):
            wrong += faults(request.operation, reply.status, reply.headers, reply.body)
        if request.operation and 200 <= reply.status < 300 and not wrong:
            try:
                wrong += effects.missing(request, reply, self.world.get)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                wrong.append(f"what came of it cannot be judged: {error!r}")
        return wrong

    def _found(self, request: Request, reply: Reply, wrong: list[str]) -> None:
        self.findings += [Finding(request, reply, each) for each in wrong]

    @property
    def growth(self) -> float:
        """Megabytes, between the first and the last mark."""
        found = list(self.memory.values())
        return (found[-1] - found[0]) / _MEGABYTE if found else 0.0

    def report(self) -> str:
        good = sum(count for (_, status), count in self.statuses.items() if 200 <= status < 300)
        by_status = Counter[int]()
        for (_, status), count in self.statuses.items():
            by_status[status] += count
        reached = {name for name, status in self.statuses if 200 <= status < 300}
        missed = {name for name, _ in self.statuses} - reached - {""}
        memory = ", ".join(f"{size / _MEGABYTE:.0f} MB after {count:,}" for count, size in self.memory.items())
        return "\n".join(
            (
                f"{self.done:,} requests (seed {self.seed}), {good:,} of them taken; {self.denied:,} were denied "
                f"before; {self.world.connection.sent:,} were sent in all",
                f"answers: {', '.join(f'{status}: {count:,}' for status, count in sorted(by_status.items()))}",
                f"memory of the server: {memory or 'not taken'}",
                f"operations that no request was taken of: {', '.join(sorted(missed)) or 'none'}",
                f"findings: {len(self.findings)}",
            )
        )

    def cases(self) -> str:
        return "".join(json.dumps(each.case()) + "\n" for each in self.findings)
