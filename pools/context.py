"""What the machines of this package share: the tables, the timers, the settings, and where commands go."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .commands import Command
from .ids import Ids
from .ledger import Ledger, Log, Table
from .model import Boot, Node, Pool, evolve
from .node_counts import NodeCounts
from .node_states import TRANSITIONS, NodeEvent, next_node_state
from .node_usage import UsageReports
from .planner_passes import PlannerPass
from .recorded_runs import RecordedRun
from .roster import Roster
from .sampling import Sample
from .settings import PoolSettings
from .spec import NodeDeallocationOption
from .spellings import NamedTable
from .timers import Timers
from .workload import Workload

#: Deleted pools that are remembered while the controller runs.
DEPARTED = 1000


#: A node's tasks come and go.
_OF_WORK = frozenset((NodeEvent.TASK_PLACED, NodeEvent.TASKS_ENDED))


class _Stirring(set[str]):
    """Notes in `stirred` who comes and who goes."""

    def __init__(self, stirred: set[str]) -> None:
        super().__init__()
        self._stirred = stirred

    def add(self, element: str, /) -> None:
        self._stirred.add(element)
        super().add(element)

    def discard(self, element: object, /) -> None:
        self._stirred.add(str(element))
        super().discard(element)


@dataclass
class Deployment:
    """Who we are to the clouds: every VM carries `id`; nodes let in the holder of `public_key` only."""

    id: str
    public_key: str


@dataclass
class Context:
    ledger: Ledger
    settings: PoolSettings
    ids: Ids
    deployment: Deployment
    commands: list[Command] = field(default_factory=list)
    timers: Timers = field(default_factory=Timers)
    #: set right after construction; the runner's side of the core
    workload: Workload = field(init=False)

    def __post_init__(self) -> None:
        self.pools: NamedTable[Pool] = NamedTable(self.ledger, "pools")
        self.nodes: Table[str, Node] = Table(self.ledger, "nodes")
        self.runs: Log[tuple[str, float], RecordedRun] = Log(self.ledger, "autoscale_runs")
        self.passes: Log[tuple[str, float], PlannerPass] = Log(self.ledger, "planner_passes")
        self.boots: Log[str, Boot] = Log(self.ledger, "boots")
        self.samples: Log[tuple[str, float], Sample] = Log(self.ledger, "samples")
        #: the last of those that are gone: what they have cost is asked for at the end of a run; not stored
        self.departed: deque[Pool] = deque(maxlen=DEPARTED)
        self._rosters: dict[str, Roster] = {}
        #: nodes of which somebody who gives them tasks must see anew whether they take any
        self.stirred: set[str] = set()
        #: nodes whose records have changed since somebody has looked what jobs still have to do there
        self.altered: dict[str, None] = {}
        #: pools that the planner must look at before the batch ends
        self.dirty: set[str] = set()
        #: pools whose nodes all leave until this controller ends, and how
        self.draining: dict[str, NodeDeallocationOption] = {}
        #: nodes with a live connection; not stored, a new controller connects anew
        self.connected: set[str] = _Stirring(self.stirred)
        #: the number of each node's newest connection, whether it stands, is being made, or will be when its timer
        #: rings: two at a time would be in each other's way, and what is told of an older one comes too late. Not
        #: stored either
        self.connections: dict[str, int] = {}
        #: the last numbers of those to VMs that nodes have had before
        self._past_connections: dict[str, int] = {}
        #: when this controller last missed some time: what was told before is as new as if it was told then
        self.resumed = 0.0
        #: by node: the last attempt of its start task that it has told to have begun; not stored either: what was
        #: reported to an earlier controller does not come to this one
        self.start_tasks_begun: dict[str, int] = {}
        #: what the nodes use, as they told last; not stored either
        self.node_usage = UsageReports()

    def load(self, pools: dict[str, Pool], nodes: dict[str, Node]) -> None:
        self.pools.load(pools)
        self.nodes.load(nodes)
        for node in nodes.values():
            self._register(None, node)

    def _register(self, old: Node | None, node: Node) -> None:
        self.roster(node.pool_id).put(old, node)
        self.stirred.add(node.id)
        self.altered[node.id] = None

    def roster(self, pool_id: str) -> Roster:
        found = self._rosters.get(pool_id)
        if found is None:
            found = self._rosters[pool_id] = Roster()
        return found

    def nodes_of(self, pool_id: str) -> Iterator[Node]:
        """The pool's nodes, oldest id first (the order is the same on every run)."""
        return map(self.nodes.__getitem__, tuple(self.roster(pool_id).ids))

    def node_count(self, pool_id: str) -> int:
        return len(self.roster(pool_id).ids)

    def counted(self, pool_id: str) -> NodeCounts:
        """The pool's nodes as Azure Batch counts them."""
        return self.roster(pool_id).counts

    def vm_count(self, pool_id: str) -> int:
        """How many of them have a VM."""
        return self.roster(pool_id).vms

    def boot_timeout(self, pool: Pool) -> float:
        """Seconds from the create call to a node that answers; its provider may know better."""
        own = self.settings.profile(pool.provider).boot_timeout
        return self.settings.boot_timeout if own is None else own

    def put_pool(self, pool: Pool) -> Pool:
        self.dirty.add(pool.id)
        return self.pools.put(pool.id, pool)

    def put_node(self, node: Node) -> Node:
        self._register(self.nodes.get(node.id), node)
        self.roster(node.pool_id).changes += 1
        self.dirty.add(node.pool_id)
        return self.nodes.put(node.id, node)

    def advance(self, node: Node, event: NodeEvent, now: float, **changes: Any) -> Node:
        """Let `event` happen to the node. Raises InvalidTransition."""
        state = TRANSITIONS.get((node.state, event)) or next_node_state(node.id, node.state, event, node.story)
        if event in _OF_WORK:  # neither the planner nor whoever gives tasks to nodes goes by it
            changed = evolve(node, now, state=state, **changes)
            self.roster(node.pool_id).put(node, changed)
            self.altered[node.id] = None
            return self.nodes.put(node.id, changed)
        if node.restart is not None:
            changes.setdefault("restart", None)
        return self.put_node(evolve(node, now, state=state, **changes))

    def start_over(self, node_id: str) -> None:
        """The node gets another VM: nothing that is told of connections to the last one counts."""
        self.connected.discard(node_id)
        self._past_connections[node_id] = self.connections.pop(node_id, 0)
        self.node_usage.forget(node_id)

    def connection_number(self, node_id: str) -> int:
        """That of the node's newest connection; of the first one to be, if there is none."""
        return self.connections.setdefault(node_id, self._past_connections.pop(node_id, 0) + 1)

    def remove_node(self, node: Node) -> None:
        next_node_state(node.id, node.state, NodeEvent.VM_GONE, node.story)
        self.roster(node.pool_id).remove(self.nodes[node.id])
        self.stirred.add(node.id)
        self.connected.discard(node.id)
        self.connections.pop(node.id, None)
        self._past_connections.pop(node.id, None)
        self.start_tasks_begun.pop(node.id, None)
        self.node_usage.forget(node.id)
        self.dirty.add(node.pool_id)
        self.nodes.remove(node.id)

    def remove_pool(self, pool: Pool) -> None:
        """None of its nodes is left."""
        self.departed.append(pool)
        self._rosters.pop(pool.id, None)
        self.draining.pop(pool.id, None)
        self.pools.remove(pool.id)

    def say(self, command: Command) -> None:
        self.commands.append(command)
