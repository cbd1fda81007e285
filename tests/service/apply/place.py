"""A controller at work to which workload files are brought, and the requests that this takes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from service.apply import Plan, PresentObjects, carry_out, plan
from service.cli.differences import lines
from service.rest_objects import Objects
from service.rest_over_http import http_way
from service.settings import Settings
from service.workload_file import load_workload

from ..api.served import Served, served


class Brought(NamedTuple):
    """`told`: what people are shown; `asked`: what was asked for, such as `PATCH /pools/p`."""

    plan: Plan
    told: list[str]
    asked: list[str]


class Place:
    """Ids that hold an `@` are of the test that is under way alone."""

    def __init__(self, controller: Served, client: httpx.Client, folder: Path) -> None:
        self.controller, self.folder = controller, folder
        self._way = http_way(client, "the controller")
        self._numbers = itertools.count(1)
        self._own, self._asked = "", list[str]()
        self.objects = Objects(self._ask)
        self.fresh()

    def fresh(self) -> None:
        self._own = f"-{next(self._numbers)}"

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: object | None, if_match: str | None = None
    ) -> Any:
        if method != "GET":
            self._asked.append(self.plain(f"{method} {path}{''.join(f'?{name}={query[name]}' for name in query)}"))
        return self._way(method, path, query, body, if_match)

    def own(self, thing: Any) -> Any:
        """With the ids of this test."""
        return json.loads(json.dumps(thing).replace("@", self._own))

    def plain(self, text: str) -> str:
        return text.replace(self._own, "@")

    def planned(self, workload: Mapping[str, Any]) -> Plan:
        file = self.folder / "w.json"
        file.write_text(json.dumps(self.own(workload)))
        loaded = load_workload(file, Settings(), None, {}, PresentObjects(self.objects))
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        return plan(loaded, self.objects, scratch)

    def bring(self, workload: Mapping[str, Any]) -> Brought:
        """Nothing is done if something is refused."""
        found = self.planned(workload)
        self._asked.clear()
        if not found.refused:
            carry_out(found, self.objects)
        return Brought(found, [self.plain(each) for each in lines(found, coloured=False)], list(self._asked))


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    from service import controller_socket

    with served(folder / "state") as controller, controller_socket.client(folder / "state") as client:
        yield Place(controller, client, folder)
