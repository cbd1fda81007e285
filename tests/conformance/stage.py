"""Where cases are played: one controller with local nodes for all of them, and pools that they share."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pools import NodeState, PoolError
from runner import (
    AddApplication,
    AddJob,
    AddJobSchedule,
    AddPool,
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    Event,
    JobError,
    put_blob,
    tidy_nodes,
)
from service.conflicts import without_tasks
from service.workload_file import LoadedWorkload, load_workload
from tests.end_to_end.world import World
from tests.service.offers import offers

from .case_files import Case, filled_in
from .matching import mismatch
from .requests import REQUESTS, of_schedule
from .views import View
from .web import Web

#: Pools that cases share, by name; made when a case first wants them.
POOLS: Mapping[str, dict[str, Any]] = {
    "one": {"targetDedicatedNodes": 1, "taskSlotsPerNode": 4},
    "single": {"targetDedicatedNodes": 1},
    "two": {"targetDedicatedNodes": 2, "taskSlotsPerNode": 2},
    "packed": {
        "targetDedicatedNodes": 2,
        "taskSlotsPerNode": 2,
        "taskSchedulingPolicy": {"nodeFillType": "pack"},
    },
    "cheap": {"targetLowPriorityNodes": 1, "taskSlotsPerNode": 2},
    "empty": {"targetDedicatedNodes": 0, "taskSlotsPerNode": 4},
}
#: Seconds that a case waits for anything. Far more than it takes, for a machine that is busy with other things, and for
#: container engines, which try again for some seconds each time.
PATIENCE = 60.0


class Stage:
    def __init__(self, world: World, web: Web, folder: Path) -> None:
        self.world = world
        self.web = web
        self._folder = folder
        self._pools: set[str] = set()

    # -- a case ----------------------------------------------------------------------------------------------

    def play(self, case: Case) -> None:
        if case.needs == "root" and os.getuid():
            pytest.skip("only root can run commands as other users")
        if case.needs == "user" and not os.getuid():
            pytest.skip("root can run commands as other users")
        job_id = f"case-{case.number}"
        pool_id = case.pool if isinstance(case.pool, str) else job_id
        folder = self._folder / job_id
        folder.mkdir()
        folder.chmod(0o777)
        names = {"@DIR@": str(folder), "@JOB@": job_id, "@POOL@": pool_id, "@WEB@": f"{self.web.address}/{job_id}"}
        case = filled(case, names)
        for name, text in case.storage.items():
            put_blob(self.world.controller.store, job_id, name, [text.encode()])
        self.web.given |= {f"/{job_id}/{name}": text.encode() for name, text in case.web.items()}
        view = View(self.world.controller, job_id, pool_id, folder, lambda: self._received(job_id))
        try:
            self._begin(case, job_id, pool_id, folder)
            for step in case.steps:
                self._take(dict(step), job_id, pool_id, folder, view)
            self._until(view, case.expect)
        finally:
            self._clear(job_id, case.pool == pool_id)

    def _received(self, job_id: str) -> dict[str, Any]:
        prefix = f"/{job_id}/"
        return {path[len(prefix) :]: put for path, put in self.web.received.items() if path.startswith(prefix)}

    # -- what is given ---------------------------------------------------------------------------------------

    def _begin(self, case: Case, job_id: str, pool_id: str, folder: Path) -> None:
        loaded = self._loaded(case, job_id, pool_id, folder)
        controller = self.world.controller
        spec = controller.vault.sealed(loaded.spec)
        for application in spec.applications:
            source = loaded.base / application.source
            package = controller.packages.add(application.id, application.version, source, controller.now())
            default = application.version == application.default_version
            self.world.request(AddApplication(msgspec.structs.replace(package, default=default)))
        for pool in spec.pools:
            if pool.id not in self._pools:
                self.world.request(AddPool(pool, "local", controller.providers["local"].images()[0].name))
                self._pools.add(pool.id)
                self._await_nodes(pool.id, pool.target_dedicated_nodes or 0, pool.target_low_priority_nodes or 0)
        for schedule in spec.job_schedules:
            self.world.request(AddJobSchedule(schedule))
        for job in spec.jobs:
            self.world.request(AddJob(without_tasks(job), job.tasks))

    def _loaded(self, case: Case, job_id: str, pool_id: str, folder: Path) -> LoadedWorkload:
        """The case as a workload file, with all that is checked there."""
        own = POOLS[case.pool] if isinstance(case.pool, str) else case.pool
        document: dict[str, Any] = {"pools": [{"id": pool_id, "vmSize": "local.small"} | own]}
        for application in case.applications:
            source = folder / _source(application)
            for name, text in application["source"].items():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_text(text)
        document["applications"] = [each | {"source": _source(each)} for each in case.applications]
        if case.job is not None:
            document["jobs"] = [{"id": job_id, "poolInfo": {"poolId": pool_id}} | case.job]
        if case.schedule is not None:
            document["jobSchedules"] = [of_schedule(job_id, pool_id, case.schedule)]
        path = folder / "workload.json"
        path.write_text(json.dumps(document))
        return load_workload(path, self.world.settings, offers())

    def _await_nodes(self, pool_id: str, dedicated: int, low_priority: int) -> None:
        """Until the nodes of a new pool take tasks, unless its start task is what the case is about."""
        wanted = dedicated + low_priority
        spec = self.world.look(lambda: self.world.controller.core.ctx.pools[pool_id].spec)
        if spec.start_task is None:
            self.world.wait(lambda: self._ready(pool_id) == wanted, f"pool {pool_id} to come up")

    def _ready(self, pool_id: str) -> int:
        ctx = self.world.controller.core.ctx
        return sum(node.state is NodeState.IDLE and node.id in ctx.connected for node in ctx.nodes_of(pool_id))

    def _clear(self, job_id: str, shared: bool) -> None:
        """Nothing of the case takes a slot from the next."""
        core = self.world.controller.core
        if self.world.look(lambda: core.schedules.schedules.get(job_id)) is not None:
            self._ask(DeleteJobSchedule(job_id))
        left = [job.id for job in self.world.look(lambda: list(core.jobs.jobs)) if job.id.startswith(job_id)]
        for each in left:
            self._ask(DeleteJob(each))
        mine = (job_id, f"{job_id}:", f"{job_id}-")

        def gone() -> bool:
            return not any(job.id == job_id or job.id.startswith(mine[1:]) for job in core.jobs.jobs)

        self.world.wait(gone, f"the jobs of {job_id} to be gone")
        if not shared and job_id in self._pools:
            self._ask(DeletePool(job_id))

    def _ask(self, event: Event) -> str | None:
        """The code of the refusal."""
        try:
            self.world.request(event)
        except (JobError, PoolError) as refusal:
            return refusal.code
        return None

    # -- what is done ----------------------------------------------------------------------------------------

    def _take(self, step: dict[str, Any], job_id: str, pool_id: str, folder: Path, view: View) -> None:
        refused = step.pop("refused", None)
        ((verb, value),) = step.items()
        match verb:
            case "until":
                self._until(view, value)
            case "check":
                fault = mismatch(value, self.world.look(lambda: view.seen(value)))
                assert fault is None, fault
            case "touch":
                (folder / value).touch()
            case "preempt" | "kill":
                self._end_node_of(job_id, value, verb)
            case "tidy":
                self._tidy(value)
            case "restart":
                self.world.stop()
                self.world.start()
            case _:
                value = filled_in(value, self._nodes_in(value, job_id))
                code = self._ask(REQUESTS[verb](job_id, pool_id, value))
                right = mismatch(refused, code) is None if refused else code is None
                assert right, f"{verb}: {code or 'granted'}, not {refused or 'granted'}"

    def _end_node_of(self, job_id: str, task_id: str, how: str) -> None:
        """The VM under the task goes: its cloud takes it back, or it dies."""
        node_id = self.world.task(task_id, job_id).node_id
        (name,) = self.world.look(
            lambda: [node.vm_name for node in self.world.controller.core.ctx.nodes if node.id == node_id]
        )
        if how == "preempt":
            self.world.controller.providers["local"].preempt(name)
        else:
            self.world.kill_node(name)

    def _nodes_in(self, value: Any, job_id: str) -> dict[str, str]:
        """The nodes of the tasks that a step names."""
        named = set(re.findall(r"@NODE\((\w+)\)@", json.dumps(value)))
        return {f"@NODE({each})@": self.world.task(each, job_id).last_node_id for each in named}

    def _tidy(self, seconds: float) -> None:
        """What the controller does every hour, so many seconds from now."""
        controller = self.world.controller
        nodes = self.world.look(lambda: sorted(controller.core.ctx.connected))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("runner.node_tidying.YOUNG", 0.0)
            tidy_nodes(nodes, controller.node_files, controller.journal, 0.0, controller.now() + seconds)

    def _until(self, view: View, expected: dict[str, Any]) -> None:
        last: list[str | None] = [None]

        def holds() -> bool:
            last[0] = mismatch(expected, view.seen(expected))
            return last[0] is None

        try:
            self.world.wait(holds, "what is expected", PATIENCE)
        except AssertionError as late:
            tasks = self.world.look(lambda: view.seen({"tasks": None, "job": None}))
            raise AssertionError(f"{last[0]}; {tasks}; {late}") from None


def _source(application: dict[str, Any]) -> str:
    return f"{application['id']}-{application.get('version', '')}"


def filled(case: Case, names: dict[str, str]) -> Case:
    """The case with what stands for the names of what it works with."""
    plain = filled_in(msgspec.to_builtins(case), names)
    return msgspec.convert(plain, Case)


def ids(found: Iterable[Case]) -> list[str]:
    return [f"{case.family}-{case.name}" for case in found]
