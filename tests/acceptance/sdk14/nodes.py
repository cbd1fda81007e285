"""Nodes: read, their users, rebooted, reimaged, taken from the scheduler, and the files on them."""

from __future__ import annotations

import datetime
from datetime import timedelta

from azure.batch import models as m

from tests.acceptance.flow import Flow
from tests.acceptance.sdk14.client import connected, gone, idle, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL = "nodes-pool"


def first_node() -> str:
    return sorted(node.id for node in client.compute_node.list(POOL))[0]


@flow.step
def nodes_tell_about_themselves() -> None:
    start = m.StartTask(command_line="/bin/sh -c 'echo ready; date > when'", wait_for_success=True)
    make_pool(client, POOL, 2, start_task=start)
    for node_id in idle(flow, client, POOL, 2):
        node = client.compute_node.get(POOL, node_id)
        assert (node.id, node.state, node.is_dedicated) == (node_id, m.ComputeNodeState.idle, True)
        assert node.scheduling_state == m.SchedulingState.enabled
        assert node.running_tasks_count == 0
        assert node.start_task_info.result == m.TaskExecutionResult.success
        assert node.ip_address
        place = client.compute_node.get_remote_login_settings(POOL, node_id)
        assert place.remote_login_ip_address == node.ip_address
        assert 0 < place.remote_login_port < 65536
        assert [each.protocol for each in node.endpoint_configuration.inbound_endpoints] == ["tcp"]
        assert node.node_agent_info.version
    options = m.ComputeNodeListOptions(filter="state eq 'idle'", select="id", max_results=1)
    assert len(list(client.compute_node.list(POOL, options))) == 2
    refused("NodeNotFound", 404, lambda: client.compute_node.get(POOL, "tvm-none"))


@flow.step
def users_come_and_go() -> None:
    node = first_node()
    soon = datetime.datetime.now(datetime.timezone.utc) + timedelta(hours=1)  # noqa: UP017
    user = m.ComputeNodeUser(name="bob", password="correct horse battery", is_admin=False, expiry_time=soon)
    client.compute_node.add_user(POOL, node, user)
    refused("NodeUserExists", 409, lambda: client.compute_node.add_user(POOL, node, user))
    change = m.NodeUpdateUserParameter(password="staple", expiry_time=soon)
    client.compute_node.update_user(POOL, node, "bob", change)
    client.compute_node.delete_user(POOL, node, "bob")
    refused("NodeUserNotFound", 404, lambda: client.compute_node.delete_user(POOL, node, "bob"))
    refused("NodeUserNotFound", 404, lambda: client.compute_node.update_user(POOL, node, "bob", change))


@flow.step
def its_files_are_listed_read_and_deleted() -> None:
    node = first_node()
    names = {each.name for each in client.file.list_from_compute_node(POOL, node, recursive=True)}
    assert {"startup", "startup/stdout.txt", "startup/wd/when"} <= names
    options = m.FileListFromComputeNodeOptions(filter="startswith(name,'startup/wd/')", max_results=1)
    found = client.file.list_from_compute_node(POOL, node, True, options)
    assert [each.name for each in found] == ["startup/wd/when"]
    assert text(client.file.get_from_compute_node(POOL, node, "startup/stdout.txt")) == "ready\n"
    assert text(client.file.get_from_compute_node(POOL, node, "startup\\stdout.txt")) == "ready\n"
    part = m.FileGetFromComputeNodeOptions(ocp_range="bytes=0-2")
    assert text(client.file.get_from_compute_node(POOL, node, "startup/stdout.txt", part)) == "rea"
    raw = client.file.get_properties_from_compute_node(POOL, node, "startup/stdout.txt", raw=True)
    assert int(raw.headers["Content-Length"]) == 6
    assert raw.headers["ocp-batch-file-isdirectory"] is False
    client.file.delete_from_compute_node(POOL, node, "startup/wd/when")
    again = lambda: client.file.delete_from_compute_node(POOL, node, "startup/wd/when")  # noqa: E731
    refused("FileNotFound", 404, again)
    refused("FileNotFound", 404, lambda: client.file.get_from_compute_node(POOL, node, "startup/wd/when"))


@flow.step
def scheduling_is_disabled_and_enabled() -> None:
    node = first_node()
    for options in ({}, {"node_disable_scheduling_option": "requeue"}, {"node_disable_scheduling_option": "terminate"}):
        client.compute_node.disable_scheduling(POOL, node, **options)
        assert client.compute_node.get(POOL, node).scheduling_state == m.SchedulingState.disabled
        client.compute_node.enable_scheduling(POOL, node)
        assert client.compute_node.get(POOL, node).scheduling_state == m.SchedulingState.enabled
    idle(flow, client, POOL, 2)


@flow.step
def a_node_is_rebooted_and_reimaged() -> None:
    node = first_node()
    before = client.compute_node.get(POOL, node)
    client.compute_node.reboot(POOL, node)
    assert client.compute_node.get(POOL, node).state != m.ComputeNodeState.idle
    idle(flow, client, POOL, 2)
    rebooted = client.compute_node.get(POOL, node)
    assert rebooted.last_boot_time > before.last_boot_time
    client.compute_node.reimage(POOL, node, node_reimage_option="requeue")
    assert client.compute_node.get(POOL, node).state != m.ComputeNodeState.idle
    assert node in idle(flow, client, POOL, 2)
    assert client.compute_node.get(POOL, node).last_boot_time > rebooted.last_boot_time


@flow.step
def what_there_is_not_says_what_there_is_instead() -> None:
    node = first_node()
    logs = m.UploadBatchServiceLogsConfiguration(
        container_url="https://example.org/logs", start_time=datetime.datetime(2026, 1, 1)
    )
    nodes, extensions = client.compute_node, client.compute_node_extension
    for call in (
        lambda: nodes.upload_batch_service_logs(POOL, node, logs),
        lambda: extensions.list(POOL, node),
        lambda: extensions.get(POOL, node, "any"),
        lambda: nodes.get_remote_desktop(POOL, node),
    ):
        assert ":" in refused("OperationNotSupported", 400, call)
    assert not {"start", "deallocate"} & set(dir(nodes))  # which newer versions have


@flow.step
def the_pool_is_deleted() -> None:
    client.pool.delete(POOL)
    gone(flow, POOL, lambda: client.pool.get(POOL))


if __name__ == "__main__":
    flow.run()
