"""A controller on real local nodes, driven from a test: ask for things, wait for something, look at the store."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from pools import NodeDeallocationOption, PoolSpec
from providers import Provider, ProviderError, marked_processes
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
from service.provider_options import provider_options
from service.settings import Settings
from service.state import StateDirectory

#: Seconds that a test waits for anything before it fails: many, for a machine that is busy with other things.
PATIENCE = 180.0

T = TypeVar("T")

FAST = Settings(
    sample_period=timedelta(seconds=0.2),
    sample_delay=timedelta(0),
    vm_poll_interval=timedelta(seconds=0.5),
    connect_retry=timedelta(seconds=0.1),
    minimum_auto_scale_evaluation_interval=timedelta(seconds=0.2),
    minimum_recurrence_interval=timedelta(seconds=0.2),
    back_off_base=timedelta(seconds=0.2),
)


class World:
    """Use as a context manager; at its end every node is destroyed, and none of their processes may be left."""

    def __init__(self, directory: Path, settings: Settings = FAST) -> None:
        self.state = StateDirectory(directory)
        self.settings = settings
        #: asked on the engine's thread; those that say True are asked no more
        self._asked: list[Callable[[], bool]] = []
        self._asking = threading.Lock()
        self._failure: BaseException | None = None
        self.controller: Controller
        self._thread: threading.Thread

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.stop()
        finally:
            for provider in self.controller.providers.values():
                self._empty(provider)
            assert marked_processes(self.controller.deployment.id) == []

    def _empty(self, provider: Provider) -> None:
        end = time.monotonic() + PATIENCE
        while vms := provider.list_owned():
            for vm in vms:
                try:
                    provider.destroy(vm.name)
                except ProviderError:  # killed processes take their time on a busy machine
                    if time.monotonic() > end:
                        raise
            assert time.monotonic() < end, f"destroyed, and still listed: {vms}"

    def start(self) -> None:
        self._lock = self.state.lock()
        self._lock.__enter__()
        self.controller = self._new_controller()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _new_controller(self) -> Controller:
        return Controller(self.state, self.settings)

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
            self.controller.run(self._answer)
        except BaseException as exc:  # noqa: BLE001 - handed to the test's thread
            self._failure = exc

    def _answer(self) -> bool:
        """After every batch, which is committed by then."""
        with self._asking:
            self._asked = [ask for ask in self._asked if not ask()]
        return False

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
        """Wait until `holds`; it is asked after every batch, and now and then, for it may look at files too."""
        if not self._holds(holds, patience):
            raise AssertionError(f"waited {patience:g} s in vain for {what}; {self.look(self.describe)}")

    def look(self, question: Callable[[], T]) -> T:
        """The answer between two batches: all that a batch changes is there and committed, or nothing of it."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return question()
        answers: list[T] = []

        def answered() -> bool:
            answers.append(question())
            return True

        assert self._holds(answered, PATIENCE), "the engine is stuck"
        return answers[0]

    def _holds(self, holds: Callable[[], bool], patience: float) -> bool:
        """Whether it does in time. Raises what it raises, and what ended the engine."""
        held: Future[bool] = Future()

        def ask() -> bool:
            try:
                if not holds():
                    return False
            except BaseException as exc:  # noqa: BLE001 - handed to the test's thread
                held.set_exception(exc)
            else:
                held.set_result(True)
            return True

        with self._asking:
            self._asked.append(ask)
        end = time.monotonic() + patience
        while time.monotonic() < end and self._failure is None:
            self.controller.engine.post(Tick())
            try:
                return held.result(0.2)
            except TimeoutError:
                if held.done():
                    raise
        with self._asking:
            self._asked = [each for each in self._asked if each is not ask]
        if self._failure is not None:
            raise self._failure
        return False

    def wait_completed(self, job_id: str = "job", patience: float = PATIENCE) -> None:
        self.wait(
            lambda: all(t.state is TaskState.COMPLETED for t in self.tasks(job_id)), f"job {job_id} to end", patience
        )

    def tasks(self, job_id: str = "job") -> list[Any]:
        return self.controller.journal.tasks(job_id)

    def task(self, task_id: str = "t0", job_id: str = "job") -> Any:
        return next(task for task in self.tasks(job_id) if task.id == task_id)

    def nodes(self, pool_id: str = "pool") -> list[Any]:
        return self.look(lambda: list(self.controller.core.ctx.nodes_of(pool_id)))

    def kill_node(self, vm_name: str) -> None:
        """kill -9 of the process that is the node's machine."""
        base = Path(provider_options(self.state, self.settings)["local"]["baseDir"])
        machine = json.loads((base / vm_name / "node.json").read_text())
        os.kill(machine["pid"], signal.SIGKILL)

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
