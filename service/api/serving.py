"""All handlers of the Batch REST API, over one controller."""

from __future__ import annotations

from . import absent
from .account import AccountOperations
from .application import Handler
from .applications import Applications
from .backend import Backend
from .files import Files
from .gone import Gone
from .jobs import Jobs
from .node_operations import NodeOperations
from .node_users import NodeUserOperations
from .nodes import Nodes
from .past import PastOfPools
from .pool_changes import PoolChanges
from .pools import Pools
from .schedules import Schedules
from .tasks import Tasks


def handlers(backend: Backend) -> dict[str, Handler]:
    pools = (Pools, PoolChanges, PastOfPools, Nodes, NodeOperations, NodeUserOperations)
    kinds = (*pools, Jobs, Tasks, Schedules, Gone, Files, Applications, AccountOperations)
    found: dict[str, Handler] = dict(absent.handlers())
    for kind in kinds:
        found |= kind(backend).handlers()
    return found
