"""From committed changes to the lines of a timeline. Pure: `now` and the changes are handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pools import AutoScaleRun, Change, Changes, Node, Pool, Prefix
from runner import Job, JobSchedule, Output

from ..costs import paid, told
from ..iso8601 import format_duration
from ..money import money
from .job_node_lines import JobNodeLines
from .line import Line
from .outputs_text import shown
from .progress import Progress, Standing
from .schedule_text import how_often
from .silence import silence
from .tally import Tally
from .task_lines import MANY, TaskLines


class Timeline:
    def __init__(self, tally: Tally, *, outputs: bool = True) -> None:
        """`outputs`: show what tasks print, if it is short."""
        self.tally = tally
        self._outputs = outputs
        self._printed: dict[Any, Output] = {}
        #: multi-instance tasks that have printed all, and are told of when their other instances have ended
        self._ending: set[Any] = set()
        self._nodes: dict[str, Node] = {}
        self._tasks = TaskLines(lambda key, failed: self._output(key, failed=failed))
        #: of preparation and release tasks
        self._job_nodes = JobNodeLines(lambda key, failed: self._output(key, failed=failed))
        self._progress: dict[str, Progress] = {}
        self._jobs: dict[str, Job] = {}
        self._schedules: set[str] = set()
        self._pools: dict[str, Pool] = {}
        self._outcome: dict[str, tuple[Any, ...]] = {}

    def load(self, tables: Mapping[str, Iterable[Any]]) -> None:
        """What was there before: known, and told no more."""
        self.tally.load(tables)
        self._pools = dict(self.tally.pools)
        self._nodes = dict(self.tally.nodes)
        self._jobs = dict(self.tally.jobs)
        self._tasks.load(tables.get("tasks", ()))
        self._job_nodes.load(tables.get("job_nodes", ()))
        self._schedules = {schedule.id for schedule in tables.get("job_schedules", ())}

    def tell(self, changes: Changes, now: float, *, brief: bool = False) -> list[Line]:
        """What the changes mean. `brief`: tasks are only counted, because there are too many to tell; as those of large
        jobs always are. Failures are told all the same, the first ones."""
        counts = {pool_id: self.tally.node_count(pool_id) for pool_id in self._pools}
        for change in changes:
            self.tally.take(change, now)
            if change.table == "outputs" and change.record is not None and self._outputs:
                owner, parent, own, _, stream = change.key
                self._printed[owner, parent, own, stream] = change.record
        lines: list[Line] = []
        added: Counter[str] = Counter()
        for change in changes:
            if change.table != "tasks":
                lines += self._change(change, now)
            elif isinstance(change.key, Prefix):
                self._purged(change.key.parts[0])
            else:
                ending = change.record is not None and change.record.verdict is not None
                (self._ending.add if ending else self._ending.discard)(("task", *change.key))
                quiet = brief or self.tally.size(change.key[0]) > MANY
                lines += self._tasks.tell(change.key, change.record, added, now, quiet=quiet)
        for pool_id in self._pools:
            if self.tally.node_count(pool_id) != counts.get(pool_id, 0):
                lines += self._node_count(pool_id, now)
        for change in changes:  # whatever order they had
            if change.table == "nodes" and change.record is None:
                self._job_nodes.node_gone(change.key)
        self._printed = {key: output for key, output in self._printed.items() if key[:3] in self._ending}
        lines += [Line(now, f"job {name}", f"{count:,} tasks added") for name, count in added.items() if count > 1]
        return lines

    def _purged(self, job_id: str) -> None:
        """The job was deleted with all its tasks; what follows is of another one."""
        self._tasks.job_gone(job_id)
        self._progress.pop(job_id, None)
        self._ending = {key for key in self._ending if key[1] != job_id}

    def progress(self, job_id: str, now: float) -> tuple[Progress, Standing]:
        """How far the job is, noted for its rate."""
        standing = Standing.of(self.tally.counts(job_id))
        found = self._progress.get(job_id)
        if found is None:
            found = self._progress[job_id] = Progress(now, standing.done)
        found.note(now, standing.done)
        return found, standing

    def waits_for(self, job_id: str) -> str:
        """See JobNodeLines.under_way."""
        return self._job_nodes.under_way(job_id)

    def progress_lines(self, now: float) -> list[Line]:
        """How far large jobs are, now and then."""
        lines = []
        for job_id in self._jobs:
            if self.tally.size(job_id) > MANY:
                progress, standing = self.progress(job_id, now)
                if progress.due(now, standing):
                    text = progress.text(now, standing) + self._job_nodes.under_way(job_id)
                    lines.append(Line(now, f"job {job_id}", text, "bad" if standing.failed else ""))
        return lines

    def _change(self, change: Change, now: float) -> Iterator[Line]:
        table, key, record = change
        match table:
            case "pools":
                return self._pool(key, record, now)
            case "nodes":
                return self._node(key, record, now)
            case "autoscale_runs":
                return self._run(record)
            case "jobs":
                return self._job(key, record, now)
            case "job_nodes":
                return self._job_nodes.tell(record, now)
            case "job_schedules":
                return self._schedule(key, record)
        return iter(())

    # -- pools and nodes ------------------------------------------------------------------------------------

    def _pool(self, pool_id: str, pool: Pool | None, now: float) -> Iterator[Line]:
        before = self._pools.get(pool_id)
        subject = f"pool {pool_id}"
        if pool is None:
            self._pools.pop(pool_id, None)
            self._outcome.pop(pool_id, None)
            yield Line(now, subject, "deleted")
            return
        self._pools[pool_id] = pool
        if before is None:
            spec = pool.spec
            interval = format_duration(spec.auto_scale_evaluation_interval)
            how = f"sized by its formula every {interval}" if spec.enable_auto_scale else _nodes(*_targets(pool))
            yield Line(pool.created, subject, f"created: {spec.vm_size}, {how}")
        elif not pool.spec.enable_auto_scale and _targets(before) != _targets(pool):
            yield Line(now, subject, f"new target: {_nodes(*_targets(pool))}")
        for error in pool.resize_errors:
            if before is None or error not in before.resize_errors:
                yield Line(now, subject, f"{error.code}: {error.message}", "bad")

    def _run(self, run: AutoScaleRun) -> Iterator[Line]:
        targets, reason = _results(run.results)
        outcome = (targets, run.error.code) if run.error is not None else (targets, None)
        before = self._outcome.get(run.pool_id)
        self._outcome[run.pool_id] = outcome
        because = f"; {reason}" if reason else ""
        subject = f"pool {run.pool_id}"
        if run.error is not None:
            detail = tuple(f"{value.name}: {value.value}" for value in run.error.values)
            text = f"autoscale failed: {run.error.code}: {run.error.message}"
            yield Line(run.timestamp, subject, text, "bad", detail)
        elif outcome == before:
            yield Line(run.timestamp, subject, f"autoscale: no change{because}", "quiet")
        elif before is None or before[0] is None:
            yield Line(run.timestamp, subject, f"autoscale: {_nodes(*(targets or (0, 0)))}{because}")
        else:
            steps = [
                f"{kind} {old} -> {new}"
                for kind, old, new in zip(("dedicated", "low-priority"), before[0], targets or (0, 0), strict=True)
                if old != new
            ]
            what = ", ".join(steps) or "works again"
            yield Line(run.timestamp, subject, f"autoscale: {what}{because}", "good")

    def _node(self, node_id: str, node: Node | None, now: float) -> Iterator[Line]:
        before = self._nodes.get(node_id)
        subject = f"node {node_id}"
        if node is None:
            if before is None or self._nodes.pop(node_id).vm_gone:
                return
            never = before.state == "creating" and before.vm is None
            yield Line(now, subject, "no VM was made" if never else _gone(before, now))
            return
        self._nodes[node_id] = node
        if before is None:
            kind = "low-priority" if node.low_priority else "dedicated"
            kind = "dedicated stand-in" if node.fallback else kind
            yield Line(node.created, subject, f"ordered: {kind}, pool {node.pool_id}{self._placement(node)}")
        if node.state != (before.state if before is not None else "creating"):
            yield from self._node_state(node, before)
        yield from silence(node, before, now)
        if node.vm_gone and before is not None and not before.vm_gone:
            yield Line(now, subject, _gone(before, now))
        start = node.start_task
        if start is not None and start.state == "completed" and (before is None or before.start_task != start):
            end = start.end_time if start.end_time is not None else now
            took = f"{max(0.0, end - start.start_time):.1f} s"
            good = start.result == "success"
            code = f"exit code {start.exit_code}" if start.exit_code is not None else "not run"
            detail = self._output(("starttask", node.pool_id, node_id), failed=not good)
            yield Line(end, subject, f"start task {start.result}: {code}, {took}", "" if good else "bad", detail)

    def _node_state(self, node: Node, before: Node | None) -> Iterator[Line]:
        if node.state == "running" or (before is not None and (before.state, node.state) == ("running", "idle")):
            return  # every task would make two lines
        bad = node.state in ("unusable", "preempted", "starttaskfailed")
        text = str(node.state)
        if node.reason and (bad or node.state in ("leavingpool", "offline", "rebooting", "reimaging")):
            text += f": {node.reason}"
        elif before is None or before.state == "creating":  # the first state in which there is a VM
            text += _where(node)
        yield Line(node.state_time, f"node {node.id}", text, "bad" if bad else "")

    def _placement(self, node: Node) -> str:
        """Where it was asked for, if there is a choice."""
        pool = self._pools.get(node.pool_id)
        if node.zone is not None:
            return f", {node.size} in {node.zone}"
        return f", {node.size}" if pool is not None and node.size not in ("", pool.spec.vm_size) else ""

    def _node_count(self, pool_id: str, now: float) -> Iterator[Line]:
        pool = self.tally.pools.get(pool_id)
        count = self.tally.node_count(pool_id)
        nodes = f"{count} node{'' if count == 1 else 's'}"
        if pool is None or count:
            yield Line(now, f"pool {pool_id}", f"has {nodes}", "quiet")
            return
        amount = self.tally.used(pool, now)
        text = f"is at zero: {amount.seconds:.1f} node-seconds so far, cost {told(amount.cost)}"
        yield Line(now, f"pool {pool_id}", text, "good")

    # -- jobs and tasks -------------------------------------------------------------------------------------

    def _schedule(self, schedule_id: str, schedule: JobSchedule | None) -> Iterator[Line]:
        if schedule is None:
            self._schedules.discard(schedule_id)
            return
        if schedule_id in self._schedules:
            return
        self._schedules.add(schedule_id)
        yield Line(schedule.created, f"schedule {schedule_id}", f"created: {how_often(schedule.spec)}")

    def _job(self, job_id: str, job: Job | None, now: float) -> Iterator[Line]:
        subject = f"job {job_id}"
        before = self._jobs.get(job_id)
        self._job_nodes.job(job_id, job)
        if job is None:
            self._jobs.pop(job_id, None)
            return
        self._jobs[job_id] = job
        if before is None:
            yield Line(job.created, subject, f"created on pool {job.pool_id}")
        error = job.scheduling_error
        if error is not None and (before is None or error != before.scheduling_error):
            yield Line(now, subject, f"{error.code}: {error.message}", "bad")
        if job.state == "completed" and (before is None or before.state != "completed"):
            yield Line(job.end_time or now, subject, f"completed: {job.terminate_reason or 'no reason given'}")

    def _output(self, key: tuple[str, str, str], *, failed: bool) -> tuple[str, ...]:
        lines = shown(self._printed.get((*key, "stdout")))
        if failed:
            lines += shown(self._printed.get((*key, "stderr")))
        return lines


def _results(text: str) -> tuple[tuple[int, int] | None, str]:
    """The targets, and the formula's own variables, from the results of a run."""
    values = dict(part.partition("=")[::2] for part in text.split(";") if "=" in part)
    own = ", ".join(f"{name}={value}" for name, value in values.items() if not name.startswith("$"))
    try:
        return (int(values["$TargetDedicatedNodes"]), int(values["$TargetLowPriorityNodes"])), own
    except (KeyError, ValueError):
        return None, own


def _where(node: Node) -> str:
    """What its cloud has given: size, zone, price."""
    vm = node.vm
    if vm is None or vm.size is None:
        return ""
    zone = f" in {vm.zone}" if vm.zone is not None else ""
    price = f", {money(node.price_per_hour)} per hour" if node.price_per_hour else ""
    return f": {vm.size}{zone}{price}"


def _gone(node: Node, now: float) -> str:
    return f"gone after {now - node.created:.1f} s{paid(node, now)}"


def _targets(pool: Pool) -> tuple[int, int]:
    return pool.target_dedicated, pool.target_low_priority


def _nodes(dedicated: int, low_priority: int) -> str:
    return f"{dedicated} dedicated, {low_priority} low-priority nodes"
