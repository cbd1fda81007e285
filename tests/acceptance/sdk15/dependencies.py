"""Tasks that depend on others: added in any order, in as many calls as it takes, run in the order that they need."""

from __future__ import annotations

from azure.batch import models as m

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import connected, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL, LAYERED, NUMBERED, HELD = "dependencies-pool", "dependencies-layers", "dependencies-numbers", "dependencies-held"
#: Tasks of a layer depend on two of the one below it.
LAYERS, WIDTH = 4, 40
#: When a task began and ended, in nanoseconds; the clock is that of the machine, which all local nodes are on.
TIMES = "/bin/sh -c 'date +%s%N; sleep 0.02; date +%s%N'"


def task(task_id: str, *parents: str, command: str = TIMES, **properties: object) -> m.BatchTaskCreateOptions:
    after = m.BatchTaskDependencies(task_ids=list(parents)) if parents else None
    return m.BatchTaskCreateOptions(id=task_id, command_line=command, depends_on=after, **properties)


def add_job(job_id: str, **properties: object) -> None:
    info = m.BatchPoolInfo(pool_id=POOL)
    given = {"uses_task_dependencies": True, **properties}
    client.create_job(m.BatchJobCreateOptions(id=job_id, pool_info=info, **given))


def add(job_id: str, tasks: list[m.BatchTaskCreateOptions]) -> None:
    """In one call."""
    told = client.create_task_collection(job_id, m.BatchTaskGroup(task_values=tasks)).result_values or []
    assert [each.task_id for each in told if each.status != m.BatchTaskAddStatus.SUCCESS] == []
    assert len(told) == len(tasks)


def states(job_id: str) -> dict[str, m.BatchTaskState]:
    return {each.id: each.state for each in client.list_tasks(job_id, select=["id", "state"])}


def succeed(job_id: str, count: int) -> None:
    def done() -> bool:
        counts = client.get_job_task_counts(job_id).task_counts
        assert counts.failed == 0
        return counts.succeeded == count

    flow.wait(f"{count} tasks of {job_id} succeed", done)


def times(job_id: str, task_id: str) -> tuple[int, int]:
    began, ended = text(client.download_task_file(job_id, task_id, "stdout.txt")).split()
    return int(began), int(ended)


def layer(number: int) -> list[m.BatchTaskCreateOptions]:
    below = [(at, (at + 1) % WIDTH) for at in range(WIDTH)] if number else [()] * WIDTH
    return [task(f"{number}-{at}", *(f"{number - 1}-{each}" for each in below[at])) for at in range(WIDTH)]


@flow.step
def what_depends_comes_before_what_it_depends_on() -> None:
    make_pool(client, POOL, 2, task_slots_per_node=4)
    add_job(LAYERED)
    for number in range(LAYERS - 1, 0, -1):  # the top layer first: dependants of what the next call adds
        add(LAYERED, layer(number))
    assert states(LAYERED) == {each.id: "active" for number in range(1, LAYERS) for each in layer(number)}
    found = client.get_task(LAYERED, "3-7")
    assert found.depends_on is not None
    assert found.depends_on.task_ids == ["2-7", "2-8"]


@flow.step
def none_runs_before_those_it_depends_on_have_ended() -> None:
    add(LAYERED, layer(0))
    succeed(LAYERED, LAYERS * WIDTH)
    ran = {task_id: times(LAYERED, task_id) for task_id in states(LAYERED)}
    assert len(ran) == LAYERS * WIDTH
    for number in range(1, LAYERS):
        for each in layer(number):
            assert each.depends_on is not None
            early = [parent for parent in each.depends_on.task_ids or [] if ran[parent][1] > ran[each.id][0]]
            assert not early, f"{each.id} began before {early} had ended"


@flow.step
def the_client_cuts_many_into_calls_and_sends_the_last_first() -> None:
    add_job(NUMBERED)
    some = [task("1"), *(task(str(number), str(number // 2)) for number in range(2, 151))]
    every = m.BatchTaskDependencies(task_id_ranges=[m.BatchTaskIdRange(start=1, end=150)])
    some.append(m.BatchTaskCreateOptions(id="sum", command_line=TIMES, depends_on=every))
    told = client.create_tasks(NUMBERED, some, max_concurrency=3).result_values or []
    assert {each.task_id: each.status for each in told} == {each.id: m.BatchTaskAddStatus.SUCCESS for each in some}
    succeed(NUMBERED, 151)
    ran = {number: times(NUMBERED, str(number)) for number in range(1, 151)}
    assert [number for number in range(2, 151) if ran[number // 2][1] > ran[number][0]] == []
    assert times(NUMBERED, "sum")[0] >= max(ended for _, ended in ran.values())


@flow.step
def a_circle_is_refused_where_it_closes() -> None:
    add_job(HELD)
    add(HELD, [task("one", "two"), task("two", "three")])
    assert "circle" in refused("InvalidPropertyValue", lambda: client.create_task(HELD, task("three", "one")))
    closing = m.BatchTaskGroup(task_values=[task("three", "one"), task("apart")])
    told = {each.task_id: each for each in client.create_task_collection(HELD, closing).result_values or []}
    assert told["apart"].status == m.BatchTaskAddStatus.SUCCESS
    assert told["three"].status == m.BatchTaskAddStatus.CLIENT_ERROR
    assert told["three"].error is not None
    assert told["three"].error.code == "InvalidPropertyValue"
    refused("InvalidPropertyValue", lambda: client.create_task(HELD, task("four", "four")))
    assert states(HELD).keys() == {"one", "two", "apart"}
    add(HELD, [task("three")])
    succeed(HELD, 4)


@flow.step
def those_behind_a_failure_wait_until_it_is_mended() -> None:
    once = "/bin/sh -c 'test -e $AZ_BATCH_TASK_DIR/../again || { touch $AZ_BATCH_TASK_DIR/../again; exit 1; }'"
    add_job("dependencies-failing", constraints=m.BatchJobConstraints(max_task_retry_count=0))
    add("dependencies-failing", [task("after-that", "after"), task("after", "fails")])
    client.create_task("dependencies-failing", task("fails", command=once))
    flow.wait("it fails", lambda: client.get_job_task_counts("dependencies-failing").task_counts.failed == 1)
    assert states("dependencies-failing") == {"fails": "completed", "after": "active", "after-that": "active"}
    bound = client.get_task("dependencies-failing", "fails").node_info
    assert bound is not None
    others = [node.id for node in client.list_nodes(POOL) if node.id != bound.node_id]
    for node_id in others:  # where it ran, it finds what it left
        client.disable_node_scheduling(POOL, node_id, {"nodeDisableSchedulingOption": "taskcompletion"})
    client.reactivate_task("dependencies-failing", "fails")
    flow.wait("all succeed", lambda: client.get_job_task_counts("dependencies-failing").task_counts.succeeded == 3)


@flow.step
def a_job_says_beforehand_that_its_tasks_depend() -> None:
    add_job("dependencies-none", uses_task_dependencies=False)
    client.create_task("dependencies-none", task("first"))
    said = refused(
        "TaskDependenciesNotSpecifiedOnJob", lambda: client.create_task("dependencies-none", task("next", "first"))
    )
    assert "usesTaskDependencies" in said


@flow.step
def all_is_deleted() -> None:
    pollers = [
        client.begin_delete_job(job_id, polling_interval=1)
        for job_id in (LAYERED, NUMBERED, HELD, "dependencies-failing", "dependencies-none")
    ]
    for poller in pollers:
        poller.result()
    client.begin_delete_pool(POOL, polling_interval=1).result()


if __name__ == "__main__":
    flow.run()
