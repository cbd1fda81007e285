"""Brings what a job's tasks have printed, and files that were kept of them, into a local folder: DIR/TASK/NAME."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import NamedTuple

from .file_patterns import PatternError, below, means
from .rest_objects import View
from .tree import Entry, Tree, TreeError

#: Tasks whose files are brought at a time, and waiting for it.
_WORKERS, _QUEUED = 8, 64
#: Bytes that are asked for at a time.
_PIECE = 4 << 20
#: What everything prints.
_STREAMS = ("../stdout.txt", "../stderr.txt")
#: Seconds that times may differ by: of what is told in milliseconds.
_SAME = 0.002


class Brought(NamedTuple):
    """`error`: why the file, or all of the task ("") is not there. `there`: it was before, with size and time."""

    task_id: str
    name: str
    size: int
    there: bool = False
    error: str | None = None


def wanted_of(task: View, include: Sequence[str]) -> tuple[str, ...]:
    """Patterns: those that are asked for, else what it prints and its output files."""
    if include:
        return tuple(include)
    patterns = [each["filePattern"] for each in task.get("outputFiles", ())]
    return (*_STREAMS, *(each for each in patterns if not each.startswith("/")))


def download(
    tasks: Iterable[tuple[str, tuple[str, ...]]], tree_of: Callable[[str], Tree], target: Path
) -> Iterator[Brought]:
    """`tasks`: ids, with the patterns of what is wanted of each; what comes of each file, as it comes. Raises what
    `tree_of` raises but TreeError, and OSError if nothing can be written at all."""
    target.mkdir(parents=True, exist_ok=True)
    top, stopped = target.resolve(), Event()
    with ThreadPoolExecutor(_WORKERS) as pool:
        running = set()
        try:
            for task_id, patterns in tasks:
                running.add(pool.submit(_of_task, task_id, patterns, tree_of, top, stopped))
                if len(running) >= _QUEUED:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for each in done:
                        yield from each.result()
            for each in running:
                yield from each.result()
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


def _of_task(
    task_id: str, patterns: tuple[str, ...], tree_of: Callable[[str], Tree], top: Path, stopped: Event
) -> list[Brought]:
    try:
        tree = tree_of(task_id)
        entries = _entries(tree, patterns)
    except TreeError as exc:
        return [Brought(task_id, "", 0, error=f"{exc.code}: {exc}")]
    return [_bring(task_id, entry, tree, top, stopped) for entry in entries if not stopped.is_set()]


def _entries(tree: Tree, patterns: tuple[str, ...]) -> list[Entry]:
    """Files that one of the patterns means. Raises TreeError."""
    try:
        folders: dict[str, bool] = {}
        for pattern in patterns:
            folder, deep = below(pattern)
            folders[folder] = folders.get(folder, False) or deep
        found = {each.name: each for folder, deep in folders.items() for each in _listed(tree, folder, deep)}
        return [each for name, each in sorted(found.items()) if any(means(pattern, name) for pattern in patterns)]
    except PatternError as exc:
        raise TreeError(400, "InvalidPattern", str(exc)) from None


def _listed(tree: Tree, folder: str, deep: bool) -> Iterator[Entry]:
    after, more = "", True
    while more:
        try:
            entries, more = tree.entries(folder, deep, after)
        except TreeError as exc:
            if folder and exc.status == 404:
                return  # there is no such folder
            raise
        yield from (each for each in entries if not each.is_folder)
        more = more and bool(entries)
        after = entries[-1].name if entries else ""


def _bring(task_id: str, entry: Entry, tree: Tree, top: Path, stopped: Event) -> Brought:
    try:
        path = place_of(top, task_id, entry.name)
        if _is_there(path, entry):
            return Brought(task_id, entry.name, entry.size, there=True)
        _check_within(path.parent, top)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, tree, entry, stopped)
    except TreeError as exc:
        return Brought(task_id, entry.name, 0, error=f"{exc.code}: {exc}")
    except OSError as exc:
        return Brought(task_id, entry.name, 0, error=f"{exc.filename2 or exc.filename or top}: {exc.strerror or exc}")
    except ValueError as exc:
        return Brought(task_id, entry.name, 0, error=str(exc))
    return Brought(task_id, entry.name, entry.size)


def place_of(top: Path, task_id: str, name: str) -> Path:
    """Raises ValueError for a name that would lead to somewhere else."""
    for part in (task_id, *name.split("/")):
        if part in ("", ".", "..") or "\0" in part or "/" in part:
            raise ValueError(f"{name!r} of task {task_id!r} is no name of a file below a folder")
    return top.joinpath(task_id, *name.split("/"))


def _check_within(folder: Path, top: Path) -> None:
    """What there is of it leads nowhere else. Raises ValueError."""
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.resolve().is_relative_to(top):
        raise ValueError(f"{folder} leads out of {top}")


def _is_there(path: Path, entry: Entry) -> bool:
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return found.st_size == entry.size and abs(found.st_mtime - entry.modified) < _SAME and path.is_file()


def _write(path: Path, tree: Tree, entry: Entry, stopped: Event) -> None:
    """The file appears whole or not at all. Raises TreeError, OSError."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".ebbtide-", delete=False) as file:
        try:
            at = 0
            while at < entry.size and not stopped.is_set():
                piece = tree.read(entry.name, at, min(_PIECE, entry.size - at))
                if not piece:
                    break
                file.write(piece)
                at += len(piece)
            if at < entry.size:
                raise TreeError(409, "ServerBusy", f"{entry.name!r} became shorter while it was read; ask again")
            file.close()
            os.chmod(file.name, 0o644 | (entry.mode & 0o111))
            os.utime(file.name, (entry.modified, entry.modified))
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
