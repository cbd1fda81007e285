"""The files of tasks, wherever the command is about: on a server, by way of a controller that works on the state, or
what that has kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .source import server_address

if TYPE_CHECKING:
    from ..tree import Tree

#: By the ids of a job and a task; may be called in any thread, and each tree belongs to one. Raises TreeError.
TreeOf = Callable[[str, str], "Tree"]


@contextmanager
def trees(state: Path, config: Path | None) -> Iterator[TreeOf]:
    """Raises StateError, JournalError, InputError."""
    from ..remote_files import NoController, RemoteTree, connected
    from ..rest_objects import Unanswered
    from ..rest_over_http import signed_client

    address = server_address()
    try:
        if address is not None:
            with signed_client(address) as client:
                yield lambda job_id, task_id: RemoteTree(client, "jobs", job_id, "tasks", task_id)
            return
        with connected(state) as http:
            if http is not None:
                yield lambda job_id, task_id: RemoteTree(http, "jobs", job_id, "tasks", task_id)
            else:
                with _kept(state, config) as tree_of:
                    yield tree_of
    except NoController as exc:
        who = f"the server {address.endpoint}" if address is not None else "the controller"
        raise click.ClickException(f"{who} cannot be reached: {exc}") from None
    except Unanswered as exc:
        raise click.ClickException(str(exc)) from None


@contextmanager
def _kept(state: Path, config: Path | None) -> Iterator[TreeOf]:
    """Without a controller."""
    from runner import OutputStore

    from ..file_trees import task_tree
    from ..state import StateDirectory
    from .listing import records
    from .storage_words import open_state

    with records(state) as journal:
        store, blobs = OutputStore(StateDirectory(state).outputs), open_state(state, config)
        yield lambda job_id, task_id: task_tree(journal, store, None, job_id, task_id, blobs)
