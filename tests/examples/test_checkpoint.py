"""The example of a long task: its node is taken back with notice, and it goes on where it was on the next one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from .world import EXAMPLES, ebbtide, running, wait

BLOCKS = 200


def test_it_goes_on_on_the_next_node(tmp_path: Path) -> None:
    copy = shutil.copytree(EXAMPLES / "checkpoint", tmp_path / "checkpoint")
    workload, state = copy / "workload.yaml", tmp_path / "state"
    text = workload.read_text()
    assert "value: 600" in text
    workload.write_text(text.replace("value: 600", f"value: {BLOCKS}"))

    def output() -> str:
        return ebbtide("logs", "checkpoint", "pi", state=state).stdout

    with running("run", workload, state=state) as run:
        wait(run, lambda: f"block 0 of {BLOCKS}" in output(), "the task to be at work")
        (node,) = json.loads(ebbtide("status", "--json", state=state).stdout)["nodes"]
        told = ebbtide("node", "preempt", node["id"], "--notice", "PT30S", state=state)
        assert (told.returncode, told.stdout) == (0, f"announced to {node['id']}\n"), told.stderr
        printed, _ = run.communicate(timeout=120)
        assert run.returncode == 0, printed
    assert "tasks: 1 succeeded (1 requeued)" in printed
    first, last = output().splitlines()
    found = re.fullmatch(rf"on (\w+): block (\d+) of {BLOCKS}", first)
    assert found is not None and found.group(1) != node["id"]
    assert 0 < int(found.group(2)) < BLOCKS
    assert last == "pi is about 3.141592"
