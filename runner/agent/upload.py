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

FAILURE = ".upload-failed"  # in the folder of the execution
LOG = "../fileuploadout.txt"  # as Azure Batch calls it
MISC = "FileUploadMiscError"
TIMEOUT = 3500.0  # seconds; somewhat less than the supervisor waits
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
    "timeout": seconds for all of it.
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
            print(told, file=log, flush=True)
        except TransferError as error:
            failures.append((MISC, f"the checkpoint was not saved: {error}"))
    for output in work.get("outputs") or ():
        failed = _tried(output, deadline, log)
        if failed is not None:
            failures.append(failed)
    if failures:
        code, message = failures[0]
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        fetch.tell(FAILURE, code, message + more)
    log.close()
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


def _tried(output: dict[str, Any], deadline: float | None, log: TextIO) -> tuple[str, str] | None:
    """Code and message of its failure, if it failed: the others are uploaded all the same."""
    from .transfer import TransferError

    try:
        _upload(output, deadline, log)
    except TransferError as error:
        message = "{}: {}".format(output["pattern"], error)
        print(f"failed: {message}", file=log, flush=True)
        return CODES.get(error.kind, MISC), message
    return None


def _upload(output: dict[str, Any], deadline: float | None, log: TextIO) -> None:
    from . import patterns
    from .transfer import TransferError, file_error

    pattern = patterns.expand(output["pattern"], os.environ)
    wild = patterns.is_wild(pattern)
    path = (output.get("path") or "").strip("/")
    count = 0
    try:
        for place, name in patterns.found(pattern, os.path.dirname(os.getcwd())):
            blob = name if not path else f"{path}/{name}" if wild else path
            _put(output, place, blob, deadline)
            count += 1
            print(f"uploaded {name!r} as {blob!r}", file=log, flush=True)
    except patterns.PatternError as error:
        raise TransferError("file", str(error)) from error
    except OSError as error:
        raise file_error("it could not be read", error) from error
    if not count:
        print(f"no file matches {pattern!r}", file=log, flush=True)


def _put(output: dict[str, Any], place: str, blob: str, deadline: float | None) -> None:
    from .transfer import below, is_azure, upload

    try:
        blob.encode()
    except UnicodeEncodeError:  # a name that is not UTF-8
        blob = blob.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    url = below(output["url"], blob)
    patient = bool(output.get("patient"))
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
    headers.update((name, value) for name, value in output.get("headers") or ())
    with open(place, "rb", opener=_reading) as file:
        size = os.fstat(file.fileno()).st_size
        if is_azure(url) and size > SINGLE:
            _put_blocks(url, file, size, headers, deadline)
        else:
            upload(url, file, size, headers, deadline, patient)


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
