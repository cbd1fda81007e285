"""What handlers have of the controller: its records, read in threads, and its engine, which is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from pools import JournalError, PoolError, PoolSpec, Record
from runner import Core, Event, JobError

from ..rest_views import etag
from .conditions import Conditions, conditions
from .errors import ApiError, refused

if TYPE_CHECKING:
    from ..controller import Controller
    from .call import Call

T = TypeVar("T")

#: Seconds that the engine may take to record something.
_PATIENCE = 60.0
#: Requests that read records at the same time.
_READERS = 8


class Backend:
    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")

    def close(self) -> None:
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def read(self, find: Callable[[], T]) -> T:
        """Raises ApiError."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, find)
        except JournalError as exc:
            raise ApiError("ServerBusy", f"the records cannot be read at present: {exc}") from None

    async def placed(self, spec: PoolSpec) -> tuple[str, str]:
        """The provider of a pool that is to be made, and the image that its nodes start from. Raises ApiError."""
        try:
            return await self.read(lambda: self.controller.place(spec))
        except PoolError as exc:
            raise refused(exc) from None

    async def ask(self, event: Event, guard: Callable[[Core], None] | None = None) -> Any:
        """What the core answers, when that is recorded. `guard` is asked right before; it may raise ApiError. Raises
        ApiError."""
        engine = self.controller.engine
        if engine.blocked is not None:
            text = f"the state cannot be written at present, and nothing has changed; ask again later: {engine.blocked}"
            raise ApiError("ServerBusy", text)
        future = engine.request(event, guard)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), _PATIENCE)
        except (JobError, PoolError) as exc:
            raise refused(exc) from None
        except TimeoutError:
            text = "it was asked for, and is not recorded yet; look at what is there, then ask again"
            raise ApiError("OperationTimedOut", text) from None


def guarded(call: Call, find: Callable[[Core], Record | None]) -> Callable[[Core], None] | None:
    """Checks the conditional headers against the record, as it is when the request is carried out. Raises ApiError."""
    asked = conditions(call.headers)
    if asked is None:
        return None

    def guard(core: Core) -> None:
        record = find(core)
        if record is not None:
            try:
                met(asked, record, reads=False)
            except ApiError as exc:
                raise JobError(exc.code, exc.message) from None

    return guard


def met(asked: Conditions | None, record: Record, *, reads: bool = True) -> None:
    """Raises ApiError if the record is not as the client believes, or is just as it knows it."""
    if asked is not None:
        asked.check(etag(record), record.modified, reads=reads)
