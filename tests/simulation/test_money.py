"""Every VM is paid for, and budgets are kept, whatever goes wrong."""

from dataclasses import replace as restated

import pytest
from msgspec.structs import replace

from pools import PoolMachine, budget, cost
from runner import Job

from .catching import is_caught
from .invariants import Broken
from .money import Paid

SEEDS = 25


def test_every_law_holds_and_the_work_is_done():
    reached = 0
    for seed in range(SEEDS):
        one = Paid(seed)
        one.run()
        reached += one.laws.reached
    assert reached >= 5, "budgets are seldom used up"


def pay_less(patch):
    original = cost.with_ended
    patch.setattr(
        "pools.node_departure.with_ended",
        lambda usage, node, now: replace(original(usage, node, now), cost=usage.cost),
    )


def pay_for_what_has_gone_twice(patch):
    original = cost.with_ended
    patch.setattr(
        "pools.node_departure.with_ended",
        lambda usage, node, now: original(original(usage, node, now - 1e4), node, now + 3600.0),
    )


def create_although_the_budget_is_used_up(patch):
    patch.setattr(PoolMachine, "growth_barred", lambda self, pool, now: None)


def look_at_a_budget_when_something_happens_only(patch):
    original = budget.brought_up_to_date
    patch.setattr(budget, "brought_up_to_date", lambda *args: (original(*args)[0], None))


def forget_the_living(patch):
    original = budget.pool_bill
    patch.setattr(budget, "pool_bill", lambda pool, nodes, settings, now: original(pool, (), settings, now))


def look_late(patch):
    original = budget.standing

    def standing(amount, bill, now):
        found = original(amount, bill, now)
        return restated(found, changes=None if found.changes is None else found.changes + 5.0)

    patch.setattr(budget, "standing", standing)


def start_tasks_although_the_budget_is_used_up(patch):
    patch.setattr(Job, "takes_tasks", property(lambda self: self.state == "active"))


MUTATIONS = [
    pay_less,
    pay_for_what_has_gone_twice,
    create_although_the_budget_is_used_up,
    look_at_a_budget_when_something_happens_only,
    forget_the_living,
    look_late,
    start_tasks_although_the_budget_is_used_up,
]


#: For those that few seeds notice: one that does.
NOTICED_BY = {create_although_the_budget_is_used_up: 9, start_tasks_although_the_budget_is_used_up: 4}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_defect_is_caught(mutation, monkeypatch):
    mutation(monkeypatch)
    is_caught(lambda seed: Paid(seed).run(), first=NOTICED_BY.get(mutation, 0), by=(Broken,))
