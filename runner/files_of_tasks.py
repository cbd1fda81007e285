"""Resource files and output files of a specification as the node's agent takes them.

Commands hold addresses of the built-in object store without signatures; they get them, and the limits of the
settings, as they leave for a node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pools import ResourceFile

from .door import DOOR, STORAGE
from .storage_urls import (
    NAME_LIMIT,
    RESERVED,
    SCHEME,
    Place,
    Scope,
    Signer,
    StorageUrlError,
    http_url,
    invalid_name,
    is_storage,
    parse,
    place_of,
)
from .task_spec import OutputFile

#: What is kept of tasks for their next attempts lies in this container.
CHECKPOINTS = "ebbtide-checkpoints"

#: Beyond the time limit of the execution, or if it has none: it may wait for its turn, and upload for long.
_SIGNED_FOR = 180 * 86400.0
_STORE = f"{DOOR}{STORAGE}/"
#: In a pattern that may mean more than one file.
_MANY = re.compile(r"[*?\[$]")

FileMessage = dict[str, Any]


def resources(files: Iterable[ResourceFile]) -> tuple[FileMessage, ...]:
    """Raises StorageUrlError, which checked specifications do not."""
    return tuple(map(_resource, files))


def _resource(file: ResourceFile) -> FileMessage:
    mode = file.file_mode or ""
    if file.http_url is not None:
        return {"url": _address(file.http_url), "path": file.file_path or _last(file.http_url), "mode": mode}
    if file.auto_storage_container_name is not None:
        container = f"{SCHEME}{file.auto_storage_container_name}"
    else:
        container = file.storage_container_url or ""
    prefix = file.blob_prefix or ""
    return {"container": _address(container), "prefix": prefix, "path": file.file_path or "", "mode": mode}


def outputs(files: Iterable[OutputFile]) -> tuple[FileMessage, ...]:
    """Raises StorageUrlError, which checked specifications do not."""
    return tuple(map(_output, files))


def _output(file: OutputFile) -> FileMessage:
    to = file.destination.container
    return {
        "pattern": file.file_pattern,
        "url": _address(to.container_url),
        "path": to.path or "",
        "headers": [[header.name, header.value] for header in to.upload_headers],
        "when": file.upload_options.upload_condition,
    }


def checkpoint_url(name: str) -> str:
    """Where the checkpoint of this name is saved, and restored from."""
    return f"{_STORE}{CHECKPOINTS}/{name}"


def _address(url: str) -> str:
    return http_url(DOOR, parse(url)) if is_storage(url) else url


def _last(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """What start messages get as they leave. `limit`: bytes of a resource file, or of all in a container; `timeout`:
    seconds for each. `checkpoint_limit`: bytes of what is saved of one task; `output_limit`: of an output file."""

    signer: Signer
    limit: int
    timeout: float
    checkpoint_limit: int = 1 << 34
    output_limit: int = 1 << 40

    def finished(self, message: dict[str, Any], now: float) -> dict[str, Any]:
        """The start message with signed addresses and limits."""
        expires = now + (message.get("wall") or 0.0) + _SIGNED_FOR
        changed: dict[str, Any] = {}
        if message.get("resources"):
            changed["resources"] = [self._resource(each, expires) for each in message["resources"]]
        if message.get("outputs"):
            changed["outputs"] = [self._output(each, expires) for each in message["outputs"]]
        if message.get("checkpoint"):
            changed["checkpoint"] = self.checkpoint(message["checkpoint"], expires)
        return {**message, **changed} if changed else message

    def checkpoint(self, checkpoint: FileMessage, expires: float) -> FileMessage:
        limited = {**checkpoint, "limit": self.checkpoint_limit}
        return self._signed(limited, "url", "rw", expires, scope="exact", size=self.checkpoint_limit, reserved=True)

    def _resource(self, resource: FileMessage, expires: float) -> FileMessage:
        limited = {**resource, "limit": self.limit, "timeout": self.timeout}
        if "container" in resource:
            return self._signed(limited, "container", "rl", expires, name=resource["prefix"], scope="prefix")
        if "checkpoint" in resource:
            return self._signed(limited, "checkpoint", "r", expires, scope="exact", reserved=True)
        return self._signed(limited, "url", "r", expires, scope="exact")

    def _output(self, output: FileMessage, expires: float) -> FileMessage:
        path = output["path"].strip("/")
        # what a variable of the task holds, a wildcard say, only the node knows
        scope: Scope = "exact" if path and not _MANY.search(output["pattern"]) else "tree"
        return self._signed(output, "url", "w", expires, name=path, scope=scope, size=self.output_limit)

    def _signed(
        self,
        file: FileMessage,
        key: str,
        permissions: str,
        expires: float,
        *,
        scope: Scope,
        name: str = "",
        size: int | None = None,
        reserved: bool = False,
    ) -> FileMessage:
        """`name`: below the address. `reserved`: it may lie in a container of ours. `patient`: it comes through the
        door, which opens again when the connection to the node is back."""
        url = file[key]
        if not url.startswith(_STORE):
            return file
        place = place_of(url, DOOR)
        if place.reserved and not reserved:
            return file  # checked specifications hold none; the door refuses it
        whole = "/".join(filter(None, (place.name.rstrip("/"), name))) if name else place.name
        if scope == "tree":
            whole = whole.rstrip("/")
        signed = self.signer.url(DOOR, place, permissions, expires, name=whole, scope=scope, size=size)
        return {**file, key: signed, "patient": True}


# -- checks ----------------------------------------------------------------------------------------------------


def invalid_resource(file: ResourceFile) -> str | None:
    """What is wrong with a resource file, or None."""
    named = (file.http_url, file.storage_container_url, file.auto_storage_container_name)
    if sum(each is not None for each in named) != 1:
        return "one of httpUrl, storageContainerUrl and autoStorageContainerName must be given, and only one"
    if file.http_url is not None:
        if file.blob_prefix is not None:
            return "blobPrefix goes with storageContainerUrl or autoStorageContainerName, not with httpUrl"
        fault = invalid_source(file.http_url, blob=True)
        if fault is None and not (file.file_path or _last(file.http_url)):
            return "filePath is needed: httpUrl does not end in a name"
    elif file.auto_storage_container_name is not None:
        fault = invalid_source(f"{SCHEME}{file.auto_storage_container_name}", blob=False)
    else:
        fault = invalid_source(file.storage_container_url or "", blob=False)
    return fault or invalid_path(file.file_path) or invalid_mode(file.file_mode)


def invalid_source(url: str, *, blob: bool) -> str | None:
    """Can files be had there? `blob`: one, else those of a container."""
    if not is_storage(url):
        return None if _is_http(url) else f"{_shown(url)!r} is no URL: http://, https:// or {SCHEME}CONTAINER/NAME"
    try:
        place = parse(url)
    except StorageUrlError as exc:
        return str(exc)
    if place.reserved:
        return _ours(place)
    if blob and not place.name:
        return f"{url!r} is a container; give it as storageContainerUrl, or name one blob ({url}/NAME)"
    if not blob and place.name:
        return f"{url!r} names a blob; give the container, and the name's beginning as blobPrefix"
    return None


def invalid_path(path: str | None) -> str | None:
    if path is not None and (not path or path.startswith("/") or "\0" in path or ".." in path.split("/")):
        return f"filePath {path!r} must be a relative path without '..'"
    if path is not None and len(path.encode("utf-8", "replace")) > NAME_LIMIT:
        return f"filePath {path[:80]!r}... is longer than {NAME_LIMIT} bytes"
    return None


def invalid_mode(mode: str | None) -> str | None:
    if mode is None or (1 <= len(mode) <= 4 and all(digit in "01234567" for digit in mode)):
        return None
    return f"fileMode {mode[:20]!r} must be octal, such as 0644"


def invalid_output(file: OutputFile) -> str | None:
    """What is wrong with an output file, or None."""
    if not file.file_pattern or "\0" in file.file_pattern:
        return "filePattern must not be empty"
    if _leads_out(file.file_pattern):
        return f"filePattern {file.file_pattern[:80]!r} leads out of the folder of the task; `../` is as far as it goes"
    to = file.destination.container
    url = to.container_url
    if is_storage(url):
        try:
            place = parse(url)
        except StorageUrlError as exc:
            return str(exc)
        if place.reserved:
            return _ours(place)
    elif not _is_http(url):
        return f"containerUrl {_shown(url)!r} is no URL: https:// (with a SAS), http:// or {SCHEME}CONTAINER"
    fault = invalid_name(to.path) if to.path else None
    if fault is not None:
        return f"path: {fault}"
    for header in to.upload_headers:
        if not header.name or not all(char.isalnum() or char in "-_" for char in header.name):
            return f"uploadHeaders: {header.name[:40]!r} is no name of a header"
        if any(char in "\r\n\0" for char in header.value) or not header.value.isascii():
            return f"uploadHeaders: the value of {header.name} must be one line of ASCII"
    return None


def _leads_out(pattern: str) -> bool:
    """Only what can be seen without the task's variables, and without knowing where the node has its folders."""
    if pattern.startswith(("/", "$")):
        return False
    depth = 1  # of the working directory below the task's folder
    for part in pattern.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False


def _ours(place: Place) -> str:
    return f"{SCHEME}{place.container}: containers whose names begin with {RESERVED!r} are the controller's own"


def _is_http(url: str) -> bool:
    scheme, _, rest = url.partition("://")
    if url.lower().startswith(DOOR):
        return False  # would be taken for an address that we have made
    return scheme.lower() in ("http", "https") and bool(rest) and url.isprintable() and " " not in url


def _shown(url: str) -> str:
    return url.partition("?")[0][:80]
