"""Where a node is: its id alone is asked for, and requests name its pool as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .listing import oldest_first

if TYPE_CHECKING:
    from ..rest_objects import Objects, View


def pools_of(pool_id: str | None, found: Objects) -> list[str]:
    """The ids of all, or of the one, as it is spelled. Raises RequestRefused."""
    if pool_id is not None:
        return [found.one("pools", pool_id, query={"$select": "id"})["id"]]
    return [each["id"] for each in oldest_first(found.each("pools", query={"$select": "id,creationTime"}))]


def find_node(node_id: str, found: Objects) -> View:
    """All that is told of it, and its `poolId`. Raises RequestRefused."""
    from ..rest_objects import RequestRefused

    for pool_id in pools_of(None, found):
        try:
            return {"poolId": pool_id, **found.one("pools", pool_id, "nodes", node_id)}
        except RequestRefused as exc:
            if exc.code not in ("NodeNotFound", "PoolNotFound"):
                raise
    raise RequestRefused("NodeNotFound", f"there is no node {node_id!r}")


def path_of_node(node_id: str, found: Objects) -> tuple[str, str, str, str]:
    """The segments of its path, with the ids as they are spelled. Raises RequestRefused."""
    node = find_node(node_id, found)
    return "pools", node["poolId"], "nodes", node["id"]
