"""The records of preparation and release tasks in memory: those of nodes that are there, of jobs that are not over. The
others are in the store alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pools import Ledger, Table

from .execution_ids import job_node_of, present_id
from .model import JobNode
from .task_model import TaskKey

Key = tuple[str, str]  # (job id, node id)


class JobNodeRecords:
    def __init__(self, ledger: Ledger) -> None:
        self.records: Table[Key, JobNode] = Table(ledger, "job_nodes")
        self._by_uid: dict[str, Key] = {}
        self._of_node: dict[str, dict[str, None]] = {}
        self._of_job: dict[str, dict[str, None]] = {}
        #: executions of tasks that wait for a preparation; nothing of them has been sent to their node
        self.waiting: dict[Key, dict[str, TaskKey]] = {}
        #: records to which something has happened since somebody has looked
        self.stirred: dict[Key, None] = {}

    def load_records(self, stored: Mapping[Key, JobNode], is_needed: Callable[[JobNode], bool]) -> None:
        needed = {key: record for key, record in stored.items() if is_needed(record)}
        self.records.load(needed)
        for record in needed.values():
            self._register(record)

    def put(self, record: JobNode) -> JobNode:
        if record.key not in self.records:
            self._register(record)
        self.stirred[record.key] = None
        return self.records.put(record.key, record)

    def _register(self, record: JobNode) -> None:
        self._by_uid[record.uid] = record.key
        self._of_node.setdefault(record.node_id, {})[record.job_id] = None
        self._of_job.setdefault(record.job_id, {})[record.node_id] = None

    def let_go(self, record: JobNode) -> None:
        """Nothing more will happen to it: it is in the store alone from now on."""
        self.records.let_go(record.key)
        self.waiting.pop(record.key, None)
        del self._by_uid[record.uid]
        for index, place, member in (
            (self._of_node, record.node_id, record.job_id),
            (self._of_job, record.job_id, record.node_id),
        ):
            members = index[place]
            del members[member]
            if not members:
                del index[place]

    # -- questions -------------------------------------------------------------------------------------------

    def has_records(self, node_id: str) -> bool:
        return node_id in self._of_node

    def with_records(self, node_ids: Iterable[str]) -> list[str]:
        """Those of the nodes of which there is any record."""
        return [node_id for node_id in node_ids if node_id in self._of_node] if self._of_node else []

    def on_node(self, node_id: str) -> list[JobNode]:
        return [self.records[job_id, node_id] for job_id in self._of_node.get(node_id, ())]

    def keys_on(self, node_id: str) -> list[Key]:
        return [(job_id, node_id) for job_id in self._of_node.get(node_id, ())]

    def of_job(self, job_id: str) -> list[JobNode]:
        return [self.records[job_id, node_id] for node_id in self._of_job.get(job_id, ())]

    def current(self, node_id: str, execution_id: str) -> JobNode | None:
        """The record whose task is under way under that name there; None: the report is stale."""
        key = self._by_uid.get(job_node_of(execution_id) or "")
        record = self.records[key] if key is not None else None
        if record is None or record.node_id != node_id or present_id(record) != execution_id:
            return None
        return record
