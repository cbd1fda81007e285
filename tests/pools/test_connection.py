"""Connections that break: only one that lasts makes a node reachable again."""

import pytest

from pools import ConnectNode, ListVms, NodeState, PoolSpec, StartTask

from .machine import booted, machine, pass_time, vm_of

SPEC = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1)
WAITING = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1, start_task=StartTask(command_line="true"))
SETTINGS = {"unreachable_timeout": 900.0, "steady_after": 30.0}


def up(spec=SPEC):
    pools, context = machine(**SETTINGS)
    pools.add(spec, "p", "image", 0.0)
    pools.settle(0.0)
    (node,) = context.nodes
    booted(pools, node, 10.0)
    context.commands.clear()
    return pools, context, node.id


def next_controller(before, name):
    pools, context = machine(**SETTINGS)
    context.ids = before.ids
    context.load({"pool": before.pools["pool"]}, {name: before.nodes[name]})
    return pools, context


def asked(context):
    return sum(isinstance(command, ListVms) for command in context.commands)


@pytest.mark.parametrize(("spec", "state"), [(SPEC, NodeState.IDLE), (WAITING, NodeState.WAITING_FOR_START_TASK)])
@pytest.mark.parametrize("lasts", [0.0, 20.0])
def test_a_node_that_breaks_after_every_hello_is_replaced(spec, state, lasts):
    pools, context, name = up(spec)
    assert context.nodes[name].state is state
    now, ended = 20.0, 0.0
    while now < 2000.0 and context.nodes[name].state is state:
        before = asked(context)
        pools.nodes.disconnected(name, "broken", now)
        assert asked(context) - before == (now == 20.0), "the cloud is asked when the node is lost, not at each break"
        pass_time(pools, context, now + 5.0)
        ended = now + 5.0
        if context.nodes[name].state is state:
            pools.nodes.connected(name, now + 5.0)
            pass_time(pools, context, now + 5.0 + lasts)
        now += 5.0 + lasts
    assert 920.0 <= ended <= 920.0 + 30.0
    assert "no connection that lasted for 900 s" in context.nodes[name].reason


def test_a_connection_that_lasts_is_the_end_of_it():
    pools, context, name = up()
    pools.nodes.disconnected(name, "broken", 20.0)
    pools.nodes.connected(name, 30.0)
    pass_time(pools, context, 59.0)
    assert context.nodes[name].unreachable_since == 20.0
    pass_time(pools, context, 60.0)
    assert context.nodes[name].unreachable_since is None
    pools.nodes.disconnected(name, "broken", 919.0)
    pass_time(pools, context, 919.0 + 899.0)
    assert (context.nodes[name].unreachable_since, context.nodes[name].state) == (919.0, NodeState.IDLE)


def test_a_node_that_answers_late_is_not_given_up_while_it_is_connected():
    pools, context, name = up()
    pools.nodes.disconnected(name, "broken", 20.0)
    pools.nodes.connected(name, 919.0)
    pass_time(pools, context, 5000.0)
    assert (context.nodes[name].unreachable_since, context.nodes[name].state) == (None, NodeState.IDLE)


def test_a_short_patience_leaves_time_to_prove_a_connection():
    _, context = machine(unreachable_timeout=10.0)
    assert context.settings.steady == 5.0


@pytest.mark.parametrize("spec", [SPEC, WAITING])
def test_a_node_that_never_answers_the_next_controller_is_replaced(spec):
    _, before, name = up(spec)
    pools, context = next_controller(before, name)
    pools.recover((), 100.0, 100.0)
    pass_time(pools, context, 999.0)
    assert context.nodes[name].state is before.nodes[name].state
    pass_time(pools, context, 1000.0)
    assert context.nodes[name].destroying


def test_the_next_controller_forgets_how_long_a_node_was_lost():
    _, before, name = up()
    pools, context = next_controller(before, name)
    pools.recover((), 100.0, 100.0)
    pools.nodes.connected(name, 101.0)
    pass_time(pools, context, 5000.0)
    assert (context.nodes[name].unreachable_since, context.nodes[name].state) == (None, NodeState.IDLE)


def test_a_machine_that_has_just_started_is_tried_often():
    """No more than a tenth of its time so far is lost, nor than the ordinary pause between two tries."""
    pools, context = machine(connect_retry=5.0)
    pools.add(SPEC, "p", "image", 0.0)
    pools.settle(0.0)
    (node,) = context.nodes
    pools.nodes.vm_created(node.id, vm_of(node), 10.0)
    tried, now = [], 10.0
    while now < 200.0:
        context.commands.clear()
        pools.nodes.disconnected(node.id, "refused", now)
        pass_time(pools, context, now)
        due = context.timers.next()
        while not any(isinstance(command, ConnectNode) for command in context.commands):
            now = due = context.timers.next()
            pass_time(pools, context, due)
        tried.append(now - 10.0)
    pauses = [after - before for before, after in zip([0.0, *tried], tried, strict=False)]
    assert pauses[0] == pytest.approx(0.2) and pauses[-1] == pytest.approx(5.0)
    assert all(pause <= max(0.2, before / 10) + 1e-6 for before, pause in zip([0.0, *tried], pauses, strict=False))
    pools.nodes.connected(node.id, now)
    pools.nodes.prepared(node.id, None, now)
    pools.nodes.disconnected(node.id, "broken", now)
    context.commands.clear()
    pass_time(pools, context, now + 4.9)
    assert not any(isinstance(command, ConnectNode) for command in context.commands)
