"""What can be asked of a pool: checked at the door and recorded; the planner acts on it at the end of the batch."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from msgspec.structs import replace

from .context import Context
from .model import AllocationState, Node, Pool, PoolState, ResizeError, evolve
from .node_states import COUNTED, NodeEvent, NodeState
from .options import options_of
from .planner import PATIENT
from .pool_checks import (
    FOR_NEW_NODES,
    POOL_CHANGEABLE,
    PoolError,
    check_changed,
    check_pool,
    check_resize_timeout,
    check_targets,
    check_update,
    fixed_differences,
)
from .resize_errors import STOPPED
from .setbacks import AFRESH
from .spec import NodeDeallocationOption, PoolSpec


class PoolRequests:
    """A request that is refused raises PoolError and changes nothing."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    def get(self, pool_id: str) -> Pool:
        pool = self._ctx.pools.get(pool_id)
        if pool is None:
            raise PoolError("PoolNotFound", f"there is no pool {pool_id!r}")
        return pool

    def living(self, pool_id: str) -> Pool:
        """One that is not on its way out. Raises PoolError."""
        pool = self.get(pool_id)
        if pool.state is PoolState.DELETING:
            raise PoolError("PoolBeingDeleted", f"pool {pool_id!r} is being deleted")
        return pool

    def add(self, spec: PoolSpec, provider: str, image: str, now: float, ends_with: str | None = None) -> Pool:
        """Record a new pool (`ends_with`: see Pool). Raises PoolError if one of that id exists, or the specification
        cannot work."""
        ctx = self._ctx
        check_pool(spec, ctx.settings, provider)
        present = ctx.pools.spelled(spec.id)
        if present is not None:
            raise PoolError("PoolExists", f"pool {present!r} exists already")
        pool = Pool(
            created=now,
            modified=now,
            state_time=now,
            id=spec.id,
            spec=spec,
            provider=provider,
            image=image,
            allocation_state_time=now,
            target_dedicated=spec.target_dedicated_nodes or 0,
            target_low_priority=spec.target_low_priority_nodes or 0,
            next_evaluation=now if spec.enable_auto_scale else None,
            ends_with=ends_with,
        )
        ctx.put_pool(pool)
        self._start(pool, now)
        ctx.timers.set("sample", pool.id, now)
        return pool

    def resize(
        self,
        pool_id: str,
        targets: tuple[int | None, int | None],
        option: NodeDeallocationOption,
        now: float,
        timeout: timedelta | None = None,
    ) -> None:
        """Set the targets of a pool that has no formula; one that is None stays. `timeout`: its `resizeTimeout` from
        now on. Raises PoolError."""
        pool = self.living(pool_id)
        if pool.spec.enable_auto_scale:
            raise PoolError(
                "PoolHasAutoScaleEnabled", f"pool {pool_id!r} is sized by its formula; disable that first"
            )
        check_targets(*targets)
        if timeout is not None:
            check_resize_timeout(timeout)
            pool = evolve(pool, now, spec=replace(pool.spec, resize_timeout=timeout))
        dedicated = pool.target_dedicated if targets[0] is None else targets[0]
        low_priority = pool.target_low_priority if targets[1] is None else targets[1]
        self.retarget(pool, (dedicated, low_priority), option, now)

    def rescale(self, spec: PoolSpec, now: float, image: str | None = None) -> None:
        """Give the pool another formula, interval, targets or budget, and its new nodes another size, subnet, `image`
        or start task; `spec` is its own in all else (see `fixed_differences`).

        A new formula is evaluated at once. Raises PoolError.
        """
        pool = self.living(spec.id)
        check_pool(spec, self._ctx.settings)
        if fixed := fixed_differences(pool.spec, spec):
            what = f"{', '.join(fixed)} cannot change; only {', '.join(POOL_CHANGEABLE)} and options can"
            raise PoolError("InvalidPropertyValue", f"pool {spec.id!r}: {what}")
        due = now if spec.enable_auto_scale else None
        image = pool.image if image is None else image
        pool = evolve(pool, now, spec=spec, image=image, next_evaluation=due, failed_evaluations=0, **AFRESH)
        self._ctx.put_pool(pool)
        if spec.enable_auto_scale:
            self._ctx.timers.set("autoscale", pool.id, now)
        else:
            self._ctx.timers.cancel("autoscale", pool.id)
            targets = (spec.target_dedicated_nodes or 0, spec.target_low_priority_nodes or 0)
            self.retarget(pool, targets, pool.node_deallocation_option, now)

    def updated_spec(self, spec: PoolSpec, changed: Collection[str]) -> PoolSpec:
        """The pool's specification with the attributes `changed` of `spec`. Raises PoolError if there is no pool that
        can change."""
        kept = self.living(spec.id).spec
        check_changed(changed)
        return replace(kept, **{name: getattr(spec, name) for name in changed})

    def update(self, spec: PoolSpec, image: str | None, now: float) -> Pool:
        """Make the pool what `updated_spec` says. Raises PoolError."""
        pool, ctx = self.living(spec.id), self._ctx
        check_pool(spec, ctx.settings, pool.provider)
        check_update(pool.spec, spec, pool.provider, ctx.node_count(pool.id))
        image = pool.image if image is None else image
        differ = any(getattr(spec, name) != getattr(pool.spec, name) for name in FOR_NEW_NODES)
        differ = differ or (image, options_of(spec.metadata)) != (pool.image, options_of(pool.spec.metadata))
        # what did not come up may do so now
        tries = {**AFRESH, "resize_started": now} if differ else {}
        return ctx.put_pool(evolve(pool, now, spec=spec, image=image, **tries))

    def enable_autoscale(self, pool_id: str, formula: str | None, interval: timedelta | None, now: float) -> None:
        """Let a formula size the pool from now on; None: as it is. Raises PoolError."""
        spec = self.living(pool_id).spec
        formula = spec.auto_scale_formula if formula is None else formula
        if formula is None:
            cure = f"name one: `ebbtide pool autoscale enable {spec.id} --formula FILE`"
            raise PoolError("InvalidPropertyValue", f"autoScaleFormula: pool {spec.id} has no formula; {cure}")
        spec = replace(
            spec,
            enable_auto_scale=True,
            auto_scale_formula=formula,
            auto_scale_evaluation_interval=spec.auto_scale_evaluation_interval if interval is None else interval,
            target_dedicated_nodes=None,
            target_low_priority_nodes=None,
        )
        self.rescale(spec, now)

    def disable_autoscale(self, pool_id: str, now: float) -> None:
        """The pool keeps the targets that it has. Raises PoolError."""
        pool = self.living(pool_id)
        if pool.spec.enable_auto_scale:
            present = (pool.target_dedicated, pool.target_low_priority)
            spec = replace(
                pool.spec,
                enable_auto_scale=False,
                auto_scale_formula=None,
                target_dedicated_nodes=present[0],
                target_low_priority_nodes=present[1],
            )
            self.rescale(spec, now)

    def stop_resize(self, pool_id: str, now: float) -> None:
        """The pool stays as large as it is: with the nodes whose VMs are there, and of those on their way out with the
        ones that only wait for their tasks; a formula may decide otherwise when it is evaluated next. Raises PoolError.
        """
        pool = self.living(pool_id)
        if pool.allocation_state is AllocationState.STEADY and pool.resize_started is None:
            raise PoolError("OperationInvalidForCurrentState", f"pool {pool_id!r} is not being resized")
        present = [0, 0]
        for node in [self._kept(node, now) for node in tuple(self._ctx.nodes_of(pool.id))]:
            if node.state in COUNTED and node.state is not NodeState.CREATING:
                present[node.low_priority or node.fallback] += 1
        self.retarget(pool, (present[0], present[1]), pool.node_deallocation_option, now)
        text = f"somebody stopped the resizing of the pool to {pool.target_dedicated} dedicated and "
        error = ResizeError(STOPPED, f"{text}{pool.target_low_priority} low-priority nodes")
        self._ctx.put_pool(evolve(self.get(pool_id), now, resize_errors=(error,)))

    def _kept(self, node: Node, now: float) -> Node:
        """Back in use, if it only waits for the end of its tasks."""
        work = self._ctx.workload
        waits = node.state is NodeState.LEAVING_POOL and node.leaving in PATIENT and not node.destroying
        # one that was about to begin anew, is taken back by its cloud or has a successor goes all the same
        wanted = node.previous_state == NodeState.RUNNING and node.reclaim_at is None and not node.fallback
        if waits and wanted and work.tasks_on(node.id) and work.stay(node.id, now):
            return self._ctx.advance(node, NodeEvent.KEPT, now, leaving=None, reason=None)
        return node

    def resume(self, pool_id: str, now: float) -> None:
        """Try afresh: close the circuit breaker, and wait for nothing that failed before. Raises PoolError."""
        self._ctx.put_pool(evolve(self.living(pool_id), now, resize_started=now, **AFRESH))

    def delete(self, pool_id: str, now: float) -> None:
        """Take every node out, then the pool."""
        pool = self.get(pool_id)
        if pool.state is PoolState.ACTIVE:
            self._ctx.put_pool(evolve(pool, now, state=PoolState.DELETING))

    def retarget(self, pool: Pool, targets: tuple[int, int], option: NodeDeallocationOption, now: float) -> None:
        """Bring the pool to these targets."""
        self._ctx.put_pool(
            evolve(
                pool,
                now,
                target_dedicated=targets[0],
                target_low_priority=targets[1],
                node_deallocation_option=option,
                resize_started=now,
                **AFRESH,
            )
        )

    def _start(self, pool: Pool, now: float) -> None:
        ctx = self._ctx
        if pool.next_evaluation is not None:
            ctx.timers.set("autoscale", pool.id, max(now, pool.next_evaluation))
        ctx.timers.set_earlier("poll", pool.provider, now + ctx.settings.vm_poll_interval)
