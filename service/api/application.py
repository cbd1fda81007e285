"""The Batch REST API as an ASGI application: authentication, the operation, its handler, the answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from pools import PoolError
from runner import JobError

from . import errors
from .call import Answer, Call, base_url
from .errors import ApiError
from .gates import Gate
from .operations import COMMON, Operation
from .routing import Found, Router

log = logging.getLogger(__name__)

Handler = Callable[[Call], Coroutine[Any, Any, Answer]]
#: Bytes of a request's body at most.
LARGEST_BODY = 16 * 1024 * 1024
#: The same of one that only reads, which has none to tell; and bodies of the largest size that are held at a time.
_LARGEST_OF_READS, _MOST_HELD = 64 * 1024, 8
#: Parameters of a query at most.
_MOST_PARAMETERS = 64


class Gone(Exception):
    """The client has hung up before it said all, or before what it asked for was found."""


class BatchApplication:
    """`handlers`: by the names of operations. `new_id`: for requests."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        gate: Gate,
        now: Callable[[], float],
        new_id: Callable[[], str],
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self._handlers = handlers
        self._gate = gate
        self._now = now
        self._new_id = new_id
        self._largest_body = largest_body
        self._router = Router()
        #: bytes of all bodies that are coming
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        base = base_url(scope["scheme"], headers, scope.get("server"))
        common = {"request-id": self._new_id(), "DataServiceVersion": "3.0"}
        asked = headers.get("client-request-id")
        if asked is not None and headers.get("return-client-request-id", "").lower() == "true":
            common["client-request-id"] = asked
        allowed: tuple[str, ...] = ()
        try:
            found, fault = self._find(scope)
            allowed = found.allowed
            self._gate(scope, headers, found.operation, found.ids)
            if fault is not None:
                raise fault
            scope["ebbtide.known"] = True  # see network_protocol.KNOWN
            call, handler = await self._call(scope, receive, headers, base, common["request-id"], found)
            long = call.operation.searches or "$expand" in call.query
            answer = await (_wanted(receive, handler(call)) if long else handler(call))
            status = answer.status if answer.status is not None else call.operation.status
        except ApiError as error:
            answer, status = self._refusal(error, base, common["request-id"], allowed), error.status
        except (JobError, PoolError) as error:
            refusal = errors.refused(error)
            answer, status = self._refusal(refusal, base, common["request-id"], allowed), refusal.status
        except Gone:
            return
        except Exception as error:
            # the path, and never the query: it may hold a signature
            log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
            refusal = ApiError("InternalError", f"{type(error).__name__}; the log of the server says more")
            answer, status = self._refusal(refusal, base, common["request-id"], ()), 500
        await _send(send, scope["method"], status, answer, common)

    def _find(self, scope: Scope) -> tuple[Found, ApiError | None]:
        """And what is wrong with the path, which only those are told who may ask something."""
        try:
            return self._router.find(scope["method"], scope["raw_path"].decode("ascii")) or Found(None, {}, ()), None
        except ValueError:
            return Found(None, {}, ()), ApiError("InvalidUri", "the path is not UTF-8 in percent-encoding")

    async def _call(
        self,
        scope: Scope,
        receive: Receive,
        headers: Mapping[str, str],
        base: str,
        request_id: str,
        found: Found,
    ) -> tuple[Call, Handler]:
        path, (operation, ids, allowed) = scope["raw_path"].decode("ascii"), found
        if operation is None and allowed:
            text = f"{path[:200]} does not take {scope['method']}; it takes {', '.join(allowed)}"
            raise ApiError("UnsupportedHttpVerb", text)
        if operation is None:
            raise ApiError("ResourceNotFound", f"there is nothing at {path[:200]}; paths are case-sensitive")
        if any("\0" in each for each in ids.values()):
            raise ApiError("InvalidUri", "the path holds a NUL character")
        query_string = scope["query_string"].decode("latin-1")
        query = _query(query_string, operation) if operation.served else {}
        asked = (operation, ids, query, headers)
        if operation.streams:
            call = Call(*asked, b"", base, path, query_string, request_id, _pieces(receive))
        else:
            body = await self._body(headers, receive, _LARGEST_OF_READS if operation.reads else self._largest_body)
            call = Call(*asked, body, base, path, query_string, request_id)
        return call, self._handlers[operation.name]

    async def _body(self, headers: Mapping[str, str], receive: Receive, largest: int) -> bytes:
        """Raises ApiError, Gone."""
        told = headers.get("content-length", "0")
        if told.isdigit() and int(told) > largest:
            raise _too_large(largest)
        pieces: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                self._held += len(pieces[-1])
                if size > largest:
                    raise _too_large(largest)
                if self._held > _MOST_HELD * self._largest_body:
                    raise ApiError("ServerBusy", "too many large requests come at the same time; send this again later")
                if not message.get("more_body", False):
                    return b"".join(pieces)
        finally:
            self._held -= size

    def _refusal(self, error: ApiError, base: str, request_id: str, allowed: tuple[str, ...]) -> Answer:
        if error.status == 304:
            return Answer()
        headers = {"Allow": ", ".join(allowed)} if error.status == 405 else {}
        if error.status == 401:
            headers["WWW-Authenticate"] = 'SharedKey realm="batch"'
        return Answer(errors.body(error, base, request_id, self._now()), headers)


async def _wanted(receive: Receive, work: Coroutine[Any, Any, Answer]) -> Answer:
    """What it comes to; it is cancelled if the client hangs up. Raises Gone."""

    async def hung_up() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    answer, gone = asyncio.ensure_future(work), asyncio.ensure_future(hung_up())
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise Gone
        return answer.result()
    finally:
        answer.cancel()
        gone.cancel()


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body of a request. Raises Gone."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _query(text: str, operation: Operation) -> dict[str, str]:
    """By names in lower case; what is given twice counts as it was given first; what is empty counts as not given, as
    it does for signatures. Raises ApiError."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except ValueError:
        wrong = f"the query is not UTF-8, or has more than {_MOST_PARAMETERS} parameters"
        raise ApiError("InvalidUri", wrong) from None
    found: dict[str, str] = {}
    known = (*COMMON, *operation.query)
    for name, value in pairs:
        if name.lower() not in known:
            text = f"{name[:100]!r} means nothing here; known: {', '.join(known)}"
            raise ApiError("UnsupportedQueryParameter", text, (("QueryParameterName", name[:100]),))
        if "\0" in value:
            raise ApiError("InvalidQueryParameterValue", f"{name} holds a NUL character")
        if value:
            found.setdefault(name.lower(), value)
    return found


def _too_large(most: int) -> ApiError:
    text = f"the body is larger than {most:,} bytes; ask for less at a time"
    return ApiError("RequestBodyTooLarge", text, (("MaxLimit", str(most)),))


async def _send(send: Send, method: str, status: int, answer: Answer, common: Mapping[str, str]) -> None:
    content = answer.encoded()
    headers = {**common, **answer.headers}
    if isinstance(content, bytes):
        if content:
            headers.setdefault("Content-Type", answer.content_type)
        if method == "HEAD":
            content = b""
            headers.setdefault("Content-Length", "0")
        elif status not in (204, 304):
            headers["Content-Length"] = str(len(content))
    else:
        headers.setdefault("Content-Type", answer.content_type)
    raw = [(name.lower().encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if isinstance(content, bytes):
        await send({"type": "http.response.body", "body": content})
        return
    await _stream(send, content)


async def _stream(send: Send, content: AsyncIterator[bytes]) -> None:
    async for piece in content:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def http_date(instant: float) -> str:
    return formatdate(instant, usegmt=True)
