"""What handlers have of the controller: its records, read in threads, and its engine, which is asked."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from pools import JournalError, PoolError, PoolSpec, Record
from runner import Core, Event, JobError

from ..rest_views import etag
from . import paging
from .conditions import Conditions, conditions
from .errors import ApiError, refused

if TYPE_CHECKING:
    from ..controller import Controller
    from .call import Answer, Call

T = TypeVar("T")

#: Seconds that the engine may take to record something.
_PATIENCE = 60.0
#: Seconds between looks whether it is of any use to wait.
_LOOK = 2.0
#: Requests that read records at the same time, and those that read many of them: nobody who asks for one object waits
#: for lists.
_READERS, _LISTERS = 4, 4


class Backend:
    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
        self._listers = ThreadPoolExecutor(_LISTERS, thread_name_prefix="lister")
        self._closed = threading.Event()
        #: whose answers are there: the loop is woken once for all of a batch
        self._answered: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        """Who still looks at many records stops soon: the process waits for its threads."""
        self._loop = None
        self._closed.set()
        for threads in (self._readers, self._listers):
            threads.shutdown(wait=False, cancel_futures=True)

    def _wake(self) -> None:
        """The engine's thread."""
        loop = self._loop
        if self._answered and loop is not None:
            with suppress(RuntimeError):  # it has ended, and nobody waits any more
                loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        while self._answered:
            waiting = self._answered.popleft()
            if not waiting.done():
                waiting.set_result(None)

    async def read(self, find: Callable[[], T], *, many: bool = False) -> T:
        """`many`: it takes a look at many records. Raises ApiError."""
        threads = self._listers if many else self._readers
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, find)
        except JournalError as exc:
            raise ApiError("ServerBusy", f"the records cannot be read at present: {exc}") from None

    async def page(
        self,
        call: Call,
        entity: str,
        find: Callable[[], paging.Found],
        select: Callable[[paging.View], paging.View] = lambda view: view,
    ) -> Answer:
        """Of a list (see `paging.page`); it ends early if this is cancelled. Raises ApiError."""
        return await self.search(lambda unwanted: paging.page(call, entity, find(), select, unwanted))

    async def search(self, find: Callable[[Callable[[], bool]], T]) -> T:
        """`find` takes a look at many records; it may end early when this is cancelled, and is handed what tells that.
        Raises ApiError."""
        hung_up = threading.Event()

        def unwanted() -> bool:
            return hung_up.is_set() or self._closed.is_set()

        try:
            return await self.read(lambda: find(unwanted), many=True)
        finally:
            hung_up.set()

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
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            engine.on_answered.append(self._wake)
        loop, waiting = self._loop, self._loop.create_future()
        looking: asyncio.TimerHandle

        def look(patience: float) -> None:
            nonlocal looking
            if waiting.done():
                return
            if engine.blocked is not None or patience <= 0:
                waiting.set_exception(TimeoutError(engine.blocked or ""))
            else:
                looking = loop.call_later(_LOOK, look, patience - _LOOK)

        future = engine.request(event, guard)
        future.add_done_callback(lambda _: self._answered.append(waiting))
        looking = loop.call_later(min(_LOOK, _PATIENCE), look, _PATIENCE - _LOOK)
        try:
            if not future.done():
                await waiting
            return future.result()
        except (JobError, PoolError) as exc:
            raise refused(exc) from None
        except TimeoutError as exc:
            text = "it was asked for, and is not recorded yet; look at what is there, then ask again"
            why = f" (the state cannot be written at present: {exc})" if str(exc) else ""
            raise ApiError("OperationTimedOut", f"{text}{why}") from None
        finally:
            looking.cancel()
            future.cancel()  # who hung up, or waited in vain, wants no answer


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
