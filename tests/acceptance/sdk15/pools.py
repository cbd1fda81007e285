"""Pools: made, read, changed, resized, scaled by a formula, deleted."""

from __future__ import annotations

import datetime
from datetime import timedelta
from functools import partial

from azure.batch import models as m
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from tests.acceptance.flow import ELEVATION, Flow
from tests.acceptance.sdk15.client import IMAGE, SIZE, connected, idle, make_pool, refused

flow = Flow()
client = connected(flow)
POOL = "pools-main"


@flow.step
def a_pool_is_made_once() -> None:
    client.create_pool(
        m.BatchPoolCreateOptions(
            id=POOL,
            display_name="The first pool",
            vm_size=SIZE,
            virtual_machine_configuration=IMAGE,
            target_dedicated_nodes=1,
            target_low_priority_nodes=1,
            resize_timeout=timedelta(minutes=10),
            task_slots_per_node=2,
            task_scheduling_policy=m.BatchTaskSchedulingPolicy(node_fill_type="pack"),
            enable_inter_node_communication=False,
            start_task=m.BatchStartTask(
                command_line="/bin/sh -c 'echo $GREETING'",
                wait_for_success=True,
                max_task_retry_count=1,
                environment_settings=[m.EnvironmentSetting(name="GREETING", value="good morning")],
                user_identity=m.UserIdentity(
                    auto_user=m.AutoUserSpecification(scope="pool", elevation_level=ELEVATION)
                ),
            ),
            metadata=[m.BatchMetadataItem(name="owner", value="pools"), m.BatchMetadataItem(name="stage", value="1")],
        )
    )
    refused("PoolExists", lambda: make_pool(client, POOL, 0), ResourceExistsError)
    refused("PoolExists", lambda: make_pool(client, POOL.upper(), 0), ResourceExistsError)


@flow.step
def it_is_read_as_it_was_made() -> None:
    pool = client.get_pool(POOL)
    assert (pool.id, pool.display_name, pool.vm_size) == (POOL, "The first pool", SIZE)
    assert pool.state == m.BatchPoolState.ACTIVE
    assert pool.allocation_state in (m.AllocationState.RESIZING, m.AllocationState.STEADY)
    assert (pool.target_dedicated_nodes, pool.target_low_priority_nodes) == (1, 1)
    assert pool.resize_timeout == timedelta(minutes=10)
    assert pool.task_slots_per_node == 2
    assert pool.task_scheduling_policy is not None
    assert pool.task_scheduling_policy.node_fill_type == m.BatchNodeFillType.PACK
    assert pool.enable_auto_scale is False
    assert pool.enable_inter_node_communication is False
    assert pool.virtual_machine_configuration == IMAGE
    start = pool.start_task
    assert start is not None
    assert start.command_line == "/bin/sh -c 'echo $GREETING'"
    assert (start.wait_for_success, start.max_task_retry_count) == (True, 1)
    assert start.user_identity is not None
    assert start.user_identity.auto_user is not None
    assert start.user_identity.auto_user.elevation_level == ELEVATION
    assert {each.name: each.value for each in pool.metadata or []} == {"owner": "pools", "stage": "1"}
    assert pool.url == f"{flow.endpoint}/pools/{POOL}"
    for instant in (pool.creation_time, pool.last_modified, pool.state_transition_time):
        assert abs(datetime.datetime.now(datetime.timezone.utc) - instant) < timedelta(minutes=2)  # noqa: UP017
    assert client.get_pool(POOL.upper()).id == POOL


@flow.step
def its_existence_can_be_asked() -> None:
    assert client.pool_exists(POOL) is True
    try:
        assert client.pool_exists("pools-none") is False
    except ResourceNotFoundError:
        pass  # which this version of the client raises for each 404
    refused("PoolNotFound", lambda: client.get_pool("pools-none"), ResourceNotFoundError)


@flow.step
def lists_are_filtered_and_cut() -> None:
    for number in range(5):
        make_pool(client, f"pools-many-{number}", 0)
    found = client.list_pools(filter="startswith(id,'pools-many') and state eq 'active'", select=["id", "vmSize"])
    pools = list(found)
    assert [pool.id for pool in pools] == [f"pools-many-{number}" for number in range(5)]
    assert {pool.vm_size for pool in pools} == {SIZE}
    assert all(pool.as_dict().keys() == {"id", "vmSize"} for pool in pools)
    pages = list(client.list_pools(max_results=2, filter="startswith(id,'pools-many')").by_page())
    assert [len(list(page)) for page in pages] == [2, 2, 1]
    assert "pools-main" in {pool.id for pool in client.list_pools(filter="targetLowPriorityNodes gt 0")}
    assert {pool.id for pool in client.list_pools(filter="not (id ne 'pools-main')")} == {POOL}
    for wrong in ("id eq", "nonsense eq 'x'", "id eq 'x' and"):
        refused("InvalidQueryParameterValue", partial(client.list_pools, filter=wrong))
    refused("InvalidQueryParameterValue", lambda: client.list_pools(select=["nonsense"]))
    for number in range(5):
        client.begin_delete_pool(f"pools-many-{number}", polling_interval=1)


@flow.step
def its_nodes_come() -> None:
    idle(flow, client, POOL, 2)
    pool = client.get_pool(POOL)
    assert pool.allocation_state == m.AllocationState.STEADY
    assert (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (1, 1)
    counts = list(client.list_pool_node_counts(filter=f"poolId eq '{POOL}'"))
    assert len(counts) == 1
    assert counts[0].dedicated is not None
    assert counts[0].low_priority is not None
    assert (counts[0].dedicated.idle, counts[0].dedicated.total) == (1, 1)
    assert (counts[0].low_priority.idle, counts[0].low_priority.total) == (1, 1)


@flow.step
def statistics_are_told_if_asked() -> None:
    assert client.get_pool(POOL).pool_statistics is None
    found = client.get_pool(POOL, expand=["stats"]).pool_statistics
    assert found is not None
    assert found.usage_statistics is not None
    assert found.usage_statistics.dedicated_core_time > timedelta(0)
    assert found.resource_statistics is not None
    assert found.resource_statistics.avg_cpu_percentage >= 0
    listed = next(iter(client.list_pools(filter=f"id eq '{POOL}'", expand=["stats"])))
    assert listed.pool_statistics is not None


@flow.step
def conditions_guard_what_is_read() -> None:
    pool = client.get_pool(POOL)
    again = client.get_pool(POOL, etag=pool.etag, match_condition=MatchConditions.IfNotModified)
    assert again.id == POOL
    try:
        client.get_pool(POOL, etag=pool.etag, match_condition=MatchConditions.IfModified)
    except Exception as error:  # noqa: BLE001 - the client's exception for 304 differs between its versions
        assert getattr(error, "status_code", None) == 304, error
    else:
        raise AssertionError("not 304")


@flow.step
def some_properties_are_patched() -> None:
    before = client.get_pool(POOL)
    change = m.BatchPoolUpdateOptions(metadata=[m.BatchMetadataItem(name="stage", value="2")])
    client.update_pool(POOL, change, etag=before.etag, match_condition=MatchConditions.IfNotModified)
    after = client.get_pool(POOL)
    assert {each.name: each.value for each in after.metadata or []} == {"stage": "2"}
    assert after.start_task == before.start_task
    assert after.etag != before.etag
    refused(
        "ConditionNotMet",
        lambda: client.update_pool(POOL, change, etag=before.etag, match_condition=MatchConditions.IfNotModified),
        ResourceModifiedError,
    )
    refused("PoolNotFound", lambda: client.update_pool("pools-none", change), ResourceNotFoundError)


@flow.step
def properties_are_replaced_as_a_whole() -> None:
    start = m.BatchStartTask(command_line="/bin/sh -c 'echo again'", wait_for_success=True)
    client.replace_pool_properties(
        POOL, m.BatchPoolReplaceOptions(start_task=start, application_package_references=[], metadata=[])
    )
    pool = client.get_pool(POOL)
    assert not pool.metadata
    assert pool.start_task is not None
    assert pool.start_task.command_line == "/bin/sh -c 'echo again'"
    client.replace_pool_properties(POOL, m.BatchPoolReplaceOptions(application_package_references=[], metadata=[]))
    assert client.get_pool(POOL).start_task is None


@flow.step
def it_is_resized() -> None:
    options = m.BatchPoolResizeOptions(
        target_dedicated_nodes=2, target_low_priority_nodes=0, node_deallocation_option="requeue"
    )
    client.begin_resize_pool(POOL, options, polling_interval=1).result()
    pool = client.get_pool(POOL)
    assert pool.allocation_state == m.AllocationState.STEADY
    assert (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (2, 0)
    refused("PoolNotFound", lambda: client.begin_resize_pool("pools-none", options), ResourceNotFoundError)
    refused("MissingRequiredProperty", lambda: client.begin_resize_pool(POOL, m.BatchPoolResizeOptions()))


@flow.step
def a_resize_is_stopped() -> None:
    refused("OperationInvalidForCurrentState", lambda: client.begin_stop_pool_resize(POOL), ResourceExistsError)
    client.create_job(m.BatchJobCreateOptions(id="pools-job", pool_info=m.BatchPoolInfo(pool_id=POOL)))
    client.create_task("pools-job", m.BatchTaskCreateOptions(id="long", command_line="sleep 600"))
    flow.wait("it runs", lambda: client.get_task("pools-job", "long").state == m.BatchTaskState.RUNNING)
    lasting = m.BatchPoolResizeOptions(target_dedicated_nodes=0, node_deallocation_option="taskcompletion")
    client.begin_resize_pool(POOL, lasting, polling_interval=1)
    assert client.get_pool(POOL).allocation_state == m.AllocationState.RESIZING
    poller = client.begin_stop_pool_resize(POOL, polling_interval=1)
    client.begin_delete_job("pools-job", polling_interval=1).result()
    poller.result()
    pool = client.get_pool(POOL)
    assert pool.allocation_state == m.AllocationState.STEADY
    assert pool.target_dedicated_nodes == pool.current_dedicated_nodes
    assert [error.code for error in pool.resize_errors or []] == ["ResizeStopped"]


@flow.step
def nodes_are_removed() -> None:
    client.begin_resize_pool(POOL, m.BatchPoolResizeOptions(target_dedicated_nodes=2), polling_interval=1).result()
    first, second = idle(flow, client, POOL, 2)
    unknown = m.BatchNodeRemoveOptions(node_ids=["no-such-node"])
    refused("NodeNotFound", lambda: client.begin_remove_nodes(POOL, unknown), ResourceNotFoundError)
    options = m.BatchNodeRemoveOptions(node_ids=[first], node_deallocation_option="terminate")
    client.begin_remove_nodes(POOL, options, polling_interval=1).result()
    pool = client.get_pool(POOL)
    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (1, 1)
    assert [node.id for node in client.list_nodes(POOL)] == [second]


@flow.step
def a_formula_is_evaluated_only_where_one_scales() -> None:
    options = m.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = 3;")
    refused("AutoScalingNotEnabled", lambda: client.evaluate_pool_auto_scale(POOL, options), ResourceExistsError)


@flow.step
def a_formula_scales_it() -> None:
    client.enable_pool_auto_scale(
        POOL,
        m.BatchPoolEnableAutoScaleOptions(
            auto_scale_formula="$TargetDedicatedNodes = 0;\n$TargetLowPriorityNodes = 1;",
            auto_scale_evaluation_interval=timedelta(minutes=6),
        ),
    )
    pool = flow.wait("an evaluation", lambda: (pool := client.get_pool(POOL)).auto_scale_run is not None and pool)
    assert pool.enable_auto_scale is True
    assert pool.auto_scale_formula == "$TargetDedicatedNodes = 0;\n$TargetLowPriorityNodes = 1;"
    assert pool.auto_scale_evaluation_interval == timedelta(minutes=6)
    assert pool.auto_scale_run is not None
    assert pool.auto_scale_run.error is None
    assert (pool.auto_scale_run.results or "").startswith("$TargetDedicatedNodes=0;$TargetLowPriorityNodes=1;")
    wanted = lambda pool: (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (0, 1)  # noqa: E731
    flow.wait("one low-priority node", lambda: wanted(client.get_pool(POOL)))
    resize = m.BatchPoolResizeOptions(target_dedicated_nodes=2)
    refused("PoolHasAutoScaleEnabled", lambda: client.begin_resize_pool(POOL, resize), ResourceExistsError)


@flow.step
def formulas_are_tried_on_it() -> None:
    def tried(formula: str) -> m.AutoScaleRun:
        options = m.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula=formula)
        return client.evaluate_pool_auto_scale(POOL, options)

    run = tried("$TargetDedicatedNodes = max(1, 2); $NodeDeallocationOption = taskcompletion;")
    assert run.error is None
    assert run.results == (
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=1;$NodeDeallocationOption=taskcompletion"
    ), run.results
    wrong = tried("$TargetDedicatedNodes = avg($PendingTasks.GetSample(TimeInterval_Day, 100));")
    assert wrong.error is not None, wrong
    assert wrong.error.code == "InsufficientSampleData"
    assert wrong.error.message
    assert "1:23" in refused("AutoScalingFormulaSyntaxError", lambda: tried("$TargetDedicatedNodes = "))


@flow.step
def the_formula_is_taken_away() -> None:
    client.disable_pool_auto_scale(POOL)
    pool = client.get_pool(POOL)
    assert pool.enable_auto_scale is False
    assert pool.auto_scale_formula is None
    assert pool.auto_scale_run is None


@flow.step
def deletion_is_over_when_its_poller_says_so() -> None:
    poller = client.begin_delete_pool(POOL, polling_interval=1)
    try:
        assert client.get_pool(POOL).state == m.BatchPoolState.DELETING
    except ResourceNotFoundError:
        pass  # gone already
    poller.result()
    refused("PoolNotFound", lambda: client.get_pool(POOL), ResourceNotFoundError)
    refused("PoolNotFound", lambda: client.begin_delete_pool(POOL), ResourceNotFoundError)


if __name__ == "__main__":
    flow.run()
