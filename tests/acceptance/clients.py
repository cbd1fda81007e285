"""The official clients, each in an environment of its own, and flows run with them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.api.operations import OPERATIONS

from . import recorded_answers
from .endpoint import ROOT, Answer, Endpoint
from .reached import NOT_SERVED, REACHED

HERE = Path(__file__).parent
CLIENTS = ROOT / ".clients"
#: Seconds for a whole flow.
PATIENCE = 600.0
#: Of the right answer, by operation.
STATUS = {each.name: each.status if each.served else NOT_SERVED for each in OPERATIONS}


def installed(name: str) -> pytest.MarkDecorator:
    """Skips where the client is not there, with the command that brings it."""
    there = (CLIENTS / name / "made").exists()
    cure = "make clients" if name.startswith("sdk") else "make acceptance"
    return pytest.mark.skipif(not there, reason=f"the client {name} is not here (cure: {cure})")


def missed(client: str, answers: Iterable[Answer]) -> dict[str, str]:
    """Operations that a client reaches, with the flow that is to, which has had no right answer of it."""
    right = {(each.flow, each.operation, each.status) for each in answers}
    wanted = {name: getattr(by, client) for name, by in REACHED.items() if getattr(by, client) is not None}
    return {name: flow for name, flow in wanted.items() if (flow, name, STATUS[name]) not in right}


def flows(folder: str) -> list[str]:
    """The flows of a client, by name."""
    return sorted(path.stem for path in (HERE / folder).glob("*.py") if steps(folder, path.stem))


def steps(folder: str, flow: str) -> list[str]:
    """The names of the steps, without the client that the flow imports."""
    tree = ast.parse((HERE / folder / f"{flow}.py").read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and [ast.unparse(each) for each in node.decorator_list] == ["flow.step"]
    ]


class Run:
    """A flow under way."""

    def __init__(self, command: list[Path | str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._told: dict[str, str | None] | None = None

    def failures(self) -> dict[str, str | None]:
        """By step; None: it went well. Waits for the end of the flow."""
        if self._told is None:
            out, err = self.process.communicate(timeout=PATIENCE)
            self._told = {told["step"]: told["failure"] for told in map(json.loads, out.splitlines())}
            assert self._told, f"the flow did nothing: {err[-4000:]}"
        return self._told

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Served:
    """Flows side by side at one server, by name."""

    def __init__(self, runs: dict[str, Run], endpoint: Endpoint) -> None:
        self._runs = runs
        self._endpoint = endpoint

    def check(self, flow: str, step: str) -> None:
        """Waits for the end of the flow."""
        failure = self._runs[flow].failures().get(step, "the flow ended before")
        if failure is not None:
            pytest.fail(failure, pytrace=False)

    def missed(self, client: str) -> dict[str, str]:
        """Operations that the flow which the table names has had no right answer of; waits for the end of all flows."""
        return missed(client, self._answers())

    def errors(self) -> set[Answer]:
        """Answers that say that the server is at fault; waits for the end of all flows."""
        return {each for each in self._answers() if each.status >= 500}

    def not_as_described(self) -> set[str]:
        """In what answers were not as the description of the API says; waits for the end of all flows."""
        self._answers()
        record = self._endpoint.record
        return recorded_answers.not_as_described(record.with_name(f"{record.name}.answers"))

    def _answers(self) -> list[Answer]:
        for run in self._runs.values():
            run.failures()
        return self._endpoint.answers


@contextmanager
def running(client: str, names: list[str], endpoint: Endpoint, **variables: str) -> Iterator[Served]:
    """Flows of an SDK, side by side. Their environment is this one, the endpoint and `variables`."""
    python, environment = CLIENTS / client / "bin" / "python", {**os.environ, **endpoint.variables, **variables}
    runs = {
        name: Run([python, "-m", f"tests.acceptance.{client}.{name}"], environment | {"FLOW": name}) for name in names
    }
    try:
        yield Served(runs, endpoint)
    finally:
        for run in runs.values():
            run.end()
