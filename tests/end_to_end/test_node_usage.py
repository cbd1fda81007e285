"""What a real node uses comes to the formula of its pool."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import msgspec

from .world import FAST, World

FORMULA = """
$TargetDedicatedNodes = 1;
cpu = $CPUPercent.GetSample(1);
memory = $MemoryBytes.GetSample(1);
nodes = $SampleNodeCount.GetSample(1);
"""
SEEN = re.compile(r"cpu=\[([\d.]+)\];memory=\[([\d.]+)\];nodes=\[1\]")


def test_a_formula_gets_samples_of_what_its_node_uses(tmp_path: Path) -> None:
    # a node's word counts for a period and a half: long enough that even a slow machine samples in time
    settings = msgspec.structs.replace(FAST, sample_period=timedelta(seconds=1))
    with World(tmp_path / "state", settings) as world:
        world.pool(
            enable_auto_scale=True,
            auto_scale_formula=FORMULA,
            auto_scale_evaluation_interval=timedelta(seconds=0.5),
        )

        seen: list[re.Match[str]] = []

        def look() -> bool:
            run = world.controller.core.ctx.pools["pool"].autoscale_run
            if run is not None and (found := SEEN.search(run.results)):
                seen.append(found)
            return bool(seen)

        world.wait(look, "samples of what the node uses")
        cpu, memory = map(float, seen[0].groups())
        assert 0 <= cpu <= 100 and memory > 0
