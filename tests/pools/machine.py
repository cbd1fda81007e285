"""A pool machine without a runner: what it does is what its commands say."""

from pools import (
    Context,
    CountingIds,
    CreateVm,
    Deployment,
    Ledger,
    MetadataItem,
    PoolMachine,
    PoolSettings,
    PoolSpec,
    TaskCounts,
)
from providers import Profile, Vm, VmState


class NoWork:
    def __init__(self):
        self.now = TaskCounts()

    def counts(self, pool_id):
        return self.now

    def has_work(self, pool_id):
        return self.now.active > 0

    def busy(self, node_id):
        return 0

    def tasks_on(self, node_id):
        return 0

    def stay(self, node_id, now):
        return True

    def vacate(self, node_id, option, now): ...
    def node_usable(self, node_id, now): ...
    def evict(self, node_id, option, now): ...
    def node_gone(self, node_id, now): ...


def machine(**settings):
    context = Context(Ledger(), PoolSettings(**settings), CountingIds(), Deployment("d", "key"))
    context.workload = NoWork()
    return PoolMachine(context), context


def vm_of(node, state=VmState.RUNNING):
    return Vm(node.vm_name, "i-1", state, "127.0.0.1", 22, "root", None, False, "/mnt", 0.0)


def booted(pools, node, now):
    """The node's VM runs and answers, and what it needs is there."""
    pools.nodes.vm_created(node.id, vm_of(node), now)
    pools.nodes.connected(node.id, now)
    pools.nodes.prepared(node.id, None, now)
    pools.settle(now)


def pass_time(pools, context, until):
    """Let the timers ring up to `until`, as the core does."""
    while (due := context.timers.next()) is not None and due <= until:
        for kind, key in context.timers.due(due):
            pools.ring(kind, key, due)
        pools.settle(due)
    pools.settle(until)


def said(context, kind):
    """The commands of this kind since the last time, which are forgotten with all others."""
    found = [command for command in context.commands if isinstance(command, kind)]
    context.commands.clear()
    return found


def placed(context):
    """Where the last create calls went: (size, zone, low-priority) of each."""
    return [(c.spec.size, c.spec.zone, c.spec.low_priority) for c in said(context, CreateVm)]


def errors(context, pool_id="pool"):
    """The pool's resize errors by code."""
    return {error.code: error.message for error in context.pools[pool_id].resize_errors}


PROFILE = Profile(sizes={"big": ("l", "xl")}, zones=("a", "b"), boot_timeout=77.0)
SETTINGS = {
    "profiles": {"p": PROFILE},
    "vm_poll_interval": 1e6,
    "boot_timeout": 1e6,
    "capacity_pause": 300.0,
    "backoff_base": 5.0,
    "create_retry": 2.0,
}


def pool_of(size=1, *, low=0, metadata=(), **spec):
    """A pool that wants so many nodes, with two sizes in two zones."""
    pools, context = machine(**SETTINGS | spec.pop("settings", {}))
    metadata = tuple(MetadataItem(name=name, value=value) for name, value in metadata)
    wanted = {"target_dedicated_nodes": size, "target_low_priority_nodes": low, "metadata": metadata}
    pools.add(PoolSpec(id="pool", vm_size="big", **wanted, **spec), "p", "image", 0.0)
    pools.settle(0.0)
    return pools, context


def refuse(pools, context, error, now=0.0):
    """Every create call that is under way is answered like this."""
    for node in context.nodes:
        pools.nodes.vm_create_failed(node.id, error, now)
    pools.settle(now)
