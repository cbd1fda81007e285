"""What commands do with the files of tasks and nodes: find one, copy it, list them."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .tell import tell

if TYPE_CHECKING:
    from ..tree import Entry, Tree

_PIECE = 1 << 20
_RANGE = re.compile(r"(\d*)-(\d*)\Z", re.ASCII)


def spelled(tree: Tree, path: str) -> str:
    """The path as the tree has it: relative to it. A server knows more of that than we do."""
    from ..file_trees import spellings
    from ..remote_files import RemoteTree

    return path.rstrip("/") if isinstance(tree, RemoteTree) else spellings(path, tree.top)[-1]


def find(tree: Tree, path: str) -> Entry | None:
    """None: the root, or a folder of which only files were kept. Raises TreeError."""
    from ..tree import TreeError

    if not path:
        return None
    try:
        return tree.entry(path)
    except TreeError:
        if tree.node_id is None and tree.entries(path, False)[0]:
            return None
        raise


def bounds(text: str | None, size: int) -> tuple[int, int]:
    """The first byte, and that after the last. Raises UsageError."""
    if text is None:
        return 0, size
    found = _RANGE.match(text)
    if found is None or found[1] == found[2] == "":
        raise click.UsageError(f"--range must be FIRST-LAST, FIRST- or -N, not {text!r}")
    if not found[1]:
        return max(0, size - int(found[2])), size
    return int(found[1]), min(size, int(found[2]) + 1) if found[2] else size


def copy(tree: Tree, entry: Entry, part: tuple[int, int], to: Path | None) -> None:
    """The file `to` appears whole or not at all. None: standard output. Raises TreeError."""
    if to is None:
        _pieces(tree, entry.name, part, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return
    partial = to.with_name(f"{to.name}.{os.getpid()}.part")
    try:
        with open(partial, "wb") as file:
            _pieces(tree, entry.name, part, file.write)
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)


def _pieces(tree: Tree, path: str, part: tuple[int, int], write: Callable[[bytes], Any]) -> None:
    at, end = part
    while at < end and (data := tree.read(path, at, min(_PIECE, end - at))):
        write(data)
        at += len(data)


def say_kept(tree: Tree, entries: Sequence[Entry]) -> None:
    """Say so if what is listed is not all that is there. Raises ClickException if it is nothing."""
    from ..kept_tree import Kept
    from ..tree import NO_CONTROLLER

    if not isinstance(tree, Kept) or tree.why != NO_CONTROLLER:
        return
    if not entries:
        raise click.ClickException(f"{NO_CONTROLLER}; nothing of it is kept yet")
    tell(f"ebbtide: {NO_CONTROLLER}; this is what is kept", err=True)


def as_json(entry: Entry) -> dict[str, Any]:
    from ..iso8601 import format_instant

    return {
        "name": entry.name,
        "isDirectory": entry.is_folder,
        "contentLength": None if entry.is_folder else entry.size,
        "lastModified": format_instant(entry.modified),
        "fileMode": f"{entry.mode:#o}",
    }


def show_entries(entries: Sequence[Entry], json_wanted: bool) -> None:
    from ..columns import columns
    from ..iso8601 import format_instant

    if json_wanted:
        click.echo(json.dumps([as_json(entry) for entry in entries], indent=2))
        return
    rows = [("bytes", "modified", "name")]  # the longest of a thousand names widens no other line
    for entry in entries:
        size, name = ("-", _shown(entry.name) + "/") if entry.is_folder else (str(entry.size), _shown(entry.name))
        rows.append((size, format_instant(entry.modified), name))
    click.echo("\n".join(columns(rows)) if entries else "no files")


def _shown(name: str) -> str:
    """A file name does not get to write other lines, or to move the cursor."""
    return name if name.isprintable() else json.dumps(name)
