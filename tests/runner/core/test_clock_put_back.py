"""The clock of a controller's machine is put back while no controller works: nothing waits longer for it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pools import NodeState
from providers import VmState
from runner import AddPool, JobConstraints
from runner.simulation import START
from runner.simulation_faults import Faults
from runner.stored import Stored
from tests.simulation.settings import FORMULA

from .run import SETTINGS, ask, job, job_of, node_of, simulation, task, tasks_of, until
from .schedules import DAY, HOUR, begun, jobs_of, rest

MINUTE = 60.0
#: A pool's formula is evaluated so often.
INTERVAL = 300.0
OFTEN = replace(SETTINGS, pools=replace(SETTINGS.pools, sample_period=10.0, sample_delay=20.0))


class Quick(Faults):
    def latency(self, kind):
        return 1e-3 if kind == "restart" else super().latency(kind)


def restart(sim, back):
    """Of the controller, with the clock put back by so many seconds while it is off."""
    sim.faults = Quick()
    sim.crash()
    agenda = sim._agenda
    sim.now -= back
    sim.asleep = sim.now
    sim._agenda = sorted((when - back, number, action) for when, number, action in agenda)
    assert sim.run(lambda: sim.core is not None, sim.now + 1.0)
    return sim.now


@pytest.mark.parametrize("back", [0.0, HOUR, DAY, 400 * DAY], ids=str)
def test_a_pool_grows_as_soon_as_ever(back):
    sim = simulation(settings=OFTEN, target_dedicated_nodes=None, enable_auto_scale=True, auto_scale_formula=FORMULA,
                     auto_scale_evaluation_interval=timedelta(seconds=INTERVAL))  # fmt: skip
    ask(sim, job("first", task("a")))
    until(sim, lambda: tasks_of(sim, "first")["a"].state == "completed")
    until(sim, lambda: not sim.journal.table("nodes"), HOUR)
    began = restart(sim, back)
    ask(sim, job("second", task("a")))
    until(sim, lambda: tasks_of(sim, "second")["a"].state == "completed", 2 * INTERVAL)
    samples = [time for _, time in sim.journal.table("samples")]
    assert max(samples) <= sim.now, "a sample of a time to come would be taken for a new one some day"
    assert sum(time >= began for time in samples) >= (sim.now - began) // 10.0


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"failures": 3, "retry_at": START + 20.0}, 20.0),
        ({"refusals": 2, "retry_at": START + 10.0}, 10.0),
        ({"no_capacity": {"simulated.small dedicated": START + 300.0}}, 300.0),
    ],
)
def test_no_pause_is_longer(changes, seconds):
    sim = simulation(target_dedicated_nodes=0)
    pools = sim.journal.table("pools")
    pools["p"] = replace(pools["p"], target_dedicated=1, **changes)
    began = restart(sim, DAY)
    until(sim, lambda: sim.journal.table("nodes"), 2 * seconds)
    assert sim.now - began == pytest.approx(seconds, abs=1.0)


def test_a_pool_that_does_not_reach_its_size_says_so_in_time():
    sim = simulation(target_dedicated_nodes=0, resize_timeout=timedelta(minutes=5))
    pools = sim.journal.table("pools")
    pools["p"] = replace(pools["p"], target_dedicated=1, resize_started=sim.now, allocation_state="resizing",
                         broken_since=sim.now)  # fmt: skip
    restart(sim, DAY)
    until(sim, lambda: sim.journal.table("pools")["p"].resize_errors, 6 * MINUTE)


def test_a_vm_that_is_gone_is_missed_at_once():
    sim = simulation()
    until(sim, lambda: node_of(sim).state is NodeState.IDLE)
    first = node_of(sim)
    sim.world.cloud.destroy(first.vm_name)
    until(sim, lambda: all(vm.state is VmState.TERMINATED for vm in sim.world.cloud.everything()))
    restart(sim, DAY)
    until(sim, lambda: first.id not in sim.journal.table("nodes"), 3 * MINUTE)


@pytest.mark.parametrize("back", [0.0, HOUR / 2, DAY], ids=str)
def test_a_job_has_no_more_time_than_its_own_once_more(back):
    sim = simulation({"a": [(10 * DAY, 0)]})
    ask(sim, job("j", task("a"), constraints=JobConstraints(max_wall_clock_time=timedelta(hours=1))))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    began = restart(sim, back)
    until(sim, lambda: job_of(sim).state == "completed", 2 * HOUR)
    assert sim.now - began < HOUR + min(back, HOUR) + MINUTE
    assert job_of(sim).terminate_reason == "MaxWallClockTimeExpiry"


def test_a_clock_that_was_wrong_for_a_moment_ends_no_job():
    """A machine without a battery: at its start it is 1970, until it has heard the time."""
    sim = simulation({"a": [(600.0, 0)]})
    ask(sim, job("j", task("a"), constraints=JobConstraints(max_wall_clock_time=timedelta(hours=1))))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    restart(sim, START)
    sim.core.settle(START + 300.0)
    assert sim.core.jobs.jobs["j"].state == "active"


@pytest.mark.parametrize(
    ("times", "back", "longest"),
    [
        ({"seconds": HOUR}, DAY, HOUR),
        ({"seconds": HOUR}, 400 * DAY, HOUR),
        ({"seconds": HOUR}, 10 * MINUTE, HOUR + 10 * MINUTE),
        ({"seconds": None, "metadata": {"cron": "0 * * * *"}}, DAY, HOUR),
        ({"seconds": None, "metadata": {"cron": "0 * * * *"}}, 400 * DAY, HOUR),
        ({"seconds": None, "metadata": {"cron": "0 * * * *"}}, 10 * MINUTE, HOUR + 10 * MINUTE),
    ],
)
def test_the_next_run_of_a_schedule_is_not_later(times, back, longest):
    sim = begun(duration=60.0, **times)
    rest(sim, 3 * HOUR + 5 * MINUTE)
    made, last = len(jobs_of(sim)), max(each.created for each in jobs_of(sim))
    began = restart(sim, back)
    until(sim, lambda: len(jobs_of(sim)) > made, 2 * HOUR)
    assert sim.now - began <= longest + 1.0
    new = max(jobs_of(sim), key=lambda each: each.number)
    assert (new.created - last) % HOUR == pytest.approx(0.0, abs=1e-3) or new.created < last
    if back < HOUR:
        assert new.created == last + HOUR, "the run that was made is not made again"


def test_the_last_time_that_a_state_tells_of():
    sim = simulation()
    until(sim, lambda: node_of(sim).state is NodeState.IDLE)
    assert Stored().latest() == 0.0
    assert START < sim.journal.load().latest() <= sim.now
    ask(sim, AddPool(replace(sim.core.ctx.pools["p"].spec, id="q"), "simulated", "simulated"))
    assert sim.journal.load().latest() == sim.now
