"""Versions of applications: which is the default, which may go, and what nodes have of them."""

import pytest

from pools import ApplicationPackageReference, NodeState, PoolSpec, PoolSpecification
from runner import (
    AddApplication,
    AddJobSchedule,
    AddPool,
    ApplicationPackage,
    DeletePool,
    JobManagerTask,
    JobSpecification,
    PoolInfo,
    ReactivateTask,
    RebootNode,
    RemoveApplication,
    SetDefaultVersion,
    TerminateJob,
)
from runner.spec import AutoPoolSpecification, JobScheduleSpec, Schedule

from .run import POOL, ask, completed, job, node_of, simulation, task, until


def tool(version=None):
    return (ApplicationPackageReference(application_id="Tool", version=version),)


def package(version, created=1.0, name="tool"):
    return ApplicationPackage(application_id=name, version=version, sha256=version * 64, size=1, created=created)


def stage():
    """A pool, and the application `tool` in the versions 1 and 2, of which 2 was added last."""
    sim = simulation(target_dedicated_nodes=0)
    for version in ("1", "2"):
        assert ask(sim, AddApplication(package(version, float(version)))) is None
    return sim


def versions(sim):
    return sorted(each.version for each in sim.core.applications)


def default(sim):
    return sim.core.executions.package(*tool()).version


@pytest.mark.parametrize("created", [float("nan"), float("inf")])
def test_a_time_that_no_database_keeps_is_refused(created):
    """It would be tried to write it down for ever, and all else would wait."""
    sim = stage()
    assert ask(sim, AddApplication(package("3", created))).code == "InvalidPropertyValue"
    assert versions(sim) == ["1", "2"]


def test_the_default_version():
    sim = stage()
    assert default(sim) == "2"
    assert ask(sim, SetDefaultVersion("TOOL", "1")) is None
    assert default(sim) == "1"
    assert ask(sim, AddApplication(package("3", 3.0))) is None
    assert default(sim) == "1"
    assert ask(sim, AddApplication(package("1", 4.0))) is None
    assert default(sim) == "3", "a workload file without a default has none"
    assert ask(sim, SetDefaultVersion("tool", "2")) is None
    assert ask(sim, AddApplication(package("2", 4.0), keep_default=True)) is None
    assert default(sim) == "2"
    assert ask(sim, SetDefaultVersion("tool", None)) is None
    assert default(sim) == "3"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (SetDefaultVersion("none", "1"), "ApplicationNotFound"),
        (SetDefaultVersion("tool", "9"), "ApplicationPackageNotFound"),
        (SetDefaultVersion("none", None), "ApplicationNotFound"),
        (RemoveApplication("none"), "ApplicationNotFound"),
        (RemoveApplication("none", "1"), "ApplicationNotFound"),
        (RemoveApplication("tool", "9"), "ApplicationPackageNotFound"),
    ],
)
def test_what_is_not_there(event, code):
    sim = stage()
    assert ask(sim, event).code == code
    assert versions(sim) == ["1", "2"]


AUTO = PoolInfo(
    auto_pool_specification=AutoPoolSpecification(
        pool_lifetime_option="job", pool=PoolSpecification(vm_size="s", application_package_references=tool("1"))
    )
)
MANAGER = JobManagerTask(id="m", command_line="work", application_package_references=tool("1"))


def of_schedule(**changes):
    made = JobSpecification(**({"pool_info": POOL} | changes))
    return AddJobSchedule(JobScheduleSpec(id="s", schedule=Schedule(), job_specification=made))


@pytest.mark.parametrize(
    ("user", "named"),
    [
        (job("j", task("t", application_package_references=tool("1"))), "task 't' of job 'j'"),
        (job("j", job_manager_task=MANAGER), "job 'j'"),
        (job("j", pool_info=AUTO), "job 'j'"),
        (of_schedule(job_manager_task=MANAGER), "job schedule 's'"),
        (of_schedule(pool_info=AUTO), "job schedule 's'"),
    ],
)
def test_what_somebody_needs_stays(user, named):
    sim = stage()
    assert ask(sim, user) is None
    for event in (RemoveApplication("tool", "1"), RemoveApplication("TOOL")):
        refused = ask(sim, event)
        assert refused.code == "ApplicationInUse" and named in str(refused)
    assert versions(sim) == ["1", "2"]
    assert ask(sim, RemoveApplication("tool", "2")) is None
    assert versions(sim) == ["1"]


def test_a_reference_without_a_version_holds_what_it_stands_for():
    sim = stage()
    assert ask(sim, job("j", task("t", application_package_references=tool()))) is None
    assert ask(sim, RemoveApplication("tool", "2")).code == "ApplicationInUse"
    assert ask(sim, SetDefaultVersion("tool", "1")) is None
    assert ask(sim, RemoveApplication("tool", "2")) is None
    assert ask(sim, RemoveApplication("tool", "1")).code == "ApplicationInUse"
    assert ask(sim, TerminateJob("j")) is None
    assert ask(sim, RemoveApplication("tool")) is None
    assert versions(sim) == []


def test_a_pool_holds_what_it_references():
    sim = simulation(target_dedicated_nodes=0)
    assert ask(sim, AddApplication(package("1"))) is None
    assert ask(sim, DeletePool("p")) is None
    sim = packaged()
    refused = ask(sim, RemoveApplication("tool", "1"))
    assert refused.code == "ApplicationInUse" and "pool 'p'" in str(refused)
    assert ask(sim, DeletePool("p")) is None
    until(sim, lambda: not sim.journal.table("pools"))
    assert ask(sim, RemoveApplication("tool", "1")) is None


def test_a_task_does_not_run_again_without_its_package():
    sim = simulation({"t": [(1.0, 1)]})
    for version in ("1", "2"):
        assert ask(sim, AddApplication(package(version))) is None
    assert ask(sim, job("j", task("t", application_package_references=tool("1")))) is None
    completed(sim, "t")
    assert ask(sim, RemoveApplication("tool", "1")) is None
    assert ask(sim, ReactivateTask("j", "t")).code == "InvalidApplicationPackageReferences"


# -- nodes -----------------------------------------------------------------------------------------------------


def packaged(plans=None):
    """A pool whose nodes have the default version, which is 1 at first."""
    sim = simulation(plans, target_dedicated_nodes=0)
    assert ask(sim, DeletePool("p")) is None
    until(sim, lambda: not sim.journal.table("pools"))
    assert ask(sim, AddApplication(package("1"))) is None
    spec = PoolSpec(
        id="p", vm_size="simulated.small", target_dedicated_nodes=1, application_package_references=tool()
    )
    assert ask(sim, AddPool(spec, "simulated", "simulated")) is None
    return sim


def test_a_changed_default_reaches_a_node_with_its_next_start():
    sim = packaged()
    until(sim, lambda: sim.journal.table("nodes") and node_of(sim).state is NodeState.IDLE)
    assert [each.version for each in node_of(sim).packages] == ["1"]
    assert ask(sim, AddApplication(package("2", 2.0))) is None
    assert ask(sim, SetDefaultVersion("tool", "2")) is None
    assert where(sim, "before").endswith(f"/applications/tool/1/{'1' * 12}"), "what is there"
    assert ask(sim, RebootNode("p", node_of(sim).id)) is None
    until(sim, lambda: node_of(sim).state is NodeState.REBOOTING)
    until(sim, lambda: node_of(sim).state is NodeState.IDLE)
    assert [each.version for each in node_of(sim).packages] == ["2"]
    assert where(sim, "after").endswith(f"/applications/tool/2/{'2' * 12}")


def where(sim, job_id):
    """Where a task finds the application that its pool references."""
    assert ask(sim, job(job_id, task("t"))) is None
    until(sim, lambda: sim.core.tasks.open_of(job_id)[0].node_id is not None)
    (placed,) = sim.core.tasks.open_of(job_id)
    start = sim.core.executions.start(placed, sim.core.ctx.nodes[placed.node_id])
    completed(sim, "t", job_id=job_id)
    return start.environment["AZ_BATCH_APP_PACKAGE_tool"]
