"""A pool of nodes that are asked to do this and that, with as much work on them as is said."""

import pytest

from pools import PoolError, PoolSpec
from providers import Profile

from .machine import booted, machine


class Work:
    """Tasks on nodes, as many as is said."""

    def __init__(self, workload):
        self.tasks: dict[str, int] = {}
        self.treated: list[tuple[str, str]] = []
        workload.busy = workload.tasks_on = lambda node_id: self.tasks.get(node_id, 0)
        workload.vacate = lambda node_id, option, now: self.treated.append(("stays", option))
        workload.evict = lambda node_id, option, now: self.treated.append(("goes", option))
        workload.node_gone = lambda node_id, now: self.tasks.pop(node_id, None)


def stage_of_three():
    """A pool of two dedicated nodes and a low-priority one, which are idle."""
    profiles = {"fixed": Profile(reboot="ask its owner")}
    pools, context = machine(profiles=profiles, vm_poll_interval=1e6, boot_timeout=600.0)
    work = Work(context.workload)
    spec = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=2, target_low_priority_nodes=1)
    pools.add(spec, "p", "image", 0.0)
    pools.settle(0.0)
    for node in tuple(context.nodes):
        booted(pools, node, 1.0)
    context.commands.clear()
    return pools, context, work


def dedicated(context):
    return next(node for node in context.nodes_of("pool") if not node.low_priority)


def run(pools, context, work, count, now):
    """So many tasks are on the first node."""
    node = dedicated(context)
    work.tasks[node.id] = count
    pools.nodes.work_changed(node.id, now)
    pools.settle(now)
    return context.nodes[node.id]


def refused(code, ask, *words):
    with pytest.raises(PoolError) as caught:
        ask(*words)
    assert caught.value.code == code
    return str(caught.value)
