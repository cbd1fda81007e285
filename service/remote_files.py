"""The files of tasks and nodes as a server has them, or the running controller: a Tree over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .controller_socket import client
from .file_trees import Entry, TreeError
from .iso8601 import parse_instant

if TYPE_CHECKING:
    import httpx

#: Seconds without a word of the controller, which may wait that long for a node.
_PATIENCE = 120.0
#: Seconds between two tries, if the other side is too busy.
_PAUSES = (0.5, 1.0, 2.0, 4.0)
_VERSION = {"api-version": "2024-02-01.19.0"}


class NoController(Exception):
    """No controller works on the state (any more), or the server cannot be reached."""


class RemoteTree:
    """Raises NoController too. `execution` and `node_id` are those of the last answer."""

    def __init__(self, http: httpx.Client, *place: str) -> None:
        """`place`: "jobs", JOB, "tasks", TASK or "pools", POOL, "nodes", NODE."""
        self._http = http
        self._url = "".join(f"/{quote(part, safe='')}" for part in place) + "/files"
        self.node_id: str | None = None
        self.execution: str | None = None
        self.top: str | None = None  # the other side knows

    def entries(self, folder: str, recursive: bool, after: str = "") -> tuple[list[Entry], bool]:
        prefix = f"{folder}/" if folder else ""
        quoted = prefix.replace("'", "''")
        query = {"recursive": str(recursive).lower()} | ({"$filter": f"startswith(name,'{quoted}')"} if prefix else {})
        if after:
            query["$skiptoken"] = after
        found: list[Entry] = []
        while True:
            answer = self._ask("GET", self._url, params=query).json()
            found += [_entry(each) for each in answer["value"]]
            # only the token counts: the rest is the address as somebody else may see it
            token = dict(parse_qsl(urlsplit(answer.get("odata.nextLink", "")).query)).get("$skiptoken", "")
            if not token:
                return found, False
            query["$skiptoken"] = token

    def entry(self, path: str) -> Entry:
        answer = self._ask("HEAD", self._url_of(path))
        headers = answer.headers
        modified = parsedate_to_datetime(headers["last-modified"]).timestamp()
        folder = headers["ocp-batch-file-isdirectory"] == "true"
        name = unquote(headers["ocp-batch-file-url"].partition("/files/")[2])
        return Entry(name, folder, int(headers["content-length"]), modified, int(headers["ocp-batch-file-mode"], 8))

    def read(self, path: str, offset: int, length: int) -> bytes:
        range_ = {"ocp-range": f"bytes={offset}-{offset + length - 1}"}
        try:
            return self._ask("GET", self._url_of(path), headers=range_).content
        except TreeError as error:
            if error.status == 416:
                return b""
            raise

    def _url_of(self, path: str) -> str:
        """One segment: `..` in it leads nowhere, and is for the other side to refuse. Raises TreeError."""
        if path in (".", ".."):
            raise TreeError(404, "FileNotFound", f"{path!r}: `.` and `..` name no file here")
        return f"{self._url}/{quote(path, safe='')}"

    def delete(self, path: str, recursive: bool) -> None:
        self._ask("DELETE", self._url_of(path), params={"recursive": str(recursive).lower()})

    def _ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        """Asked again by whoever only reads, if the other side is too busy."""
        for pause in _PAUSES if method in ("GET", "HEAD") else ():
            try:
                return self._asked(method, url, **more)
            except TreeError as error:
                if error.status != 503:
                    raise
            time.sleep(pause)
        return self._asked(method, url, **more)

    def _asked(self, method: str, url: str, **more: Any) -> httpx.Response:
        import httpx

        from .rest_over_http import cure, refusal

        given = {**more, "params": {**_VERSION, **more.get("params", {})}}
        try:
            answer = self._http.request(method, url, **given)
        except httpx.ConnectError as error:
            raise NoController(f"{error}; {cure(error)}") from None
        except (httpx.RemoteProtocolError, httpx.ReadError) as error:
            raise NoController(f"{error}; ask again") from None
        except httpx.TimeoutException:
            raise TreeError(504, "OperationTimedOut", f"no answer within {_PATIENCE:.0f} s") from None
        if answer.is_success:
            self.node_id = answer.headers.get("ebbtide-node") or None
            self.execution = answer.headers.get("ebbtide-execution") or None
            return answer
        if method == "HEAD":  # whose answers have no body that says why
            return self._asked("GET", url, **more)
        refused = refusal(answer, "the server")
        raise TreeError(answer.status_code, refused.code, str(refused))


def _entry(told: dict[str, Any]) -> Entry:
    properties = told.get("properties")
    if properties is None:
        when = told.get("lastModified")  # which Azure Batch does not tell of folders
        return Entry(told["name"], True, 0, parse_instant(when).timestamp() if when else 0.0, 0o755)
    modified = parse_instant(properties["lastModified"]).timestamp()
    mode = int(properties.get("fileMode", "0644"), 8)
    return Entry(told["name"], False, int(properties["contentLength"]), modified, mode)


@contextmanager
def connected(state: Path) -> Iterator[httpx.Client | None]:
    """To the controller of the state; None if there is none."""
    import httpx

    with ExitStack() as stack:
        try:
            http = stack.enter_context(client(state, _PATIENCE))
        except (httpx.ConnectError, OSError):
            http = None
        yield http
