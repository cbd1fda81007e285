"""docs/api.md and docs/limits.md say what there is."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from formula.parser import MAX_LENGTH, MAX_STATEMENTS
from pools.node_requests import MOST_NODES
from pools.pool_checks import MAX_TASK_SLOTS
from runner.request_checks import PRIORITIES
from runner.shared_key import SKEW
from runner.task_checks import MOST_ID_CHARACTERS, MOST_INSTANCES, MOST_RANGES
from service.api import call, errors, filters, tasks
from service.api.errors import ApiError
from service.server_settings import ServerSettings
from service.settings import Settings
from tests.architecture import operation_table
from tests.architecture.sources import ROOT, parsed, python_files

API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
LIMITS = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
_REFUSALS = ("ApiError", "JobError", "PoolError", "TreeError")


def test_the_tables_of_operations() -> None:
    assert operation_table.as_markdown() in API, "`make docs` writes it anew"


def codes() -> Iterator[tuple[tuple[int, ...], str]]:
    """Of the table of errors."""
    table = API.split("\n| status | codes |\n|---|---|\n")[1].split("\n\n")[0]
    for row in table.splitlines():
        status, text = row.strip("| ").split(" | ", 1)
        statuses = tuple(map(int, status.split(", ")))
        yield from ((statuses, code) for code in re.findall(r"`([A-Z][A-Za-z]+)`", text) if code != "Allow")


@pytest.mark.parametrize(("statuses", "code"), [*codes()], ids=str)
def test_the_status_of_a_code(statuses: tuple[int, ...], code: str) -> None:
    assert code == "OutOfSpace" or errors.status_of(code) in statuses


def refusals(path: Path) -> Iterator[str]:
    """The codes that a module refuses with."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _REFUSALS:
            words = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
            yield from (each for each in words if isinstance(each, str) and re.fullmatch(r"([A-Z][a-z]+)+", each))


def test_every_code_is_told() -> None:
    modules = [*python_files("service/api", "runner", "pools"), Path("service/file_trees.py")]
    raised = {code for path in modules for code in refusals(path)}
    assert len(raised) > 30
    assert raised - {code for _, code in codes()} - {"NotModified"} == set()


def test_an_error_as_it_is_shown() -> None:
    (shown,) = re.findall(r"^```json\n(.+?)^```", API, flags=re.M | re.S)
    refusal = ApiError("InvalidPropertyName", "vmSiz: ...", (("PropertyName", "vmSiz"), ("Reason", "...")))
    told = json.loads(errors.body(refusal, "http://127.0.0.1:8470", "9830cb48-...", 0.0))
    assert shape(json.loads(shown)) == shape(told)
    assert json.loads(shown)["odata.metadata"] == told["odata.metadata"]


def shape(value: object) -> object:
    """Names without what stands in them."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)


def days(name: str) -> str:
    return f"{getattr(Settings(), name).days} days"


@pytest.mark.parametrize(
    ("what", "here"),
    [
        ("tasks in one request", f"{tasks.MOST_ADDED};"),
        ("objects in one page of a list", f"{call.MOST:,}"),
        ("`$filter`", f"{filters.LONGEST:,} characters"),
        ("tasks at a time on a node (`taskSlotsPerNode`)", f"{MAX_TASK_SLOTS}"),
        ("ids that a task depends on", f"{MOST_ID_CHARACTERS:,} characters together"),
        ("ids that a task depends on", f"{MOST_RANGES:,} ranges"),
        ("nodes removed by one request", f"{MOST_NODES}"),
        ("instances of a multi-instance task", f"{MOST_INSTANCES:,}"),
        ("priority of a job", f"{PRIORITIES[0]} to {PRIORITIES[-1]}"),
        ("autoscale formula", f"{MAX_LENGTH:,} characters, {MAX_STATEMENTS} statements"),
        ("body of a request", f"({ServerSettings().request_limit >> 20} MiB)"),
        ("difference of the clocks of client and server", f"{SKEW / 60:g} minutes"),
        ("record of a completed job", f"`jobRetention` ({days('job_retention')})"),
        ("age of samples that formulas can see", f"`sampleRetention` ({days('sample_retention')})"),
        ("credentials of a task", f"`taskTokenLifetime` ({days('task_token_lifetime')})"),
        ("size of an application package", f"({Settings().application_package_limit >> 30} GiB)"),
        ("what a task printed", f"`outputCap` ({Settings().output_cap >> 20} MiB)"),
    ],
)
def test_a_limit(what: str, here: str) -> None:
    (row,) = re.findall(rf"^\| {re.escape(what)} \|.+$", LIMITS, flags=re.M)
    assert here in row
