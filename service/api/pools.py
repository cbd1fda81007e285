"""Pools over the Batch REST API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pools import AutoScaleRun, Node, NodeDeallocationOption, Pool, PoolSpec, Spec
from runner import (
    AddPool,
    Core,
    DeletePool,
    DisableAutoScale,
    EnableAutoScale,
    EvaluateAutoScale,
    ResizePool,
    ResumePool,
    StopResize,
)

from ..rest_views import autoscale_run_view, pool_view
from . import bodies, paging
from .answers import changed, made, of_object
from .application import Handler
from .backend import Backend, guarded, met
from .call import Answer, Call
from .conditions import conditions
from .errors import ApiError
from .properties import FILTERS, PROPERTIES
from .statistics import pool_stats

if TYPE_CHECKING:
    from pools import Record


class EnableAutoScaleBody(Spec, frozen=True, kw_only=True):
    auto_scale_formula: str | None = None
    auto_scale_evaluation_interval: timedelta | None = None


class EvaluateAutoScaleBody(Spec, frozen=True, kw_only=True):
    auto_scale_formula: str


class ResizeBody(Spec, frozen=True, kw_only=True):
    target_dedicated_nodes: int | None = None
    target_low_priority_nodes: int | None = None
    resize_timeout: timedelta | None = None
    node_deallocation_option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE


class Pools:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "pool.add": self._add,
            "pool.list": self._list,
            "pool.get": self._get,
            "pool.exists": self._get,
            "pool.delete": self._delete,
            "pool.resize": self._resize,
            "pool.stop_resize": self._stop_resize,
            "pool.resume": self._resume,
            "pool.enable_auto_scale": self._enable,
            "pool.disable_auto_scale": self._disable,
            "pool.evaluate_auto_scale": self._evaluate,
        }

    # -- read --------------------------------------------------------------------------------------------------

    async def _list(self, call: Call) -> Answer:
        check, select = paging.asked_filter(call, FILTERS["pool"]), paging.selection(call, PROPERTIES["pool"])
        stats = paging.expands_stats(call)

        def find() -> paging.Found:
            pools = {pool.id: pool for pool in self._journal.pools()}
            nodes: dict[str, list[Node]] = defaultdict(list)
            for node in self._journal.nodes():
                nodes[node.pool_id].append(node)

            def view(pool: Pool) -> dict[str, Any]:
                return self._view(call, pool, nodes[pool.id], stats)

            return paging.sorted_after(call, pools, view, check)

        return await self._backend.page(call, "pools", find, select)

    async def _get(self, call: Call) -> Answer:
        select, stats = paging.selection(call, PROPERTIES["pool"]), paging.expands_stats(call)
        asked = conditions(call.headers)

        def find() -> Answer:
            pool = self._journal.pool(call.ids["poolId"])
            if pool is None:
                raise no_pool(call.ids["poolId"])
            met(asked, pool)
            view = self._view(call, pool, self._journal.nodes_of(pool.id), stats)
            return of_object(call, "pools", select(view), pool)

        return await self._backend.read(find, many=stats)

    def _view(self, call: Call, pool: Pool, nodes: list[Node], stats: bool) -> dict[str, Any]:
        view = pool_view(pool, nodes, call.links)
        if stats:
            view["stats"] = pool_stats(pool, nodes, view["url"], self._backend.controller.now())
        return view

    async def _evaluate(self, call: Call) -> Answer:
        body = bodies.read(call.body, EvaluateAutoScaleBody)
        run: AutoScaleRun = await self._backend.ask(EvaluateAutoScale(call.ids["poolId"], body.auto_scale_formula))
        content = {"odata.metadata": f"{call.base}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.AutoScaleRun"}
        return Answer({**content, **(autoscale_run_view(run) or {})}, {"DataServiceId": call.base + call.path})

    # -- write -------------------------------------------------------------------------------------------------

    async def _add(self, call: Call) -> Answer:
        controller = self._backend.controller
        spec = controller.vault.sealed(bodies.read(call.body, PoolSpec))
        provider, image = await self._backend.placed(spec)
        pool: Pool = await self._backend.ask(AddPool(spec, provider, image))
        return made(call, pool, call.links.pool(pool.id))

    async def _delete(self, call: Call) -> Answer:
        return await self._asked(call, DeletePool(call.ids["poolId"]))

    async def _resize(self, call: Call) -> Answer:
        body = bodies.read(call.body, ResizeBody)
        targets = body.target_dedicated_nodes, body.target_low_priority_nodes
        if targets == (None, None):
            text = "at least one of targetDedicatedNodes and targetLowPriorityNodes must be given"
            raise ApiError("MissingRequiredProperty", text)
        timeout = body.resize_timeout.total_seconds() if body.resize_timeout is not None else None
        event = ResizePool(call.ids["poolId"], *targets, body.node_deallocation_option, timeout)
        return await self._asked(call, event)

    async def _stop_resize(self, call: Call) -> Answer:
        return await self._asked(call, StopResize(call.ids["poolId"]))

    async def _resume(self, call: Call) -> Answer:
        return await self._asked(call, ResumePool(call.ids["poolId"]))

    async def _enable(self, call: Call) -> Answer:
        body = bodies.optional(call.body, EnableAutoScaleBody)
        interval = body.auto_scale_evaluation_interval
        seconds = interval.total_seconds() if interval is not None else None
        return await self._asked(call, EnableAutoScale(call.ids["poolId"], body.auto_scale_formula, seconds))

    async def _disable(self, call: Call) -> Answer:
        return await self._asked(call, DisableAutoScale(call.ids["poolId"]))

    async def _asked(self, call: Call, event: Any) -> Answer:
        def find(core: Core) -> Record | None:
            pools = core.ctx.pools
            return pools.get(pools.spelled(call.ids["poolId"]) or "")

        await self._backend.ask(event, guarded(call, find))
        return changed(call, await self._backend.read(lambda: self._journal.pool(call.ids["poolId"])))


def no_pool(pool_id: str) -> ApiError:
    return ApiError("PoolNotFound", f"the pool {pool_id!r} does not exist")
