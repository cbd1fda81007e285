"""The recurrent job of examples/recurrent, made, watched and ended by the official client alone. Its two application
packages are there already: no protocol of the service brings those."""

from __future__ import annotations

import threading
from datetime import timedelta

from azure.batch import models as m
from azure.core.exceptions import ResourceNotFoundError

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import IMAGE, SIZE, connected, refused, text

flow = Flow()
client = connected(flow)
POOL, SCHEDULE = "mainPool", "ScheduledScript"
FORMULA = """
lookback = 3 * TimeInterval_Second;
samples = $PendingTasks.GetSamplePercent(lookback);
pending = samples < 1 ? 0 : max($PendingTasks.GetSample(lookback, 1));
$TargetDedicatedNodes = 0;
$TargetLowPriorityNodes = pending > 0 ? 1 : 0;
$NodeDeallocationOption = taskcompletion;
"""


def nodes() -> int:
    return len(list(client.list_nodes(POOL)))


class Watch(threading.Thread):
    """Looks at the pool all the time. `counts`: of its nodes, each time that another number was seen."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.counts: list[int] = []
        self._over = threading.Event()

    def run(self) -> None:
        own = connected(flow)  # a client of its own: the other one is busy meanwhile
        over = False
        while not over:
            over = self._over.wait(0.05)  # and then looks once more
            count = len(list(own.list_nodes(POOL, select=["id"])))
            if self.counts[-1:] != [count]:
                self.counts.append(count)

    def end(self) -> None:
        self._over.set()
        self.join()


watch = Watch()


def node_comes_and_goes(occurrence: int) -> None:
    """One occurrence: from no node to one, the work, and back to none."""
    job_id = f"{SCHEDULE}:job-{occurrence}"

    def done() -> bool:
        try:
            return client.get_task(job_id, "only-task").state == m.BatchTaskState.COMPLETED
        except ResourceNotFoundError:
            return False

    flow.wait(f"a node for {job_id}", lambda: nodes() == 1)
    flow.wait(f"the task of {job_id}", done)
    task = client.get_task(job_id, "only-task")
    assert task.execution_info is not None
    assert task.execution_info.exit_code == 0
    lines = text(client.download_task_file(job_id, "only-task", "stdout.txt")).splitlines()
    assert lines[0] == "Hello world"
    assert f"AZ_BATCH_JOB_ID = {job_id}" in lines
    flow.wait(f"no node after {job_id}", lambda: nodes() == 0)


@flow.step
def the_packages_are_there() -> None:
    versions = {each.id: each.versions for each in client.list_applications()}
    assert versions == {"pythonscript": ["1.0"], "pythonsetup": ["1.0"]}
    assert client.get_application("pythonsetup").versions == ["1.0"]


@flow.step
def a_pool_that_its_formula_keeps_empty() -> None:
    packages = [m.BatchApplicationPackageReference(application_id=name) for name in ("pythonsetup", "pythonscript")]
    client.create_pool(
        m.BatchPoolCreateOptions(
            id=POOL,
            vm_size=SIZE,
            virtual_machine_configuration=IMAGE,
            task_slots_per_node=1,
            enable_auto_scale=True,
            auto_scale_evaluation_interval=timedelta(seconds=1),
            auto_scale_formula=FORMULA,
            application_package_references=packages,
            start_task=m.BatchStartTask(
                command_line='/bin/sh -c "$AZ_BATCH_APP_PACKAGE_pythonsetup/setup-python.sh"', wait_for_success=True
            ),
        )
    )
    watch.start()
    flow.wait("an evaluation", lambda: client.get_pool(POOL).auto_scale_run is not None)
    assert nodes() == 0


@flow.step
def a_schedule_brings_its_first_job_and_a_node() -> None:
    client.create_job_schedule(
        m.BatchJobScheduleCreateOptions(
            id=SCHEDULE,
            schedule=m.BatchJobScheduleConfiguration(recurrence_interval=timedelta(seconds=15)),
            job_specification=m.BatchJobSpecification(
                pool_info=m.BatchPoolInfo(pool_id=POOL),
                job_manager_task=m.BatchJobManagerTask(
                    id="only-task",
                    command_line='/bin/sh -c "python3 $AZ_BATCH_APP_PACKAGE_pythonscript/sample.py"',
                ),
            ),
        )
    )
    node_comes_and_goes(1)


@flow.step
def then_the_next() -> None:
    node_comes_and_goes(2)
    watch.end()
    assert watch.counts == [0, 1, 0, 1, 0]
    client.disable_job_schedule(SCHEDULE)
    jobs = [job.id for job in client.list_jobs_from_schedule(SCHEDULE, filter="state eq 'completed'")]
    assert jobs[:2] == [f"{SCHEDULE}:job-1", f"{SCHEDULE}:job-2"]
    found = client.get_job_schedule(SCHEDULE, expand=["stats"]).job_schedule_statistics
    assert found is not None
    assert found.succeeded_tasks_count >= 2
    assert found.failed_tasks_count == 0


@flow.step
def nothing_is_left() -> None:
    client.begin_delete_job_schedule(SCHEDULE, polling_interval=1).result()
    client.begin_delete_pool(POOL, polling_interval=1).result()
    assert not list(client.list_jobs(filter=f"startswith(id,'{SCHEDULE}')"))
    refused("PoolNotFound", lambda: client.get_pool(POOL), ResourceNotFoundError)


if __name__ == "__main__":
    flow.run()
