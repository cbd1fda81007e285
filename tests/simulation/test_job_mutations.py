"""The fault test can fail: each of these defects in the life of jobs is caught by it (see test_mutations.py)."""

import pytest

from pools import Ledger
from runner.auto_pools import AutoPools
from runner.job_machine import JobMachine
from runner.task_queue import TaskQueue

from .scenario import Scenario
from .test_mutations import SEEDS


def never_delete_pools_made_for_jobs(patch):
    patch.setattr(AutoPools, "settle", lambda self, jobs, schedules, now: None)


def keep_what_deleted_jobs_left(patch):
    patch.setattr(Ledger, "purge", lambda self, table, *parts: None)


def delete_while_tasks_are_at_nodes(patch):
    patch.setattr(TaskQueue, "placed_count", lambda self, job_id: 0)


def never_enable(patch):
    patch.setattr(JobMachine, "enable", lambda self, job_id, now: None)


MUTATIONS = [
    never_delete_pools_made_for_jobs,
    keep_what_deleted_jobs_left,
    delete_while_tasks_are_at_nodes,
    never_enable,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_defect_is_caught(mutation, monkeypatch):
    mutation(monkeypatch)
    for seed in range(SEEDS):
        try:
            Scenario(seed).run()
        except (AssertionError, RuntimeError, LookupError) as caught:  # a law, a transition table, a missing record
            print(f"seed {seed}: {str(caught)[:200]}")
            return
    pytest.fail(f"{SEEDS} seeds did not notice")
