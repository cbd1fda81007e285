"""What an account has: images that pools can ask for, and nodes by their states."""

from __future__ import annotations

from collections.abc import Mapping

from pools import Node
from providers import ProviderError

from ..rest_views import node_counts_view
from ..supported_images import supported_images
from . import paging
from .application import Handler
from .backend import Backend
from .call import Answer, Call
from .errors import ApiError
from .properties import FILTERS


class AccountOperations:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def handlers(self) -> Mapping[str, Handler]:
        return {"account.list_pool_node_counts": self._counts, "account.list_supported_images": self._images}

    async def _counts(self, call: Call) -> Answer:
        check = paging.asked_filter(call, FILTERS["node counts"])

        def find() -> paging.Found:
            journal = self._backend.controller.journal
            nodes: dict[str, list[Node]] = {pool.id: [] for pool in journal.pools()}
            for node in journal.nodes():
                nodes.setdefault(node.pool_id, []).append(node)
            whole = {pool_id: (pool_id, own) for pool_id, own in nodes.items()}
            return paging.sorted_after(call, whole, lambda each: node_counts_view(*each), check)

        return await self._backend.page(call, "poolnodecounts", find)

    async def _images(self, call: Call) -> Answer:
        check = paging.asked_filter(call, FILTERS["image"])

        def find() -> paging.Found:
            try:
                found = supported_images(self._backend.controller.places.offers())
            except ProviderError as exc:
                raise ApiError("ServerBusy", f"the images cannot be told at present: {exc}") from None
            images = {f"{number:04d}": each for number, each in enumerate(found)}
            return paging.sorted_after(call, images, lambda each: each, check)

        return await self._backend.page(call, "supportedimages", find)
