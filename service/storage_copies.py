"""Copying between local files and the object store: what goes where, and the copying itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner import Blob, ObjectStore, Place, StoreError, is_storage, parse_storage_url

_WILD = re.compile(r"[*?\[]")



class CopyError(ValueError):
    """What is to be copied cannot be; the message says why, and what could."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One file. `size` None: nobody knows before (standard input)."""

    source: Path | Place | None
    target: Path | Place | None
    size: int | None


def every(store: ObjectStore, place: Place) -> Iterator[Blob]:
    """Blobs of the container whose names begin with that of `place`, in order. Raises StoreError."""
    after: str | None = ""
    while after is not None:
        page = store.page(place.container, place.name, after)
        yield from page.blobs
        after = page.after


def chosen(store: ObjectStore, place: Place, recursive: bool) -> list[tuple[Blob, str]]:
    """The blobs that a place means, each with its name below what the place names: the blob itself; by wildcards (`*`
    and `?` within a part, `**` for any); `recursive`: all in that folder. Raises StoreError, CopyError.
    """
    if place.name and not place.name.endswith("/"):
        try:
            return [(store.stat(place.container, place.name), place.name.rpartition("/")[2])]
        except StoreError as exc:
            if exc.code != "BlobNotFound" or not (recursive or _WILD.search(place.name)):
                raise
    if _WILD.search(place.name):
        return _matching(store, place)
    if not recursive:
        raise CopyError(f"{place} is a container or folder; -r takes all in it")
    folder = place.name if not place.name or place.name.endswith("/") else f"{place.name}/"
    found = [(blob, blob.name[len(folder) :]) for blob in every(store, Place(place.container, folder))]
    if not found:
        raise CopyError(f"there is nothing in {place}")
    return found


def _matching(store: ObjectStore, place: Place) -> list[tuple[Blob, str]]:
    first = _WILD.search(place.name)
    assert first is not None
    static = place.name[: first.start()]
    folder = static[: static.rfind("/") + 1]
    pattern = re.compile(_translated(place.name), re.S)
    found = [
        (blob, blob.name[len(folder) :])
        for blob in every(store, Place(place.container, static))
        if pattern.fullmatch(blob.name)
    ]
    if not found:
        raise CopyError(f"nothing matches {place}")
    return found


def _translated(pattern: str) -> str:
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = ""
    for part in parts:
        if part in known:
            text += known[part]
        elif len(part) > 2 and part.startswith("["):
            inner = part[1:-1].replace("\\", r"\\").replace("[", r"\[")
            text += f"[^/{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
        else:
            text += re.escape(part)
    return text


def planned(store: ObjectStore, sources: tuple[str, ...], target: str, recursive: bool) -> list[Copy]:
    """Every copy, before the first is made. Raises CopyError, StoreError, StorageUrlError."""
    if is_storage(target):
        copies = list(_into_store(store, sources, parse_storage_url(target), recursive))
    else:
        copies = list(_out_of_store(store, sources, target, recursive))
    seen: set[object] = set()
    for copy in copies:
        if copy.target is not None and copy.target in seen:
            raise CopyError(f"two of the files would become {copy.target}; copy them to places of their own")
        seen.add(copy.target)
    return copies


def _into_store(store: ObjectStore, sources: tuple[str, ...], to: Place, recursive: bool) -> Iterator[Copy]:
    is_folder = not to.name or to.name.endswith("/")
    if len(sources) > 1 and not is_folder:
        raise CopyError(f"several files need a folder: write {to}/")

    def placed(name: str, alone: bool) -> Place:
        if alone and not is_folder:
            return to
        above = to.name if is_folder else f"{to.name}/"
        return Place(to.container, above + name)

    for source in sources:
        if source == "-":
            if is_folder:
                raise CopyError(f"standard input has no name; write {to}/NAME")
            yield Copy(None, to, None)
        elif is_storage(source):
            place = parse_storage_url(source)
            found = chosen(store, place, recursive)
            alone = len(found) == 1 and found[0][0].name == place.name
            for blob, name in found:
                yield Copy(Place(place.container, blob.name), placed(name, alone), blob.size)
        else:
            yield from _of_path(Path(source), placed, is_folder, recursive)


def _of_path(
    path: Path, placed: Callable[[str, bool], Place], is_folder: bool, recursive: bool
) -> Iterator[Copy]:
    if not path.is_dir():
        if not path.exists():
            raise CopyError(f"there is no file {path}")
        yield Copy(path, placed(path.name, True), path.stat().st_size)
        return
    if not recursive:
        raise CopyError(f"{path} is a folder; -r copies it with all in it")
    above = f"{path.resolve().name}/" if is_folder else ""
    for found in sorted(path.rglob("*")):
        if found.is_file() and not found.is_symlink():
            name = above + found.relative_to(path).as_posix()
            try:
                name.encode()
            except UnicodeEncodeError:
                raise CopyError(f"{found}: its name is not UTF-8; rename it") from None
            yield Copy(found, placed(name, False), found.stat().st_size)


def _out_of_store(store: ObjectStore, sources: tuple[str, ...], target: str, recursive: bool) -> Iterator[Copy]:
    local = next((source for source in sources if not is_storage(source)), None)
    if local is not None:
        raise CopyError(f"neither {local} nor {target} is in the object store; one of them must begin with storage://")
    to = Path(target)
    for source in sources:
        place = parse_storage_url(source)
        found = chosen(store, place, recursive)
        alone = len(sources) == 1 and len(found) == 1 and found[0][0].name == place.name
        for blob, name in found:
            if target == "-":
                path = None
            elif alone and not to.is_dir() and not target.endswith("/"):
                path = to
            else:
                path = to / _inside(blob, name)
            yield Copy(Place(place.container, blob.name), path, blob.size)


def _inside(blob: Blob, name: str) -> str:
    parts = name.split("/")
    if ".." in parts or "" in parts or "." in parts:
        raise CopyError(f"the blob {blob.name!r} would leave the folder; copy it alone, to a file of your own naming")
    return name
