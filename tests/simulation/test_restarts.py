"""A restart changes nothing of what formulas and budgets see, whatever goes wrong before it."""

import pytest
from msgspec.structs import replace

from pools.histories import Histories
from runner.job_costs import JobCosts
from runner.placed_tasks import PlacedTasks
from runner.task_machine import TaskMachine
from runner.task_tally import TaskTally

from .catching import is_caught
from .invariants import Broken
from .restart_laws import EXACT, SUMS, MadeAgain, differing_in

SEEDS = 10


def test_a_new_controller_would_see_the_same():
    seen = dict[str, int]()
    for seed in range(SEEDS):
        one = MadeAgain(seed)
        one.run()
        for kind, count in one.laws.seen.items():
            seen[kind] = seen.get(kind, 0) + count
    assert len(seen) == 5 and min(seen.values()) > 5 * SEEDS, seen


@pytest.mark.parametrize("size", [0.0001125, 1.0, 1e6])
def test_sums_may_be_made_in_another_order_and_no_more(size):
    one, other = (0.1 * size + 0.2 * size) + 0.3 * size, 0.1 * size + (0.2 * size + 0.3 * size)
    assert not differing_in(SUMS, {"j": (one, 0.0)}, {"j": (other, 0.0)})
    assert differing_in(SUMS, {"j": (size, 0.0)}, {"j": (size * (1 + 10 * EXACT), 0.0)})
    assert differing_in(SUMS, {"j": (size, 0.0)}, {"j": (size, 1e-12)}) and differing_in(SUMS, {"j": (0.0, 0.0)}, {})


def test_sums_on_either_side_of_half_a_digit_are_the_same():
    assert not differing_in(SUMS, {"j": (0.0001125, 0.0)}, {"j": (0.00011250000000000001, 0.0)})


def test_all_but_sums_is_compared_as_it_is():
    assert differing_in("samples", {"p": (1699920000.0,)}, {"p": (1699920000.5,)})


def go_on_with_what_a_deleted_job_has_cost(patch):
    patch.setattr(JobCosts, "forget", lambda self, job_id: None)


def count_the_tasks_of_deleted_jobs(patch):
    patch.setattr(TaskTally, "forget", lambda self, job_id: None)


def believe_in_the_samples_of_a_deleted_pool(patch):
    def load(self, samples, now):
        for sample in samples:
            self.of(sample.pool_id).add(sample)

    patch.setattr(Histories, "load", load)


def forget_what_deleted_tasks_have_cost(patch):
    patch.setattr(JobCosts, "recover", lambda self, jobs: None)


def forget_what_completed_tasks_came_to(patch):
    patch.setattr(TaskMachine, "known_totals", lambda self, job_id, totals: None)


def forget_what_tasks_have_cost_so_far(patch):
    patch.setattr(JobCosts, "known", lambda self, task: None)


def forget_subtasks_that_run_before_their_primary(patch):
    original = JobCosts.known

    def known(self, task):
        original(self, task if task.state == "running" else replace(task, instances=()))

    patch.setattr(JobCosts, "known", known)


def forget_that_instances_have_ended(patch):
    original = PlacedTasks._place_record

    def place(self, task):
        original(self, replace(task, instances=tuple(replace(each, ended=False) for each in task.instances)))

    patch.setattr(PlacedTasks, "_place_record", place)


MUTATIONS = [
    go_on_with_what_a_deleted_job_has_cost,
    count_the_tasks_of_deleted_jobs,
    believe_in_the_samples_of_a_deleted_pool,
    forget_what_deleted_tasks_have_cost,
    forget_what_completed_tasks_came_to,
    forget_what_tasks_have_cost_so_far,
    forget_subtasks_that_run_before_their_primary,
    forget_that_instances_have_ended,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_defect_is_caught(mutation, monkeypatch):
    mutation(monkeypatch)
    is_caught(lambda seed: MadeAgain(seed).run(), by=(Broken,))
