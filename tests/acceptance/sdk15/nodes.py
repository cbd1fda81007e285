"""Nodes: read, logged in to, rebooted, reimaged, taken from the scheduler, and the files on them."""

from __future__ import annotations

import datetime
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

from azure.batch import models as m
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import connected, idle, make_pool, refused, text

flow = Flow()
client = connected(flow)
POOL = "nodes-pool"


def first_node() -> str:
    return sorted(node.id for node in client.list_nodes(POOL))[0]


@flow.step
def nodes_come_with_their_pool() -> None:
    make_pool(
        client,
        POOL,
        2,
        start_task=m.BatchStartTask(command_line="/bin/sh -c 'echo ready; date > when'", wait_for_success=True),
    )
    idle(flow, client, POOL, 2)


@flow.step
def a_node_tells_about_itself() -> None:
    for listed in client.list_nodes(POOL):
        node = client.get_node(POOL, listed.id)
        assert (node.id, node.state, node.is_dedicated) == (listed.id, m.BatchNodeState.IDLE, True)
        assert node.url == f"{flow.endpoint}/pools/{POOL}/nodes/{node.id}"
        assert node.ip_address
        assert node.affinity_id
        assert node.vm_size
        assert node.scheduling_state == m.SchedulingState.ENABLED
        assert (node.running_tasks_count, node.running_task_slots_count) == (0, 0)
        assert node.allocation_time <= node.state_transition_time
        assert node.last_boot_time is not None
        assert node.start_task_info is not None
        assert node.start_task_info.state == m.BatchStartTaskState.COMPLETED
        assert (node.start_task_info.exit_code, node.start_task_info.retry_count) == (0, 0)
        assert node.start_task_info.result == m.BatchTaskExecutionResult.SUCCESS
        assert node.start_task is not None
        assert node.virtual_machine_info.image_reference is not None
        assert node.virtual_machine_info.image_reference.offer == "0001-com-ubuntu-server-jammy"
        assert node.node_agent_info is not None
        assert node.node_agent_info.version
        assert node.endpoint_configuration is not None
        assert [each.backend_port for each in node.endpoint_configuration.inbound_endpoints] != []
    refused("NodeNotFound", lambda: client.get_node(POOL, "tvm-none"), ResourceNotFoundError)
    refused("PoolNotFound", lambda: client.list_nodes("nodes-none"), ResourceNotFoundError)


@flow.step
def lists_are_filtered_and_cut() -> None:
    first = first_node()
    found = list(client.list_nodes(POOL, filter=f"state eq 'idle' and id eq '{first}'", select=["id", "state"]))
    assert [node.as_dict() for node in found] == [{"id": first, "state": "idle"}]
    assert [len(list(page)) for page in client.list_nodes(POOL, max_results=1).by_page()] == [1, 1]


@flow.step
def a_user_logs_in_with_a_key() -> None:
    node = first_node()
    soon = datetime.datetime.now(datetime.timezone.utc) + timedelta(hours=1)  # noqa: UP017
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        public = key.with_suffix(".pub").read_text(encoding="utf-8")
        user = m.BatchNodeUserCreateOptions(name="alice", ssh_public_key=public, is_admin=False, expiry_time=soon)
        client.create_node_user(POOL, node, user)
        refused("NodeUserExists", lambda: client.create_node_user(POOL, node, user), ResourceExistsError)
        assert login(node, "alice", key, "echo hello from $USER").startswith("hello from")
        client.replace_node_user(POOL, node, "alice", m.BatchNodeUserReplaceOptions(ssh_public_key=public))
        assert login(node, "alice", key, "echo again") == "again\n"
        client.delete_node_user(POOL, node, "alice")
        try:
            login(node, "alice", key, "true")
        except subprocess.CalledProcessError as error:
            assert error.returncode == 255  # of ssh itself: it was not let in
        else:
            raise AssertionError("a deleted user still logs in")
    refused("NodeUserNotFound", lambda: client.delete_node_user(POOL, node, "alice"), ResourceNotFoundError)
    hostile = m.BatchNodeUserCreateOptions(name="a; rm -rf /", password="correct horse")
    refused("InvalidPropertyValue", lambda: client.create_node_user(POOL, node, hostile))


def login(node: str, user: str, key: Path, command: str) -> str:
    """What the command printed, at the place that the API names. Raises CalledProcessError."""
    place = client.get_node_remote_login_settings(POOL, node)
    words = ["ssh", "-i", str(key), "-p", str(place.remote_login_port), f"{user}@{place.remote_login_ip_address}"]
    for option in ("BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"):
        words += ["-o", option]
    run = subprocess.run([*words, "-o", "LogLevel=ERROR", command], capture_output=True, text=True, check=True)
    return run.stdout


@flow.step
def its_files_are_listed_and_read() -> None:
    node = first_node()
    files = {each.name: each for each in client.list_node_files(POOL, node, recursive=True)}
    assert {"startup", "startup/stdout.txt", "startup/stderr.txt", "startup/wd/when"} <= files.keys()
    assert files["startup"].is_directory is True
    properties = files["startup/stdout.txt"].properties
    assert properties is not None
    assert properties.content_length == len("ready\n")
    assert {each.name.count("/") for each in client.list_node_files(POOL, node)} == {0}
    assert text(client.download_node_file(POOL, node, "startup/stdout.txt")) == "ready\n"
    assert text(client.download_node_file(POOL, node, "startup\\stdout.txt")) == "ready\n"
    assert text(client.download_node_file(POOL, node, "startup/stdout.txt", ocp_range="bytes=1-3")) == "ead"
    told = client.get_node_file_properties(POOL, node, "startup/stdout.txt")
    assert int(told.content_length) == len("ready\n")
    one = client.list_node_files(POOL, node, recursive=True, filter="startswith(name,'startup/wd')")
    assert {"startup/wd/when"} <= {each.name for each in one} <= {"startup/wd", "startup/wd/when"}
    for outside in ("../../etc/passwd", "startup/../../../etc/passwd", "/etc/passwd"):
        try:
            found = text(client.download_node_file(POOL, node, outside))
        except Exception as error:  # noqa: BLE001 - whatever the class: the status counts
            assert getattr(error, "status_code", 0) in (400, 403, 404), error
        else:
            raise AssertionError(f"{outside}: {found[:80]!r}")


@flow.step
def its_files_are_deleted() -> None:
    node = first_node()
    client.delete_node_file(POOL, node, "startup/wd/when")
    try:
        client.get_node_file_properties(POOL, node, "startup/wd/when")
    except ResourceNotFoundError:
        pass
    else:
        raise AssertionError("a deleted file is still there")
    refused("FileNotFound", lambda: client.delete_node_file(POOL, node, "startup/wd/when"), ResourceNotFoundError)


@flow.step
def scheduling_is_disabled_and_enabled() -> None:
    # This version of the client needs the optional body.
    options = m.BatchNodeDisableSchedulingOptions(node_disable_scheduling_option="taskcompletion")
    for node in sorted(node.id for node in client.list_nodes(POOL)):
        client.disable_node_scheduling(POOL, node, options)
        assert client.get_node(POOL, node).scheduling_state == m.SchedulingState.DISABLED
    client.create_job(m.BatchJobCreateOptions(id="nodes-job", pool_info=m.BatchPoolInfo(pool_id=POOL)))
    client.create_task("nodes-job", m.BatchTaskCreateOptions(id="held", command_line="true"))
    flow.wait("no node takes anything", lambda: {node.state for node in client.list_nodes(POOL)} == {"offline"})
    assert client.get_task("nodes-job", "held").state == m.BatchTaskState.ACTIVE
    for node in sorted(node.id for node in client.list_nodes(POOL)):
        client.enable_node_scheduling(POOL, node)
        assert client.get_node(POOL, node).scheduling_state == m.SchedulingState.ENABLED
    flow.wait("the task runs now", lambda: client.get_task("nodes-job", "held").state == "completed")
    idle(flow, client, POOL, 2)


@flow.step
def a_node_tells_what_it_has_run() -> None:
    assert sum(node.total_tasks_run for node in client.list_nodes(POOL)) == 1
    assert sum(node.total_tasks_succeeded or 0 for node in client.list_nodes(POOL)) == 1
    recent = [task for node in client.list_nodes(POOL) for task in node.recent_tasks or []]
    assert [(task.job_id, task.task_id, task.task_state) for task in recent] == [("nodes-job", "held", "completed")]


@flow.step
def a_node_is_rebooted() -> None:
    node = first_node()
    before = client.get_node(POOL, node)
    client.begin_reboot_node(POOL, node, {"nodeRebootOption": "requeue"}, polling_interval=1).result()
    idle(flow, client, POOL, 2)
    after = client.get_node(POOL, node)
    assert after.last_boot_time > before.last_boot_time
    assert after.allocation_time == before.allocation_time
    # the start task has run again, and written again what was deleted
    assert client.get_node_file_properties(POOL, node, "startup/wd/when") is not None


@flow.step
def a_node_is_reimaged() -> None:
    node = first_node()
    client.begin_reimage_node(POOL, node, {"nodeReimageOption": "terminate"}, polling_interval=1).result()
    assert node in idle(flow, client, POOL, 2)
    found = client.list_node_files(POOL, node, recursive=True, filter="startswith(name,'workitems/nodes-job')")
    assert not [each.name for each in found]


@flow.step
def what_there_is_not_says_what_there_is_instead() -> None:
    node = first_node()
    logs = m.UploadBatchServiceLogsOptions(
        container_url="https://example.org/logs", start_time=datetime.datetime(2026, 1, 1)
    )
    for call in (
        lambda: client.upload_node_logs(POOL, node, logs),
        lambda: client.list_node_extensions(POOL, node),
        lambda: client.get_node_extension(POOL, node, "any"),
        lambda: client.begin_start_node(POOL, node),
        lambda: client.begin_deallocate_node(POOL, node, {"nodeDeallocateOption": "requeue"}),
        lambda: client.list_pool_usage_metrics(),
    ):
        assert ":" in refused("OperationNotSupported", call)
    assert not [name for name in dir(client) if "certificate" in name or "desktop" in name]  # which older versions have


@flow.step
def all_is_deleted() -> None:
    client.begin_delete_job("nodes-job", polling_interval=1).result()
    client.begin_delete_pool(POOL, polling_interval=1).result()


if __name__ == "__main__":
    flow.run()
