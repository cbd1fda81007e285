"""`fetch FILES ARGV...`: brings resource files into the working directory, then becomes the command itself.

It runs as the execution's own process (so time limits, kills and outputs hold for it too) and ends by exec. When a
file cannot be had, the reason goes into `FAILURE` beside the outputs, where the supervisor finds it.
"""

from __future__ import annotations

import json
import os
import sys
import time

from . import outcome, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FAILURE = "../.fetch-failed"
MAX_FAILURE = 64 << 10  # bytes of FAILURE that are read
CODE_LIMIT = 64
TRIES, PAUSE, TIMEOUT = 3, 1.0, 60.0


class FetchError(Exception):
    """`code` as Azure Batch names the failures of tasks before their command runs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def wrap(resources: list[dict[str, Any]], argv: list[str]) -> list[str]:
    """The command that fetches `resources` ({"url", "path", "mode"}) and then is `argv`."""
    return [sys.executable, "-I", "-S", sys.argv[0], "fetch", json.dumps(resources), *argv]


def failure(place: str) -> dict[str, str] | None:
    """Why the files could not be fetched, told once; None if they could. `place`: the working directory.

    The command itself may have written anything there: only what has the right form counts, clipped.
    """
    path = os.path.join(place, FAILURE)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            told = wire.decode(os.read(fd, MAX_FAILURE))
        finally:
            os.close(fd)
        os.unlink(path)
    except (OSError, ValueError, RecursionError):
        return None
    code, message = told.get("code"), told.get("message")
    if not isinstance(code, str) or not isinstance(message, str):
        return None
    return {"code": outcome.clip(code, CODE_LIMIT), "message": outcome.clip(message)}


def run(arguments: list[str]) -> None:
    """Does not return."""
    argv = arguments[1:]
    try:
        for resource in json.loads(arguments[0]):
            _fetch(resource["url"], resource["path"], resource["mode"])
    except FetchError as error:
        _give_up(error)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        code = "CommandProgramNotFound" if isinstance(error, FileNotFoundError) else "CommandLaunchFailed"
        _give_up(FetchError(code, f"{argv[0]!r}: {error.strerror}"))


def _give_up(error: FetchError) -> None:
    with open(FAILURE, "w", encoding="utf-8") as file:
        json.dump({"code": error.code, "message": str(error)}, file)
    sys.exit(1)


def _fetch(url: str, path: str, mode: str) -> None:
    import http.client
    import shutil
    import urllib.error
    import urllib.request  # takes 50 ms: the supervisors, who import this module too, must not pay

    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts:
        raise FetchError("ResourceFileInvalid", f"{path!r}: a filePath must lead into the working directory")
    shown = url.partition("?")[0].partition("#")[0]  # what follows may be a token
    if not url.startswith(("http://", "https://")):
        raise FetchError("ResourceFileInvalid", f"{shown!r}: only http and https can be fetched")
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = path + ".part"
    for tried in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as source, open(temporary, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
                wanted = source.headers.get("Content-Length")
                if wanted is not None and sink.tell() != int(wanted):
                    raise OSError("the download was cut short")
            break
        except urllib.error.HTTPError as error:
            if error.code < 500 or tried == TRIES:
                raise FetchError("ResourceFileDownloadFailed", f"{shown}: {error.code} {error.reason}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            if tried == TRIES:
                reason = error if isinstance(error, OSError) else type(error).__name__  # the others quote the URL
                raise FetchError("ResourceFileDownloadFailed", f"{shown}: {reason}") from error
        time.sleep(PAUSE)
    os.chmod(temporary, int(mode, 8) if mode else 0o770)
    os.replace(temporary, path)
