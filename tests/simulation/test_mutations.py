"""The fault test can fail: each of these defects, put into the core on purpose, is caught by it (those in the life of
jobs are in test_job_mutations.py)."""

import pytest
from msgspec.structs import replace

from pools import NodeMachine, PoolMachine
from pools.node_creation import NodeCreation
from pools.node_departure import NodeDeparture
from pools.orphans import Orphans
from pools.planner import plan
from providers import ProviderError
from runner.reconciliation import Reconciliation
from runner.simulation import Simulation
from runner.task_machine import TaskMachine

from .catching import is_caught
from .scenario import Scenario


def requeue_on_disconnect(patch):
    original = NodeMachine.disconnected

    def disconnected(self, node_id, reason, now, **how):
        original(self, node_id, reason, now, **how)
        for task in self._ctx.workload.tasks._placed_on(node_id):
            self._ctx.workload.tasks.give_back(task, now, requeued=True)

    patch.setattr(NodeMachine, "disconnected", disconnected)


def acknowledge_before_the_commit(patch):
    original = TaskMachine.outcome
    worlds = remember_simulations(patch)

    def outcome(self, report, now):
        original(self, report, now)
        for node in worlds[-1].world.nodes.values():
            if node.node_id == report.node_id:
                node.acknowledge(report.execution_id)

    patch.setattr(TaskMachine, "outcome", outcome)


def remember_simulations(patch):
    worlds = []
    original = Simulation.__post_init__

    def remember(self):
        worlds.append(self)
        original(self)

    patch.setattr(Simulation, "__post_init__", remember)
    return worlds


def never_acknowledge(patch):
    original = TaskMachine.outcome

    def outcome(self, report, now):
        said = len(self._say.__self__.commands)
        original(self, report, now)
        del self._say.__self__.commands[said:]

    patch.setattr(TaskMachine, "outcome", outcome)


def forget_a_node_when_its_end_is_asked_for(patch):
    original = NodeDeparture.issue_destroy

    def issue_destroy(self, node):
        original(self, node)
        self.vm_destroyed(node.id, node.modified)

    patch.setattr(NodeDeparture, "issue_destroy", issue_destroy)


def forget_a_node_whose_create_failed(patch):
    def vm_create_failed(self, node_id, error, now, vm_name=None):
        node = self._ctx.nodes.get(node_id)
        if node is not None:
            self._ctx.remove_node(node)

    patch.setattr(NodeMachine, "vm_create_failed", vm_create_failed)


def ignore_slots(patch):
    patch.setattr("runner.placing.choose", lambda nodes, needed, whole, pack: nodes[0] if nodes else None)


def complete_without_waiting_for_the_end(patch):
    original = TaskMachine.end

    def end(self, task, ending, now, reason=""):
        original(self, task, ending, now, reason)
        self.give_back(self.tasks[task.key], now, requeued=True)

    patch.setattr(TaskMachine, "end", end)


def take_any_outcome_for_the_present_one(patch):
    def current(self, node_id, execution_id):
        task = self.task_of(execution_id)
        return task if task is not None and task.node_id is not None else None

    patch.setattr(TaskMachine, "_current", current)


def record_outcomes_again(patch):
    def current(self, node_id, execution_id):
        task = self.task_of(execution_id)
        return task if task is not None and task.execution_id == execution_id else None

    patch.setattr(TaskMachine, "_current", current)


def forget_destroys_on_restart(patch):
    original = NodeMachine.recover

    def recover(self, node, now):
        if not node.destroying:
            original(self, node, now)

    patch.setattr(NodeMachine, "recover", recover)


def forget_connections_on_restart(patch):
    original = NodeMachine.recover

    def recover(self, node, now):
        if node.destroying or node.vm is None:
            original(self, node, now)

    patch.setattr(NodeMachine, "recover", recover)


def forget_lost_starts(patch):
    patch.setattr(Reconciliation, "reconcile", lambda self, node_id, known, boot, now, damages: None)


def create_one_node_too_many(patch):
    def one_more(pool, nodes, targets, *rest, **options):
        dedicated, low_priority = targets
        return plan(pool, nodes, (dedicated and dedicated + 1, low_priority), *rest, **options)

    patch.setattr("pools.pool_machine.plan", one_more)


def destroy_without_waiting_for_outcomes(patch):
    def destroy_if_free(self, node, now):
        if node.state == "leavingpool" and not node.destroying:
            self._destroy(node, now)
            self._ctx.workload.node_gone(node.id, now)

    patch.setattr(NodeDeparture, "destroy_if_free", destroy_if_free)


def issue_before_the_commit(patch):
    """The commands leave although the commit never happens."""
    original = Simulation._turn

    def turn(self):
        if self.core is not None:
            take = self.core.take

            def take_and_issue():
                changes, commands = take()
                for command in commands:
                    self.world.issue(command)
                return changes, ()

            self.core.take = take_and_issue
        original(self)

    patch.setattr(Simulation, "_turn", turn)


def believe_a_refusal_after_a_lost_answer(patch):
    original = NodeCreation.failed

    def failed(self, node, error, now):
        original(self, replace(node, uncertain_creates=0), error, now)

    patch.setattr(NodeCreation, "failed", failed)


def forget_a_node_whose_call_was_not_answered(patch):
    patch.setattr(ProviderError, "nothing_made", True)
    patch.setattr(NodeCreation, "_try_again", lambda self, node, error, now: self._gone(node, str(error), True, now))


def reap_no_orphans(patch):
    patch.setattr(Orphans, "seen", lambda self, provider, vms, now: ([], None))


def replace_before_the_vm_is_gone(patch):
    patch.setattr("pools.planner.holds_place", lambda node, now, settings: False)


def create_although_the_breaker_is_open(patch):
    patch.setattr(PoolMachine, "growth_barred", lambda self, pool, now: None)


def keep_preempted_nodes_for_ever(patch):
    patch.setattr("pools.planner._forget_preempted", lambda nodes, target: ())


def replace_all_stand_ins_at_once(patch):
    def resize_low_priority(self, low, stand_ins, held, target):
        yield from self.resize(low, 0, target, "low-priority", self.pool.fallback_since is not None)

    patch.setattr("pools.planner._Pass.resize_low_priority", resize_low_priority)


def believe_what_is_told_of_former_connections(patch):
    patch.setattr(NodeMachine, "is_newest", lambda self, node_id, connection: node_id in self._ctx.nodes)


def wait_for_what_the_cloud_has_announced(patch):
    original = NodeMachine.ring

    def ring(self, kind, node_id, now):
        if kind != "reclaim":
            original(self, kind, node_id, now)

    patch.setattr(NodeMachine, "ring", ring)
    patch.setattr(NodeDeparture, "destroy_if_free", lambda self, node, now: None)


MUTATIONS = [
    requeue_on_disconnect,
    acknowledge_before_the_commit,
    never_acknowledge,
    forget_a_node_when_its_end_is_asked_for,
    forget_a_node_whose_create_failed,
    ignore_slots,
    complete_without_waiting_for_the_end,
    take_any_outcome_for_the_present_one,
    record_outcomes_again,
    forget_destroys_on_restart,
    forget_connections_on_restart,
    forget_lost_starts,
    create_one_node_too_many,
    destroy_without_waiting_for_outcomes,
    issue_before_the_commit,
    believe_a_refusal_after_a_lost_answer,
    forget_a_node_whose_call_was_not_answered,
    reap_no_orphans,
    replace_before_the_vm_is_gone,
    create_although_the_breaker_is_open,
    keep_preempted_nodes_for_ever,
    replace_all_stand_ins_at_once,
    wait_for_what_the_cloud_has_announced,
    believe_what_is_told_of_former_connections,
]
#: For those that few seeds notice: one that does.
NOTICED_BY = {
    acknowledge_before_the_commit: 5,
    issue_before_the_commit: 5,
    believe_a_refusal_after_a_lost_answer: 13,
    create_although_the_breaker_is_open: 61,
    believe_what_is_told_of_former_connections: 6,
}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_defect_is_caught(mutation, monkeypatch):
    mutation(monkeypatch)
    is_caught(lambda seed: Scenario(seed).run(), first=NOTICED_BY.get(mutation, 0))
