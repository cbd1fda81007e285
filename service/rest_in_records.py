"""The way to what the records of a state hold: the handlers of the Batch REST API, in this process.

To read, no controller need work on the state, and what one does beside it is seen. To change something, be the
controller (see `offline_requests`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import msgspec

from .api import answers
from .api.account import AccountOperations
from .api.application import Handler
from .api.applications import Applications
from .api.backend import Backend
from .api.call import Answer, Call
from .api.errors import ApiError
from .api.gone import Gone
from .api.jobs import Jobs
from .api.nodes import Nodes
from .api.past import PastOfPools
from .api.pool_changes import PoolChanges
from .api.pools import Pools
from .api.routing import Router
from .api.schedules import Schedules
from .api.tasks import Tasks
from .clock import now
from .rest_objects import WARNING, RequestRefused, Way, pieces, unheard

if TYPE_CHECKING:
    from runner import Journal

    from .controller import Controller
    from .offline_requests import Unattended

#: Nothing is served there (RFC 2606): URLs that begin so are left out of what is answered.
_NOWHERE = "http://state.invalid"
_POOLS = (Pools, PoolChanges, PastOfPools, Nodes)
_KINDS = (*_POOLS, Jobs, Tasks, Schedules, Gone, Applications, AccountOperations)


class _Reader:
    """What handlers that read have of a controller."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def now(self) -> float:
        return now()


@contextmanager
def records_way(
    journal: Journal, controller: Unattended | None = None, warn: Callable[[str], None] = unheard
) -> Iterator[Way]:
    """`controller`: what takes requests that change something; None: nothing is to be changed. `warn`: is told what of
    a request has no effect."""
    backend = Backend(cast("Controller", controller if controller is not None else _Reader(journal)))
    known = {name: handler for kind in _KINDS for name, handler in kind(backend).handlers().items()}
    router = Router()
    with asyncio.Runner() as loop, _without_log():

        def ask(
            method: str, path: str, query: Mapping[str, str], body: object | None, if_match: str | None = None
        ) -> Any:
            found = router.find(method, path)
            assert found is not None and found.operation is not None, (method, path)
            assert controller is not None or found.operation.reads, (method, path)
            handler = known.get(found.operation.name)
            if handler is None:
                text = "no controller works on the state, so no node hears of it"
                raise RequestRefused("OperationInvalidForCurrentState", f"{text}; `ebbtide serve` is one")
            asked = {name.lower(): value for name, value in query.items()}
            content = msgspec.json.encode(body) if body is not None and not isinstance(body, Path) else b""
            headers = {"if-match": if_match} if if_match is not None else {}
            call = Call(found.operation, found.ids, asked, headers, content, _NOWHERE, path, urlencode(query), "")
            if isinstance(body, Path):
                call = replace(call, stream=_pieces(body))
            try:
                answer = loop.run(_answer(handler, call))
            except ApiError as exc:
                raise RequestRefused(exc.code, exc.message) from None
            if WARNING in answer.headers:
                warn(answer.headers[WARNING])
            if answer.content is None:
                return None
            told: dict[str, Any] = msgspec.to_builtins(answer.content)
            link = {name: each for name, each in told.items() if name == "odata.nextLink"}
            return _without_urls(told) | link

        try:
            yield ask
        finally:
            backend.close()


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    for piece in pieces(file):
        yield piece


@contextmanager
def _without_log() -> Iterator[None]:
    """What a server writes into its log, whoever asks is told here."""
    log = logging.getLogger(answers.__name__)
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


async def _answer(handler: Handler, call: Call) -> Answer:
    return await handler(call)


def _without_urls(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _without_urls(each) for name, each in value.items() if not _is_url(each)}
        case list():
            return [_without_urls(each) for each in value]
    return value


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_NOWHERE)
