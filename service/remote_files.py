"""The files of tasks and nodes as the running controller has them: a Tree over its socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from .controller_socket import client
from .file_trees import Entry, TreeError
from .iso8601 import parse_instant

if TYPE_CHECKING:
    import httpx

#: Seconds without a word of the controller, which may wait that long for a node.
_PATIENCE = 120.0


class NoController(Exception):
    """No controller works on the state (any more)."""


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
        query = {"recursive": str(recursive).lower(), "$filter": f"startswith(name,'{quoted}')" if prefix else ""}
        if after:
            query["$skiptoken"] = after
        url: str | None = self._url
        found: list[Entry] = []
        while url is not None:
            answer = self._ask("GET", url, params=query if url == self._url else None).json()
            found += [_entry(each) for each in answer["value"]]
            url = answer.get("odata.nextLink")
        return found, False

    def entry(self, path: str) -> Entry:
        answer = self._ask("HEAD", f"{self._url}/{quote(path)}")
        headers = answer.headers
        modified = parsedate_to_datetime(headers["last-modified"]).timestamp()
        folder = headers["ocp-batch-file-isdirectory"] == "true"
        name = unquote(headers["ocp-batch-file-url"].partition("/files/")[2])
        return Entry(name, folder, int(headers["content-length"]), modified, int(headers["ocp-batch-file-mode"], 8))

    def read(self, path: str, offset: int, length: int) -> bytes:
        range_ = {"ocp-range": f"bytes={offset}-{offset + length - 1}"}
        try:
            return self._ask("GET", f"{self._url}/{quote(path)}", headers=range_).content
        except TreeError as error:
            if error.status == 416:
                return b""
            raise

    def delete(self, path: str, recursive: bool) -> None:
        self._ask("DELETE", f"{self._url}/{quote(path)}", params={"recursive": str(recursive).lower()})

    def _ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        import httpx

        try:
            answer = self._http.request(method, url, **more)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError) as error:
            raise NoController(str(error)) from None
        except httpx.TimeoutException:
            raise TreeError(504, "OperationTimedOut", f"no answer within {_PATIENCE:.0f} s") from None
        if answer.is_success:
            self.node_id = answer.headers.get("ebbtide-node") or None
            self.execution = answer.headers.get("ebbtide-execution") or None
            return answer
        if method == "HEAD":  # whose answers have no body that says why
            return self._ask("GET", url, **more)
        try:
            told = answer.json()
            text = told["message"]["value"].partition("\nRequestId:")[0]
            raise TreeError(answer.status_code, told["code"], text)
        except (ValueError, KeyError, TypeError):
            raise TreeError(answer.status_code, "InternalError", answer.text[:500]) from None


def _entry(told: dict[str, Any]) -> Entry:
    properties = told.get("properties")
    if properties is None:
        return Entry(told["name"], True, 0, parse_instant(told["lastModified"]).timestamp(), 0o755)
    modified = parse_instant(properties["lastModified"]).timestamp()
    mode = int(properties["fileMode"], 8)
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
