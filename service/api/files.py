"""Files of tasks and nodes over the Batch REST API.

A file may be read in ranges while it grows. The official clients ask by `ocp-range`, and take 200 for a part and
nothing else; whoever asks by `Range` hears 206, as HTTP has it. Every node has its own few threads: one that does not
answer keeps nobody else waiting.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote
from weakref import WeakValueDictionary

from anyio import CapacityLimiter, to_thread

from ..file_trees import Entry, Tree, TreeError, node_tree, spellings, task_tree
from ..iso8601 import format_instant
from . import filters, paging
from .application import Handler, http_date
from .backend import Backend
from .call import Answer, Call
from .conditions import conditions
from .errors import ApiError

T = TypeVar("T")

#: Bytes that are asked of a node at a time: somebody who reads slowly never holds its channel for long.
_PIECE = 1 << 20
#: Requests that are at work on one node at a time; and on what is kept.
_PER_NODE, _KEPT = 2, 8
#: Files have no etag.
_DATES = ("if-modified-since", "if-unmodified-since")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)


class Files:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        #: by node; each is there for as long as somebody is asking
        self._limits: WeakValueDictionary[str | None, CapacityLimiter] = WeakValueDictionary()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "file.list_from_task": self._list,
            "file.get_from_task": self._read,
            "file.get_properties_from_task": self._read,
            "file.delete_from_task": self._delete,
            "file.list_from_compute_node": self._list,
            "file.get_from_compute_node": self._read,
            "file.get_properties_from_compute_node": self._read,
            "file.delete_from_compute_node": self._delete,
        }

    def find(self, ids: Mapping[str, str]) -> Tree:
        """Raises TreeError."""
        controller = self._backend.controller
        found = controller.journal, controller.outputs, controller.node_files
        if "taskId" in ids:
            return task_tree(*found, ids["jobId"], ids["taskId"], controller.store)
        return node_tree(*found, ids["poolId"], ids["nodeId"])

    async def _tree(self, call: Call) -> Tree:
        try:
            return await self._backend.read(lambda: self.find(call.ids))
        except TreeError as error:
            raise _told(error) from None

    async def _ask(self, tree: Tree, ask: Callable[[], T]) -> T:
        limit = self._limits.get(tree.node_id)
        if limit is None:
            limit = CapacityLimiter(_PER_NODE if tree.node_id else _KEPT)
            self._limits[tree.node_id] = limit
        try:
            return await to_thread.run_sync(ask, limiter=limit)
        except TreeError as error:
            raise _told(error) from None

    # -- lists -------------------------------------------------------------------------------------------------

    async def _list(self, call: Call) -> Answer:
        check, recursive = paging.asked_filter(call, ("name",)), call.flag("recursive")
        most, tree, found = call.page_size, await self._tree(call), list[tuple[str, dict[str, Any]]]()
        for asked in _asked_for(check, tree.top):
            found = await self._matching(call, tree, asked, recursive, most + 1)
            if found:
                break
        answer = paging.page(call, "files", found)
        return Answer(answer.content, _of(tree))

    async def _matching(
        self, call: Call, tree: Tree, check: filters.Filter | None, recursive: bool, most: int
    ) -> list[tuple[str, dict[str, Any]]]:
        """So many, by name, behind where the page begins."""
        folder, after = _folder(check), paging.skipped_to(call)
        fulfils = filters.predicate(check) if check is not None else None
        found: list[tuple[str, dict[str, Any]]] = []
        more = True
        while more and len(found) < most:
            try:
                entries, more = await self._ask(tree, partial(tree.entries, folder, recursive, after))
            except ApiError as error:
                if folder and error.code == "FileNotFound":
                    return found  # nothing has such a name
                raise
            for each in entries:
                view = self._view(call, each)
                if each.name > after and (fulfils is None or fulfils(view)):
                    found.append((each.name, view))
            after = entries[-1].name if entries else after
        return found

    def _view(self, call: Call, entry: Entry) -> dict[str, Any]:
        told = {"name": entry.name, "url": _url(call, entry.name), "isDirectory": entry.is_folder}
        modified = format_instant(entry.modified)
        if entry.is_folder:
            # the service gives folders no properties; what it does not know its clients leave alone
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

    # -- single files ------------------------------------------------------------------------------------------

    async def _read(self, call: Call) -> Answer:
        path = call.ids["filePath"]
        tree = await self._tree(call)
        entry = await self._ask(tree, lambda: _entry(tree, path))
        headers = {
            **_of(tree),
            "Last-Modified": http_date(entry.modified),
            "ocp-creation-time": http_date(entry.modified),
            "ocp-batch-file-isdirectory": str(entry.is_folder).lower(),
            "ocp-batch-file-url": _url(call, entry.name),
            "ocp-batch-file-mode": f"{entry.mode:#o}",
        }
        asked = conditions({name: call.headers[name] for name in _DATES if name in call.headers})
        if asked is not None:
            asked.check("", entry.modified, reads=True)
        if call.operation.method == "HEAD":
            size = 0 if entry.is_folder else entry.size
            return Answer(None, {**headers, "Content-Length": str(size), "Content-Type": _type(entry.name)})
        if entry.is_folder:
            text = f"{path!r} is a folder; list it: ?recursive=true&$filter=startswith(name,'{entry.name}/')"
            raise ApiError("FileIsDirectory", text)
        own, general = call.headers.get("ocp-range"), call.headers.get("range")
        start, end = _range(own or general, entry.size)
        headers |= {"Content-Length": str(end - start), "Accept-Ranges": "bytes"}
        if own or general:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size}"
        # before the answer begins, so that it can still say that the file cannot be read
        first = await self._piece(tree, entry.name, start, end)
        status = 206 if general and not own else 200
        body = self._pieces(tree, entry.name, first, start, end)
        return Answer(body, headers, status, _type(entry.name))

    async def _pieces(self, tree: Tree, path: str, first: bytes, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to `end`, of which `first` were read."""
        piece = first
        while start < end:
            start += len(piece)
            yield piece
            piece = await self._piece(tree, path, start, end)

    async def _piece(self, tree: Tree, path: str, start: int, end: int) -> bytes:
        length = min(_PIECE, end - start)
        piece = await self._ask(tree, partial(tree.read, path, start, length)) if length else b""
        if length and not piece:
            raise ApiError("ServerBusy", f"{path!r} became shorter while it was read; read it again")
        return piece

    async def _delete(self, call: Call) -> Answer:
        path, recursive = call.ids["filePath"], call.flag("recursive")
        tree = await self._tree(call)
        entry = await self._ask(tree, lambda: _entry(tree, path))
        if not entry.name:
            raise ApiError("OperationNotSupported", "only what is in this folder can be deleted", status=409)
        if entry.is_folder and not recursive:
            inside, _ = await self._ask(tree, lambda: tree.entries(entry.name, False))
            if inside:
                text = f"the folder {entry.name!r} is not empty; ?recursive=true deletes it with all that is in it"
                raise ApiError("DirectoryNotEmpty", text)
        await self._ask(tree, lambda: tree.delete(entry.name, recursive))
        return Answer()


def _url(call: Call, name: str) -> str:
    """The place of a file, as the list or the file itself was asked for."""
    base = call.path.split("/files", 1)[0]
    return f"{call.base}{base}/files/{quote(name)}"


def _told(error: TreeError) -> ApiError:
    return ApiError(error.code, str(error), status=error.status)


def _of(tree: Tree) -> dict[str, str]:
    """Which execution the files are of, and where they were read: the next attempt writes others."""
    return {"ebbtide-execution": tree.execution or "", "ebbtide-node": tree.node_id or ""}


def _entry(tree: Tree, path: str) -> Entry:
    """Raises TreeError."""
    missing: TreeError | None = None
    for each in spellings(path, tree.top):
        try:
            return tree.entry(each)
        except TreeError as error:
            if error.status != 404:
                raise
            missing = missing or error
    assert missing is not None
    raise missing


def _asked_for(check: filters.Filter | None, top: str | None) -> list[filters.Filter | None]:
    """What the filter may mean, the likeliest first: its client may write paths in another way than names have here."""
    if not isinstance(check, filters.StartsWith):
        return [check]
    folder, slash, start = re.fullmatch(r"(?:(.*)([/\\]))?([^/\\]*)", check.prefix, re.DOTALL).groups("")  # type: ignore[union-attr]
    found = [check.prefix] if not check.prefix.startswith("/") else []
    if slash:
        found += [f"{each}/{start}" if each else start for each in spellings(folder, top)]
    return [filters.StartsWith(check.path, prefix) for prefix in dict.fromkeys(found)]


def _folder(check: filters.Filter | None) -> str:
    """That all names lie in which fulfil it; "": any."""
    if isinstance(check, filters.All):
        return next((folder for part in check.parts if (folder := _folder(part))), "")
    if isinstance(check, filters.Comparison) and check.operator == "eq" and isinstance(check.value, str):
        return check.value.rpartition("/")[0]
    return check.prefix.rpartition("/")[0] if isinstance(check, filters.StartsWith) else ""


def _type(name: str) -> str:
    return "text/plain" if name.endswith(".txt") else "application/octet-stream"


def _range(text: str | None, size: int) -> tuple[int, int]:
    """The first byte, and that after the last. Raises ApiError if there is none."""
    if not text:
        return 0, size
    found = _RANGE.match(text.strip())
    if found is None or found[1] == found[2] == "":
        wrong = f"a range must be bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT: {text!r}"
        raise ApiError("InvalidHeaderValue", wrong)
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
    if start >= end:
        raise ApiError("InvalidRange", f"{text!r} holds no byte of the {size} that are there")
    return start, end
