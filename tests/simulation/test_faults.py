"""The core keeps its promises whatever goes wrong: crashes between any two steps, lost and repeated reports,
dying VMs."""

import time

import pytest

from .scenario import Scenario

SEEDS = 100
#: Seconds of CPU for all of them together.
BUDGET = 45.0
_spent = 0.0


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_law_holds_and_the_work_is_done(seed):
    global _spent
    start = time.process_time()
    Scenario(seed).run()
    _spent += time.process_time() - start
    assert _spent < BUDGET


def test_the_same_seed_gives_the_same_run():
    first, second = Scenario(3), Scenario(3)
    first.run()
    second.run()
    assert first.sim.journal.tables == second.sim.journal.tables
    assert first.sim.steps == second.sim.steps
