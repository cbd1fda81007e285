"""Where the files of a task or a node are: on the node as long as it is connected; else what was kept."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pools import Node, folded
from runner import Journal, LinkError, NodeFiles, Output, OutputStore

NO_CONTROLLER = "no controller works on this state, and nobody else reaches its nodes"


class TreeError(Exception):
    """A file cannot be had; `status` and `code` are those of the Batch REST API."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is relative to the tree; `size` in bytes, `modified` an Instant, `mode` the permission bits."""

    name: str
    is_folder: bool
    size: int
    modified: float
    mode: int


class Tree(Protocol):
    """Files below one folder. Every method takes its time, and raises TreeError."""

    #: what a node calls itself that answers; None: nothing but what was kept
    node_id: str | None
    #: the execution whose files these are; None: not those of a task
    execution: str | None
    #: its folder on the node, as an absolute path; None: nobody knows
    top: str | None

    def entries(self, folder: str, recursive: bool, after: str = "") -> tuple[list[Entry], bool]:
        """Below `folder`, in the order of their names, which are relative to the tree: the first ones behind `after`;
        and whether there are more."""

    def entry(self, path: str) -> Entry: ...
    def read(self, path: str, offset: int, length: int) -> bytes:
        """Fewer bytes only at the end of the file."""

    def delete(self, path: str, recursive: bool) -> None: ...


class OnNode:
    """On a node that is connected."""

    def __init__(
        self,
        files: NodeFiles,
        node_id: str,
        base: str,
        root: str | None = None,
        execution: str | None = None,
        kept: Kept | None = None,
    ) -> None:
        """`base`: relative to the node root; "" is the root. `root`: that, as an absolute path, if it is known. `kept`:
        what there is of files that are not there any more."""
        self._files = files
        self._base = base
        self._kept = kept
        self.node_id: str | None = node_id
        self.execution = execution
        self.top = top_of(root, base)

    def entries(self, folder: str, recursive: bool, after: str = "") -> tuple[list[Entry], bool]:
        place, prefix = self._place(folder), f"{folder}/" if folder else ""
        if after >= prefix and not after.startswith(prefix):
            return [], False
        found: list[dict[str, Any]]
        try:
            found, more = self._asked(lambda: self._files.list(place, recursive, after[len(prefix) :]), folder)
        except TreeError as error:
            if folder or error.status != 404:
                raise
            # it has not begun, or its folder was removed
            return self._kept.entries(folder, recursive, after) if self._kept is not None else ([], False)
        return [_entry(prefix + each["path"], each) for each in found], more

    def entry(self, path: str) -> Entry:
        place = self._place(path)
        try:
            return _entry(path, self._asked(lambda: self._files.stat(place), path))
        except TreeError:
            if self._kept is None or not self._kept.has(path):
                raise
            return self._kept.entry(path)

    def read(self, path: str, offset: int, length: int) -> bytes:
        place, into = self._place(path), io.BytesIO()
        try:
            self._asked(lambda: self._files.fetch(place, offset, length, into), path)
        except TreeError:
            if self._kept is None or not self._kept.has(path):
                raise
            return self._kept.read(path, offset, length)
        return into.getvalue()

    def delete(self, path: str, recursive: bool) -> None:
        place = self._place(path)
        self._asked(lambda: self._files.delete(place, recursive), path)

    def _place(self, path: str) -> str:
        if any(part in (".", "..") for part in path.split("/")):
            raise TreeError(404, "FileNotFound", f"{path!r}: `.` and `..` name no file here")
        return f"{self._base}/{path}".strip("/") if path else self._base

    def _asked(self, ask: Callable[[], Any], path: str) -> Any:
        try:
            return ask()
        except LinkError as error:
            if error.missing:
                raise TreeError(404, "FileNotFound", f"there is no {path!r} on node {self.node_id}") from None
            raise TreeError(409, "NodeNotReady", f"node {self.node_id}: {error}") from None


def _entry(name: str, stat: Mapping[str, Any]) -> Entry:
    return Entry(name, stat["dir"], stat["size"], stat["modified"], stat["mode"])


class Kept:
    """What is left when the node is not there: the outputs that were brought in."""

    node_id: str | None = None
    execution: str | None = None

    def __init__(
        self,
        outputs: Mapping[str, Output],
        store: OutputStore,
        ended: float,
        why: str,
        *,
        top: str | None = None,
        unavailable: str | None = None,
    ) -> None:
        """`outputs`: by file name; `why` the rest is not there (NO_CONTROLLER: it is, but nobody gets there).
        `unavailable`: the code that says so, where the rest may be had later; None: it is gone."""
        self._outputs = outputs
        self._store = store
        self._ended = ended
        self._unavailable = unavailable
        self.why = why
        self.top = top

    def has(self, path: str) -> bool:
        return path in self._outputs

    def entries(self, folder: str, recursive: bool, after: str = "") -> tuple[list[Entry], bool]:
        prefix = f"{folder}/" if folder else ""
        names = [name for name in self._outputs if name.startswith(prefix)]
        found = {name: self.entry(name) for name in names if recursive or "/" not in name[len(prefix) :]}
        if not recursive:
            folders = {prefix + name[len(prefix) :].split("/")[0] for name in names if name not in found}
            found |= {name: Entry(name, True, 0, self._ended, 0o755) for name in folders}
        if not found and (folder or self._unavailable is not None):
            raise self._gone(folder)
        return [found[name] for name in sorted(found) if name > after], False

    def entry(self, path: str) -> Entry:
        output = self._outputs.get(path)
        if output is None:
            raise self._gone(path)
        return Entry(path, False, self._store.kept(output), self._ended, 0o644)

    def read(self, path: str, offset: int, length: int) -> bytes:
        output = self._outputs.get(path)
        if output is None:
            raise self._gone(path)
        try:
            return self._store.piece(output, offset, length)
        except FileNotFoundError:
            raise TreeError(404, "FileNotFound", f"the kept {path!r} is no longer there") from None

    def delete(self, path: str, recursive: bool) -> None:
        raise TreeError(409, "TaskFilesUnavailable", f"{self.why}; what was kept of it stays")

    def _gone(self, path: str) -> TreeError:
        kept = f"kept of it: {', '.join(self._outputs)}" if self._outputs else "nothing of it was kept"
        text = f"{repr(path) if path else 'the list'} cannot be had: {self.why}; {kept}"
        return TreeError(409, self._unavailable, text) if self._unavailable else TreeError(404, "FileNotFound", text)


#: The files of a node that is connected; raises LinkError.
Reach = Callable[[str], NodeFiles]


def task_tree(journal: Journal, store: OutputStore, reach: Reach | None, job_id: str, task_id: str) -> Tree:
    """The files of the task's present or last execution. `reach`: None without a controller. Raises TreeError."""
    job = journal.job(job_id)
    if job is None:
        raise TreeError(404, "JobNotFound", f"there is no job {job_id!r}")
    task = journal.task((job.id, task_id))
    if task is None:
        raise TreeError(404, "TaskNotFound", f"job {job.id!r} has no task {task_id!r}")
    job_id, task_id = task.key
    node_id = task.node_id or task.last_node_id
    found = {
        f"{stream}.txt": output
        for stream in ("stdout", "stderr")
        if (output := journal.output("task", job_id, task_id, stream)) is not None
    }
    node = None
    if node_id is not None:
        node = next((node for node in journal.nodes() if node.id == node_id and not node.vm_gone), None)
    base, unavailable = f"{job.directory}/{task_id}", None
    if node_id is None:
        why = f"task {task_id!r} has not run" if task.state == "completed" else f"task {task_id!r} has not run yet"
    elif reach is None:
        why = NO_CONTROLLER if node is not None else f"node {node_id} is gone"
    else:
        try:
            files = reach(node_id)
        except LinkError as error:
            why, unavailable = str(error), "TaskFilesUnavailable" if node is not None else None
        else:
            # of a task that will run again, what was kept is of another execution
            rest = Kept(found, store, task.modified, "it was removed") if task.state == "completed" else None
            return OnNode(files, node_id, base, _root(node), task.execution_id, rest)
    top = top_of(_root(node), base)
    return Kept(found, store, task.end_time or task.modified, why, top=top, unavailable=unavailable)


def node_tree(journal: Journal, store: OutputStore, reach: Reach | None, pool_id: str, node_id: str) -> Tree:
    """All files of a node. `reach`: as above. Raises TreeError."""
    pool = journal.pool(pool_id)
    pool_id = pool.id if pool is not None else pool_id
    node = next((each for each in journal.nodes_of(pool_id) if folded(each.id) == folded(node_id)), None)
    node_id, unavailable = node_id if node is None else node.id, None
    if node is None:
        why = f"node {node_id} of pool {pool_id} is gone"
    elif reach is None:
        why = NO_CONTROLLER
    else:
        try:
            return OnNode(reach(node_id), node_id, "", _root(node))
        except LinkError as error:
            why, unavailable = str(error), "NodeNotReady" if not node.vm_gone else None
    kept = {
        "startup/stdout.txt": journal.output("starttask", pool_id, node_id, "stdout"),
        "startup/stderr.txt": journal.output("starttask", pool_id, node_id, "stderr"),
        "console.txt": journal.output("node", pool_id, node_id, "console.txt"),
    }
    found = {name: output for name, output in kept.items() if output is not None}
    if node is None and not found:
        raise TreeError(404, "NodeNotFound", f"pool {pool_id!r} has no node {node_id!r}, and nothing of one was kept")
    ended = node.state_time if node is not None else 0.0
    return Kept(found, store, ended, why, top=_root(node), unavailable=unavailable)


def _root(node: Node | None) -> str | None:
    return node.vm.node_root if node is not None and node.vm is not None else None


def top_of(root: str | None, base: str) -> str | None:
    """See Tree.top."""
    return f"{root}/{base}".rstrip("/") if root is not None else None


def spellings(path: str, top: str | None) -> list[str]:
    """What a client may mean by a path, the likeliest first; relative to the tree. Paths may be absolute, and those of
    clients on Windows have `\\` (which may stand in a name here). A `/` at the end counts for nothing."""
    found = []
    for each in (path, path.replace("\\", "/")):
        if top is not None and f"{each}/".startswith(f"{top}/"):
            each = each[len(top) :]
        found.append("/".join(part for part in each.split("/") if part not in ("", ".")))
    return list(dict.fromkeys(found))
