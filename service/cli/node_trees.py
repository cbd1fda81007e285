"""The files of nodes, wherever the command is about: as `trees` has those of tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .source import server_address

if TYPE_CHECKING:
    from ..tree import Tree

#: By the ids of a pool and a node. Raises TreeError.
NodeTreeOf = Callable[[str, str], "Tree"]


@contextmanager
def node_trees(state: Path) -> Iterator[NodeTreeOf]:
    """Raises StateError, JournalError."""
    from ..remote_files import NoController, RemoteTree, connected
    from ..rest_objects import Unanswered
    from ..rest_over_http import signed_client

    address = server_address()
    try:
        if address is not None:
            with signed_client(address) as client:
                yield lambda pool_id, node_id: RemoteTree(client, "pools", pool_id, "nodes", node_id)
            return
        with connected(state) as http:
            if http is not None:
                yield lambda pool_id, node_id: RemoteTree(http, "pools", pool_id, "nodes", node_id)
            else:
                with _kept(state) as tree_of:
                    yield tree_of
    except NoController as exc:
        who = f"the server {address.endpoint}" if address is not None else "the controller"
        raise click.ClickException(f"{who} cannot be reached: {exc}") from None
    except Unanswered as exc:
        raise click.ClickException(str(exc)) from None


@contextmanager
def _kept(state: Path) -> Iterator[NodeTreeOf]:
    """Without a controller."""
    from runner import OutputStore

    from ..file_trees import node_tree
    from ..state import StateDirectory
    from .listing import records

    with records(state) as journal:
        store = OutputStore(StateDirectory(state).outputs)
        yield lambda pool_id, node_id: node_tree(journal, store, None, pool_id, node_id)
