"""Where the files of a task or a node are: on the node as long as it is connected; else what was kept."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from pools import Node, folded
from runner import Journal, LinkError, NodeFiles, ObjectStore, OutputStore

from .kept_tree import Kept
from .stored_files import StoredFiles, places_of
from .tree import NO_CONTROLLER, Entry, Tree, TreeError

__all__ = ["NO_CONTROLLER", "Entry", "Kept", "OnNode", "Reach", "Tree", "TreeError", "node_tree", "spellings",
           "task_tree", "top_of"]  # fmt: skip


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
            kept = self._left(path)
            if kept is None:
                raise
            return kept.entry(path)

    def read(self, path: str, offset: int, length: int) -> bytes:
        place, into = self._place(path), io.BytesIO()
        try:
            self._asked(lambda: self._files.fetch(place, offset, length, into), path)
        except TreeError:
            kept = self._left(path)
            if kept is None:
                raise
            return kept.read(path, offset, length)
        return into.getvalue()

    def delete(self, path: str, recursive: bool) -> None:
        place = self._place(path)
        self._asked(lambda: self._files.delete(place, recursive), path)

    def _left(self, path: str) -> Kept | None:
        """What was kept, if the file is in it and the whole folder is gone: what somebody has deleted stays so."""
        if self._kept is None or not self._kept.has(path):
            return None
        try:
            self._files.stat(self._base)
        except LinkError as error:
            return self._kept if error.missing else None
        return None

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


#: The files of a node that is connected; raises LinkError.
Reach = Callable[[str], NodeFiles]


def task_tree(
    journal: Journal,
    store: OutputStore,
    reach: Reach | None,
    job_id: str,
    task_id: str,
    blobs: ObjectStore | None = None,
) -> Tree:
    """The files of the task's present or last execution. `reach`: None without a controller. `blobs`: where its output
    files may be. Raises TreeError."""
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
    stored = None
    if blobs is not None and task.state == "completed" and (places := places_of(task)):
        stored = StoredFiles(blobs, places, task.start_time or task.modified)
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
            rest = None
            if task.state == "completed":
                rest = Kept(found, store, task.modified, "it was removed", stored=stored)
            return OnNode(files, node_id, base, _root(node), task.execution_id, rest)
    top = top_of(_root(node), base)
    ended = task.end_time or task.modified
    return Kept(found, store, ended, why, top=top, unavailable=unavailable, stored=stored)


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
