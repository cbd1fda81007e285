"""What the database decides of a filter on tasks is what the filter says of the answered objects."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import ExecutionResult
from runner import Job, Journal, Task, TaskState, open_journal
from service.api import filters
from service.api.errors import ApiError
from service.api.filters import All, Comparison, Either, Filter, Not, StartsWith
from service.api.properties import FILTERS
from service.api.task_filters import narrowed, only_id
from service.rest_views import Links, task_view
from tests.runner.store.records import job, put, task

DONE: dict[str, Any] = {"state": TaskState.COMPLETED, "start_time": 1.0, "end_time": 2.0, "node_id": "n"}
JOB: Job = job("job")
TASKS: list[Task] = [
    task("waits", sequence=1),
    task("Waits", sequence=2),
    task("waits_1", sequence=3),
    task("waits%1", sequence=4),
    task("prepares", sequence=5, state=TaskState.PREPARING, node_id="n"),
    task("runs", sequence=6, state=TaskState.RUNNING, node_id="n", start_time=1.0),
    task("good", sequence=7, **DONE, result=ExecutionResult.SUCCESS, exit_code=0),
    task("bad", sequence=8, **DONE, result=ExecutionResult.FAILURE, exit_code=3),
    task("again", sequence=10, start_time=1.0, exit_code=3),
    task("never", sequence=9, state=TaskState.COMPLETED, end_time=2.0, result=ExecutionResult.FAILURE),
]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    path: Path = tmp_path_factory.mktemp("journal") / "db"
    found = open_journal(f"sqlite:///{path}")
    found.commit([put(JOB), *map(put, TASKS)])
    yield found
    found.close()


def listed(journal: Journal, check: Filter) -> set[str]:
    """As the list of tasks finds them."""
    queries = journal.task_queries
    where, exact = narrowed(check, queries.integer)
    fulfils: Callable[[Any], bool] = filters.predicate(check) if not exact else lambda _: True
    found = queries.after(JOB.id, "", where, 100, only_id(check))
    return {each.id for _, each in found if each is not None and fulfils(view(each))}


def view(each: Task) -> dict[str, Any]:
    found: dict[str, Any] = task_view(each, JOB, Links("http://x"))
    return found


IDS = st.sampled_from(["waits", "WAITS", "good", "w", ""])
LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Comparison, st.just("id"), st.sampled_from(["eq", "ne", "gt", "le"]), IDS),
    st.builds(StartsWith, st.just("id"), st.sampled_from(["", "w", "W", "waits_", "waits%", "_", "%"])),
    st.builds(
        Comparison,
        st.just("state"),
        st.sampled_from(["eq", "ne"]),
        st.sampled_from(["active", "preparing", "running", "completed", "none", None]),
    ),
    st.builds(
        Comparison,
        st.just("executionInfo/result"),
        st.sampled_from(["eq", "ne"]),
        st.sampled_from(["success", "failure", "other", None]),
    ),
    st.builds(
        Comparison,
        st.just("executionInfo/exitCode"),
        st.sampled_from(["eq", "ne", "gt", "le"]),
        st.sampled_from([0, 3, 2.5, -1, 2**70, None]),
    ),
)
FILTER: st.SearchStrategy[Filter] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.tuples(inner, inner)),
        st.builds(Either, st.tuples(inner, inner)),
    ),
    max_leaves=6,
)


@given(check=FILTER)
def test_the_database_finds_what_the_filter_says(journal: Journal, check: Filter) -> None:
    fulfils = filters.predicate(check)
    assert listed(journal, check) == {each.id for each in TASKS if fulfils(view(each))}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("executionInfo/result eq 'failure'", {"bad", "never"}),
        ("not (executionInfo/result eq 'success')", {each.id for each in TASKS} - {"good"}),
        ("not (executionInfo/result eq 'failure') and state ne 'active'", {"prepares", "runs", "good"}),
        ("state eq 'Running' or executionInfo/result eq 'Success'", {"runs", "good"}),
        ("startswith(id, 'waits_')", {"waits_1"}),
        ("startswith(id, 'W') or startswith(id, 'go')", {"Waits", "good"}),
        ("executionInfo/exitCode eq 3", {"bad"}),
        ("not (executionInfo/exitCode ne 3) or id eq 'runs'", {"bad", "runs"}),
    ],
)
def test_some(journal: Journal, text: str, found: set[str]) -> None:
    assert listed(journal, filters.parse(text, FILTERS["task"])) == found


@pytest.mark.parametrize(
    "text",
    [
        "startswith(id, 'Wai') or startswith(id, 'go')",
        "executionInfo/exitCode eq 3",
        "executionInfo/exitCode ge 3 or id eq 'runs' and state eq 'running'",
    ],
)
def test_the_database_decides_alone(journal: Journal, text: str) -> None:
    _, exact = narrowed(filters.parse(text, FILTERS["task"]), journal.task_queries.integer)
    assert exact


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("id eq 'a'", "a"),
        ("state eq 'active' and id eq 'a'", "a"),
        ("id eq 'a' or id eq 'b'", None),
        ("not (id eq 'a')", None),
        ("id ne 'a'", None),
    ],
)
def test_the_only_id(text: str, only: str | None) -> None:
    assert only_id(filters.parse(text, FILTERS["task"])) == only


def test_as_many_conditions_as_may_be() -> None:
    def of(count: int) -> str:
        return " or ".join(f"id eq '{number}'" for number in range(count))

    filters.parse(of(filters.MOST), FILTERS["task"])
    with pytest.raises(ApiError, match="more than 100 conditions") as refused:
        filters.parse(of(filters.MOST + 1), FILTERS["task"])
    assert refused.value.code == "InvalidQueryParameterValue"
