"""The example of a task on several nodes at once: all three pass the token on, and none of their processes stays."""

from __future__ import annotations

import re
from pathlib import Path

from .world import EXAMPLES, ebbtide


def test_the_token_goes_round(tmp_path: Path) -> None:
    run = ebbtide("run", EXAMPLES / "mpi" / "workload.yaml", state=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "tasks: 1 succeeded\n" in run.stdout
    said = ebbtide("logs", "mpi", "ring", state=tmp_path).stdout
    nodes = re.findall(r"^[012]: (node\S+|\S+)$", said, re.M)
    assert len(set(nodes)) == 3, said
    assert "10 times round 3 nodes" in said
