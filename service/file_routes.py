"""Files of tasks and nodes over HTTP, as the Batch REST API has them.

    /jobs/JOB/tasks/TASK/files[/PATH]      /pools/POOL/nodes/NODE/files[/PATH]

A list answers at most `maxresults` entries and where to go on; a file may be read in ranges (`ocp-range`, `Range`)
while it grows. Every node has its own few threads: one that does not answer keeps nobody else waiting.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote
from weakref import WeakValueDictionary

from anyio import CapacityLimiter, to_thread
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from .file_trees import Entry, Tree, TreeError, node_tree, task_tree
from .iso8601 import format_instant
from .web_errors import WebError

if TYPE_CHECKING:
    from .controller import Controller

T = TypeVar("T")

#: Bytes that are asked of a node at a time: somebody who reads slowly never holds its channel for long.
_PIECE = 1 << 20
#: Entries in one answer at most, as in the Batch REST API.
_MOST = 1000
#: Requests that are at work on one node at a time.
_PER_NODE = 2
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)
_FILTER = re.compile(r"startswith\(name,\s*'((?:[^']|'')*)'\)\Z")


class _FileName(PathConvertor):
    """Names of files hold any character, and line ends too."""

    regex = r"[\s\S]*"


register_url_convertor("file", _FileName())


def routes(controller: Controller) -> list[BaseRoute]:
    """For `web.application`."""
    journal, store, reach = controller.journal, controller.outputs, controller.node_files

    def of_task(ids: Mapping[str, str]) -> Tree:
        return task_tree(journal, store, reach, ids["job"], ids["task"])

    def of_node(ids: Mapping[str, str]) -> Tree:
        return node_tree(journal, store, reach, ids["pool"], ids["node"])

    return [
        *_Files(of_task, "/jobs/{job}/tasks/{task}/files").routes(),
        *_Files(of_node, "/pools/{pool}/nodes/{node}/files").routes(),
    ]


class _Files:
    def __init__(self, find: Callable[[Mapping[str, str]], Tree], path: str) -> None:
        self._find = find
        self._path = path
        #: by node; each is there for as long as somebody is asking
        self._limits: WeakValueDictionary[str | None, CapacityLimiter] = WeakValueDictionary()

    def routes(self) -> list[BaseRoute]:
        return [
            Route(self._path, self._list, methods=["GET"]),
            Route(self._path + "/{path:file}", self._read, methods=["GET", "HEAD"]),
            Route(self._path + "/{path:file}", self._delete, methods=["DELETE"]),
        ]

    async def _tree(self, request: Request) -> Tree:
        try:
            return await to_thread.run_sync(self._find, request.path_params)
        except TreeError as error:
            raise WebError(error.status, error.code, str(error)) from None

    async def _ask(self, tree: Tree, ask: Callable[[], T]) -> T:
        limit = self._limits.setdefault(tree.node_id, CapacityLimiter(_PER_NODE if tree.node_id else 8))
        try:
            return await to_thread.run_sync(ask, limiter=limit)
        except TreeError as error:
            raise WebError(error.status, error.code, str(error)) from None

    def _url(self, request: Request, name: str = "") -> str:
        ids = {key: quote(value, safe="") for key, value in request.path_params.items() if key != "path"}
        place = f"{str(request.base_url).rstrip('/')}{self._path.format(**ids)}"
        return f"{place}/{quote(name)}" if name else place

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        most, prefix, after = _most(query.get("maxresults")), _prefix(query.get("$filter")), query.get("$skiptoken", "")
        tree = await self._tree(request)
        recursive = query.get("recursive", "").lower() == "true"
        folder = prefix.rpartition("/")[0]
        found = await self._ask(tree, lambda: tree.entries(folder, recursive))
        matching = [entry for entry in found if entry.name.startswith(prefix) and entry.name > after]
        answer: dict[str, Any] = {
            "odata.metadata": f"{request.base_url}$metadata#files",
            "value": [self._told(request, entry) for entry in matching[:most]],
        }
        if len(matching) > most:
            url = request.url.include_query_params(**{"$skiptoken": matching[most - 1].name})
            answer["odata.nextLink"] = str(url)
        return JSONResponse(answer, headers=_of(tree))

    def _told(self, request: Request, entry: Entry) -> dict[str, Any]:
        told = {"name": entry.name, "url": self._url(request, entry.name), "isDirectory": entry.is_folder}
        modified = format_instant(entry.modified)
        if entry.is_folder:
            # the Batch REST API gives folders no properties; what it does not know its clients leave alone
            return told | {"lastModified": modified}
        return told | {
            "properties": {
                "creationTime": modified,
                "lastModified": modified,
                "contentLength": str(entry.size),
                "contentType": _type(entry.name),
                "fileMode": f"{entry.mode:#o}",
            }
        }

    async def _read(self, request: Request) -> Response:
        path = request.path_params["path"]
        tree = await self._tree(request)
        entry = await self._ask(tree, lambda: _entry(tree, path))
        headers = {
            **_of(tree),
            "Last-Modified": formatdate(entry.modified, usegmt=True),
            "ocp-creation-time": formatdate(entry.modified, usegmt=True),
            "ocp-batch-file-isdirectory": str(entry.is_folder).lower(),
            "ocp-batch-file-url": self._url(request, entry.name),
            "ocp-batch-file-mode": f"{entry.mode:#o}",
        }
        if (unchanged := _condition(request, entry.modified)) is not None:
            return Response(status_code=unchanged, headers=headers)
        if request.method == "HEAD" or entry.is_folder:
            if request.method != "HEAD":
                raise WebError(409, "FileIsDirectory", f"{path!r} is a folder; list it: ?recursive=true&$filter=...")
            size = 0 if entry.is_folder else entry.size
            return Response(headers={**headers, "Content-Length": str(size), "Content-Type": _type(entry.name)})
        asked = request.headers.get("ocp-range") or request.headers.get("range")
        start, end = _range(asked, entry.size)
        headers["Content-Length"] = str(end - start)
        if asked:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size}"
        body = self._pieces(tree, entry.name, start, end)
        return StreamingResponse(body, 206 if asked else 200, headers, _type(entry.name))

    async def _pieces(self, tree: Tree, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            at, length = start, min(_PIECE, end - start)
            piece = await self._ask(tree, lambda at=at, length=length: tree.read(path, at, length))  # type: ignore[misc]
            if not piece:
                raise ConnectionError(f"{path!r} became shorter while it was read")
            start += len(piece)
            yield piece

    async def _delete(self, request: Request) -> Response:
        path, recursive = request.path_params["path"], request.query_params.get("recursive", "").lower() == "true"
        tree = await self._tree(request)
        entry = await self._ask(tree, lambda: _entry(tree, path))
        await self._ask(tree, lambda: tree.delete(entry.name, recursive))
        return Response()


def _of(tree: Tree) -> dict[str, str]:
    """Which execution the files are of, and where they were read: the next attempt writes others."""
    return {"ebbtide-execution": tree.execution or "", "ebbtide-node": tree.node_id or ""}


def _entry(tree: Tree, path: str) -> Entry:
    try:
        return tree.entry(path)
    except TreeError as error:
        # clients on Windows write paths with `\\`, which may stand in a name here
        if error.status != 404 or "\\" not in path:
            raise
        return tree.entry(path.replace("\\", "/"))


def _type(name: str) -> str:
    return "text/plain" if name.endswith(".txt") else "application/octet-stream"


def _most(text: str | None) -> int:
    try:
        most = _MOST if text is None else int(text)
    except ValueError:
        most = 0
    if not 1 <= most <= _MOST:
        raise WebError(400, "InvalidQueryParameterValue", f"maxresults must be 1 to {_MOST}, not {text!r}")
    return most


def _prefix(text: str | None) -> str:
    if not text:
        return ""
    found = _FILTER.match(text.strip())
    if found is None:
        raise WebError(400, "InvalidQueryParameterValue", f"$filter must be startswith(name, 'PREFIX'), not {text!r}")
    return found[1].replace("''", "'")


def _range(text: str | None, size: int) -> tuple[int, int]:
    """The first byte, and that after the last. Raises WebError if there is none."""
    if not text:
        return 0, size
    found = _RANGE.match(text.strip())
    if found is None or found[1] == found[2] == "":
        raise WebError(400, "InvalidRange", f"a range must be bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT: {text!r}")
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
    if start >= end:
        raise WebError(416, "InvalidRange", f"{text!r} holds no byte of the {size} that are there")
    return start, end


def _condition(request: Request, modified: float) -> int | None:
    """The status of an answer without the file: not modified, or modified though it must not be."""
    for name, status in (("if-modified-since", 304), ("if-unmodified-since", 412)):
        text = request.headers.get(name)
        if text is None:
            continue
        try:
            since = parsedate_to_datetime(text).timestamp()
        except ValueError:
            raise WebError(400, "InvalidHeaderValue", f"{name} must be a date as RFC 1123 has it: {text!r}") from None
        if (int(modified) > since) == (status == 412):
            return status
    return None
