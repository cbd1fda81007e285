"""The fault test can fail: each of these defects in the life of jobs is caught by it (see test_mutations.py)."""

import pytest
from msgspec.structs import replace

from pools import Ledger
from runner.auto_pools import AutoPools
from runner.commands import ProceedExecution
from runner.earlier_attempts import EarlierAttempts
from runner.job_machine import JobMachine
from runner.job_nodes import JobNodes
from runner.kept_outputs import KeptOutputs
from runner.multi_instance import MultiInstanceTasks
from runner.task_queue import TaskQueue

from .catching import is_caught
from .scenario import Scenario


def never_delete_pools_made_for_jobs(patch):
    patch.setattr(AutoPools, "settle", lambda self, jobs, schedules, now: None)


def keep_what_deleted_jobs_left(patch):
    patch.setattr(Ledger, "purge", lambda self, table, *parts: None)


def delete_while_tasks_are_at_nodes(patch):
    patch.setattr(TaskQueue, "placed_count", lambda self, job_id: 0)


def never_enable(patch):
    patch.setattr(JobMachine, "enable", lambda self, job_id, now: None)


def start_before_the_preparation_has_succeeded(patch):
    patch.setattr(JobNodes, "_lets_start", lambda self, record: True)


def let_jobs_end_before_their_releases(patch):
    patch.setattr(JobNodes, "_may_close", lambda self, job: True)


def let_nodes_go_before_their_releases(patch):
    patch.setattr(JobNodes, "busy", lambda self, node_id: 0)


def release_twice(patch):
    original = JobNodes._released

    def released(self, record, now, failure, report):
        if record.release.attempt == 1:
            self._issue(replace(record, release=replace(record.release, attempt=2)))
        else:
            original(self, record, now, failure, report)

    patch.setattr(JobNodes, "_released", released)


def forget_what_nodes_were_prepared_for(patch):
    patch.setattr(JobNodes, "_is_needed", lambda self, record: False)


def release_while_tasks_run(patch):
    patch.setattr(JobNodes, "_has_tasks", lambda self, record: False)


def believe_in_a_preparation_after_a_reboot(patch):
    patch.setattr(JobNodes, "_is_outdated", lambda self, record: False)


def proceed_without_waiting(patch):
    """The primary goes on when the first instance is ready."""

    def coordinated(self, node_id, execution_id, now):
        found = self._found(node_id, execution_id)
        if found is not None and not found[0].is_ending:
            self._say(ProceedExecution(found[0].instances[0].node_id, found[0].execution_id))

    patch.setattr(MultiInstanceTasks, "coordinated", coordinated)


def conclude_at_the_end_of_the_primary(patch):
    """Instances that still run are forgotten."""

    def over(self, task, number, now, verdict, report):
        if number:
            return
        changes = {"state": "completed", "state_time": now}
        for each in range(len(task.instances)):
            task = self._put_instance(task, each, now, changes, verdict=verdict)
            self.slots[task.instances[each].node_id].unplace(task.execution_of(each))
        self._conclude(task, now)

    patch.setattr(MultiInstanceTasks, "_over", over)


def print_over_the_attempt_before(patch):
    original = KeptOutputs.keep

    def keep(self, outputs, owner, parent_id, id, attempt, kept=None):
        original(self, outputs, owner, parent_id, id, 1, kept)

    patch.setattr(KeptOutputs, "keep", keep)


def remember_no_attempt(patch):
    patch.setattr(EarlierAttempts, "with_present", lambda self, task, now, reason, report: ())


MUTATIONS = [
    never_delete_pools_made_for_jobs,
    keep_what_deleted_jobs_left,
    delete_while_tasks_are_at_nodes,
    never_enable,
    start_before_the_preparation_has_succeeded,
    let_jobs_end_before_their_releases,
    let_nodes_go_before_their_releases,
    release_twice,
    forget_what_nodes_were_prepared_for,
    release_while_tasks_run,
    believe_in_a_preparation_after_a_reboot,
    proceed_without_waiting,
    conclude_at_the_end_of_the_primary,
    print_over_the_attempt_before,
    remember_no_attempt,
]
#: For those that few seeds notice: one that does.
NOTICED_BY = {believe_in_a_preparation_after_a_reboot: 18}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_defect_is_caught(mutation, monkeypatch):
    mutation(monkeypatch)
    is_caught(lambda seed: Scenario(seed).run(), first=NOTICED_BY.get(mutation, 0))
