"""What changes of pools but their size, over the Batch REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pools import MetadataItem, PoolSpec
from runner import Core, UpdatePool

from . import changes
from .answers import changed
from .application import Handler
from .backend import Backend, guarded
from .call import Answer, Call
from .pools import no_pool

if TYPE_CHECKING:
    from pools import Record

#: What decides from which image new nodes start; and beside it, what not every provider has.
_IMAGE = frozenset(("virtual_machine_configuration", "vm_size"))
_PLACED = _IMAGE | {"network_configuration"}


class PoolChanges:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {"pool.patch": self._patch, "pool.update_properties": self._update_properties}

    async def _patch(self, call: Call) -> Answer:
        return await self._updated(call, *changes.pool(call.ids["poolId"], call.body, whole=False))

    async def _update_properties(self, call: Call) -> Answer:
        return await self._updated(call, *changes.pool(call.ids["poolId"], call.body, whole=True))

    async def _updated(self, call: Call, spec: PoolSpec, names: frozenset[str]) -> Answer:
        def find(core: Core) -> Record | None:
            pools = core.ctx.pools
            return pools.get(pools.spelled(call.ids["poolId"]) or "")

        there = await self._image(call, spec, names) if names & _PLACED else None
        image = there if names & _IMAGE else None
        sealed = self._backend.controller.vault.sealed(spec)
        await self._backend.ask(UpdatePool(sealed, names, image), guarded(call, find))
        return changed(call, await self._backend.read(lambda: self._journal.pool(call.ids["poolId"])), spec)

    async def _image(self, call: Call, spec: PoolSpec, names: frozenset[str]) -> str:
        """What new nodes start from at the pool's provider. Raises ApiError."""
        pool = await self._backend.read(lambda: self._journal.pool(call.ids["poolId"]))
        if pool is None:
            raise no_pool(call.ids["poolId"])
        wanted = replace(pool.spec, **{name: getattr(spec, name) for name in names})
        at = (MetadataItem(name="provider", value=pool.provider),)  # where it is, whatever the settings say by now
        return (await self._backend.placed(replace(wanted, metadata=at)))[1]
