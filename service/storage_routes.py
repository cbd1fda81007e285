"""The built-in object store over HTTP, in the part of Azure Blob Storage's protocol that reads, lists, writes and
deletes block blobs: `/storage/CONTAINER?restype=container&comp=list` and `/storage/CONTAINER/NAME`.

What comes from a node must be signed (runner/storage_urls.py); whoever may open the controller's socket may do all.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from anyio import to_thread
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from runner import STORAGE, Blob, MisdirectedAddress, ObjectStore, SignatureRefused, StoreError, Upload

from .callers import caller

if TYPE_CHECKING:
    from .controller import Controller

log = logging.getLogger(__name__)

VERSION = "2021-08-06"
#: Blobs in a page of a listing, as Azure Blob Storage has it.
_PAGE = 5000
#: Bytes that are handed to the store at a time.
_BATCH = 1 << 20
#: Seconds that an address is good for to which a node is sent on.
_REDIRECT = 3600.0
#: What S3 takes by one PUT; larger blobs come through us and go there part by part.
_SINGLE = 5 << 30
_STATUS = {
    "AuthenticationFailed": 403,
    "BlobNotFound": 404,
    "ContainerNotFound": 404,
    "InvalidRange": 416,
    "InvalidResourceName": 400,
    "InvalidQueryParameterValue": 400,
    "MisdirectedRequest": 421,
    "OutOfSpace": 507,
    "RequestBodyTooLarge": 413,
    "UnsupportedHttpVerb": 405,
}
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})\Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}\Z", re.ASCII)
_PERMISSIONS = {"GET": "r", "HEAD": "r", "PUT": "w", "DELETE": "d"}
#: What XML cannot hold, and line ends, which it changes.
_NOT_IN_XML = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Name(Convertor[str]):
    """All that follows, line ends too, which Starlette's `path` does not take."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("blob", _Name())

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(controller: Controller) -> list[BaseRoute]:
    asked = _Asked(controller)
    every = ["GET", "HEAD", "PUT", "DELETE"]
    return [
        Route(f"{STORAGE}/{{container}}", asked.told(asked.list), methods=every),
        Route(f"{STORAGE}/{{container}}/{{name:blob}}", asked.told(asked.blob), methods=every),
    ]


class _Asked:
    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    @property
    def _store(self) -> ObjectStore:
        return self._controller.store

    def told(self, endpoint: Endpoint) -> Endpoint:
        """Errors as Azure Blob Storage tells them."""

        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except StoreError as error:
                if _STATUS.get(error.code) is None:
                    log.error("the object store: %s", error)
                return _error(error.code, str(error))
            except MisdirectedAddress as error:
                return _error("MisdirectedRequest", str(error))
            except SignatureRefused as error:
                return _error("AuthenticationFailed", str(error))

        return answer

    def _check(self, request: Request, container: str, name: str, permission: str) -> int | None:
        """The bytes that may be written; None: any number. Raises SignatureRefused."""
        if caller(request).node_id is None:
            return None
        return self._controller.signer.check(
            request.query_params, container, name, permission, self._controller.now()
        )

    # -- containers --------------------------------------------------------------------------------------------

    async def list(self, request: Request) -> Response:
        container = request.path_params["container"]
        query = request.query_params
        if request.method != "GET" or query.get("comp") != "list":
            return _error("UnsupportedHttpVerb", "a container can be listed (?restype=container&comp=list)")
        prefix = query.get("prefix", "")
        self._check(request, container, prefix, "l")
        limit = query.get("maxresults", str(_PAGE))
        if not _NUMBER.match(limit) or int(limit) < 1:
            return _error("InvalidQueryParameterValue", f"maxresults={limit[:20]!r}: 1 to {_PAGE}")
        page = await to_thread.run_sync(
            lambda: self._store.page(container, prefix, query.get("marker", ""), min(int(limit), _PAGE))
        )
        if not page.blobs and not query.get("marker"):
            present = await to_thread.run_sync(lambda: self._store.page(container, limit=1))
            if not present.blobs:
                return _error("ContainerNotFound", f"there is no container {container!r}")
        return Response(_listing(container, prefix, page.blobs, page.after), media_type="application/xml")

    # -- blobs -------------------------------------------------------------------------------------------------

    async def blob(self, request: Request) -> Response:
        container, name = request.path_params["container"], request.path_params["name"]
        most = self._check(request, container, name, _PERMISSIONS[request.method])
        if request.method == "PUT":
            return await self._put(request, container, name, most)
        if request.method == "DELETE":
            await to_thread.run_sync(self._store.delete, container, name)
            return Response(status_code=202)
        blob = await to_thread.run_sync(self._store.stat, container, name)
        first, count = _asked_range(request, blob)
        status = 206 if count is not None else 200
        headers = _headers(blob)
        if count is None:
            count = blob.size
        else:
            headers["Content-Range"] = f"bytes {first}-{first + count - 1}/{blob.size}"
        headers["Content-Length"] = str(count)
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        elsewhere = self._elsewhere("GET", request, container, name)
        if elsewhere is not None:
            return RedirectResponse(elsewhere, 307)
        pieces = await to_thread.run_sync(lambda: self._store.read(container, name, first, count))
        return StreamingResponse(pieces, status, headers, media_type="application/octet-stream")

    async def _put(self, request: Request, container: str, name: str, most: int | None) -> Response:
        told = request.headers.get("content-length", "")
        length = int(told) if _NUMBER.match(told) else None
        if "comp" in request.query_params:
            return _error("UnsupportedHttpVerb", "blobs are written by one PUT, whatever their size")
        _fits(name, length or 0, most)
        elsewhere = self._elsewhere("PUT", request, container, name, length)
        if elsewhere is not None and length is not None and length <= _SINGLE:
            return RedirectResponse(elsewhere, 307)
        await to_thread.run_sync(self._make_sure_of_room, request, length or 0)
        upload = await to_thread.run_sync(self._store.begin, container, name)
        size = 0
        try:
            async for batch in _batches(request):
                size += len(batch)
                _fits(name, size, most)
                await to_thread.run_sync(self._write, request, upload, batch)
            blob = await to_thread.run_sync(upload.commit)
        except ClientDisconnect:
            return _error("InvalidRequest", "the connection ended before the blob did")
        finally:
            await to_thread.run_sync(upload.abort)
        return Response(status_code=201, headers=_headers(blob) | {"Content-Length": "0"})

    def _write(self, request: Request, upload: Upload, batch: bytes) -> None:
        self._make_sure_of_room(request, len(batch))
        upload.write(batch)

    def _make_sure_of_room(self, request: Request, size: int) -> None:
        """Tasks leave room for the state, which may lie on the same disk. Raises StoreError."""
        if caller(request).node_id is None:
            return
        room = self._store.room()
        if room is not None and size > room:
            raise StoreError(
                "OutOfSpace",
                "the disk of the object store is nearly full, and what is left is not for tasks; make room there (the "
                "setting storageReserve says how much stays free)",
            )

    def _elsewhere(
        self, method: str, request: Request, container: str, name: str, size: int | None = None
    ) -> str | None:
        if caller(request).node_id is None:
            return None  # who asks us directly shall be answered
        return self._store.redirect(method, container, name, _REDIRECT, size)


def _fits(name: str, size: int, most: int | None) -> None:
    """Raises StoreError."""
    if most is not None and size > most:
        raise StoreError("RequestBodyTooLarge", f"the blob {name!r} may have {most} bytes (a setting)")


async def _batches(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces large enough for a thread's trouble. Raises ClientDisconnect."""
    held: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        held.append(chunk)
        size += len(chunk)
        if size >= _BATCH:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def _asked_range(request: Request, blob: Blob) -> tuple[int, int | None]:
    """First byte and count of those asked for; count None: no range was. Raises StoreError."""
    text = request.headers.get("x-ms-range") or request.headers.get("range")
    found = _RANGE.match(text) if text is not None else None
    if found is None:
        return 0, None  # other forms may be left unheeded (RFC 9110)
    first = int(found[1])
    last = min(int(found[2]) if found[2] else blob.size - 1, blob.size - 1)
    if first >= blob.size or last < first:
        raise StoreError("InvalidRange", f"the blob {blob.name!r} has {blob.size} bytes")
    return first, last - first + 1


def _headers(blob: Blob) -> dict[str, str]:
    return {
        "ETag": f'"{blob.etag}"',
        "Last-Modified": formatdate(blob.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-version": VERSION,
    }


def _listing(container: str, prefix: str, blobs: tuple[Blob, ...], after: str | None) -> Iterator[str] | str:
    parts = [f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{container}">']
    parts += [_element("Prefix", prefix), "<Blobs>"]
    for blob in blobs:
        changed = formatdate(blob.modified, usegmt=True)
        parts.append(
            f"<Blob>{_element('Name', blob.name)}<Properties><Last-Modified>{changed}</Last-Modified>"
            f"<Etag>{escape(blob.etag)}</Etag><Content-Length>{blob.size}</Content-Length>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
        )
    parts.append(f"</Blobs>{_element('NextMarker', after or '')}</EnumerationResults>")
    return "".join(parts)


def _element(tag: str, text: str) -> str:
    """Text that XML cannot hold is percent-encoded, and marked so (Azure Blob Storage does the same)."""
    if _NOT_IN_XML.search(text):
        return f'<{tag} Encoded="true">{quote(text, safe="/")}</{tag}>'
    return f"<{tag}>{escape(text)}</{tag}>"


def _error(code: str, message: str) -> Response:
    clean = _NOT_IN_XML.sub("?", message)
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{escape(clean)}</Message></Error>'
    return Response(
        text, _STATUS.get(code, 500), {"x-ms-error-code": code, "x-ms-version": VERSION}, media_type="application/xml"
    )
