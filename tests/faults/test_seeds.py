"""A few seeds of the fault run; `python -m tests.faults --seeds 50` for more of them."""

import pytest

from tests.rig import CloudRig

from .plan import CREATING, ENDING, PLACES, STEPS, plan_of
from .trial import Trial
from .verdict import peaks


@pytest.mark.slow
@pytest.mark.skipif(CloudRig.unavailable() is not None, reason=f"no rig: {CloudRig.unavailable()}")
@pytest.mark.parametrize("seed", [8, 49, 50])
def test_no_vm_is_left_and_no_task_lost(seed: int) -> None:
    outcome = Trial(seed).run()
    print(outcome.story)
    assert not outcome.problems, "\n".join(outcome.problems)
    assert outcome.kills and outcome.faults and outcome.tasks


def test_a_seed_is_one_plan() -> None:
    assert plan_of(7) == plan_of(7)
    assert plan_of(7) != plan_of(8)


def test_fifty_seeds_have_every_fault_and_every_place_of_death() -> None:
    plans = [plan_of(seed) for seed in range(1, 51)]
    assert {fault.kind for plan in plans for fault in plan.faults} == {
        "capacity", "error", "lost", "quota", "refused", "slow", "throttled"
    }  # fmt: skip
    assert {blow.kind for plan in plans for blow in plan.blows} == {"cut", "kill", "notice", "preempt"}
    killed = {(kill.when, kill.what) for plan in plans for kill in plan.kills}
    steps = {(when, step) for step in STEPS for when in ("before", "after")} | {("place", place) for place in PLACES}
    assert steps | {*CREATING, *ENDING} <= killed


@pytest.mark.parametrize(
    ("lives", "told", "most"),
    [
        ([], {}, (0, 0)),
        ([(0, 5), (1, 3), (2, None)], {}, (3, 3)),
        ([(0, 1), (1, 2)], {}, (1, 1)),  # the end comes before the next beginning
        ([(0, 5), (2, None)], {"i-0": 1}, (2, 1)),  # told to go at 1: from then on it does not count
        ([(0, 5), (2, None)], {"i-0": 3}, (2, 2)),
    ],
)
def test_the_peak_is_exact(lives: list, told: dict, most: tuple[int, int]) -> None:
    class It:
        def __init__(self, number: int, born: float, ended: float | None) -> None:
            self.id, self.born, self.ended = f"i-{number}", born, ended

    instances = [It(number, *life) for number, life in enumerate(lives)]
    assert peaks(instances, told) == most  # type: ignore[arg-type]
