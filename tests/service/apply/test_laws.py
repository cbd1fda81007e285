"""Whatever a file says: brought twice, nothing is left to do; and whatever was there before."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..rest_views import full
from .place import Place

RESOURCES = [*full.RESOURCES[:2], {"autoStorageContainerName": "some-files", "filePath": "there"}]
CONTAINER = {**full.CONTAINER, "registry": {"username": "u", "password": "secret"}}
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)
METADATA = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3).map(
    lambda found: [{"name": name, "value": value} for name, value in found.items()]
)
ENVIRONMENT = METADATA
DURATIONS = st.sampled_from(["PT5M", "PT1H30M", "P1D", "PT20M", "P2W"])
CONSTRAINTS = st.fixed_dictionaries(
    {}, optional={"maxTaskRetryCount": st.integers(-1, 3), "maxWallClockTime": DURATIONS}
)
OF_TASKS = st.fixed_dictionaries(
    {},
    optional={
        "retentionTime": DURATIONS,
        "maxTaskRetryCount": st.integers(-1, 3),
        "maxWallClockTime": st.sampled_from(["PT5M", "P10675199DT2H48M5.4775807S"]),
    },
)
COMMANDS = st.sampled_from(["true", "/bin/echo a b", "x 'y z'"])
START = st.fixed_dictionaries(
    {"commandLine": COMMANDS},
    optional={
        "environmentSettings": ENVIRONMENT,
        "maxTaskRetryCount": st.integers(-1, 2),
        "waitForSuccess": st.booleans(),
        "resourceFiles": st.lists(st.sampled_from(RESOURCES), max_size=2),
        "containerSettings": st.sampled_from([{"imageName": "debian:12"}, CONTAINER]),
    },
)
SIZES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={"targetDedicatedNodes": st.just(0), "targetLowPriorityNodes": st.just(0)}),
    st.fixed_dictionaries(
        {
            "enableAutoScale": st.just(True),
            "autoScaleFormula": st.sampled_from(["$TargetDedicatedNodes = 0;", "$TargetLowPriorityNodes=0;\n"]),
        },
        optional={"autoScaleEvaluationInterval": st.sampled_from(["PT5M", "PT10M"])},
    ),
)
OF_POOLS = st.fixed_dictionaries(
    {"vmSize": st.sampled_from(["local.small", "local.large"])},
    optional={
        "displayName": VALUES,
        "metadata": METADATA,
        "resizeTimeout": DURATIONS,
        "startTask": START,
        "taskSlotsPerNode": st.integers(1, 4),
        "taskSchedulingPolicy": st.sampled_from([{"nodeFillType": "Pack"}, {"nodeFillType": "spread"}]),
        "userAccounts": st.sampled_from([[], [{"name": "ann", "password": "secret"}], [{"name": "bob"}]]),
        "virtualMachineConfiguration": st.sampled_from(
            [
                {},
                {"nodeAgentSKUId": "batch.node.debian 12"},
                {"imageReference": {"publisher": "debian", "offer": "debian-12", "sku": "12"}},
            ]
        ),
        "networkConfiguration": st.sampled_from([{}, {"enableAcceleratedNetworking": True}]),
        "targetNodeCommunicationMode": st.sampled_from(["Default", "Classic"]),
        "resourceTags": st.sampled_from([{}, {"a": "b"}]),
    },
)
POOLS = st.builds(lambda pool, sizes: {"id": "p@", **pool, **sizes}, OF_POOLS, SIZES)
TASKS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from([*"abcdef", "1", "2"]), "commandLine": COMMANDS},
        optional={
            "displayName": VALUES,
            "environmentSettings": ENVIRONMENT,
            "constraints": OF_TASKS,
            "resourceFiles": st.lists(st.sampled_from(RESOURCES), max_size=2),
            "outputFiles": st.just(full.OUTPUTS),
            "exitConditions": st.just(full.TASK["exitConditions"]),
            "userIdentity": st.just(full.AUTO_USER),
            "requiredSlots": st.just(1),
        },
    ),
    unique_by=lambda task: task["id"],
    max_size=6,
)
OF_JOBS: dict[str, st.SearchStrategy[Any]] = {
    "displayName": VALUES,
    "priority": st.integers(-1000, 1000),
    "constraints": CONSTRAINTS,
    "metadata": METADATA,
    "maxParallelTasks": st.sampled_from([-1, 1, 7]),
    "allowTaskPreemption": st.booleans(),
    "commonEnvironmentSettings": ENVIRONMENT,
}
#: Tasks may say what their ends mean.
HEEDED = {"onTaskFailure": "performexitoptionsjobaction", "usesTaskDependencies": True}
JOBS = st.fixed_dictionaries(
    {
        "id": st.just("j@"),
        "poolInfo": st.just({"poolId": "P@"}),
        "tasks": TASKS,
        **{k: st.just(v) for k, v in HEEDED.items()},
    },
    optional={**OF_JOBS, "onAllTasksComplete": st.sampled_from(["noaction", "TerminateJob"])},
)
SCHEDULES = st.fixed_dictionaries(
    {
        "id": st.just("s@"),
        "schedule": st.fixed_dictionaries(
            {"doNotRunUntil": st.sampled_from(["2090-01-01T00:00:00Z", "2091-06-01T12:00:00.5Z"])},
            optional={"startWindow": DURATIONS, "doNotRunAfter": st.just("2099-01-01T00:00:00Z")},
        ),
        "jobSpecification": st.fixed_dictionaries(
            {"poolInfo": st.just({"poolId": "p@"}), "jobManagerTask": st.just({"id": "m", "commandLine": "true"})},
            optional=OF_JOBS,
        ),
    },
    optional={"displayName": VALUES, "metadata": METADATA},
)
WORKLOADS = st.builds(
    lambda pool, jobs, schedules: {"pools": [pool], "jobs": jobs, "jobSchedules": schedules},
    POOLS,
    st.lists(JOBS, max_size=1),
    st.lists(SCHEDULES, max_size=1),
)
COMMON: Callable[[Any], Any] = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@COMMON
@given(workload=WORKLOADS)
def test_brought_twice_nothing_is_left_to_do(controller: Place, workload: dict[str, Any]) -> None:
    controller.fresh()
    assert controller.bring(workload).plan.refused == []
    again = controller.bring(workload)
    assert (again.plan.changes, again.asked) == ([], []), again.told


@COMMON
@given(before=WORKLOADS, after=WORKLOADS)
def test_whatever_was_there_before(controller: Place, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Or it is refused, and nothing is done."""
    controller.fresh()
    controller.bring(before)
    found = controller.bring(after)
    if found.plan.refused:
        assert found.asked == []
        assert controller.bring(before).asked == []
    else:
        again = controller.bring(after)
        assert (again.plan.changes, again.asked) == ([], []), (found.told, again.told)


@COMMON
@given(before=WORKLOADS, after=WORKLOADS, made=st.integers(0, 5))
def test_left_off_anywhere_it_goes_on(
    controller: Place, before: dict[str, Any], after: dict[str, Any], made: int
) -> None:
    """A plan of which only the first requests were made ends up the same."""
    controller.fresh()
    controller.bring(before)
    plan = controller.planned(after)
    if plan.refused:
        return
    steps = [step for change in plan.changes for step in change.steps]
    for step in steps[:made]:
        controller.objects.ask(step.method, *step.segments, body=step.body, query=dict(step.query))
    assert controller.bring(after).plan.refused == []
    assert controller.bring(after).asked == []
