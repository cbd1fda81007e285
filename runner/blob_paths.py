"""Where a blob of any name lies below its container's directory. Pure but for `walk`.

Each part of the name between slashes is one file or folder, percent-encoded where a file system could stumble. A
folder's name ends in `%`, so that the blobs `a` and `a/b` can both be; a leading dot is encoded, so that no blob is
hidden or leads upwards; a part too long for a file name is cut over several folders whose names end in `%%`.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

#: Characters of an encoded part of a name at most; file systems take 255 bytes.
_LONGEST = 200
_SAFE = " !'()+,-.;=@[]_{}~"
#: A blob whose name ends in a slash; no encoded part looks like this.
_EMPTY = "%-"


def path_of(name: str) -> str:
    """The relative path of the blob's file."""
    *folders, last = name.split("/")
    pieces: list[str] = []
    for folder in folders:
        *long, rest = _cut(_encoded(folder))
        pieces += [f"{piece}%%" for piece in long]
        pieces.append(f"{rest}%")
    *long, rest = _cut(_encoded(last))
    pieces += [f"{piece}%%" for piece in long]
    pieces.append(rest or _EMPTY)
    return "/".join(pieces)


def _encoded(part: str) -> str:
    text = quote(part, safe=_SAFE)
    return f"%2E{text[1:]}" if text.startswith(".") else text


def _cut(text: str) -> list[str]:
    pieces = []
    while len(text) > _LONGEST:
        at = _LONGEST
        while not _boundary(text, at):
            at -= 1
        pieces.append(text[:at])
        text = text[at:]
        if text.startswith("."):
            text = f"%2E{text[1:]}"
    pieces.append(text)
    return pieces


def _boundary(text: str, at: int) -> bool:
    """Neither inside an escape nor inside a character of several bytes."""
    if "%" in (text[at - 1], text[at - 2]):
        return False
    return not (text[at] == "%" and text[at + 1 : at + 2] in ("8", "9", "A", "B"))


def walk(top: Path, prefix: str, after: str) -> Iterator[tuple[str, str]]:
    """(name, path) of every blob whose name begins with `prefix` and is greater than `after`, in the order of names.

    A directory that is not there, or goes meanwhile, holds none.
    """
    return _walk(str(top), "", prefix, after)


def _walk(directory: str, above: str, prefix: str, after: str) -> Iterator[tuple[str, str]]:
    try:
        entries = list(os.scandir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    whole: list[tuple[str, int, str]] = []
    cut: list[tuple[str, int, str]] = []
    for entry in entries:
        kind, name = _decoded(entry.name)
        if kind is not None:
            (cut if kind == _CUT else whole).append((above + name, kind, entry.path))
    if not cut:
        yield from _below(sorted(whole), prefix, after)
        return
    # names below a cut may stand between those of another
    yield from heapq.merge(_below(sorted(whole), prefix, after), *(_below([each], prefix, after) for each in cut))


def _below(entries: list[tuple[str, int, str]], prefix: str, after: str) -> Iterator[tuple[str, str]]:
    for name, kind, path in entries:
        if kind == _FILE:
            if name > after and name.startswith(prefix):
                yield name, path
        elif (name.startswith(prefix) or prefix.startswith(name)) and not _passed(name, after):
            yield from _walk(path, name, prefix, after)


_FILE, _FOLDER, _CUT = 0, 1, 2


def _passed(above: str, after: str) -> bool:
    """Is every name that begins with `above` less than `after`?"""
    return above < after and not after.startswith(above)


def _decoded(entry: str) -> tuple[int | None, str]:
    """What a directory entry is, and how the names below it go on; None: none of ours."""
    if entry.startswith("."):
        return None, ""
    if entry == _EMPTY:
        return _FILE, ""
    if entry.endswith("%%"):
        return _CUT, unquote(entry[:-2])
    if entry.endswith("%"):
        return _FOLDER, unquote(entry[:-1]) + "/"
    return _FILE, unquote(entry)
