"""Two small seeds of the storm; `python -m tests.chaos --seeds 20 --tasks 2000 --nodes 8` for more, and larger ones."""

from __future__ import annotations

import pytest

from .plan import BLOWS, KINDS, plan_of
from .trial import Trial


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost(seed: int) -> None:
    outcome = Trial(plan_of(seed, tasks=300, nodes=4, storm=15.0), patience=300.0).run()
    print(outcome.story)
    assert not outcome.problems, "\n".join(outcome.problems)
    assert outcome.starts >= outcome.tasks == 300 and outcome.requeues and outcome.retries
    assert len(outcome.blows) > 3


def test_a_seed_is_one_plan() -> None:
    assert plan_of(7) == plan_of(7)
    assert plan_of(7) != plan_of(8)


def test_twenty_seeds_have_every_kind_of_blow_and_of_task() -> None:
    plans = [plan_of(seed, 2000, 8, 45.0) for seed in range(1, 21)]
    assert {blow.kind for plan in plans for blow in plan.blows} == BLOWS.keys()
    assert all({work.kind for work in plan.work} == KINDS.keys() for plan in plans)
    assert all(plan.dedicated + plan.low_priority == 8 for plan in plans)
