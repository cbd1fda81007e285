"""Pools and what an account has."""

from __future__ import annotations

import base64
from datetime import timedelta

from azure.batch import models as m

from tests.acceptance.flow import ELEVATION, Flow
from tests.acceptance.sdk14.client import IMAGE, SIZE, connected, gone, idle, make_pool, refused, steady

flow = Flow()
client = connected(flow)
POOL = "pools-main"


@flow.step
def only_who_has_a_key_may_ask() -> None:
    wrong = connected(flow, base64.b64encode(b"x" * 64).decode())
    refused("AuthenticationFailed", 403, lambda: wrong.pool.list())


@flow.step
def images_and_applications_are_listed() -> None:
    images = list(client.account.list_supported_images())
    assert "0001-com-ubuntu-server-jammy" in {image.image_reference.offer for image in images}
    assert {image.os_type for image in images} == {m.OSType.linux}
    windows = m.AccountListSupportedImagesOptions(filter="osType eq 'windows'")
    assert not list(client.account.list_supported_images(windows))
    options = m.ApplicationListOptions(max_results=1)
    assert [each.id for each in client.application.list(options)] == ["pythonscript", "pythonsetup"]
    assert client.application.get("pythonscript").versions == ["1.0"]
    refused("ApplicationNotFound", 404, lambda: client.application.get("pools-none"))


@flow.step
def a_pool_is_made_once() -> None:
    make_pool(
        client,
        POOL,
        1,
        target_low_priority_nodes=1,
        display_name="The first pool",
        task_slots_per_node=2,
        start_task=m.StartTask(
            command_line="/bin/sh -c 'echo started'",
            wait_for_success=True,
            user_identity=m.UserIdentity(auto_user=m.AutoUserSpecification(scope="pool", elevation_level=ELEVATION)),
        ),
        metadata=[m.MetadataItem(name="owner", value="pools")],
    )
    refused("PoolExists", 409, lambda: make_pool(client, POOL, 0))
    pool = client.pool.get(POOL)
    assert (pool.id, pool.vm_size, pool.display_name) == (POOL, SIZE, "The first pool")
    assert (pool.state, pool.enable_auto_scale) == (m.PoolState.active, False)
    assert (pool.target_dedicated_nodes, pool.target_low_priority_nodes) == (1, 1)
    assert pool.virtual_machine_configuration.image_reference.sku == IMAGE.image_reference.sku
    assert pool.start_task.user_identity.auto_user.elevation_level.value == ELEVATION
    assert pool.resize_timeout == timedelta(minutes=15)


@flow.step
def its_existence_can_be_asked() -> None:
    assert client.pool.exists(POOL) is True
    assert client.pool.exists("pools-none") is False
    refused("PoolNotFound", 404, lambda: client.pool.get("pools-none"))


@flow.step
def lists_are_filtered_and_cut() -> None:
    for number in range(3):
        make_pool(client, f"pools-many-{number}", 0)
    options = m.PoolListOptions(filter="startswith(id,'pools-many')", select="id", max_results=2)
    assert [pool.id for pool in client.pool.list(options)] == [f"pools-many-{number}" for number in range(3)]
    refused("InvalidQueryParameterValue", 400, lambda: client.pool.list(m.PoolListOptions(filter="id eq")))
    for number in range(3):
        client.pool.delete(f"pools-many-{number}")


@flow.step
def its_nodes_are_counted() -> None:
    idle(flow, client, POOL, 2)
    options = m.AccountListPoolNodeCountsOptions(filter=f"poolId eq '{POOL}'")
    (counts,) = client.account.list_pool_node_counts(options)
    assert (counts.dedicated.idle, counts.low_priority.idle, counts.dedicated.total) == (1, 1, 1)


@flow.step
def statistics_are_told_if_asked() -> None:
    stats = client.pool.get(POOL, m.PoolGetOptions(expand="stats")).stats
    assert stats.usage_stats.dedicated_core_time > timedelta(0)
    assert client.pool.get(POOL, m.PoolGetOptions(select="id")).stats is None


@flow.step
def some_properties_are_patched() -> None:
    before = client.pool.get(POOL)
    change = m.PoolPatchParameter(metadata=[m.MetadataItem(name="stage", value="2")])
    guard = m.PoolPatchOptions(if_match=before.e_tag)
    client.pool.patch(POOL, change, guard)
    after = client.pool.get(POOL)
    assert [(each.name, each.value) for each in after.metadata] == [("stage", "2")]
    assert after.start_task.command_line == before.start_task.command_line
    refused("ConditionNotMet", 412, lambda: client.pool.patch(POOL, change, guard))


@flow.step
def properties_are_replaced_as_a_whole() -> None:
    # The older protocol has certificates, of which there are none.
    nothing = m.PoolUpdatePropertiesParameter(certificate_references=[], application_package_references=[], metadata=[])
    client.pool.update_properties(POOL, nothing)
    pool = client.pool.get(POOL)
    assert (pool.metadata or [], pool.start_task) == ([], None)


@flow.step
def it_is_resized_and_the_resize_stopped() -> None:
    client.pool.resize(
        POOL,
        m.PoolResizeParameter(
            target_dedicated_nodes=2, target_low_priority_nodes=0, node_deallocation_option="terminate"
        ),
    )
    assert client.pool.get(POOL).allocation_state in (m.AllocationState.resizing, m.AllocationState.steady)
    pool = steady(flow, client, POOL)
    assert (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (2, 0)
    refused("OperationInvalidForCurrentState", 409, lambda: client.pool.stop_resize(POOL))
    client.job.add(m.JobAddParameter(id="pools-job", pool_info=m.PoolInformation(pool_id=POOL)))
    client.task.add("pools-job", m.TaskAddParameter(id="long", command_line="sleep 600"))
    flow.wait("it runs", lambda: client.task.get("pools-job", "long").state == m.TaskState.running)
    lasting = m.PoolResizeParameter(target_dedicated_nodes=0, node_deallocation_option="taskcompletion")
    client.pool.resize(POOL, lasting)
    client.pool.stop_resize(POOL)
    client.job.delete("pools-job")
    gone(flow, "the job", lambda: client.job.get("pools-job"))
    pool = steady(flow, client, POOL)
    assert pool.target_dedicated_nodes == pool.current_dedicated_nodes


@flow.step
def nodes_are_removed() -> None:
    client.pool.resize(POOL, m.PoolResizeParameter(target_dedicated_nodes=2))
    first, second = idle(flow, client, POOL, 2)
    steady(flow, client, POOL)
    unknown = m.NodeRemoveParameter(node_list=["no-such-node"])
    refused("NodeNotFound", 404, lambda: client.pool.remove_nodes(POOL, unknown))
    client.pool.remove_nodes(POOL, m.NodeRemoveParameter(node_list=[first], node_deallocation_option="requeue"))
    flow.wait("one node", lambda: [node.id for node in client.compute_node.list(POOL)] == [second])
    assert steady(flow, client, POOL).target_dedicated_nodes == 1


@flow.step
def a_formula_scales_it() -> None:
    refused("AutoScalingNotEnabled", 409, lambda: client.pool.evaluate_auto_scale(POOL, "$TargetDedicatedNodes = 1;"))
    client.pool.enable_auto_scale(
        POOL, auto_scale_formula="$TargetDedicatedNodes = 0;", auto_scale_evaluation_interval=timedelta(minutes=5)
    )
    pool = flow.wait("an evaluation", lambda: (found := client.pool.get(POOL)).auto_scale_run and found)
    assert (pool.enable_auto_scale, pool.auto_scale_formula) == (True, "$TargetDedicatedNodes = 0;")
    assert pool.auto_scale_evaluation_interval == timedelta(minutes=5)
    flow.wait("no node", lambda: client.pool.get(POOL).current_dedicated_nodes == 0)
    run = client.pool.evaluate_auto_scale(POOL, "$TargetDedicatedNodes = 2;")
    assert run.error is None
    assert run.results.startswith("$TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue")
    refused("AutoScalingFormulaSyntaxError", 400, lambda: client.pool.evaluate_auto_scale(POOL, "$X = ;"))
    resize = m.PoolResizeParameter(target_dedicated_nodes=2)
    refused("PoolHasAutoScaleEnabled", 409, lambda: client.pool.resize(POOL, resize))
    client.pool.disable_auto_scale(POOL)
    pool = client.pool.get(POOL)
    assert (pool.enable_auto_scale, pool.auto_scale_formula) == (False, None)


@flow.step
def what_there_is_not_says_what_there_is_instead() -> None:
    thumb = {"thumbprint_algorithm": "sha1", "thumbprint": "a" * 40}
    certificate = m.CertificateAddParameter(data="AA==", certificate_format="pfx", password="x", **thumb)
    for call in (
        lambda: client.pool.list_usage_metrics(),
        lambda: client.certificate.add(certificate),
        lambda: client.certificate.list(),
        lambda: client.certificate.get(**thumb),
        lambda: client.certificate.delete(**thumb),
        lambda: client.certificate.cancel_deletion(**thumb),
    ):
        assert ":" in refused("OperationNotSupported", 400, call)


@flow.step
def what_there_is_no_more_is_refused_by_name() -> None:
    services = m.CloudServiceConfiguration(os_family="6")
    told = refused(
        "InvalidPropertyValue",
        400,
        lambda: make_pool(
            client, "pools-wrong", 0, virtual_machine_configuration=None, cloud_service_configuration=services
        ),
    )
    assert "virtualMachineConfiguration" in told
    certificates = [m.CertificateReference(thumbprint="a" * 40, thumbprint_algorithm="sha1")]
    wrong = lambda: make_pool(client, "pools-wrong", 0, certificate_references=certificates)  # noqa: E731
    assert "certificateReferences" in refused("InvalidPropertyValue", 400, wrong)
    assert not client.pool.exists("pools-wrong")


@flow.step
def it_is_deleted() -> None:
    client.pool.delete(POOL)
    gone(flow, POOL, lambda: client.pool.get(POOL))
    refused("PoolNotFound", 404, lambda: client.pool.delete(POOL))


if __name__ == "__main__":
    flow.run()
