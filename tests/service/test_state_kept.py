"""A state directory over several runs: its name, the workload that changes, the providers of former settings."""

import json

import pytest

from service.state import StateDirectory, StateError

SMALL = """
pools:
- {id: p, vmSize: local.small, targetLowPriorityNodes: 1}
jobs:
- id: j
  poolInfo: {poolId: p}
  tasks:
  - {id: a, commandLine: "echo a"}
"""


@pytest.mark.parametrize("name", ["-a?b=1 50%25\n'\"", "ü" * 50 + "x" * 100])
def test_the_state_stays_where_it_was_put(stage, tmp_path, name):
    stage.state = tmp_path / name
    run = stage("--json", workload=SMALL)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / name / "ebbtide.db").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "w.yaml"])
    assert stage("logs", "j", "a").stdout == "a\n"


def test_a_task_that_is_new_in_the_file_runs(stage):
    assert stage(workload=SMALL).returncode == 0
    run = stage("--json", workload=SMALL + '  - {id: b, commandLine: "echo b"}\n')
    assert run.returncode == 0, run.stderr
    assert [(t["id"], t["result"]) for t in json.loads(run.stdout)["tasks"]] == [("a", "success"), ("b", "success")]
    assert stage("logs", "j", "b").stdout == "b\n"


def test_a_task_that_changed_in_the_file_is_refused(stage):
    assert stage(workload=SMALL).returncode == 0
    run = stage(workload=SMALL.replace("echo a", "echo other"))
    assert run.returncode == 2
    assert "task of job 'j', 'a' with other properties, and these are for life: commandLine; use" in run.stderr


def test_what_may_change_of_a_job_changes(stage):
    assert stage(workload=SMALL).returncode == 0
    more = "  maxParallelTasks: 3\n  priority: 9\n  onAllTasksComplete: terminatejob\n  tasks:"
    run = stage("--json", workload=SMALL.replace("  tasks:", more))
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["jobs"][0]["terminateReason"] == "AllTasksComplete"
    run = stage(workload=SMALL.replace("  tasks:", "  displayName: other\n  tasks:"))
    assert run.returncode == 2
    assert "these are for life: displayName" in run.stderr


def test_a_task_that_is_new_for_a_completed_job_is_refused(stage):
    job = SMALL.replace("  tasks:", "  onAllTasksComplete: terminatejob\n  tasks:")
    assert stage(workload=job).returncode == 0
    run = stage(workload=job + '  - {id: b, commandLine: "echo b"}\n')
    assert run.returncode == 2
    assert "job 'j' is completed" in run.stderr
    assert "'b' is new" in run.stderr


def test_down_finds_the_nodes_of_a_provider_that_only_former_settings_named(stage, tmp_path):
    settings = tmp_path / "settings.yaml"
    options = f"{{driver: local, baseDir: '{tmp_path / 'elsewhere'}'}}"
    settings.write_text(f"defaultProvider: other\nproviders: {{other: {options}}}\n")
    slow = SMALL.replace("echo a", "sleep 600")
    run = stage.start("--config", str(settings), workload=slow)
    stage.until_running()
    run.kill()
    run.wait()
    down = stage("down", "--now")
    assert down.returncode == 0, down.stderr
    assert "ended ebbtide-" in down.stdout + down.stderr
    assert not list((tmp_path / "elsewhere").glob("ebbtide-*"))


def test_simulated_machines_run_no_tasks(stage, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("defaultProvider: simulated\n")
    run = stage("--config", str(settings), workload=SMALL)
    assert run.returncode == 2
    assert "use the provider `local`" in run.stderr
    assert not stage.state.exists()


TWO = """
pools:
- {id: p, vmSize: local.small, targetLowPriorityNodes: 1}
- {id: q, vmSize: local.small, targetLowPriorityNodes: 1}
jobs:
- id: j
  poolInfo: {poolId: p}
  tasks: [{id: a, commandLine: "sleep 600"}]
- id: k
  poolInfo: {poolId: q}
  tasks: [{id: a, commandLine: "sleep 600"}]
"""


def test_down_of_one_pool_asks_its_nodes_and_leaves_the_others_alone(stage):
    run = stage.start(workload=TWO)
    both = {"j": {"running": 1}, "k": {"running": 1}}
    stage.until(lambda: {job["id"]: job["tasks"] for job in stage.status()["jobs"]} == both, "two running tasks")
    run.kill()
    run.wait()
    down = stage("down", "--pool", "p")
    assert down.returncode == 0, down.stderr
    assert "the nodes hand over what has ended" in down.stdout
    assert down.stdout.count("ended ebbtide-") == 1
    status = stage.status()
    assert [(node["poolId"], node["state"]) for node in status["nodes"]] == [("q", "running")]
    assert {job["id"]: job["tasks"] for job in status["jobs"]} == {"j": {"active": 1}, "k": {"running": 1}}
    assert len(stage.processes()) > 1  # the other node and its task live on


def test_down_tells_a_provider_that_cannot_be_used_and_ends_the_others(stage, tmp_path):
    run = stage.start(workload=SMALL.replace("echo a", "sleep 600"))
    stage.until_running()
    run.kill()
    run.wait()
    kept = json.loads((stage.state / "providers.json").read_text())
    kept["gone"] = {"driver": "local", "baseDir": "${EBBTIDE_TEST_ABSENT}/x"}
    (stage.state / "providers.json").write_text(json.dumps(kept))
    down = stage("down")
    assert down.returncode == 1
    assert "ended ebbtide-" in down.stdout
    assert "EBBTIDE_TEST_ABSENT is not set" in down.stdout
    assert "those of gone, which cannot be asked" in down.stderr
    refused = stage(workload=SMALL)
    assert (refused.returncode, "providers.json" in refused.stderr) == (2, True)


def test_records_without_the_deployments_id_are_refused(tmp_path):
    """With a new id, their VMs could neither be found nor ended, and would be paid for."""
    state = StateDirectory(tmp_path)
    state.create(lambda: "0123456789ab")
    state.database.write_bytes(b"records")
    (tmp_path / "deployment").unlink()
    for act in (state.require, lambda: state.create(lambda: "ba9876543210")):
        with pytest.raises(StateError, match=r"deployment is missing, but ebbtide\.db is there; restore it"):
            act()
    assert not (tmp_path / "deployment").exists()


def test_ids_in_another_case_are_the_same_ids(stage):
    assert stage(workload=SMALL).returncode == 0
    other = SMALL.replace("id: p,", "id: P,").replace("id: j", "id: J").replace("{id: a,", "{id: A,")
    run = stage("--json", workload=other + '  - {id: b, commandLine: "echo b"}\n')
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert [(task["jobId"], task["id"]) for task in report["tasks"]] == [("j", "a"), ("j", "b")]
    assert [pool["id"] for pool in report["pools"]] == ["p"]
    assert stage("logs", "J", "A").stdout == "a\n"
    assert stage("logs", "J", "B").stdout == "b\n"
    assert json.loads(stage("task", "show", "J", "B", "--json").stdout)["id"] == "b"
