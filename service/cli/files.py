from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .ids import job_ids, task_ids
from .options import json_option, state_option
from .tell import tell

if TYPE_CHECKING:
    from runner import Journal

    from ..file_trees import Entry, Tree

_PIECE = 1 << 20
_RANGE = re.compile(r"(\d*)-(\d*)\Z", re.ASCII)


@click.command()
@click.argument("job", shell_complete=job_ids)
@click.argument("task", shell_complete=task_ids)
@click.argument("path", default="")
@click.option("--node", "of_node", is_flag=True, help="Files of a node: JOB is the pool then, TASK the node.")
@click.option("--recursive", "-r", is_flag=True, help="List what is in folders, too.")
@click.option("--range", "range_", metavar="FIRST-LAST", help="These bytes of it; -N: the last N.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the file there.")
@state_option
@json_option
def files(
    job: str,
    task: str,
    path: str,
    of_node: bool,
    recursive: bool,
    range_: str | None,
    output: Path | None,
    state: Path,
    as_json: bool,
) -> None:
    """List the files of a task, or print one of them (PATH).

    They are those of its present or last execution, on its node. When that is gone, there is what was kept: what the
    task printed. Files that are to outlive their node are output files of the task.
    """
    from runner import OutputStore, open_journal

    from ..file_trees import NO_CONTROLLER, Kept, TreeError, spellings
    from ..remote_files import NoController, connected
    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        with connected(state) as http:
            tree = _tree(http, journal, OutputStore(directory.outputs), of_node, job, task)
            asked = path.rstrip("/") if http is not None else spellings(path, tree.top)[-1]
            entry = _entry(tree, asked)
            if entry is not None and not entry.is_folder:
                _copy(tree, entry, _bounds(range_, entry.size), output)
                return
            if range_ is not None or output is not None:
                raise click.UsageError(f"{path or 'the task'} is a folder; name a file for --range and --output")
            entries, _ = tree.entries(entry.name if entry is not None else asked, recursive)
            if isinstance(tree, Kept) and tree.why == NO_CONTROLLER:
                _say_kept(entries)
            _list(entries, as_json)
    except TreeError as error:
        raise click.ClickException(str(error)) from None
    except NoController:
        raise click.ClickException("the controller has ended meanwhile; ask again") from None
    finally:
        journal.close()


def _tree(http: Any, journal: Journal, store: Any, of_node: bool, parent: str, id: str) -> Tree:
    from ..file_trees import node_tree, task_tree
    from ..remote_files import RemoteTree

    if http is None:
        return (node_tree if of_node else task_tree)(journal, store, None, parent, id)
    place = ("pools", parent, "nodes", id) if of_node else ("jobs", parent, "tasks", id)
    return RemoteTree(http, *place)


def _entry(tree: Tree, path: str) -> Entry | None:
    """None: the root, or a folder of which only files were kept."""
    from ..file_trees import TreeError

    if not path:
        return None
    try:
        return tree.entry(path)
    except TreeError:
        if tree.node_id is None and tree.entries(path, False)[0]:
            return None
        raise


def _bounds(text: str | None, size: int) -> tuple[int, int]:
    """The first byte, and that after the last."""
    if text is None:
        return 0, size
    found = _RANGE.match(text)
    if found is None or found[1] == found[2] == "":
        raise click.UsageError(f"--range must be FIRST-LAST, FIRST- or -N, not {text!r}")
    if not found[1]:
        return max(0, size - int(found[2])), size
    return int(found[1]), min(size, int(found[2]) + 1) if found[2] else size


def _copy(tree: Tree, entry: Entry, bounds: tuple[int, int], to: Path | None) -> None:
    """The file `to` appears whole or not at all."""
    if to is None:
        _pieces(tree, entry.name, bounds, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return
    partial = to.with_name(f"{to.name}.{os.getpid()}.part")
    try:
        with open(partial, "wb") as file:
            _pieces(tree, entry.name, bounds, file.write)
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)


def _pieces(tree: Tree, path: str, bounds: tuple[int, int], write: Callable[[bytes], Any]) -> None:
    at, end = bounds
    while at < end and (data := tree.read(path, at, min(_PIECE, end - at))):
        write(data)
        at += len(data)


def _say_kept(entries: list[Entry]) -> None:
    """What is listed is not all that is there."""
    from ..file_trees import NO_CONTROLLER

    if not entries:
        raise click.ClickException(f"{NO_CONTROLLER}; nothing of it is kept yet")
    tell(f"ebbtide: {NO_CONTROLLER}; this is what is kept", err=True)


def _list(entries: list[Entry], as_json: bool) -> None:
    from ..columns import columns
    from ..iso8601 import format_instant

    if as_json:
        told = [
            {
                "name": entry.name,
                "isDirectory": entry.is_folder,
                "contentLength": None if entry.is_folder else entry.size,
                "lastModified": format_instant(entry.modified),
                "fileMode": f"{entry.mode:#o}",
            }
            for entry in entries
        ]
        click.echo(json.dumps(told, indent=2))
        return
    rows = [("name", "bytes", "modified")]
    for entry in entries:
        size, name = ("-", _shown(entry.name) + "/") if entry.is_folder else (str(entry.size), _shown(entry.name))
        rows.append((name, size, format_instant(entry.modified)))
    click.echo("\n".join(columns(rows)) if entries else "no files")


def _shown(name: str) -> str:
    """A file name does not get to write other lines, or to move the cursor."""
    return name if name.isprintable() else json.dumps(name)
