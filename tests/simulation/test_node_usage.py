"""A formula on the nodes' own figures, in virtual time: it grows under load, ebbs without, and bears lost samples."""

from datetime import timedelta

from pools import NodeUsage, PoolSettings, PoolSpec
from providers import SimulatedSettings
from runner import AddJob, AddPool, CoreSettings, JobSpec, PoolInfo, TaskSpec
from runner.simulated_node import Plan, SimulatedNode
from runner.simulation import START, Simulation

SETTINGS = CoreSettings(
    pools=PoolSettings(sample_period=10.0, sample_delay=0.0, minimum_evaluation_interval=1.0, vm_poll_interval=5.0)
)
#: One node more while the nodes are busy, one less while they idle; one to begin with.
FORMULA = """
known = $CPUPercent.GetSamplePercent(1 * TimeInterval_Minute) >= 50;
cpu = known ? avg($CPUPercent.GetSample(1 * TimeInterval_Minute, 50)) : 50;
$TargetDedicatedNodes = min(3, max(1, cpu > 80 ? $CurrentDedicatedNodes + 1
                                    : cpu < 20 ? $CurrentDedicatedNodes - 1 : $CurrentDedicatedNodes));
$NodeDeallocationOption = taskcompletion;
"""


def load(node: SimulatedNode) -> NodeUsage:
    return NodeUsage(seconds=node.sample_period, cpu_percent=100.0 * node.used / node.slots)


def simulation() -> Simulation:
    sim = Simulation(
        SETTINGS,
        lambda command: Plan(400.0),
        cloud_settings=SimulatedSettings(boot_delay=10.0),
        usage=load,
    )
    spec = PoolSpec(
        id="p",
        vm_size="simulated.small",
        enable_auto_scale=True,
        auto_scale_formula=FORMULA,
        auto_scale_evaluation_interval=timedelta(seconds=60),
    )
    added = sim.request(AddPool(spec, "simulated", "simulated"))
    assert sim.run(lambda: added.answered, START)
    return sim


def targets(sim: Simulation) -> int:
    return int(sim.journal.table("pools")["p"].target_dedicated)


def cpu(sim: Simulation) -> list[float | None]:
    """The metric in the samples so far, None where it is missing."""
    samples = sorted(sim.journal.table("samples").values(), key=lambda sample: sample.time)
    return [sample.values.get("$CPUPercent") for sample in samples]


def test_the_pool_follows_its_load() -> None:
    sim = simulation()
    tasks = tuple(TaskSpec(id=f"t{n}", command_line="work") for n in range(6))
    sim.request(AddJob(JobSpec(id="j", pool_info=PoolInfo(pool_id="p")), tasks))
    assert sim.run(lambda: targets(sim) == 3, START + 900)
    assert sim.run(lambda: targets(sim) == 1, START + 3600)
    done = [task.state for task in sim.journal.table("tasks").values()]
    assert done == ["completed"] * 6
    told = [percent for percent in cpu(sim) if percent is not None]
    assert max(told) == 100.0 and told[-1] == 0.0
    assert all(0 <= percent <= 100 for percent in told)


def test_samples_are_missing_while_nobody_hears_the_nodes() -> None:
    sim = simulation()
    sim.run(lambda: False, START + 120)
    assert cpu(sim)[0] is None and cpu(sim)[-1] == 0.0
    heard = len(cpu(sim))
    sim.crash()
    sim.run(lambda: False, START + 240)
    later = cpu(sim)[heard:]
    assert None in later[:3], "a new controller knows nothing of what nodes told the one before"
    assert later[-3:] == [0.0, 0.0, 0.0]
    heard = len(cpu(sim))
    sim.world.kill_vm(next(iter(sim.world.nodes)))
    sim.run(lambda: False, START + 360)
    later = cpu(sim)[heard:]
    assert None in later[1:5], "a dead node's last word does not count for long"
    assert later[-3:] == [0.0, 0.0, 0.0], "the node that came instead tells as well"
