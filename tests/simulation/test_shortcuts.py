"""What is not looked at, because nothing can follow from it: here somebody looks, and sees that nothing does."""

from itertools import chain

import pytest

from pools import pool_machine
from pools.allocation import allocation
from pools.budget import brought_up_to_date
from pools.calm_pools import is_calm
from pools.planner import HoldBack, plan
from runner import placing
from runner.job_nodes import JobNodes
from runner.placing import open_nodes
from runner.plain_placing import place_plain
from runner.scheduler import choose

from .scenario import Scenario

SEEDS = range(6)


class WithoutOptions(Scenario):
    """Pools with options are looked at in any case."""

    def _fallback(self):
        return ()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_follows_for_a_calm_pool(seed, monkeypatch):
    calm, seen = is_calm, [0, 0]

    def checked(pool, roster, targets, now):
        found = calm(pool, roster, targets, now)
        seen[found] += 1
        core = scenario.sim.core
        if found and core is not None:
            nodes = tuple(core.ctx.nodes_of(pool.id))
            settings = core.settings.pools
            actions = plan(pool, nodes, targets, core.busy, now, settings)
            assert not [action for action in actions if not isinstance(action, HoldBack)], actions
            assert allocation(pool, nodes, targets, now)[0] is pool
            assert brought_up_to_date(pool, nodes, settings, now) == (pool, None)
        return found

    monkeypatch.setattr(pool_machine, "is_calm", checked)
    scenario = WithoutOptions(seed)
    scenario.run()
    assert min(seen) > 10, seen


@pytest.mark.parametrize("seed", SEEDS)
def test_plain_tasks_go_where_all_nodes_would_be_looked_at(seed, monkeypatch):
    seen = []

    def checked(ctx, jobs, executions, pool, now):
        steps = place_plain(ctx, jobs, executions, pool, now)
        pack = pool.spec.task_scheduling_policy.node_fill_type == "pack"
        while True:
            task = jobs.tasks.queue.first(pool.id)
            there = open_nodes(ctx, jobs.tasks, pool.id)
            for each in there:
                room = any(other.free > 0 for other in there if other is not each)
                assert jobs.tasks.open_nodes.has_room_beside(each) == room
            node = choose(there, task.slots, task.exclusive, pack) if task is not None else None
            try:
                command = next(steps)
            except StopIteration as end:
                assert not end.value or node is None, "it stopped although there is room"
                return end.value
            assert node is not None and command.node_id == node.node_id
            seen.append(command)
            yield command

    monkeypatch.setattr(placing, "place_plain", checked)
    Scenario(seed).run()
    assert len(seen) > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_to_end_waits_for_no_preparation(seed, monkeypatch):
    seen = []
    take_back = JobNodes._take_back_ended

    def checked(self, now):
        take_back(self, now)
        for (_, node_id), executions in self.waiting.items():
            for execution_id, key in executions.items():
                task = self._tasks.tasks.get(key)
                if task is not None and task.execution_at(node_id) == execution_id:
                    assert not task.is_ending and node_id not in self._leaving
                    seen.append(key)

    monkeypatch.setattr(JobNodes, "_take_back_ended", checked)
    Scenario(seed).run()
    assert len(seen) > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_where_jobs_that_end_or_on_nodes_that_leave_have_more_to_do_they_do_it(seed, monkeypatch):
    seen = []
    settle = JobNodes.settle

    def checked(self, now):
        settle(self, now)
        said = len(self._ctx.commands)
        assert all(any(map(self._is_left_to_do, self.of_job(job_id))) for job_id in self._closing)
        records = [*map(self.of_job, self._closing), *map(self.on_node, self._leaving)]
        for record in chain.from_iterable(records):
            self._wind_up(record, now)
            assert len(self._ctx.commands) == said, record
            seen.append(record.key)

    monkeypatch.setattr(JobNodes, "settle", checked)
    Scenario(seed).run()
    assert len(seen) > 10
