"""Reboot, reimage, scheduling and removal of local nodes over the Batch REST API, also when the server is killed."""

import json
import time

import pytest

from ..providers.waiting import wait_until
from .served import PATIENCE, Served, ebbtide

POOL = {
    "id": "p",
    "vmSize": "local.small",
    "targetDedicatedNodes": 2,
    "startTask": {"commandLine": "/bin/sh -c 'echo up >> $AZ_BATCH_NODE_SHARED_DIR/starts'", "waitForSuccess": True},
}


class Nodes:
    """A server with a pool of two nodes."""

    def __init__(self, directory):
        self._directory = directory
        (directory / "c.yaml").write_text("bootPollInterval: PT0.2S\n")
        self.served = Served(directory, "--config", str(directory / "c.yaml")).ready()
        self._lines = self.served.lines

    def again(self):
        """Another server on the same state, after kill -9."""
        self.served.close()
        self.served = Served(self._directory, "--config", str(self._directory / "c.yaml")).ready()

    def ask(self, method, path, body=None, **headers):
        account, key = self._lines["AZURE_BATCH_ACCOUNT"], self._lines["AZURE_BATCH_ACCESS_KEY"]
        content = None if body is None else json.dumps(body).encode()
        return self.served.ask(method, path, account, key, content=content, **headers)

    def get(self, path):
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all(self):
        return self.get("/pools/p/nodes")["value"]

    def until(self, *states):
        """Until the pool has just these, by state; the nodes."""
        wait_until(lambda: sorted(node["state"] for node in self.all()) == sorted(states), PATIENCE)
        return self.all()

    def starts(self, node):
        """How often its start task has run on the files that it has."""
        answer = self.ask("GET", f"/pools/p/nodes/{node}/files/shared%2Fstarts")
        return answer.text.count("up")

    def port(self, node):
        return self.get(f"/pools/p/nodes/{node}/remoteloginsettings")["remoteLoginPort"]

    def state(self, node):
        return self.get(f"/pools/p/nodes/{node}")["state"]

    def task(self, name, command, node):
        body = {"id": name, "commandLine": command, "affinityInfo": {"affinityId": node}}
        assert self.ask("POST", "/jobs/j/tasks", body).status_code == 201
        return lambda: self.get(f"/jobs/j/tasks/{name}")

    def vms(self):
        """The folders of all that there are."""
        return sorted(path.name for path in self.served.state.glob("*/*/vm.json"))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    nodes = Nodes(tmp_path_factory.mktemp("served"))
    assert nodes.ask("POST", "/pools", POOL).status_code == 201
    assert nodes.ask("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "p"}}).status_code == 201
    try:
        yield nodes
    finally:
        nodes.served.end()
        nodes.served.close()
        done = ebbtide("down", state=nodes.served.state)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def idle(nodes):
    """The ids of both nodes, which are idle."""
    return [node["id"] for node in nodes.until("idle", "idle")]


def test_a_reboot_ends_what_runs_and_the_task_runs_again(nodes, idle):
    first, port, starts = idle[0], nodes.port(idle[0]), nodes.starts(idle[0])
    task = nodes.task("again", "sleep 300", first)
    wait_until(lambda: task()["state"] == "running", PATIENCE)
    assert task()["nodeInfo"]["nodeId"] == first
    assert nodes.ask("POST", f"/pools/p/nodes/{first}/reboot", {"nodeRebootOption": "Requeue"}).status_code == 202
    assert nodes.state(first) == "rebooting" or nodes.starts(first) > starts  # said before the answer
    wait_until(lambda: task()["executionInfo"]["requeueCount"] == 1, PATIENCE)
    wait_until(lambda: task()["state"] == "running", PATIENCE)
    ended = nodes.ask("POST", "/jobs/j/tasks/again/terminate")
    assert (ended.status_code, task()["state"]) == (204, "completed")  # by the time of the answer
    assert ended.headers["ETag"].strip('"') == task()["eTag"]
    nodes.until("idle", "idle")
    assert (nodes.port(first), nodes.starts(first)) == (port, starts + 1)


def test_scheduling_is_off_and_on(nodes, idle):
    first = idle[0]
    # as the Azure CLI has it
    nested = {"nodeDisableSchedulingOption": {"nodeDisableSchedulingOption": "taskCompletion"}}
    assert nodes.ask("POST", f"/pools/p/nodes/{first}/disablescheduling", nested).status_code == 200
    found = nodes.get(f"/pools/p/nodes/{first}")
    assert (found["state"], found["schedulingState"]) == ("offline", "disabled")
    [counts] = nodes.get("/nodecounts")["value"]
    assert (counts["dedicated"]["offline"], counts["dedicated"]["total"]) == (1, 2)
    task = nodes.task("elsewhere", "true", first)
    wait_until(lambda: task()["state"] == "completed", PATIENCE)
    assert task()["nodeInfo"]["nodeId"] == idle[1]
    assert nodes.ask("POST", f"/pools/p/nodes/{first}/enablescheduling").status_code == 200
    assert nodes.state(first) == "idle"


def test_a_reimaged_node_has_nothing_of_before(nodes, idle):
    first, before = idle[0], nodes.get(f"/pools/p/nodes/{idle[0]}")["lastBootTime"]
    assert nodes.ask("POST", f"/pools/p/nodes/{first}/reimage").status_code == 202
    assert nodes.state(first) in ("reimaging", "creating", "starting", "waitingforstarttask")
    assert first in [node["id"] for node in nodes.until("idle", "idle")]
    assert nodes.starts(first) == 1 and nodes.get(f"/pools/p/nodes/{first}")["lastBootTime"] > before


@pytest.mark.parametrize("what", ["reboot", "reimage"])
@pytest.mark.parametrize("delay", [0.0, 0.1])
def test_a_server_that_is_killed_meanwhile_leaves_it_to_the_next(nodes, idle, what, delay):
    assert nodes.ask("POST", f"/pools/p/nodes/{idle[0]}/{what}", {}).status_code == 202
    time.sleep(delay)  # no state is waited for: the moment of the kill is what differs
    nodes.served.process.kill()
    nodes.again()
    assert sorted(node["id"] for node in nodes.until("idle", "idle")) == sorted(idle)
    wait_until(lambda: len(nodes.vms()) == 2, PATIENCE)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/nodes/{}/reboot", {"nodeRebootOption": "now"}, 400, "InvalidPropertyValue"),
        ("/nodes/{}/reboot", {"nodeRebootOption": {"nodeRebootOption": {}}}, 400, "InvalidPropertyValue"),
        ("/nodes/{}/reboot", {"reboot": "requeue"}, 400, "InvalidPropertyName"),
        ("/nodes/{}/reimage", [], 400, "InvalidRequestBody"),
        ("/nodes/nope/reimage", {}, 404, "NodeNotFound"),
        ("/nodes/{}/disablescheduling", {"nodeDisableSchedulingOption": "retaineddata"}, 400, "InvalidPropertyValue"),
        ("/nodes/nope/enablescheduling", None, 404, "NodeNotFound"),
        ("/removenodes", {}, 400, "MissingRequiredProperty"),
        ("/removenodes", {"nodeList": []}, 400, "InvalidPropertyValue"),
        ("/removenodes", {"nodeList": ["{}"] * 101}, 400, "InvalidPropertyValue"),
        ("/removenodes", {"nodeList": ["{}", "nope"]}, 404, "NodeNotFound"),
        ("/removenodes", {"nodeList": ["{}"], "resizeTimeout": "PT0S"}, 400, "InvalidPropertyValue"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(nodes, idle, path, body, status, code):
    if isinstance(body, dict) and "nodeList" in body:
        body = {**body, "nodeList": [each.format(idle[0]) for each in body["nodeList"]]}
    answer = nodes.ask("POST", "/pools/p" + path.format(idle[0]), body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sorted(node["state"] for node in nodes.all()) == ["idle", "idle"]
    assert nodes.get("/pools/p")["targetDedicatedNodes"] == 2


def test_the_pool_shrinks_by_the_nodes_that_are_removed(nodes, idle):
    stale = nodes.ask("POST", "/pools/p/removenodes", {"nodeList": idle[:1]}, If_Match='"0x0"')
    assert stale.status_code == 412
    assert nodes.ask("POST", "/pools/p/removenodes", {"nodeList": idle[:1]}).status_code == 202
    pool = nodes.get("/pools/p")
    assert pool["targetDedicatedNodes"] == 1
    wait_until(lambda: nodes.get("/pools/p")["allocationState"] == "steady", PATIENCE)
    assert [node["id"] for node in nodes.all()] == idle[1:]
    assert nodes.ask("POST", "/pools/p/removenodes", {"nodeList": idle[:1]}).status_code == 404
