"""What the store holds, as the core takes it over."""

from __future__ import annotations

import msgspec

from pools import Node, Pool, Sample

from .gone_ids import Gone
from .model import ApplicationPackage, Job, JobNode, JobSchedule
from .task_model import Task, TaskKey
from .task_tally import DoneTotals


class Stored(msgspec.Struct, kw_only=True):
    pools: dict[str, Pool] = {}
    nodes: dict[str, Node] = {}
    jobs: dict[str, Job] = {}
    #: those that are not completed
    tasks: dict[TaskKey, Task] = {}
    #: how the others ended, by job and id, of jobs that are not over (see Done)
    done: dict[str, dict[str, int]] = {}
    #: what completed tasks came to, by job
    totals: dict[str, DoneTotals] = {}
    #: the greatest of all tasks
    sequence: int = 0
    job_nodes: dict[tuple[str, str], JobNode] = {}
    #: of jobs alone
    gone: dict[TaskKey, Gone] = {}
    job_schedules: dict[str, JobSchedule] = {}
    applications: dict[tuple[str, str], ApplicationPackage] = {}
    samples: tuple[Sample, ...] = ()

    def latest(self) -> float:
        """The last time that is told of something that has happened; 0.0: nothing has."""
        kinds = (self.pools, self.nodes, self.jobs, self.job_schedules)
        changed = (record.modified for kind in kinds for record in kind.values())
        return max(max(changed, default=0.0), max((sample.time for sample in self.samples), default=0.0))
