"""Resource files and output files in a workload file."""

from __future__ import annotations

import re

from pools import ResourceFile
from runner import (
    OutputFile,
    OutputFileContainer,
    OutputFileDestination,
    invalid_output,
    invalid_resource,
    invalid_source,
    is_storage,
)

from .cursor import Cursor
from .problems import Problems

_MODE = re.compile(r"0?[0-7]{3,4}", re.ASCII)
_SIGNED = re.compile(r"[?&]sig=")


def check_files(owner: Cursor, problems: Problems) -> None:
    """Those of whatever runs a command."""
    for file in (*owner.each("resourceFiles"), *_of_all_instances(owner)):
        _resource_file(file, problems)
    for file in owner.each("outputFiles"):
        _output_file(file, problems)


def _of_all_instances(owner: Cursor) -> list[Cursor]:
    settings = owner.get("multiInstanceSettings")
    return settings.each("commonResourceFiles") if settings is not None else []


def _resource_file(file: Cursor, problems: Problems) -> None:
    before = len(problems.errors)
    source = file.get("httpUrl") or file.get("blobSource")
    url = file.text("httpUrl") or file.text("blobSource")
    if source is not None and url is not None:
        fault = invalid_source(url, blob=True)
        if fault is not None:
            problems.error(source.place, source.path, fault)
    container = file.get("storageContainerUrl")
    if container is not None:
        _hint_signature(container, file.text("storageContainerUrl") or "", problems)
    path = file.text("filePath")
    if path is not None and (path.startswith("/") or ".." in re.split(r"[/\\]", path) or not path):
        text = f"must be a path below the task's directory, without `..`: {path!r}"
        problems.error(file.place, f"{file.path}.filePath", text)
    mode = file.text("fileMode")
    if mode is not None and not _MODE.fullmatch(mode):
        problems.error(file.place, f"{file.path}.fileMode", f"must be an octal mode such as '0755', not {mode!r}")
    if len(problems.errors) > before:
        return
    spec = ResourceFile(
        http_url=url,
        storage_container_url=file.text("storageContainerUrl"),
        auto_storage_container_name=file.text("autoStorageContainerName"),
        blob_prefix=file.text("blobPrefix"),
        file_path=path,
    )
    fault = invalid_resource(spec)
    if fault is not None:
        problems.error(file.place, file.path, fault)


def _output_file(file: Cursor, problems: Problems) -> None:
    to = file.find("destination", "container")
    pattern, url = file.text("filePattern"), to.text("containerUrl") if to is not None else None
    if to is None or pattern is None or url is None:
        return  # it has been said that something is missing
    _hint_signature(to, url, problems)
    container = OutputFileContainer(container_url=url, path=to.text("path"))
    fault = invalid_output(OutputFile(file_pattern=pattern, destination=OutputFileDestination(container=container)))
    if fault is not None:
        problems.error(file.place, file.path, fault)


def _hint_signature(at: Cursor, url: str, problems: Problems) -> None:
    if ".blob.core." in url and not is_storage(url) and not _SIGNED.search(url):
        problems.warn(at.place, at.path, "has no SAS (?sv=...&sig=...); Azure Storage refuses what is not signed")
