from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import click

from .asking import request_options
from .file_words import bounds, copy, find, say_kept, show_entries, spelled
from .ids import job_ids, task_ids
from .node_trees import NodeTreeOf, node_trees
from .source import server_address
from .trees import TreeOf, trees


@click.command()
@click.argument("job", shell_complete=job_ids)
@click.argument("task", shell_complete=task_ids)
@click.argument("path", default="")
@click.option("--node", "of_node", is_flag=True, help="Files of a node: JOB is the pool then, TASK the node.")
@click.option("--recursive", "-r", is_flag=True, help="List what is in folders, too.")
@click.option("--range", "range_", metavar="FIRST-LAST", help="These bytes of it; -N: the last N.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the file there.")
@request_options
def files(
    job: str,
    task: str,
    path: str,
    of_node: bool,
    recursive: bool,
    range_: str | None,
    output: Path | None,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """List the files of a task, or print one of them (PATH).

    They are those of its present or last execution, on its node. When that is gone, there is what was kept: what the
    task printed. Files that are to outlive their node are output files of the task.
    """
    from ..tree import TreeError

    if server_address() is None:
        _require(state)
    opened: AbstractContextManager[TreeOf | NodeTreeOf] = node_trees(state) if of_node else trees(state, config)
    try:
        with opened as tree_of:
            tree = tree_of(job, task)
            asked = spelled(tree, path)
            entry = find(tree, asked)
            if entry is not None and not entry.is_folder:
                copy(tree, entry, bounds(range_, entry.size), output)
                return
            if range_ is not None or output is not None:
                raise click.UsageError(f"{path or 'the task'} is a folder; name a file for --range and --output")
            entries, _ = tree.entries(entry.name if entry is not None else asked, recursive)
            say_kept(tree, entries)
            show_entries(entries, as_json)
    except TreeError as error:
        raise click.ClickException(str(error)) from None


def _require(state: Path) -> None:
    """Raises StateError."""
    from ..state import StateDirectory

    StateDirectory(state).require()

