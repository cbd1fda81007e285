"""The files of a task or a node that were kept, as a Tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from runner import Blob, Output, OutputStore, StoreError

from .stored_files import StoredFiles
from .tree import Entry, TreeError


class Kept:
    """What is left when the node is not there: the outputs that were brought in, and files in the object store."""

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
        stored: StoredFiles | None = None,
    ) -> None:
        """`outputs`: by file name; `why` the rest is not there (NO_CONTROLLER: it is, but nobody gets there).
        `unavailable`: the code that says so, where the rest may be had later; None: it is gone."""
        self._outputs = outputs
        self._stored = stored
        self._store = store
        self._ended = ended
        self._unavailable = unavailable
        self.why = why
        self.top = top

    def has(self, path: str) -> bool:
        return path in self._outputs or self._blob(path) is not None

    def entries(self, folder: str, recursive: bool, after: str = "") -> tuple[list[Entry], bool]:
        prefix = f"{folder}/" if folder else ""
        every = {name: entry for name, entry in self._every() if name.startswith(prefix)}
        found = {name: entry for name, entry in every.items() if recursive or "/" not in name[len(prefix) :]}
        if not recursive:
            folders = {prefix + name[len(prefix) :].split("/")[0] for name in every if name not in found}
            found |= {name: Entry(name, True, 0, self._ended, 0o755) for name in folders}
        if not found and (folder or self._unavailable is not None):
            raise self._gone(folder)
        return [found[name] for name in sorted(found) if name > after], False

    def _every(self) -> Iterator[tuple[str, Entry]]:
        if self._stored is not None:
            with _stored():
                yield from ((name, _of_blob(name, blob)) for name, blob in self._stored)
        yield from ((name, self._of_output(name, output)) for name, output in self._outputs.items())

    def entry(self, path: str) -> Entry:
        output = self._outputs.get(path)
        if output is not None:
            return self._of_output(path, output)
        blob = self._blob(path)
        if blob is None:
            raise self._gone(path)
        return _of_blob(path, blob)

    def _of_output(self, path: str, output: Output) -> Entry:
        return Entry(path, False, self._store.kept(output), self._ended, 0o644)

    def _blob(self, path: str) -> Blob | None:
        with _stored():
            return self._stored.find(path) if self._stored is not None else None

    def read(self, path: str, offset: int, length: int) -> bytes:
        output = self._outputs.get(path)
        if output is None and self._stored is not None:
            with _stored():
                piece = self._stored.read(path, offset, length)
            if piece or self._blob(path) is not None:
                return piece
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


def _of_blob(name: str, blob: Blob) -> Entry:
    return Entry(name, False, blob.size, blob.modified, 0o644)


@contextmanager
def _stored() -> Iterator[None]:
    try:
        yield
    except StoreError as exc:
        raise TreeError(409, "TaskFilesUnavailable", f"the object store: {exc}") from None
