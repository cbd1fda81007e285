"""What a real controller writes down of its pools leads to the same again, also after another one has taken over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec

from formula import compile_formula
from pools import NodeState, RecordedRun
from runner import DeletePool, Journal
from service.hindsight import Kept, decide, needed_metrics, of_runs, run_again
from service.rest_in_records import records_way
from service.rest_objects import Objects

from .world import FAST, World

FORMULA = """
tasks = $PendingTasks.GetSamplePercent(TimeInterval_Second * 3) < 20 ? 0 : max($PendingTasks.GetSample(5));
cpu = avg($CPUPercent.GetSample(3)); chance = rand();
$TargetDedicatedNodes = min(2, tasks + $CurrentDedicatedNodes * 0);
"""


def test_every_run_can_be_gone_through_once_more(tmp_path: Path) -> None:
    # a second, so that what nodes use is sampled too
    settings = msgspec.structs.replace(FAST, sample_period=timedelta(seconds=1))
    with World(tmp_path / "state", settings) as world:
        world.pool(
            enable_auto_scale=True,
            auto_scale_formula=FORMULA,
            auto_scale_evaluation_interval=timedelta(seconds=0.5),
        )
        world.job("sleep 1", "sleep 2", "sleep 1")

        def runs() -> list[RecordedRun]:
            return list(world.controller.journal.past.runs("pool", 0, 1e11))

        def is_up() -> bool:
            return any(node.state is NodeState.IDLE for node in world.controller.core.ctx.nodes)

        world.wait(is_up, "a node that has done its work")
        before = len(runs())
        world.stop()
        world.start()  # the next one goes on with what is stored
        nodes = world.controller.core.ctx.nodes
        world.wait(lambda: len(runs()) > before + 4 and not len(nodes), "the end of its nodes")
        world.request(DeletePool("pool"))
        world.wait(lambda: not len(world.controller.core.ctx.pools), "the end of the pool")
        _look_at(world.controller.journal)


def _look_at(journal: Journal) -> None:
    """While a controller works on it."""
    with records_way(journal) as way:
        kept = Kept(Objects(way), "pool")
        runs, samples, passes = list(kept.runs()), list(kept.samples()), list(kept.passes())
        for run in runs:
            first, last = run.first_sample or 0.0, run.last_sample or 0.0
            again = run_again(run, (sample for sample in samples if first <= sample.time <= last))
            assert again.alike, (run, again)
        formula = compile_formula(FORMULA)
        decided = decide(formula, of_runs(runs, 0.0), list(kept.samples(metrics=needed_metrics(formula))))
        assert [each.targets[0] for each in decided] == [run.target_dedicated for run in runs]
        assert {run.target_dedicated for run in runs} >= {0, 2}
        ordered = [action for found in passes for action in found.actions if action.action == "create"]
        assert {node for action in ordered for node in action.node_ids}
        assert "target 2 dedicated, present 0" in {action.reason for action in ordered}
