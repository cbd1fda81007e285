"""`upload`: what is done with a task's files after its command has ended: output files go to where they belong, and the
checkpoint is saved.

It runs in the working directory, with the rights of the task. What it did is told in `LOG`, and why it failed in
`FAILURE`, where the supervisor finds it.
"""

from __future__ import annotations

import os

from . import fetch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, TextIO

    from .transfer import TransferError

FAILURE = ".upload-failed"  # in the folder of the execution
LOG = "../fileuploadout.txt"  # as Azure Batch calls it
MISC = "FileUploadMiscError"
TIMEOUT = 3600.0  # seconds for all of it
# As Azure Batch names the failures of uploads.
CODES = {
    "missing": "FileUploadContainerNotFound",
    "container": "FileUploadContainerNotFound",
    "denied": "FileUploadAccessDenied",
    "timeout": "FileUploadTimedOut",
}
# A blob of Azure Storage that is larger is put block by block.
SINGLE, BLOCK = 256 << 20, 64 << 20
MOST_BLOCKS = 50_000


def wrap(spec: dict[str, Any], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command that does `spec`, and its environment; run it in the working directory.

    "outputs": list of {"pattern", "url": of a container or folder, "path", "headers": [[name, value]]}; each may have
    "patient" (wait for a server that does not answer). "checkpoint": {"url", "path": of the folder, "limit"} or None.
    "timeout": seconds for all of it, if not TIMEOUT.
    """
    return fetch.given("upload", spec, env, [])


def failure(folder: int) -> dict[str, str] | None:
    """Why not everything was uploaded, told once; None if it was. `folder`: a descriptor of the execution's."""
    return fetch.failure(folder, FAILURE)


def run() -> None:
    """Does not return."""
    from .transfer import TransferError, until

    work = fetch.taken()
    deadline = until(work.get("timeout", TIMEOUT))
    log = _log()
    failures: list[tuple[str, str]] = []
    saved = work.get("checkpoint")
    if saved is not None:
        from . import checkpoint  # what it needs takes long to load

        try:
            told = checkpoint.save(
                saved["url"], saved["path"], saved.get("limit"), deadline, bool(saved.get("patient"))
            )
            _say(told, log)
        except TransferError as error:
            _say(f"the checkpoint was not saved: {error}", log)  # that is no failure of the task
    uploads = _Uploads(deadline, log, failures)
    for output in work.get("outputs") or ():
        if not uploads.bring_away(output):
            break
    if failures:
        code, message = failures[0]
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        fetch.tell(FAILURE, code, message + more)
    os._exit(1 if failures else 0)  # without the tidying up of an interpreter, which takes a while


def _log() -> TextIO:
    """A file of our own, whatever the task has put there; nowhere, if it cannot be had."""
    try:
        os.unlink(LOG)
    except OSError:
        pass
    try:
        fd = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        return os.fdopen(fd, "w", encoding="utf-8", errors="replace")
    except OSError:
        return open(os.devnull, "w")


def _say(text: str, log: TextIO) -> None:
    try:
        print(text, file=log, flush=True)
    except OSError:
        pass  # the disk is full: what is to be brought away matters more


class _Uploads:
    """Output files, each of which goes its way whatever becomes of the others; what failed is added to `failures`."""

    def __init__(self, deadline: float | None, log: TextIO, failures: list[tuple[str, str]]) -> None:
        self._deadline = deadline
        self._log = log
        self._failures = failures
        self._top = os.path.dirname(os.getcwd())
        #: by address without its signature: which file is there
        self._there: dict[str, str] = {}

    def bring_away(self, output: dict[str, Any]) -> bool:
        """All files that its pattern means. False: the time is over."""
        from . import patterns
        from .transfer import TransferError, file_error, legible

        pattern = patterns.expand(output["pattern"], os.environ)
        into_folder = patterns.is_wild(pattern)
        path = (output.get("path") or "").strip("/")
        unread: dict[str, OSError] = {}
        count = 0
        try:
            for place, name in patterns.found(pattern, self._top, unread.__setitem__):
                count += 1
                blob = _text(name if not path else f"{path}/{name}" if into_folder else path)
                try:
                    self._put(output, place, blob)
                    _say(f"uploaded {name!r} as {blob!r}", self._log)
                except OSError as error:
                    self._failed(pattern, file_error(f"'{legible(name)}' could not be read", error))
                except TransferError as error:
                    self._failed(pattern, error)
                    if error.kind == "timeout":
                        return False
        except patterns.PatternError as error:
            self._failed(pattern, TransferError("file", str(error)))
        for name, why in unread.items():
            self._failed(pattern, file_error(f"'{legible(name)}' could not be read", why))
        if not count and not unread:
            _say(f"no file matches {pattern!r}", self._log)
        return True

    def _failed(self, pattern: str, error: TransferError) -> None:
        from .transfer import legible

        message = f"{legible(pattern)}: {error}"
        _say(f"failed: {message}", self._log)
        self._failures.append((CODES.get(error.kind, MISC), message))

    def _put(self, output: dict[str, Any], place: str, blob: str) -> None:
        from .transfer import TransferError, below, is_azure, legible, shown, upload

        url = below(output["url"], blob)
        file_name, address = place[len(self._top) + 1 :], _unsigned(url)
        other = self._there.get(address, file_name)
        if other != file_name:
            told = f"'{legible(file_name)}' was not uploaded: {shown(url)} is '{legible(other)}' already"
            raise TransferError("file", told)
        patient = bool(output.get("patient"))
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        headers.update((name, value) for name, value in output.get("headers") or ())
        with open(place, "rb", opener=_reading) as file:
            size = os.fstat(file.fileno()).st_size
            if is_azure(url) and size > SINGLE:
                _put_blocks(url, file, size, headers, self._deadline)
            else:
                upload(url, file, size, headers, self._deadline, patient)
        self._there[address] = file_name


def _text(name: str) -> str:
    """The name of a file, with the bytes that are not UTF-8 percent-encoded."""
    return "".join(f"%{ord(char) - 0xDC00:02X}" if "\udc80" <= char <= "\udcff" else char for char in name)


def _unsigned(url: str) -> str:
    """The same for all addresses of a blob: a signature may stand in the query, and nothing else then."""
    address, _, query = url.partition("?")
    return address if "&sig=" in f"&{query}" else url


def _reading(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _put_blocks(url: str, file: Any, size: int, headers: dict[str, str], deadline: float | None) -> None:
    """Azure Storage takes large blobs block by block; the blob appears with the list of them."""
    import base64
    import io

    from .transfer import upload, with_query

    length = max(BLOCK, -(-size // MOST_BLOCKS))
    ids = []
    for number in range(-(-size // length)):
        ids.append(base64.b64encode(b"%08d" % number).decode())
        file.seek(number * length)
        target = with_query(url, {"comp": "block", "blockid": ids[-1]})
        upload(target, file, min(length, size - number * length), {}, deadline)
    listed = "".join(f"<Latest>{each}</Latest>" for each in ids)
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
    last = {name: value for name, value in headers.items() if name.lower() not in ("x-ms-blob-type", "content-type")}
    for name, value in headers.items():
        if name.lower() == "content-type":
            last["x-ms-blob-content-type"] = value
    upload(with_query(url, {"comp": "blocklist"}), io.BytesIO(body), len(body), last, deadline)
