"""`file` of tasks and of nodes: list, show, download and delete what is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .asking import confirm, request_options, yes_option
from .figures import job, pool, schedule, task
from .file_words import as_json as entry_json
from .file_words import bounds, copy, find, say_kept, show_entries, spelled
from .ids import job_ids, node_ids, task_ids
from .listing import show
from .node import node
from .node_place import find_node
from .node_trees import node_trees
from .source import objects, refuse, server_address
from .trees import trees

if TYPE_CHECKING:
    from ..tree import Entry, Tree

#: The groups, with `file`.
__all__ = ["job", "node", "pool", "schedule", "task"]

F = TypeVar("F", bound=Callable[..., Any])

_path = click.argument("path", metavar="PATH")


@contextmanager
def _of_task(ids: dict[str, str], state: Path, config: Path | None) -> Iterator[Tree]:
    with trees(state, config) as tree_of:
        yield tree_of(ids["job_id"], ids["task_id"])


@contextmanager
def _of_node(ids: dict[str, str], state: Path, config: Path | None) -> Iterator[Tree]:
    with objects(state) as found:
        place = find_node(ids["node_id"], found)
    with node_trees(state) as tree_of:
        yield tree_of(place["poolId"], place["id"])


@contextmanager
def _opened(of_task: bool, ids: dict[str, str], way: tuple[Path, Path | None, bool]) -> Iterator[Tree]:
    """What cannot be had ends the command. Raises StateError, JournalError."""
    from ..rest_objects import RequestRefused
    from ..state import StateDirectory
    from ..tree import TreeError

    state, config, as_json = way
    if server_address() is None:
        StateDirectory(state).require()
    try:
        with (_of_task if of_task else _of_node)(ids, state, config) as tree:
            yield tree
    except TreeError as error:
        text = str(error)
        if error.code == "DirectoryNotEmpty":
            text = text.replace("?recursive=true", "--recursive")
        refuse(RequestRefused(error.code, text), as_json)


def _file(tree: Tree, path: str) -> Entry:
    """Raises TreeError, ClickException."""
    entry = find(tree, spelled(tree, path))
    if entry is None or entry.is_folder:
        raise click.ClickException(f"{path!r} is a folder: name a file in it (`list` tells which there are)")
    return entry


def _group(noun: str, where: Callable[[Any], Any], *, of_task: bool) -> click.Group:
    @click.group("file", help=f"Files of {noun}s: what is there, by way of their nodes.")
    def group() -> None: ...

    @group.command("list", help=f"Show the files of a {noun}, or those in a folder of it.")
    @where
    @click.argument("folder", metavar="[FOLDER]", default="")
    @click.option("--recursive", "-r", is_flag=True, help="List what is in folders, too.")
    @request_options
    def list_(
        folder: str, recursive: bool, state: Path, config: Path | None, as_json: bool, **ids: str
    ) -> None:
        with _opened(of_task, ids, (state, config, as_json)) as tree:
            asked = spelled(tree, folder)
            entry = find(tree, asked)
            if entry is not None and not entry.is_folder:
                show_entries([entry], as_json)
                return
            entries, _ = tree.entries(entry.name if entry is not None else asked, recursive)
            say_kept(tree, entries)
            show_entries(entries, as_json)

    @group.command("show", help=f"Show the properties of a file of a {noun}: its size, when it changed, its mode.")
    @where
    @_path
    @request_options
    def show_(path: str, state: Path, config: Path | None, as_json: bool, **ids: str) -> None:
        with _opened(of_task, ids, (state, config, as_json)) as tree:
            show(entry_json(tree.entry(spelled(tree, path))), as_json)

    @group.command("download", help=f"Copy a file of a {noun} to this machine, whole or not at all.")
    @where
    @_path
    @click.option(
        "--output", "-o", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
        help="Where to, or into which folder; - prints it. Default: here, under its own name.",
    )  # fmt: skip
    @click.option("--range", "range_", metavar="FIRST-LAST", help="These bytes of it; -N: the last N.")
    @click.option("--force", is_flag=True, help="Replace a file that is there.")
    @request_options
    def download(
        path: str,
        output: Path | None,
        range_: str | None,
        force: bool,
        state: Path,
        config: Path | None,
        as_json: bool,
        **ids: str,
    ) -> None:
        with _opened(of_task, ids, (state, config, as_json)) as tree:
            entry = _file(tree, path)
            part = bounds(range_, entry.size)
            if output is not None and str(output) == "-":
                if as_json:
                    raise click.UsageError("--json goes with a file that is written, and --output - prints it")
                copy(tree, entry, part, None)
                return
            to = _target(output, entry.name)
            if to.exists() and not force:
                raise click.ClickException(f"{to} is there already: give another --output, or --force to replace it")
            copy(tree, entry, part, to)
            if as_json:
                show({**entry_json(entry), "output": str(to)}, True)
            else:
                click.echo(f"{to}: {to.stat().st_size:,} bytes")

    @group.command("delete", help=f"Delete a file of a {noun} from its node, or a folder.")
    @where
    @_path
    @click.option("--recursive", "-r", is_flag=True, help="Delete a folder with all that is in it.")
    @yes_option
    @request_options
    def delete(
        path: str, recursive: bool, yes: bool, state: Path, config: Path | None, as_json: bool, **ids: str
    ) -> None:
        confirm("{}", [path], yes)
        with _opened(of_task, ids, (state, config, as_json)) as tree:
            tree.delete(tree.entry(spelled(tree, path)).name, recursive)
            if as_json:
                click.echo(json.dumps([{"id": path}], indent=2))
            else:
                click.echo(f"{path}: deleted")

    return group


def _target(output: Path | None, name: str) -> Path:
    own = Path(name).name
    if output is None:
        return Path(own)
    return output / own if output.is_dir() else output


def _task(command: F) -> F:
    job_id = click.argument("job_id", metavar="JOB", shell_complete=job_ids)
    return job_id(click.argument("task_id", metavar="TASK", shell_complete=task_ids)(command))


def _node(command: F) -> F:
    return click.argument("node_id", metavar="NODE", shell_complete=node_ids)(command)


task.add_command(_group("task", _task, of_task=True))
node.add_command(_group("node", _node, of_task=False))
