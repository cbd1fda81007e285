"""Output files of a task in the object store that can be had as files of the task when its node is gone.

They are those that go to a folder of the task's own: `containerUrl: storage://CONTAINER[/...]/JOB/TASK` without `path`,
by a pattern that stays in the working directory. Blobs there are called as the files are below that directory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runner import Blob, ObjectStore, Place, StorageUrlError, StoreError, is_storage, parse_storage_url

if TYPE_CHECKING:
    from runner import Task

#: The container of those of `ebbtide submit`.
OUTPUTS = "outputs"
#: Of the task's folder, as it is on a node.
_WORKING = "wd/"
#: Where a listing begins.
_FIRST: str | None = ""
#: Seconds by which the clock of a store may be behind ours, or cut its times off.
_BEHIND = 2.0


def folder_of(job_id: str, task_id: str) -> str:
    return f"{job_id}/{task_id}"


def places_of(task: Task) -> tuple[Place, ...]:
    """The folders of the task's own, without a slash at their ends; each once."""
    own, found = folder_of(task.job_id, task.id), dict[Place, None]()
    for file in task.spec.output_files:
        to = file.destination.container
        if to.path or not is_storage(to.container_url) or file.file_pattern.startswith(("/", "../")):
            continue
        try:
            place = parse_storage_url(to.container_url)
        except StorageUrlError:
            continue
        place = Place(place.container, place.name.rstrip("/"))
        if place.name == own or place.name.endswith(f"/{own}"):
            found[place] = None
    return tuple(found)


class StoredFiles:
    """Of one task, by their names below its folder: `wd/out/a.txt`. Every method raises StoreError."""

    def __init__(self, store: ObjectStore, places: tuple[Place, ...], since: float) -> None:
        """`since`: when the task's last attempt began; what is older was left by another."""
        self._store = store
        self._places = places
        self._since = since - _BEHIND

    def __iter__(self) -> Iterator[tuple[str, Blob]]:
        """In the order of places, and in each of names."""
        for place in self._places:
            above, after = f"{place.name}/", _FIRST
            while after is not None:
                page = self._store.page(place.container, above, after)
                yield from ((_WORKING + blob.name[len(above) :], blob) for blob in page.blobs if self._is_own(blob))
                after = page.after

    def find(self, name: str) -> Blob | None:
        found = self._at(name)
        return found[1] if found is not None else None

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Fewer bytes only at the end; none of what is not there."""
        found = self._at(name)
        if found is None or offset >= found[1].size:
            return b""
        place, blob = found
        return b"".join(self._store.read(place.container, blob.name, offset, min(length, blob.size - offset)))

    def _at(self, name: str) -> tuple[Place, Blob] | None:
        if not name.startswith(_WORKING):
            return None
        for place in self._places:
            try:
                blob = self._store.stat(place.container, f"{place.name}/{name[len(_WORKING):]}")
            except StoreError as exc:
                if exc.code not in ("BlobNotFound", "ContainerNotFound", "InvalidResourceName"):
                    raise
            else:
                if self._is_own(blob):
                    return place, blob
        return None

    def _is_own(self, blob: Blob) -> bool:
        return blob.modified > self._since and not blob.name.endswith("/")
