"""Nodes that are out of reach: it is said after a moment, and no more waits there than needs to."""

from collections import Counter

import pytest
from msgspec.structs import replace

from pools import NodeState
from service.views.silence import silence

from .run import SETTINGS, ask, completed, job, node_of, simulation, task, tasks_of, until


def ready(connect_retry=20.0, **pool):
    settings = replace(SETTINGS, pools=replace(SETTINGS.pools, connect_retry=connect_retry))
    sim = simulation({"a": [(600.0, 0)]}, settings=settings, **pool)
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    return sim


def test_a_cut_connection_is_told_until_it_stands_again():
    sim = ready()
    cut = sim.now
    sim.world.cut(node_of(sim).id)
    until(sim, lambda: node_of(sim).unreachable_since is not None)
    assert node_of(sim).silent_since is None, "it may be a blip"
    until(sim, lambda: node_of(sim).silent_since is not None, 10.0)
    assert sim.now - cut == pytest.approx(5.0, abs=0.2)
    assert node_of(sim).silent_since == pytest.approx(cut, abs=0.2)
    until(sim, lambda: node_of(sim).silent_since is None, 60.0)
    assert node_of(sim).unreachable_since is not None, "it has to last before that is forgotten"
    assert completed(sim, "a")[0].attempt == 1


def test_a_blip_is_not_told():
    sim = ready(connect_retry=1.0)
    sim.world.cut(node_of(sim).id)
    until(sim, lambda: node_of(sim).unreachable_since is not None)
    while node_of(sim).unreachable_since is not None:
        assert sim.step() and node_of(sim).silent_since is None


def test_a_new_controller_tells_it_too():
    sim = ready()
    sim.world.cut(node_of(sim).id)
    until(sim, lambda: node_of(sim).silent_since is not None)
    sim.crash()
    until(sim, lambda: sim.core is not None)
    assert node_of(sim).silent_since is not None
    until(sim, lambda: node_of(sim).silent_since is None)


def test_no_node_gets_more_than_its_part_ahead():
    names = [f"s{number}" for number in range(200)]
    sim = simulation({name: [(0.001, 0)] for name in names}, target_dedicated_nodes=4)
    until(sim, lambda: sum(n.state is NodeState.IDLE for n in sim.journal.table("nodes").values()) == 4)
    ask(sim, job("j", *map(task, names)))
    seen = 0
    while any(each.state != "completed" for each in tasks_of(sim).values()):
        before = sim.core.counts("p").active
        assert sim.step()
        queued = [slots.queued for slots in sim.core.tasks.slots.values()]
        seen = max(seen, *queued)
        assert max(queued) <= -(-max(before, sum(queued)) // 4) + 1, "others could do it"
    assert seen > 10


def test_what_waits_at_a_silent_node_begins_once_and_counts_nowhere():
    """Its other node is idle meanwhile; but who knows?"""
    names = [f"s{number}" for number in range(40)]
    settings = replace(SETTINGS, pools=replace(SETTINGS.pools, connect_retry=20.0))
    sim = simulation({name: [(0.05, 0)] for name in names}, settings=settings, target_dedicated_nodes=2)
    until(sim, lambda: sum(n.state is NodeState.IDLE for n in sim.journal.table("nodes").values()) == 2)
    ask(sim, job("j", *map(task, names)))

    def waiting():
        return next((slots for slots in sim.core.tasks.slots.values() if slots.queued > 1), None)

    until(sim, lambda: waiting() is not None)
    node_id = waiting().node_id
    sim.world.cut(node_id)
    until(sim, lambda: sim.journal.table("nodes")[node_id].silent_since is not None)
    held = [each for each in tasks_of(sim).values() if each.node_id == node_id]
    assert held and not any(each.node_id for each in tasks_of(sim).values() if each not in held), "all else is done"
    done = completed(sim, *names)
    assert {each.requeue_count for each in done} == {0}
    begun = [x.id.rpartition("-")[0] for x in sim.world.log.started]
    assert len(begun) == len(set(begun)) == len(names), "none began twice"


def test_what_a_silent_node_ran_before_it_died_counts_as_requeued():
    """It ran on without its connection, and what it did there is lost with it."""
    names = [f"s{number}" for number in range(200)]
    settings = replace(SETTINGS, pools=replace(SETTINGS.pools, connect_retry=20.0))
    sim = simulation({name: [(0.03, 0)] for name in names}, settings=settings, task_slots_per_node=4)
    ask(sim, job("j", *map(task, names)))
    until(sim, lambda: len(sim.world.log.started) == 100)
    sim.world.cut(node_of(sim).id)
    until(sim, lambda: node_of(sim).silent_since is not None)
    sim.world.kill_vm(node_of(sim).vm_name)
    done = completed(sim, *names)
    starts = Counter(x.id.rpartition("-")[0] for x in sim.world.log.started)
    again = [each for each in done if starts[each.execution_id.rpartition("-")[0]] == 2]
    assert len(again) > 2 * 4, "else nothing is shown: so many could have followed at once"
    assert [each.requeue_count for each in again] == [1] * len(again)


def test_it_is_told_once():
    record = node_of(ready())
    silent = replace(record, silent_since=100.0)
    assert [line.tone for line in silence(silent, record, 105.0)] == ["bad"]
    assert list(silence(replace(silent, version=9), silent, 106.0)) == []
    assert [line.text for line in silence(record, silent, 110.0)] == ["heard of again after 10.0 s"]
