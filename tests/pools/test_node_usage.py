"""Metrics of what nodes use: averages over the nodes that told of late, kept for the formulas that name them."""

from dataclasses import dataclass
from math import isfinite

import msgspec
import pytest

from formula.variables import METRICS
from pools import NodeUsage, PoolSpec
from pools.node_usage import NODE_METRICS, UsageReports, sampled_metrics

from .machine import booted, machine, pass_time
from .nodes import node

NOW = 1000.0
AMOUNTS = [name for name in NodeUsage.__struct_fields__ if name not in ("seconds", "cpu_percent")]


@dataclass
class Told:
    """One node, what it told and when."""

    node_id: str
    at: float
    usage: NodeUsage
    booted: float | None = 900.0


def averages(*told, period=30.0, names=NODE_METRICS, silent=()):
    reports = UsageReports()
    for each in told:
        reports.put(each.node_id, each.usage, each.at)
    nodes = [node(each.node_id, boot_time=each.booted) for each in told]
    return reports.averages([*nodes, *map(node, silent)], names, period, NOW)


def test_node_metrics_are_the_formula_s_metrics_that_no_pool_knows():
    of_pools = {name for name in METRICS if "Task" in name or "Current" in name or "Preempted" in name}
    assert set(NODE_METRICS) == set(METRICS) - of_pools - {"$UsableNodeCount"}


def test_every_figure_has_its_unit():
    usage = NodeUsage(
        seconds=60.0,  # twice the period: half of what was counted belongs to one
        cpu_percent=12.5,
        memory_bytes=3 * 2.0**20,
        disk_bytes=2**29,
        disk_reads=2,
        disk_read_bytes=1024,
        disk_writes=4,
        disk_write_bytes=2048,
        network_in_bytes=600,
        network_out_bytes=60,
    )
    assert averages(Told("n", NOW, usage)) == {
        "$CPUPercent": 12.5,
        "$WallClockSeconds": 100.0,
        "$MemoryBytes": 3.0,
        "$DiskBytes": 0.5,
        "$DiskReadOps": 1.0,
        "$DiskReadBytes": 512.0,
        "$DiskWriteOps": 2.0,
        "$DiskWriteBytes": 1024.0,
        "$NetworkInBytes": 300.0,
        "$NetworkOutBytes": 30.0,
        "$SampleNodeCount": 1.0,
    }


def test_the_average_is_over_the_nodes_that_told_the_figure():
    told = [
        Told("a", NOW, NodeUsage(seconds=30, cpu_percent=10)),
        Told("b", NOW, NodeUsage(seconds=30, cpu_percent=40, disk_reads=7)),
        Told("c", NOW, NodeUsage(seconds=30), booted=None),
    ]
    found = averages(*told, silent=["d"])
    assert found == {
        "$CPUPercent": 25.0,
        "$WallClockSeconds": 100.0,
        "$DiskReadOps": 7.0,
        "$SampleNodeCount": 3.0,
    }
    assert averages(*told, names=["$CPUPercent"]) == {"$CPUPercent": 25.0}
    assert averages(silent=["a", "b"]) == {}
    assert averages() == {}


@pytest.mark.parametrize("period", [0.001, 30.0, 1e9])
def test_averages_are_finite_whatever_nodes_tell(period):
    # another number would stop the controller, and the next one from reading its samples
    most, longest, shortest = 2.0**64, 1e9, 1e-6
    told = [
        Told(str(number), NOW, msgspec.convert(dict.fromkeys(AMOUNTS, most) | {"seconds": seconds}, NodeUsage))
        for number, seconds in enumerate((shortest, longest) * 10)
    ]
    found = averages(*told, period=period)
    assert all(map(isfinite, found.values())) and len(found) == len(NODE_METRICS) - 1
    for beyond in ({"seconds": shortest / 2}, {"seconds": 2 * longest}, {"seconds": 1, AMOUNTS[0]: 2 * most}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(beyond, NodeUsage)


@pytest.mark.parametrize(
    ("age", "counts"),
    [(0.0, True), (30.0, True), (45.0, True), (45.001, False), (3000.0, False), (-1.0, False)],
)
def test_a_report_counts_for_its_period_and_a_little_longer(age, counts):
    found = averages(Told("a", NOW - age, NodeUsage(seconds=30, cpu_percent=50)))
    assert found.get("$SampleNodeCount") == (1.0 if counts else None)
    assert ("$CPUPercent" in found) is counts


@pytest.mark.parametrize(
    ("formula", "which", "names"),
    [
        (None, "named", ()),
        ("$TargetDedicatedNodes = $PendingTasks.GetSample(1);", "named", ()),
        ("a = $DiskReadBytes.Count(); b = avg($CPUPercent.GetSample(1));", "named", ("$CPUPercent", "$DiskReadBytes")),
        ("x = $SampleNodeCount.Count();", "named", ("$SampleNodeCount",)),
        (None, "all", NODE_METRICS),
        ("x = $CPUPercent.Count();", "all", NODE_METRICS),
    ],
)
def test_which_metrics_are_sampled(formula, which, names):
    assert sampled_metrics(formula, which) == names


FORMULA = """
$TargetDedicatedNodes = 1;
n = $SampleNodeCount.Count();
cpu = $CPUPercent.GetSample(10);
"""


def scaled(**settings):
    pools, context = machine(sample_period=10.0, sample_delay=0.0, minimum_evaluation_interval=1.0, **settings)
    spec = PoolSpec(id="p", vm_size="small", enable_auto_scale=True, auto_scale_formula=FORMULA)
    pools.add(spec, "x", "image", NOW)
    pass_time(pools, context, NOW)
    (member,) = context.nodes_of("p")
    booted(pools, member, NOW + 1)
    return pools, context, member.id


def seen(pools, now):
    return pools.evaluate("p", None, now).results


def test_a_formula_sees_the_samples_of_periods_in_which_a_node_told():
    pools, context, node_id = scaled()
    for at, percent in ((1011, 10), (1021, 20), (1041, 40)):
        pass_time(pools, context, at)
        pools.nodes.measured(node_id, NodeUsage(seconds=10, cpu_percent=percent), at)
    pass_time(pools, context, 1070.0)
    # sampled at 1000, 1010 (nothing told yet), 1020, 1030, 1040 (too long ago), 1050, 1060 and 1070 (too long ago)
    assert seen(pools, 1070.0).endswith("cpu=[40,20,10];n=3")


def test_samples_without_a_word_are_missing_not_zero():
    pools, context, _ = scaled()
    pass_time(pools, context, 1100.0)
    assert seen(pools, 1100.0).endswith("cpu=[];n=0")
    run = pools.evaluate("p", "x = $CPUPercent.GetSample(60 * TimeInterval_Second, 1);", 1100.0)
    assert run.error is not None and run.error.code == "InsufficientSampleData"


@pytest.mark.parametrize(("settings", "there"), [({}, False), ({"sample_node_metrics": "all"}, True)])
def test_a_formula_that_is_only_tried_sees_what_was_kept(settings, there):
    pools, context, node_id = scaled(**settings)
    pools.nodes.measured(node_id, NodeUsage(seconds=10, memory_bytes=2**20), 1009.0)
    pass_time(pools, context, 1010.0)
    values = "[1]" if there else "[]"
    assert pools.evaluate("p", "m = $MemoryBytes.GetSample(1);", 1010.0).results.endswith(f"m={values}")


def test_a_node_that_is_gone_is_forgotten():
    pools, context, node_id = scaled()
    pools.nodes.measured(node_id, NodeUsage(seconds=10, cpu_percent=1), 1002.0)
    pools.delete("p", 1002.0)
    pools.settle(1002.0)
    pools.nodes.departure.vm_destroyed(node_id, 1003.0)
    pools.nodes.measured(node_id, NodeUsage(seconds=10, cpu_percent=1), 1004.0)  # it was still on its way
    assert context.node_usage.averages([node(node_id)], NODE_METRICS, 10.0, 1004.0) == {}


def test_what_nodes_tell_is_not_journaled():
    pools, context, node_id = scaled()
    context.ledger.take()
    pools.nodes.measured(node_id, NodeUsage(seconds=10, cpu_percent=1), 1002.0)
    assert not context.ledger.dirty and not context.dirty
