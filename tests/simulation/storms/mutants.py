"""Builds that are broken on purpose, and which seed of the storm notices each. What tests of this folder break already
is taken from there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from msgspec.structs import replace

from pools import NodeMachine
from pools.cost import with_ended
from pools.node_departure import NodeDeparture
from pools.node_reach import NodeReach
from pools.orphans import Orphans
from pools.pool_machine import PoolMachine
from pools.vm_watch import VmWatch
from runner.core import Core
from runner.engine import Engine
from runner.journal import JournalError
from runner.kept_outputs import KeptOutputs
from runner.memory_journal import MemoryJournal
from runner.multi_instance import MultiInstanceTasks
from runner.reconciliation import Reconciliation
from runner.task_machine import TaskMachine
from runner.task_tally import TaskTally

from .. import test_job_mutations, test_mutations
from .driver import StormSimulation
from .journal import FailingJournal

Patch = pytest.MonkeyPatch
Mutation = Callable[[Patch], None]


def _simulations(patch: Patch) -> list[StormSimulation]:
    """Those of the stories that are told, the present one last."""
    found: list[StormSimulation] = []
    original = StormSimulation.__post_init__

    def remember(self: StormSimulation) -> None:
        found.append(self)
        original(self)

    patch.setattr(StormSimulation, "__post_init__", remember)
    return found


def intent_after_effect(patch: Patch) -> None:
    """Commands leave before what intends them is committed."""
    simulations, original = _simulations(patch), Core.take

    def take(self: Core) -> tuple[Any, Any]:
        changes, commands = original(self)
        for command in commands:
            simulations[-1].issue(command)
        return changes, ()

    patch.setattr(Core, "take", take)


def answer_before_the_commit(patch: Patch) -> None:
    """Who asks is told yes before it is written down."""
    original = Engine._handle

    def handle(self: Engine, batch: Any, now: float) -> list[Any]:
        for future, answer in original(self, batch, now):
            assert isinstance(future, Future)
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        return []

    patch.setattr(Engine, "_handle", handle)


def go_on_although_the_journal_failed(patch: Patch) -> None:
    original = Engine._commit

    def commit(self: Engine, changes: Any) -> None:
        pause, self._pause = self._pause, _give_up
        try:
            original(self, changes)
        except JournalError:
            pass
        finally:
            self._pause = pause

    patch.setattr(Engine, "_commit", commit)


def _give_up(seconds: float) -> None:
    raise JournalError("not tried again")


def write_table_by_table(patch: Patch) -> None:
    """A commit is no transaction: when the controller ends within it, a part is there."""

    def tear(self: FailingJournal, changes: Any) -> None:
        listed = list(changes)
        MemoryJournal.commit(self, listed[: len(listed) // 2])

    patch.setattr(FailingJournal, "_tear", tear)


def acknowledge_before_the_commit(patch: Patch) -> None:
    """A node forgets an outcome that is not written down yet."""
    simulations, original = _simulations(patch), MultiInstanceTasks.outcome

    def outcome(self: MultiInstanceTasks, report: Any, now: float) -> None:
        original(self, report, now)
        for node in simulations[-1].world.nodes.values():
            if node.node_id == report.node_id:
                node.acknowledge(report.execution_id)

    patch.setattr(MultiInstanceTasks, "outcome", outcome)


def lost_requeue(patch: Patch) -> None:
    """Tasks of a node that is gone are not given to another."""
    patch.setattr(MultiInstanceTasks, "node_gone", lambda self, node_id, died, now, begun: None)


def lost_executions_are_not_tried_again(patch: Patch) -> None:
    patch.setattr(MultiInstanceTasks, "lost", lambda self, node_id, execution_id, reason, now: None)


def double_start(patch: Patch) -> None:
    """A task whose node is out of reach is started elsewhere at once."""
    test_mutations.requeue_on_disconnect(patch)


def start_anew_what_a_node_does_not_know(patch: Patch) -> None:
    """What a node that comes back does not know of is taken for not begun."""
    original = Reconciliation.reconcile

    def reconcile(self: Reconciliation, node_id: str, known: frozenset[str], *rest: Any) -> None:
        original(self, node_id, frozenset(), *rest)

    patch.setattr(Reconciliation, "reconcile", reconcile)


def believe_in_damaged_records(patch: Patch) -> None:
    """A node's memory that was damaged is taken for whole."""
    patch.setattr(Reconciliation, "_casts_doubt", lambda self, node_id, damages: False)


def ask_back_before_the_node_is_heard(patch: Patch) -> None:
    """A node is asked for what has not begun there although nobody knows what it knows."""
    original = TaskMachine.take_back

    def take_back(self: TaskMachine, *given: Any) -> None:
        self.is_connected = lambda node_id: True
        original(self, *given)

    patch.setattr(TaskMachine, "take_back", take_back)


def reaper_without_grace(patch: Patch) -> None:
    original = Orphans.seen

    def seen(self: Orphans, provider: str, vms: Any, now: float) -> Any:
        self._grace = 0.0
        return original(self, provider, vms, now)

    patch.setattr(Orphans, "seen", seen)


def keep_what_is_gone(patch: Patch) -> None:
    """A VM that its cloud does not list any more, or says to have ended, counts on, and so does one that does not
    answer."""
    patch.setattr(VmWatch, "_over", lambda self, node, vm, reason, now: None)
    patch.setattr(NodeReach, "given_up", lambda self, node, now: None)


def forget_what_was_paid(patch: Patch) -> None:
    """What a pool has spent is counted from its last node on."""
    patch.setattr(
        "pools.node_departure.with_ended",
        lambda usage, node, now: with_ended(replace(usage, cost=0.0), node, now),
    )


def count_moved_tasks_twice(patch: Patch) -> None:
    patch.setattr(TaskTally, "move", lambda self, old, new: self.add(new, +1))


def never_close_the_breaker(patch: Patch) -> None:
    """A pool that was given up once stays as it is when all is well again."""
    patch.setattr(PoolMachine, "resume", lambda self, pool_id, now: None)


def forget_refused_destroys(patch: Patch) -> None:
    """A VM that its cloud did not end when it was asked to is not asked for again."""
    patch.setattr(NodeDeparture, "vm_destroy_failed", lambda self, node_id, now: None)


def fall_over_what_comes_twice(patch: Patch) -> None:
    """A report about a node that has gone ends the controller."""
    original = NodeMachine.vm_destroyed

    def vm_destroyed(self: NodeMachine, node_id: str, *rest: Any) -> None:
        assert self._ctx.nodes.get(node_id) is not None, "a report about a node that is gone"
        original(self, node_id, *rest)

    patch.setattr(NodeMachine, "vm_destroyed", vm_destroyed)


def complete_without_an_outcome(patch: Patch) -> None:
    """The end of a process is taken for its outcome."""
    original = TaskMachine.ended

    def ended(self: TaskMachine, node_id: str, execution_id: str, now: float) -> None:
        task = self._current(node_id, execution_id)
        original(self, node_id, execution_id, now)
        if task is not None and task.start_time is not None:
            self._complete(self.tasks[task.key], now, None, None)

    patch.setattr(TaskMachine, "ended", ended)


def wait_for_what_does_not_come_up(patch: Patch) -> None:
    patch.setattr(NodeMachine, "_boot_timed_out", lambda self, node, now: None)


def keep_what_forgotten_attempts_printed(patch: Patch) -> None:
    patch.setattr(KeptOutputs, "forget", lambda self, attempts, owner, parent_id, id: None)


OWN: tuple[Mutation, ...] = (
    intent_after_effect,
    answer_before_the_commit,
    go_on_although_the_journal_failed,
    write_table_by_table,
    acknowledge_before_the_commit,
    lost_requeue,
    lost_executions_are_not_tried_again,
    double_start,
    start_anew_what_a_node_does_not_know,
    believe_in_damaged_records,
    ask_back_before_the_node_is_heard,
    reaper_without_grace,
    keep_what_is_gone,
    forget_what_was_paid,
    count_moved_tasks_twice,
    never_close_the_breaker,
    forget_refused_destroys,
    fall_over_what_comes_twice,
    complete_without_an_outcome,
    wait_for_what_does_not_come_up,
    keep_what_forgotten_attempts_printed,
)
#: Those that take the driver of the simulation apart, which is another one here: they stand above once more.
_ANOTHER_DRIVER = {
    test_mutations.acknowledge_before_the_commit,
    test_mutations.issue_before_the_commit,
    test_mutations.requeue_on_disconnect,
}
TAKEN: tuple[Mutation, ...] = tuple(
    each for each in (*test_mutations.MUTATIONS, *test_job_mutations.MUTATIONS) if each not in _ANOTHER_DRIVER
)
