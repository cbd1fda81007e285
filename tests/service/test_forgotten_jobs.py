"""What the view of `run` keeps of jobs and tasks that are over: nothing that grows with how many there were."""

import gc
import io
from types import FunctionType, ModuleType
from typing import Any

import pytest

from pools import AutoScaleRun, Change, Changes, Cost, ExecutionResult, Prefix
from pools import evolve as new_version
from pools.node_history import NodeHistory
from runner import (
    DeleteJob,
    JobNode,
    JobSchedule,
    JobScheduleSpec,
    JobSpecification,
    JobState,
    NodeExecution,
    PoolInfo,
    Schedule,
    TaskState,
    TerminateJob,
)
from runner.states import JobNodeState
from runner.task_spec import JobPreparationTask, JobReleaseTask, MultiInstanceSettings
from service.views import Pump, Timeline
from service.views.plain import PlainView
from service.views.progress import Standing
from service.views.tally import Tally
from tests.runner.core.run import ask, job, job_of, simulation, task, until

from .test_views import JOB, NODE, POOL, STAMP, TASK, timeline, told

SPEC = JobSpecification(pool_info=PoolInfo(pool_id="p"))

NAMES = [f"job-{number}" for number in range(6)]
PREPARED = {
    "job_preparation_task": JobPreparationTask(command_line="work"),
    "job_release_task": JobReleaseTask(command_line="work"),
}


def held(thing: object) -> int:
    """How many objects hang on it, but for the last tasks that each node remembers: a number that is bounded there."""
    seen: set[int] = set()
    stack = [thing]
    while stack:
        one = stack.pop()
        if id(one) not in seen and not isinstance(one, (type, ModuleType, FunctionType, NodeHistory)):
            seen.add(id(one))
            stack += gc.get_referents(one)
    return len(seen)


def watched(**pool: Any) -> tuple[Any, Timeline]:
    """A simulation, and what looks on."""
    sim, story = simulation(target_dedicated_nodes=2, task_slots_per_node=4, **pool), timeline()
    commit = sim.journal.commit

    def tell(changes: Any) -> None:
        commit(changes)
        story.tell(changes, sim.now)
        for job_id in story.tally.jobs:
            story.progress(job_id, sim.now)

    sim.journal.commit = tell
    return sim, story


def held_without(job_id: str, sim: Any, story: Timeline) -> int:
    """When the job is deleted, and the nodes have nothing to do."""
    ask(sim, DeleteJob(job_id))
    until(sim, lambda: job_of(sim, job_id) is None)
    assert not +story.tally.task_counts()
    until(sim, lambda: all(node.state == "idle" for node in sim.journal.table("nodes").values()))
    return held(story)


@pytest.mark.parametrize("prepared", [{}, PREPARED], ids=["plain", "prepared"])
@pytest.mark.parametrize("ends", [True, False], ids=["completed", "in the midst of it"])
def test_of_a_job_that_was_deleted_nothing_is_kept(ends: bool, prepared: dict[str, Any]) -> None:
    sim, story = watched()
    kept = []
    for name in NAMES:
        tasks = (task(f"{name}-{number}") for number in range(50))
        ask(sim, job(name, *tasks, on_all_tasks_complete="terminatejob", **prepared))
        if ends:
            until(sim, lambda: job_of(sim, name).state == "completed")  # noqa: B023
        else:
            until(sim, lambda: story.tally.task_counts()["succeeded"])
            assert story.tally.task_counts()["running"] and story.tally.task_counts()["active"]
        kept.append(held_without(name, sim, story))
    assert max(kept[1:]) - kept[0] < 25, kept


def test_of_an_instance_that_ends_with_its_job_nothing_is_kept() -> None:
    sim, story = watched(enable_inter_node_communication=True)
    kept = []
    settings = MultiInstanceSettings(coordination_command_line="work", number_of_instances=2)
    for name in NAMES:
        ask(sim, job(name, task("together", multi_instance_settings=settings)))
        until(sim, lambda: story.tally.task_counts()["running"])
        kept.append(held_without(name, sim, story))
    assert max(kept[1:]) - kept[0] < 25, kept


def test_of_a_job_that_is_over_its_sums_are_kept() -> None:
    kept = []
    for count in (10, 500):
        sim, story = watched()
        ask(sim, job("j", *(task(f"t{number}") for number in range(count))))
        until(sim, lambda: story.tally.counts("j")["succeeded"] == count)  # noqa: B023
        ask(sim, TerminateJob("j"))
        until(sim, lambda: job_of(sim).state == "completed")  # noqa: B023
        assert Standing.of(story.tally.counts("j")) == Standing(0, 0, count, 0)
        kept.append(held(story.tally))
    assert kept[1] - kept[0] < 25, kept


def _nodes(name: str) -> Any:
    """Of a long job that prepares them."""
    record = JobNode(**STAMP, job_id="j", node_id=name, pool_id="p", uid=name, state=JobNodeState.PREPARING)
    comes = [("nodes", name, new_version(NODE, 100.0, id=name)), ("job_nodes", record.key, record)]
    ends = new_version(record, 101.0, state=JobNodeState.FAILED, preparation=NodeExecution(state="completed"))
    return [comes, [("nodes", name, None), ("job_nodes", record.key, ends)]]


def _pools(name: str) -> Any:
    run = ("autoscale_runs", (name, 101.0), AutoScaleRun(name, 101.0, "$TargetDedicatedNodes=0"))
    return [[("pools", name, new_version(POOL, 100.0, id=name))], [run], [("pools", name, None)]]


def _schedules(name: str) -> Any:
    schedule = JobSchedule(**STAMP, id=name, spec=JobScheduleSpec(id=name, schedule=Schedule(), job_specification=SPEC))
    return [[("job_schedules", name, schedule)], [("job_schedules", name, None)]]


@pytest.mark.parametrize("story_of", [_nodes, _pools, _schedules])
def test_of_what_comes_and_goes_nothing_is_kept(story_of: Any) -> None:
    story, kept = timeline(), []
    told(story, 100.0, ("jobs", "j", JOB))
    for number in range(10):
        for batch in story_of(f"x{number}"):
            told(story, 101.0, *batch)
        story.tally.steps.clear()  # they are for the summary
        kept.append(held(story))
    assert kept[-1] == kept[1]
    again = [[told(story, 101.0, *batch) for batch in story_of("again")] for _ in range(2)]
    assert again[0] == again[1] and any(again[0])


DONE = new_version(TASK, 103.0, state=TaskState.COMPLETED, result=ExecutionResult.FAILURE, exit_code=1, cost=2.0)
AGAIN = new_version(DONE, 104.0, state=TaskState.ACTIVE, result=None, exit_code=None)
TWICE = new_version(AGAIN, 105.0, state=TaskState.COMPLETED, result=ExecutionResult.SUCCESS, exit_code=0, cost=3.0)
OVER = new_version(JOB, 106.0, state=JobState.COMPLETED, end_time=106.0)
GONE = ("tasks", Prefix(("j",)), None)


def of(record: Any) -> Any:
    return ("tasks", TASK.key, record)


@pytest.mark.parametrize(
    ("batches", "standing", "cost"),
    [
        ([[of(TASK)], [of(DONE)]], Standing(0, 0, 0, 1), 2.0),
        ([[of(TASK)], [of(DONE)], [of(AGAIN)]], Standing(1, 0, 0, 0), 2.0),
        ([[of(TASK)], [of(DONE)], [of(AGAIN)], [of(TWICE)]], Standing(0, 0, 1, 0), 3.0),
        ([[of(TASK)], [of(DONE)], [of(None)]], Standing(0, 0, 0, 0), 2.0),
        ([[of(TASK)], [of(DONE)], [of(None)], [of(TASK)], [of(DONE)]], Standing(0, 0, 0, 1), 4.0),
        ([[of(None)]], Standing(0, 0, 0, 0), 0.0),
        # the job ends, and its task in the same batch
        ([[of(TASK)], [("jobs", "j", OVER), of(DONE)]], Standing(0, 0, 0, 1), 2.0),
        # another of the same name
        ([[of(TASK)], [of(DONE)], [GONE], [of(TASK)]], Standing(1, 0, 0, 0), 0.0),
        ([[of(TASK)], [of(DONE)], [("jobs", "j", JOB), GONE, of(TASK)], [of(DONE)]], Standing(0, 0, 0, 1), 2.0),
        ([[of(TASK)], [("jobs", "j", OVER), of(DONE)], [GONE], [of(TASK)], [of(None)]], Standing(0, 0, 0, 0), 0.0),
    ],
)  # fmt: skip
def test_a_task_is_counted_once_whatever_becomes_of_it(batches: Any, standing: Standing, cost: float) -> None:
    story = timeline()
    told(story, 100.0, ("jobs", "j", JOB))
    for batch in batches:
        told(story, 106.0, *batch)
    assert Standing.of(story.tally.counts("j")) == standing
    assert story.tally.size("j") == standing.total
    assert story.tally.job_cost("j", 110.0) == Cost(cost)


def test_jobs_that_go_take_nothing_from_what_has_been_done() -> None:
    """Old jobs are forgotten in a busy moment."""
    stream = io.StringIO()
    pump = Pump(Timeline(Tally(100.0)), PlainView(stream, 100.0, colour=False), lambda: 110.0)

    def done(job_id: str, count: int) -> list[Change]:
        names = [f"t{number}" for number in range(count)]
        return [Change("tasks", (job_id, name), new_version(TWICE, 103.0, job_id=job_id, id=name)) for name in names]

    for change in done("old", 90):
        pump.tally.take(change, 100.0)
    added = [each for n in range(10) for each in done(f"j{n}", 50)]
    pump.observe(Changes.of([Change("tasks", Prefix(("old",)), None), *added]))
    pump._beat()
    assert stream.getvalue() == f"    10.0s  {'tasks':<36}  500 succeeded; 0 running, 0 left\n"
