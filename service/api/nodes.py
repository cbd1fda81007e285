"""Nodes over the Batch REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pools import Node, Pool, folded

from ..node_work import work_of_nodes
from ..rest_views import NodeWork, node_view
from . import paging
from .application import Handler
from .backend import Backend
from .call import Answer, Call
from .errors import ApiError
from .pools import no_pool
from .properties import FILTERS, PROPERTIES

if TYPE_CHECKING:
    pass


class Nodes:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "compute_node.list": self._list,
            "compute_node.get": self._get,
            "compute_node.get_remote_login_settings": self._remote_login,
        }

    async def _list(self, call: Call) -> Answer:
        check, select = paging.asked_filter(call, FILTERS["node"]), paging.selection(call, PROPERTIES["node"])

        def find() -> paging.Found:
            pool = self._pool(call)
            nodes = {node.id: node for node in self._journal.nodes_of(pool.id)}
            work = work_of_nodes(self._journal)
            view = lambda node: node_view(node, pool, call.links, work.get(node.id, NodeWork(0, 0)))  # noqa: E731
            return paging.sorted_after(call, nodes, view, check)

        return await self._backend.page(call, "nodes", find, select)

    async def _get(self, call: Call) -> Answer:
        select = paging.selection(call, PROPERTIES["node"])

        def find() -> Answer:
            pool, node = self._node(call)
            view = node_view(node, pool, call.links, work_of_nodes(self._journal).get(node.id, NodeWork(0, 0)))
            return Answer({"odata.metadata": f"{call.base}/$metadata#nodes/@Element", **select(view)})

        return await self._backend.read(find)

    async def _remote_login(self, call: Call) -> Answer:
        def find() -> Answer:
            _, node = self._node(call)
            if node.vm is None or not node.vm.address:
                raise ApiError("NodeNotReady", f"node {node.id!r} is {node.state}, and has no address yet")
            content = {"remoteLoginIPAddress": node.vm.address, "remoteLoginPort": node.vm.port or 22}
            return Answer({"odata.metadata": f"{call.base}/$metadata#remoteloginsettings", **content})

        return await self._backend.read(find)

    def _pool(self, call: Call) -> Pool:
        pool = self._journal.pool(call.ids["poolId"])
        if pool is None:
            raise no_pool(call.ids["poolId"])
        return pool

    def _node(self, call: Call) -> tuple[Pool, Node]:
        pool, wanted = self._pool(call), folded(call.ids["nodeId"])
        for node in self._journal.nodes_of(pool.id):
            if folded(node.id) == wanted:
                return pool, node
        raise ApiError("NodeNotFound", f"pool {pool.id!r} has no node {call.ids['nodeId']!r}")
