"""What the live view shows on terminals of any width: ids and texts are cut, numbers are whole or not there."""

import io
from typing import Any

import pytest
from rich.console import Console

from pools import Node, Pool, PoolSpec
from runner import DoneTotals, Job, JobSpec, PoolInfo, Task, TaskSpec, TaskState
from runner.task_spec import packed
from service.views import Timeline
from service.views.live import LiveView
from service.views.tally import Tally

STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
LONG = "pages-of-the-whole-archive:job-12"


def live_view() -> LiveView:
    """Of a job that has 10,000 tasks, of which 4,900 are done, 50 of them in the last ten seconds."""
    job = Job(**STAMP, id=LONG, spec=JobSpec(id=LONG, pool_info=PoolInfo(pool_id=LONG)))
    spec = packed(TaskSpec(id="t", command_line="x"))
    tasks = [
        Task(
            **STAMP, job_id=LONG, id=f"t{n}", uid=f"u{n}", sequence=n, raw_spec=spec,
            state=TaskState.RUNNING if n < 8 else TaskState.ACTIVE,
        )
        for n in range(5100)
    ]  # fmt: skip
    pool = Pool(**STAMP, id=LONG, spec=PoolSpec(id=LONG, vm_size="small"), provider="local", target_dedicated=8)
    node = Node(**STAMP, id=f"node_5e2b52eefa2b_{LONG}", pool_id=LONG, vm_name="vm", low_priority=True)
    story = Timeline(Tally(100.0))
    story.load({"pools": [pool], "nodes": [node], "jobs": [job], "tasks": tasks})
    story.tally.known_done(LONG, DoneTotals(succeeded=4838, failed=12, cost=1.5))
    story.progress(LONG, 100.0)
    story.tally.known_done(LONG, DoneTotals(succeeded=50))
    view = LiveView(io.StringIO(), story, 100.0)
    view.close()
    return view


def drawn(view: LiveView, width: int) -> list[list[str]]:
    screen = io.StringIO()
    Console(file=screen, width=width).print(view._tables(110.0))
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return [line.split() for line in lines if line]


@pytest.mark.parametrize(
    ("width", "job"),
    [
        (160, [LONG, "active", "5,092", "8", "4,900", "of", "10,000", "(49%)", "12", "5.0/s", "17", "min", "1.50"]),
        (80, ["pages-of-the-w…", "active", "5,092", "8", "4,900", "of", "10,000", "(49%)", "12", "5.0/s", "17", "min"]),
        (72, ["pages-of-the…", "active", "5,092", "8", "4,900", "of", "10,000", "12", "5.0/s", "17", "min"]),
        (60, ["pages-of-the-wh…", "8", "4,900", "of", "10,000", "12", "5.0/s", "17", "min"]),
        (50, ["pages-of-the-…", "4,900", "of", "10,000", "12", "5.0/s", "17", "min"]),
        (40, ["pag…", "4,900", "of", "10,000", "12", "5.0/s", "17", "min"]),
    ],
)
def test_how_far_a_job_is(width, job):
    lines = drawn(live_view(), width)
    heads = next(line for line in lines if line[0] == "job")
    assert lines[lines.index(heads) + 1] == job
    assert heads[-1 if width < 160 else -2] == "left"


@pytest.mark.parametrize("width", [160, 80, 50])
def test_pools_and_nodes(width):
    lines = drawn(live_view(), width)
    pool, node = (next(at for at, line in enumerate(lines) if line[0] == head) for head in ("pool", "node"))
    assert "8+0" in lines[pool + 1] and lines[pool + 1][0].startswith("pages-of-the")
    assert "10 s" in " ".join(lines[node + 1])
    assert lines[node + 1][0].startswith("node_5e2b52")
