"""What pools and jobs have cost, as it is told; and the examples of the page about it."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from pools import (
    Cost,
    ExecutionResult,
    FailureInfo,
    MetadataItem,
    Node,
    Pool,
    PoolSpec,
    ResizeError,
    Usage,
    options_of,
)
from runner import Job, JobSpec, PoolInfo, Task, TaskSpec, TaskState
from runner.task_spec import packed
from service.costs import amount, idle_cost, job_costs, paid, told, used
from service.problems import InputError
from service.report import Report
from service.settings import Settings
from service.settings_file import load_settings
from service.views.live import LiveView
from service.views.summary import summary
from service.views.tally import Tally
from service.views.timeline import Timeline
from service.workload_file import load_workload

from .offers import cloud

DOCUMENT = Path(__file__).parents[2] / "docs" / "money.md"
STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
BUDGET = (MetadataItem(name="budget", value="9"),)
SPEC = PoolSpec(id="p", vm_size="s", task_slots_per_node=4, metadata=BUDGET)
POOL = Pool(**STAMP, id="p", provider="local", spec=SPEC)
NODE = Node(
    **STAMP, id="n", pool_id="p", vm_name="vm", low_priority=True, vm_confirmed=100.0, price_per_hour=3600.0
)  # fmt: skip
JOB = Job(**STAMP, id="j", spec=JobSpec(id="j", pool_info=PoolInfo(pool_id="p")))


def task(task_id="t", **changes):
    spec = packed(TaskSpec(id=task_id, command_line="x"))
    return Task(**STAMP, job_id="j", id=task_id, uid=task_id, sequence=1, raw_spec=spec, **changes)


RUNNING = {"state": TaskState.RUNNING, "node_id": "n", "start_time": 110.0}


@pytest.mark.parametrize(
    ("cost", "people", "programs"),
    [
        (Cost(), "0.00", 0.0),
        (Cost(12.3456), "12.35", 12.3456),
        (Cost(0.5, 10.0), "at least 0.5000", 0.5),
        (Cost(0.0, 10.0), "unknown", None),
    ],
)
def test_what_is_not_known_is_not_told_as_nothing(cost, people, programs):
    assert (told(cost), amount(cost)) == (people, programs)


def test_a_job_is_charged_for_what_runs():
    tasks = [task("a", cost=1.0), task("b", cost=2.0, unpriced_seconds=3.0, **RUNNING)]
    found = job_costs(tasks, {"n": NODE}, {"p": POOL}, 150.0)
    assert found == {"j": Cost(1.0 + 2.0 + 40.0 / 4, 3.0)}
    assert job_costs(tasks, {}, {}, 150.0) == {"j": Cost(3.0, 3.0)}, "its node has just gone"


@pytest.mark.parametrize(
    ("pool", "jobs", "idle"),
    [
        (Cost(5.0), [Cost(1.0), Cost(2.0)], 2.0),
        (Cost(5.0), [], 5.0),
        (Cost(1.0), [Cost(1.0000001)], 0.0),
        (Cost(5.0, 1.0), [Cost(1.0)], None),
        (Cost(5.0), [Cost(1.0, 1.0)], None),
    ],
)
def test_what_is_left_is_idle(pool, jobs, idle):
    assert idle_cost(pool, jobs) == idle


def report(**changes):
    given: Any = {"jobs": [JOB], "tasks": [task(**RUNNING)], "pools": [POOL], "nodes": [NODE], "autoscale_runs": []}
    found = given | changes
    tasks = tuple(found.pop("tasks"))
    return Report(**found, tasks=lambda: tasks, now=150.0)


def test_the_report_of_a_run_that_goes_on():
    found = json.loads(json.dumps(report().to_json()))
    (pool,), (job,) = found["pools"], found["jobs"]
    assert (pool["cost"], pool["idleCost"], pool["nodeSeconds"], pool["budget"]) == (50.0, 40.0, 50.0, 9.0)
    assert pool["nodes"] == [{"id": "n", "pricePerHour": 3600.0, "cost": 50.0, "unpricedNodeSeconds": 0.0}]
    assert (job["cost"], job["unpricedNodeSeconds"], job["budget"]) == (10.0, 0.0, None)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_report_is_written_task_by_task(count):
    found, text = report(tasks=[task(**RUNNING)] * count), io.StringIO()
    found.write(text)
    assert json.loads(text.getvalue()) == json.loads(json.dumps(found.to_json()))
    assert list(json.loads(text.getvalue())) == list(found.to_json())


def test_the_report_is_as_the_document_shows_it():
    shown, _ = json.JSONDecoder().raw_decode(DOCUMENT.with_name("cli.md").read_text().partition("```json\n")[2])
    found = report().to_json()
    assert shown.keys() == found.keys()
    for kind in ("jobs", "tasks", "pools"):
        assert list(shown[kind][0]) == list(found[kind][0])


def test_the_report_of_what_has_no_price():
    unpriced = Node(**STAMP, id="n", pool_id="p", vm_name="vm", low_priority=True, vm_confirmed=100.0)
    found = report(nodes=[unpriced]).to_json()
    (pool,), (job,) = found["pools"], found["jobs"]
    assert (pool["cost"], pool["unpricedNodeSeconds"], pool["idleCost"]) == (None, 50.0, None)
    assert (pool["nodes"][0]["cost"], job["cost"], job["unpricedNodeSeconds"]) == (None, None, 10.0)


def test_the_summary_tells_costs_and_budgets():
    error = ResizeError("BudgetReached", "it is used up")
    full = Pool(
        **STAMP, id="p", provider="local", spec=POOL.spec, resize_errors=(error,),
        usage=Usage(low_priority_seconds=20.0, cost=2.0, unpriced_seconds=5.0),
    )  # fmt: skip
    done = task(state=TaskState.COMPLETED, result=ExecutionResult.SUCCESS, cost=1.5)
    text = summary(report(pools=[full], nodes=[], tasks=[done]), Tally(100.0))
    lines = [line.split() for line in text.splitlines()]
    assert ["p", "0", "0", "20.0", "at", "least", "2.00", "unknown", "9.00"] in lines
    assert ["j", "active", "1.50", "-"] in lines
    assert "  pool p: BudgetReached: it is used up" in text


def test_what_costs_nothing_needs_no_table_of_jobs():
    text = summary(report(nodes=[], tasks=[]), Tally(100.0))
    assert "job " not in text


def test_the_live_view_tells_them_too():
    held = Job(**STAMP, id="j", spec=JOB.spec, scheduling_error=FailureInfo("usererror", "BudgetReached", "used up"))
    story = Timeline(Tally(100.0))
    story.load({"pools": [POOL], "nodes": [NODE], "jobs": [held], "tasks": [task(cost=1.5, **RUNNING)]})
    screen = io.StringIO()
    view = LiveView(screen, story, 100.0)
    view.close()
    Console(file=screen, width=160).print(view._tables(150.0))
    lines = [line.split() for line in screen.getvalue().splitlines()]
    assert ["p", "steady", "1", "0+0", "-", "50.0", "50.00"] in lines
    assert ["n", "p", "creating", "50", "s", "low-priority", "3600.00"] in lines
    assert ["j", "BudgetReached", "0", "1", "0", "of", "1", "(0%)", "-", "11.50"] in lines


def test_used_counts_past_and_present():
    pool = Pool(**STAMP, id="p", provider="x", spec=POOL.spec, usage=Usage(dedicated_seconds=5.0, cost=1.0))
    assert used(pool, [NODE], 110.0) == (15.0, Cost(11.0))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ", cost 10.00"),
        ({"price_per_hour": None}, ", cost unknown"),
        ({"price_per_hour": 0.0}, ""),
        ({"vm_gone": True}, ""),
    ],
)
def test_a_node_that_goes_tells_what_it_did_cost(changes, text):
    assert paid(replace(NODE, **changes), 110.0) == text


# -- the page ----------------------------------------------------------------------------------------------------


def example(index, tmp_path):
    text = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)[index]
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_prices_of_the_page_are_settings(tmp_path):
    settings = load_settings(example(0, tmp_path), {})
    assert settings.pool_settings().prices == {"t3.small": (0.0208, 0.0063)}
    assert settings.providers["lab"]["prices"] == {"static": 0.1}


def test_the_budgets_of_the_page_are_a_workload(tmp_path):
    offers = {each.provider: each for each in (cloud("local", image="debian"),)}
    try:
        loaded = load_workload(example(1, tmp_path), Settings(), offers)
    except InputError as exc:
        pytest.fail(str(exc))
    assert not loaded.warnings
    (pool,), (job,) = loaded.spec.pools, loaded.spec.jobs
    assert options_of(pool.metadata).budget == 12.5
    assert job.metadata == (MetadataItem(name="budget", value="3"),)
