"""A controller on real local nodes, driven from a test: ask for things, wait for something, look at the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pools import NodeDeallocationOption, PoolSpec
from providers import marked_processes
from runner import (
    AddJob,
    AddPool,
    Drain,
    Event,
    JobConstraints,
    JobSpec,
    Output,
    PoolInfo,
    TaskConstraints,
    TaskSpec,
    TaskState,
    Tick,
)
from service.controller import Controller
from service.settings import Settings
from service.state import StateDirectory

#: Seconds that a test waits for anything before it fails.
PATIENCE = 60.0

FAST = Settings(
    sample_period=timedelta(seconds=0.2),
    sample_delay=timedelta(0),
    vm_poll_interval=timedelta(seconds=0.5),
    connect_retry=timedelta(seconds=0.1),
    minimum_auto_scale_evaluation_interval=timedelta(seconds=0.2),
    minimum_recurrence_interval=timedelta(seconds=0.2),
    back_off_base=timedelta(seconds=0.2),
    keep_alive_interval=timedelta(seconds=1),
    connection_timeout=timedelta(seconds=3),
)


class World:
    """Use as a context manager; at its end every node is destroyed, and none of their processes may be left."""

    def __init__(self, directory: Path, settings: Settings = FAST) -> None:
        self.state = StateDirectory(directory)
        self.settings = settings
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self.controller: Controller
        self._thread: threading.Thread

    def __enter__(self) -> World:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.stop()
        finally:
            for provider in self.controller.providers.values():
                for vm in provider.list_owned():
                    provider.destroy(vm.name)
                assert provider.list_owned() == []
            assert marked_processes(self.controller.deployment.id) == []

    def start(self) -> None:
        self._lock = self.state.lock()
        self._lock.__enter__()
        self.controller = Controller(self.state, self.settings, observe=self._observe)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """End the controller; the nodes live on."""
        self.controller.engine.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the engine did not stop"
        self.controller.close()
        self._lock.__exit__(None, None, None)
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self.controller.run(lambda: False)
        except BaseException as exc:  # noqa: BLE001 - handed to the test's thread
            self._failure = exc
            self._observe(())

    def _observe(self, _: object) -> None:
        with self._changed:
            self._changed.notify_all()

    # -- asking ------------------------------------------------------------------------------------------------

    def request(self, event: Event) -> None:
        self.controller.engine.request(event).result(PATIENCE)

    def pool(self, pool_id: str = "pool", **properties: Any) -> None:
        spec = PoolSpec(id=pool_id, vm_size="local.small", **properties)
        self.request(AddPool(spec, "local", self.controller.providers["local"].images()[0].name))

    def job(
        self, *commands: str, job_id: str = "job", pool_id: str = "pool", retries: int = 0, **properties: Any
    ) -> None:
        """A job with a task per command line, called t0, t1, ..."""
        constraints = TaskConstraints(max_task_retry_count=retries)
        tasks = tuple(
            TaskSpec(id=f"t{n}", command_line=command, constraints=constraints) for n, command in enumerate(commands)
        )
        spec = JobSpec(id=job_id, pool_info=PoolInfo(pool_id=pool_id), constraints=JobConstraints(), **properties)
        self.request(AddJob(spec, tasks))

    def drain(self) -> None:
        """Every node leaves; waits until none is left."""
        self.request(Drain(NodeDeallocationOption.REQUEUE))
        self.wait(lambda: not self.nodes(), "all nodes to leave")

    # -- waiting and looking -----------------------------------------------------------------------------------

    def wait(self, holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Wait until `holds`; it is asked anew after every commit."""
        end = time.monotonic() + patience
        with self._changed:
            while not holds():
                if self._failure is not None:
                    raise self._failure
                left = end - time.monotonic()
                assert left > 0, f"waited {patience:g} s in vain for {what}; {self.describe()}"
                self._changed.wait(min(left, 0.2))

    def wait_completed(self, job_id: str = "job", patience: float = PATIENCE) -> None:
        self.wait(
            lambda: all(t.state is TaskState.COMPLETED for t in self.tasks(job_id)), f"job {job_id} to end", patience
        )
        self.request(Tick())  # answered after a commit, so what memory showed is in the journal now

    def tasks(self, job_id: str = "job") -> list[Any]:
        return [task for task in self.controller.core.tasks.tasks if task.job_id == job_id]

    def task(self, task_id: str = "t0", job_id: str = "job") -> Any:
        return next(task for task in self.tasks(job_id) if task.id == task_id)

    def nodes(self, pool_id: str = "pool") -> list[Any]:
        return list(self.controller.core.ctx.nodes_of(pool_id))

    def printed(self, task_id: str = "t0", stream: str = "stdout", job_id: str = "job") -> bytes:
        output: Output | None = self.controller.journal.output("task", job_id, task_id, stream)
        assert output is not None, f"no {stream} of {job_id}/{task_id} is kept"
        return b"".join(self.controller.outputs.read(output))

    def describe(self) -> str:
        core = self.controller.core
        tasks = [f"{t.job_id}/{t.id} {t.story}" for t in core.tasks.tasks if t.state is not TaskState.COMPLETED]
        nodes = [f"{n.id} {n.story}" for n in core.ctx.nodes]
        pools = [f"{p.id} {p.target_dedicated}+{p.target_low_priority} {p.resize_errors}" for p in core.ctx.pools]
        return f"pools {pools}; nodes {nodes}; open tasks {tasks[:5]} of {len(tasks)}"
