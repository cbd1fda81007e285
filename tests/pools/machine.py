"""A pool machine without a runner: what it does is what its commands say."""

from pools import Context, CountingIds, Deployment, Ledger, PoolMachine, PoolSettings, TaskCounts


class NoWork:
    def __init__(self):
        self.now = TaskCounts()

    def counts(self, pool_id):
        return self.now

    def has_work(self, pool_id):
        return self.now.active > 0

    def busy(self, node_id):
        return 0

    def node_usable(self, node_id, now): ...
    def evict(self, node_id, option, now): ...
    def node_gone(self, node_id, now): ...


def machine(**settings):
    context = Context(Ledger(), PoolSettings(**settings), CountingIds(), Deployment("d", "key"))
    context.workload = NoWork()
    return PoolMachine(context), context
