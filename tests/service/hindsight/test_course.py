"""Runs and passes in their order, and what is alike told once."""

import msgspec

from formula import PoolValues
from pools import BY_FORMULA, AutoScaleError, NodeDeallocationOption, PlannedAction, PlannerPass, RecordedRun
from service.cli.past_lines import pass_lines
from service.hindsight import Quiet, course


def run(time, before, after, failed=False):
    error = AutoScaleError("E", "no") if failed else None
    pool = PoolValues(target_dedicated=before)
    return RecordedRun("p", time, "", error, pool=pool, target_dedicated=after, target_low_priority=0)


def planned(time, target, *, did=False, held=()):
    actions = (PlannedAction(action="create", node_ids=("n",), reason="r"),) if did else ()
    return PlannerPass(
        pool_id="p",
        time=time,
        target_dedicated=target,
        target_low_priority=0,
        because=BY_FORMULA,
        actions=actions,
        held_back=held,
    )


def told(runs, passes, **options):
    return [
        (each.first.timestamp, each.last.timestamp, each.count)
        if isinstance(each, Quiet)
        else (each.time, "pass")
        if isinstance(each, PlannerPass)
        else each.timestamp
        for each in course(runs, passes, **options)
    ]


def test_what_the_planner_does_at_once_follows_the_run():
    assert told([run(5.0, 0, 2)], [planned(5.0, 2, did=True)]) == [5.0, (5.0, "pass")]


def test_runs_that_change_nothing_are_told_together():
    runs = [run(1.0, 0, 0), run(2.0, 0, 0), run(3.0, 0, 2), run(4.0, 2, 2), run(5.0, 2, 2), run(6.0, 2, 2)]
    assert told(runs, []) == [(1.0, 2.0, 2), 3.0, (4.0, 6.0, 3)]
    assert told(runs, [], every_run=True) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_failure_and_a_deed_part_them():
    runs = [run(1.0, 2, 2), run(2.0, 2, 2, failed=True), run(3.0, 2, 2), run(5.0, 2, 2)]
    passes = [planned(4.0, 2, did=True)]
    assert told(runs, passes) == [(1.0, 1.0, 1), 2.0, (3.0, 3.0, 1), (4.0, "pass"), (5.0, 5.0, 1)]


def test_other_targets_that_stand_part_them():
    """Somebody resized the pool between the two."""
    assert told([run(1.0, 2, 2), run(2.0, 3, 3)], []) == [(1.0, 1.0, 1), (2.0, 2.0, 1)]


def test_passes_that_tell_nothing_new_are_left_out():
    """A new controller tells once more what holds."""
    passes = [planned(1.0, 2, did=True), planned(2.0, 2), planned(3.0, 2, held=("x",)), planned(4.0, 3)]
    assert told([], passes) == [(1.0, "pass"), (3.0, "pass"), (4.0, "pass")]


# -- in words ---------------------------------------------------------------------------------------------------


def lines(*passes):
    befores = (None, *passes)
    return [list(pass_lines(found, before)) for found, before in zip(passes, befores, strict=False)]


def test_what_is_told_once_is_not_told_again():
    made = "ordered a dedicated node, n: r"
    assert lines(planned(1, 2, did=True, held=("x",)), planned(2, 2, did=True, held=("x", "y")), planned(3, 2)) == [
        [made, "orders no more at present: x"],
        [made, "orders no more at present: y"],
        ["is not held back any more"],
    ]


def test_targets_are_told_where_no_run_tells_them():
    drained = PlannerPass(pool_id="p", time=2, target_dedicated=0, target_low_priority=0, because="it is drained")
    assert lines(planned(1, 2), drained, planned(3, 2), planned(4, 5)) == [
        [],
        ["goes by no nodes: it is drained"],
        [f"goes by 2 dedicated: {BY_FORMULA}"],
        [],
    ]


def test_nodes_are_counted_by_their_kind():
    actions = (
        PlannedAction(action="create", node_ids=("a", "b"), reason="r", low_priority=True),
        PlannedAction(action="remove", node_ids=("c",), reason="s", option=NodeDeallocationOption.REQUEUE),
        PlannedAction(action="forget", node_ids=("d",), reason="t\x1b[2J", low_priority=True),
    )
    assert list(pass_lines(msgspec.structs.replace(planned(1, 2), actions=actions), None)) == [
        "ordered 2 low-priority nodes: r",
        "took out a dedicated node, c (requeue): s",
        "forgot a low-priority node, d: t\ufffd[2J",
    ]
