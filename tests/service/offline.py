"""A state that no controller has worked on yet, and commands on it in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from pools import PoolSpec, RandomIds
from runner import (
    AddApplication,
    AddJob,
    AddJobSchedule,
    AddPool,
    ApplicationPackage,
    Core,
    CoreSettings,
    Event,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    Journal,
    PoolInfo,
    Schedule,
    TaskSpec,
    open_journal,
)
from service.cli import main
from service.clock import now
from service.state import StateDirectory

POOL = PoolSpec(id="p", vm_size="small", target_dedicated_nodes=2)
INFO = PoolInfo(pool_id="p")


def job(job_id: str, *task_ids: str) -> AddJob:
    tasks = tuple(TaskSpec(id=task_id, command_line="work") for task_id in task_ids)
    return AddJob(JobSpec(id=job_id, pool_info=INFO), tasks)


def schedule(schedule_id: str) -> AddJobSchedule:
    manager = JobManagerTask(id="m", command_line="manage")
    specification = JobSpecification(pool_info=INFO, job_manager_task=manager)
    return AddJobSchedule(JobScheduleSpec(id=schedule_id, schedule=Schedule(), job_specification=specification))


def package(version: str) -> AddApplication:
    own: dict[str, Any] = {"application_id": "app", "version": version, "sha256": "0" * 64, "size": 5}
    return AddApplication(ApplicationPackage(**own, created=now()))


class Offline:
    """Call it with the words of a command."""

    def __init__(self, path: Path) -> None:
        self.directory = StateDirectory(path)
        self.directory.create(RandomIds().new)
        self.directory.key.make(nodes=0)
        self.journal: Journal = open_journal(self.directory.database_url)
        self.handle(AddPool(POOL, "local"), job("j", "a", "b"), job("k"), schedule("s"), package("1"), package("2"))

    def handle(self, *events: Event) -> None:
        core = Core(CoreSettings(), self.directory.deployment(), RandomIds())
        core.load(self.journal.load(0.0), now())
        for event in events:
            core.handle(event, now())
        self.journal.commit(core.take()[0])

    def __call__(self, *words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, [*words, "--state", str(self.directory.path)], input=stdin)

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def told(self, words: str) -> tuple[int, str]:
        """Of one that is refused: exit code, and the line on standard error."""
        result = self(*words.split())
        assert result.stdout == "", result.stdout
        return result.exit_code, result.stderr
