"""The life of a pool: targets, formula, samples, and the planner's pass at the end of every batch of
events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from . import budget, fallback
from .allocation import allocation
from .autoscale import evaluate
from .calm_pools import is_calm
from .commands import ListVms
from .context import Context
from .histories import LATE, Histories
from .idle_pools import IdlePools
from .model import AllocationState, AutoScaleRun, Node, Pool, PoolState, evolve
from .node_machine import NodeMachine
from .node_requests import NodeRequests
from .node_states import NodeState
from .pass_log import PassLog, together
from .planner import Action, CreateNode, ForgetNode, HoldBack, RemoveNode, plan
from .planner_passes import BY_FORMULA, PlannedAction, PlannerPass
from .pool_checks import PoolError, check_formula
from .pool_requests import PoolRequests
from .recorded_runs import RecordedRun
from .resize_errors import ALLOCATION_TIMED_OUT, CIRCUIT_BREAKER_OPEN, without
from .sampling import Sample
from .setbacks import next_try
from .spec import NodeDeallocationOption
from .taken_over import node_taken_over, pool_taken_over


class PoolMachine(PoolRequests):
    def __init__(self, context: Context, *, end_idle_pools: bool = False) -> None:
        super().__init__(context)
        self.nodes = NodeMachine(context)
        self.node_requests = NodeRequests(context, self, self.nodes)
        self.histories = Histories(context)
        self._idle = IdlePools(context, end_idle_pools)
        self._log = PassLog(context)

    # -- requests --------------------------------------------------------------------------------------------

    def drain(self, option: NodeDeallocationOption, pool_id: str | None, now: float) -> None:
        """Take every node out (of one pool, or of all), whatever the targets say, until this controller ends.

        Not stored: the targets stand, and the next controller goes by them. Raises PoolError.
        """
        ctx = self._ctx
        pools = [self.get(pool_id)] if pool_id is not None else list(ctx.pools)
        for pool in pools:
            ctx.draining[pool.id] = option
            ctx.dirty.add(pool.id)
            for node in tuple(ctx.nodes_of(pool.id)):
                if (
                    node.state is NodeState.LEAVING_POOL
                    and not node.destroying
                    and node.leaving is not option
                ):
                    self.nodes.departure.hurry(node, option, now)

    def evaluate(self, pool_id: str, text: str | None, now: float) -> AutoScaleRun:
        """What a formula (the pool's own by default) decides now; changes nothing. Raises PoolError."""
        pool = self.get(pool_id)
        if (text := pool.spec.auto_scale_formula if text is None else text) is None:
            raise PoolError("AutoScalingNotEnabled", f"pool {pool_id!r} has no formula")
        check_formula(text)
        return self._evaluate(pool, text, now)[0].brief

    def autoscale(self, pool_id: str, now: float) -> AutoScaleRun:
        """Run the pool's formula, keep the run, and apply what it decides. Raises PoolError."""
        pool = self.get(pool_id)
        if not pool.spec.enable_auto_scale or pool.spec.auto_scale_formula is None:
            raise PoolError("AutoScalingNotEnabled", f"pool {pool_id!r} has no formula")
        run, wanted = self._evaluate(pool, pool.spec.auto_scale_formula, now)
        late = now - (now if pool.next_evaluation is None else pool.next_evaluation)
        # on the beat of the runs before it: see `Histories.take`
        due = now - (late if 0.0 <= late < LATE else 0.0) + pool.spec.auto_scale_evaluation_interval.total_seconds()
        before = (pool.target_dedicated, pool.target_low_priority)
        changed = (wanted.target_dedicated, wanted.target_low_priority) != before
        faulty = run.error is not None and run.error.code == "AutoScalingFormulaEvaluationError"
        failed = pool.failed_evaluations + 1 if faulty else 0
        pool = evolve(wanted, now, autoscale_run=run.brief, next_evaluation=due, failed_evaluations=failed)
        if changed:
            # not tried afresh: one bad image must not make VMs all night because the formula moves
            errors = without(pool.resize_errors, ALLOCATION_TIMED_OUT)
            pool = evolve(pool, now, resize_errors=errors, resize_started=now)
        self._ctx.put_pool(pool)
        self._ctx.runs.append((pool_id, now), run)
        self._ctx.timers.set("autoscale", pool_id, due)
        return run.brief

    def _evaluate(self, pool: Pool, text: str, now: float) -> tuple[RecordedRun, Pool]:
        samples = self.histories.seen(pool, text, now)
        return evaluate(pool, text, samples, now, self._ctx.ids.random(), self.histories.of(pool.id).span)

    # -- time ------------------------------------------------------------------------------------------------

    def ring(self, kind: str, key: str, now: float) -> None:
        """A timer of this package has rung."""
        ctx = self._ctx
        if kind == "poll":
            ctx.say(ListVms(key))
            ctx.timers.set("poll", key, now + ctx.settings.vm_poll_interval)
        elif kind in ("sample", "autoscale", "retry", "resize", "linger", "budget"):
            pool = ctx.pools.get(key)
            if pool is None:
                return
            if kind == "sample":
                self.histories.take(pool, now)
                return
            if kind == "autoscale" and self._evaluated(pool):
                self.autoscale(key, now)
            ctx.dirty.add(key)
        else:
            self.nodes.ring(kind, key, now)

    def _evaluated(self, pool: Pool) -> bool:
        """Is the pool sized by its formula at present?"""
        stands = pool.state is PoolState.ACTIVE and pool.id not in self._ctx.draining
        return stands and pool.spec.enable_auto_scale

    # -- the planner's pass ----------------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Bring every pool that changed in this batch nearer to its target."""
        ctx = self._ctx
        while ctx.dirty:
            dirty = sorted(ctx.dirty)  # the same order on every run
            ctx.dirty.clear()
            for pool_id in dirty:
                pool = ctx.pools.get(pool_id)
                if pool is not None:
                    self._plan(pool, now)

    def _plan(self, pool: Pool, now: float) -> None:
        ctx = self._ctx
        targets, because = self.effective_targets(pool, now)
        if is_calm(pool, ctx.roster(pool.id), targets, now):
            self._log.note(_quiet_pass(pool, targets, because, now))
            return
        nodes = tuple(ctx.nodes_of(pool.id))
        current, when = budget.brought_up_to_date(pool, nodes, ctx.settings, now)
        targets, because = self.effective_targets(current, now)
        current = fallback.brought_up_to_date(current, nodes, targets[1], now)
        if current is not pool:
            pool = ctx.pools.put(pool.id, current)
        if when is not None:
            ctx.timers.set("budget", pool.id, when)
        barred = self.growth_barred(pool, now)
        wanted = pool
        if budget.drained(pool):
            wanted = replace(pool, node_deallocation_option=NodeDeallocationOption.TASK_COMPLETION)
        actions = plan(wanted, nodes, targets, ctx.workload.busy, now, ctx.settings, grow=barred is None)
        done, held_back = self._carried_out(pool.id, actions, now)
        self._log.note(
            PlannerPass(
                pool_id=pool.id,
                time=now,
                target_dedicated=targets[0],
                target_low_priority=targets[1],
                because=because,
                actions=together(done),
                held_back=_held_back(held_back, barred, pool) if held_back else (),
            )
        )
        if pool.state is PoolState.DELETING and ctx.node_count(pool.id) == 0:
            self.forget(pool)
            return
        pool = ctx.pools[pool.id]
        present = tuple(ctx.nodes_of(pool.id)) if done else nodes
        settled, deadline = allocation(pool, present, targets, now)
        if settled is not pool:
            ctx.pools.put(pool.id, settled)
        if deadline is not None:
            ctx.timers.set("resize", pool.id, deadline)
        again = next_try(settled, present, ctx.settings, now)
        if again is not None:
            ctx.timers.set("retry", pool.id, again)

    def _carried_out(
        self, pool_id: str, actions: Iterable[Action], now: float
    ) -> tuple[list[PlannedAction], list[str]]:
        """What was done, and why not more."""
        ctx, done, held_back = self._ctx, list[PlannedAction](), list[str]()
        for action in actions:
            match action:
                case CreateNode(low, reason, stand_in):
                    node = self.nodes.creation.begin(ctx.pools[pool_id], low, reason, now, fallback=stand_in)
                    done.append(PlannedAction(action="create", node_ids=(node.id,), reason=reason, low_priority=low))
                case RemoveNode(node_id, option, reason):
                    node, option = ctx.nodes[node_id], ctx.draining.get(pool_id, option)
                    self.nodes.departure.remove(node, option, reason, now)
                    done.append(_gone("remove", node, reason, option))
                case ForgetNode(node_id):
                    node = ctx.nodes[node_id]
                    ctx.remove_node(node)
                    done.append(_gone("forget", node, "its VM was taken back, and it is not awaited any more"))
                case HoldBack(_, reason):
                    held_back.append(reason)
        return done, held_back

    def growth_barred(self, pool: Pool, now: float) -> str | None:
        """Why no node may be created in the pool, whatever its targets say; None: nothing stands against it."""
        if pool.broken_since is not None:
            broken = (error.message for error in pool.resize_errors if error.code == CIRCUIT_BREAKER_OPEN)
            return next(broken, "nodes failed too often in a row")
        return budget.barred(pool)

    def effective_targets(self, pool: Pool, now: float) -> tuple[tuple[int, int], str]:
        """What the pool should have now, (dedicated, low-priority), and why: its targets, or nothing while it is
        deleted, drained, or has been ended by `run`, or its budget says so."""
        if pool.state is PoolState.DELETING:
            return (0, 0), "the pool is being deleted"
        if pool.id in self._ctx.draining:
            return (0, 0), "the pool is being drained"
        if budget.drained(pool):
            return (0, 0), "the budget of the pool is used up"
        if self._idle.ended(pool, now):
            return (0, 0), "no work is left for the pool"
        told = BY_FORMULA if pool.spec.enable_auto_scale else "it was asked for"
        return (pool.target_dedicated, pool.target_low_priority), told

    def forget(self, pool: Pool) -> None:
        """Of one that was deleted no node is left."""
        ctx = self._ctx
        ctx.remove_pool(ctx.pools[pool.id])
        self.histories.forget(pool.id)
        self._idle.forget(pool.id)
        self._log.forget(pool.id)
        for kind in ("sample", "autoscale", "retry", "resize", "linger", "budget"):
            ctx.timers.cancel(kind, pool.id)

    # -- restart ---------------------------------------------------------------------------------------------

    def recover(self, samples: Iterable[Sample], latest: float, now: float) -> None:
        """Set timers and issue again every command that the loaded records imply. `latest`: the last time that they
        tell of."""
        ctx = self._ctx
        self.histories.load(samples, now)
        new = min(latest, now) - ctx.settings.visibility
        for node in ctx.nodes:
            ctx.nodes.hold(node.id, node_taken_over(node, now))
            if node.vm_confirmed is not None and node.vm_confirmed > new:
                ctx.resumed = now  # it may not be listed yet: how long no controller worked, only a clock says
        for each in ctx.pools:
            pool = pool_taken_over(each, ctx.settings, now)
            ctx.pools.hold(pool.id, pool)
            if pool.resize_started is not None and pool.allocation_state is AllocationState.STEADY:
                # asked for while no controller worked: the time to do it in begins now
                ctx.put_pool(evolve(pool, now, resize_started=now))
            self._start(pool, now)
            self.histories.resume(pool, now)
            ctx.dirty.add(pool.id)
        # also where no pool is any more: one that was deleted may have left a VM
        for provider in dict.fromkeys((*(pool.provider for pool in ctx.pools), *ctx.settings.profiles)):
            ctx.say(ListVms(provider))
        for node in ctx.nodes:
            self.nodes.recover(node, now)


def _gone(
    action: Literal["remove", "forget"], node: Node, reason: str, option: NodeDeallocationOption | None = None
) -> PlannedAction:
    return PlannedAction(
        action=action, node_ids=(node.id,), reason=reason, low_priority=node.low_priority, option=option
    )


def _quiet_pass(pool: Pool, targets: tuple[int, int], because: str, now: float) -> PlannerPass:
    return PlannerPass(
        pool_id=pool.id, time=now, target_dedicated=targets[0], target_low_priority=targets[1], because=because
    )


def _held_back(reasons: Iterable[str], barred: str | None, pool: Pool) -> tuple[str, ...]:
    """In the words of who bars growth, if somebody does; else with what has failed."""
    if barred is not None:
        return (barred,)
    return (*dict.fromkeys(reasons), *(f"{error.code}: {error.message}" for error in pool.resize_errors))
