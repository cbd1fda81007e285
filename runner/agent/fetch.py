"""`fetch ARGV...`: brings resource files into the working directory, then becomes the command itself.

It runs as the execution's own process (so time limits, kills and outputs hold for it too) and ends by exec. When a
file cannot be had, the reason goes into `FAILURE` beside the outputs, where the supervisor finds it.

What is to be fetched stands in the environment: arguments of processes can be read by everybody on the node, and
addresses may hold tokens.
"""

from __future__ import annotations

import json
import os
import sys

from .interpreter import of_everybody

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Mapping

    from .transfer import TransferError

FAILURE = ".fetch-failed"  # in the folder of the execution
MAX_FAILURE = 64 << 10  # bytes of FAILURE that are read
CODE_LIMIT = 64
VARIABLE = "EBBTIDE_FILES_"
PIECE = 100_000  # Linux takes 128 KiB for one string
DEFAULT_MODE = 0o770
# As Python starts a zipapp, in half the time: how it does that itself is written in Python and loads a lot.
_START = (
    "import sys; del sys.argv[0]; sys.path.insert(0, sys.argv[0]); "
    "from ebbtide_agent.main import main; main()"  # its name in the zipapp
)

# As Azure Batch names the failures of tasks before their command runs.
CODES = {
    "missing": "BlobNotFound",
    "container": "ResourceContainerNotFound",
    "denied": "BlobAccessDenied",
    "timeout": "BlobDownloadTimedOut",
    "limit": "BlobDownloadMiscError",
    "other": "BlobDownloadMiscError",
    "disk": "DiskFull",
    "file": "ResourceFileWriteFailed",
}
LISTING_CODES = {
    "missing": "ResourceContainerNotFound",
    "container": "ResourceContainerNotFound",
    "denied": "ResourceContainerAccessDenied",
    "timeout": "ResourceContainerListTimedOut",
}


class FetchError(Exception):
    """`code` as Azure Batch names the failures of tasks before their command runs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def wrap(
    resources: list[dict[str, Any]], argv: list[str], env: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The command that fetches `resources` and then is `argv`, and its environment.

    A resource is {"url", "path", "mode"}, or {"container": its URL, "prefix", "path": a folder, "mode"}; either may
    have "limit" (bytes, in all), "timeout" (seconds, in all), "patient" (wait for a server that does not answer) and
    "common" (it goes into the folder of the common files, beside the working directory).
    {"checkpoint": its URL, "path": a folder}: what was saved of an earlier attempt (see checkpoint.py), if anything.
    """
    return given("fetch", resources, env, argv)


def given(
    mode: str, work: Any, env: Mapping[str, str], argv: list[str]
) -> tuple[list[str], dict[str, str]]:
    """The command line of a mode of the zipapp that finds `work` in its environment."""
    text = json.dumps(work)
    pieces = {f"{VARIABLE}{at // PIECE}": text[at : at + PIECE] for at in range(0, len(text), PIECE)}
    others = {name: value for name, value in env.items() if not name.startswith(VARIABLE)}
    return [of_everybody(), "-I", "-S", "-c", _START, sys.argv[0], mode, *argv], {**others, **pieces}


def taken() -> Any:
    """What `given` put into the environment; it is no longer there."""
    text, number = "", 0
    while VARIABLE + str(number) in os.environ:
        text += os.environ.pop(VARIABLE + str(number))
        number += 1
    return json.loads(text)


def failure(folder: int, name: str = FAILURE) -> dict[str, str] | None:
    """Why the files could not be fetched, told once; None if they could. `folder`: a descriptor of the execution's.

    The command itself may have written anything there: only what has the right form counts, clipped.
    """
    from . import outcome, trees, wire  # which the supervisor has, and what fetches does not need

    try:
        fd = trees.open_file(name, folder)
        try:
            told = wire.decode(os.read(fd, MAX_FAILURE))
        finally:
            os.close(fd)
        os.unlink(name, dir_fd=folder)
    except (OSError, ValueError, RecursionError):
        return None
    code, message = told.get("code"), told.get("message")
    if not isinstance(code, str) or not isinstance(message, str):
        return None
    return {"code": outcome.clip(code, CODE_LIMIT), "message": outcome.clip(message)}


def tell(name: str, code: str, message: str) -> None:
    """Leaves word for `failure`, in the working directory."""
    path = f"../{name}"
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump({"code": code, "message": message}, file)


def run(argv: list[str]) -> None:
    """Does not return."""
    try:
        for resource in taken():
            if resource.get("common"):
                _change("../shared")
            _fetch(resource)
            if resource.get("common"):
                _change("../wd")
    except FetchError as error:
        _give_up(error)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        from .not_started import why

        told = why(error, argv[0], os.environ.get("PATH", os.defpath))
        _give_up(FetchError(*told or ("CommandLaunchFailed", f"{argv[0]!r}: {error.strerror}")))


def _change(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:  # an earlier attempt has put something else there
        raise _refused("ResourceDirectoryCreateFailed", folder, error) from error


def _give_up(error: FetchError) -> None:
    tell(FAILURE, error.code, str(error))
    sys.exit(1)


def _named(error: TransferError) -> FetchError:
    return FetchError(CODES[error.kind], str(error))


def _listed(resource: dict[str, Any], deadline: float | None, patient: bool) -> list[tuple[str, int]]:
    from .listing import blobs
    from .transfer import TransferError

    try:
        return list(blobs(resource["container"], resource.get("prefix") or "", deadline, patient))
    except TransferError as error:
        raise FetchError(LISTING_CODES.get(error.kind, "ResourceContainerListMiscError"), str(error)) from error


def _fetch(resource: dict[str, Any]) -> None:
    from .transfer import TransferError, below, shown, until

    mode, limit, patient = resource.get("mode") or "", resource.get("limit"), bool(resource.get("patient"))
    deadline = until(resource.get("timeout"))
    try:
        if "checkpoint" in resource:
            from . import checkpoint

            checkpoint.restore(resource["checkpoint"], resource["path"], deadline, patient)
            return
        if "url" in resource:
            _file(resource["url"], resource["path"], mode, limit, deadline, patient)
            return
        listed = _listed(resource, deadline, patient)
        total = sum(size for _, size in listed)
        if limit is not None and total > limit:
            what = shown(resource["container"])
            raise TransferError("limit", f"{what}: {total} bytes, more than the limit of {limit} (a setting)")
        for name, _ in listed:
            if name.endswith("/"):
                continue  # stands for a folder
            folder = resource.get("path") or ""
            path = f"{folder.rstrip('/')}/{name}" if folder not in ("", ".") else name
            _file(below(resource["container"], name), path, mode, limit, deadline, patient)
    except TransferError as error:
        raise _named(error) from error


def _file(url: str, path: str, mode: str, limit: int | None, deadline: float | None, patient: bool) -> None:
    from .transfer import TransferError, download

    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or "\0" in path or parts[-1] in ("", "."):
        raise FetchError("ResourceFileCreateFailed", f"{path!r}: a file must lie in the working directory")
    try:
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise _refused("ResourceDirectoryCreateFailed", os.path.dirname(path), error) from error
    temporary = os.path.join(os.path.dirname(path), ".ebbtide-part")
    try:
        sink: BinaryIO = open(temporary, "wb")  # noqa: SIM115 - closed below, however that goes
    except OSError as error:
        raise _refused("ResourceFileCreateFailed", path, error) from error
    try:
        with sink:
            download(url, sink, limit, deadline, patient)
        os.chmod(temporary, int(mode, 8) if mode else DEFAULT_MODE)
        os.replace(temporary, path)
    except (OSError, TransferError) as error:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        if isinstance(error, OSError):
            raise _refused("ResourceFileWriteFailed", path, error) from error
        raise


def _refused(code: str, path: str, error: OSError) -> FetchError:
    from .transfer import file_error

    told = file_error(repr(path), error)
    return FetchError("DiskFull" if told.kind == "disk" else code, str(told))
