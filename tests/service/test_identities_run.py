"""Who tasks run as on local nodes when root runs ebbtide, and what such tasks can get at in the state."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest

from service.offers import offer
from service.provider_options import open_one
from service.settings import Settings
from service.state import StateDirectory
from service.unasked_root import unasked_root
from service.workload_file import load_workload

from .stage import Stage

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become other users")

DEFAULT = """
pools:
- {id: p, vmSize: local.small, targetDedicatedNodes: 1}
jobs:
- id: j
  poolInfo: {poolId: p}
  tasks:
  - {id: plain, commandLine: id -u}
  - {id: exposed, userIdentity: {autoUser: {elevationLevel: admin}},
     commandLine: "find STATE -mindepth 1 -maxdepth 1 -perm /077 -printf '%%f '"}
  - {id: wal, userIdentity: {autoUser: {elevationLevel: admin}}, commandLine: "test -e STATE/ebbtide.db-wal"}
  - {id: thief, userIdentity: {autoUser: {scope: task}}, commandLine: "/bin/sh -c 'id -u; %s'"}
"""
SECRETS = [
    *("id_ed25519", "secret", "deployment", "ebbtide.db", "ebbtide.db-wal", "ebbtide.db-shm", "providers.json", "lock"),
    *("controller.sock", "outputs", "storage", "packages", "providers", "doors", "nodes/.lock"),
]
THEFT = (
    "cd STATE; ls . nodes; touch x nodes/x; "
    f"for each in {' '.join(SECRETS)}; do cat $each; ls $each/; touch $each/x; done 2>/dev/null; true"
)
POOLS = """
pools:
- {id: p, vmSize: local.small, targetDedicatedNodes: 1}
- {id: q, vmSize: local.small, targetDedicatedNodes: 1}
jobs:
- id: j
  poolInfo: {poolId: p}
  tasks:
  - {id: a, commandLine: "/bin/sh -c 'id -u; touch $HOME/x $AZ_BATCH_NODE_SHARED_DIR/y'"}
  - {id: b, commandLine: "/bin/sh -c 'id -u; ls $HOME $AZ_BATCH_NODE_SHARED_DIR'",
     userIdentity: {autoUser: {scope: pool}}, dependsOn: {taskIds: [a]}}
  - {id: own, commandLine: id -u, userIdentity: {autoUser: {scope: task}}}
  - {id: admin, commandLine: id -u, userIdentity: {autoUser: {elevationLevel: admin}}}
  usesTaskDependencies: true
- {id: k, poolInfo: {poolId: q}, tasks: [{id: a, commandLine: id -u}]}
"""


@pytest.fixture
def open_stage():
    """Where others may go through to it, as to most places but the home of root."""
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-state-", dir="/tmp"))
    folder.chmod(0o755)
    stage = Stage(folder)
    yield stage
    stage.close()
    shutil.rmtree(folder)


def printed(stage, *task):
    return stage("logs", *task).stdout.split()


def test_a_task_of_its_own_user_runs_without_settings_and_finds_nothing_in_the_state(open_stage):
    stage = open_stage
    run = stage(workload=(DEFAULT % THEFT).replace("STATE", str(stage.state)))
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("task plain of job j will run as root") == 1 and "runAs: poolUser" in run.stderr
    assert printed(stage, "j", "plain") == ["0"] and printed(stage, "j", "exposed") == ["nodes"]
    assert len(printed(stage, "j", "thief")) == 1, "it has read what is in the state"
    assert int(printed(stage, "j", "thief")[0]) > 1_000_000_000
    assert stage.state.stat().st_mode & 0o777 == 0o711
    assert not list(stage.state.rglob("x"))


def test_an_older_state_is_shut_before_it_is_opened(tmp_path):
    state = StateDirectory(tmp_path / "state")
    (tmp_path / "state/outputs").mkdir(parents=True)
    for name in ("ebbtide.db", "ebbtide.db-wal", "anything"):
        (tmp_path / "state" / name).touch()
        (tmp_path / "state" / name).chmod(0o644)
    (tmp_path / "state/deployment").write_text("0" * 12)
    (tmp_path / "state/storage").symlink_to(tmp_path)
    before = tmp_path.stat().st_mode
    state.create(lambda: "unused")
    open_to_others = [path.name for path in state.path.iterdir() if path.lstat().st_mode & 0o077]
    assert sorted(open_to_others) == ["nodes", "storage"] and tmp_path.stat().st_mode == before


def test_tasks_of_a_pool_may_have_a_user_without_rights_on_each_node(open_stage, tmp_path):
    stage = open_stage
    settings = tmp_path / "s.yaml"
    settings.write_text("providers: {local: {runAs: poolUser}}")
    run = stage("--json", "--config", str(settings), workload=POOLS)
    assert run.returncode == 0, (run.stderr, json.loads(run.stdout)["tasks"])
    assert "will run as root" not in run.stderr
    (first,) = printed(stage, "j", "a")
    second, *seen = printed(stage, "j", "b")
    (own,), (admin,), (other,) = (printed(stage, *task) for task in (("j", "own"), ("j", "admin"), ("k", "a")))
    assert first == second and {"x", "y"} <= set(seen) and admin == "0"
    assert len({first, own, other, "0"}) == 4, "every node has a user of its own for its pool's tasks"


TASK = "jobs: [{id: j, poolInfo: %s, tasks: [{id: t, commandLine: x%s}]}]"
POOL, AUTO_POOL = "{poolId: p}", "{autoPoolSpecification: {poolLifetimeOption: job, pool: {vmSize: local.small%s}}}"


@pytest.mark.parametrize(
    ("job", "options", "own", "warned"),
    [
        (TASK % (POOL, ""), {}, {}, "task t of job j"),
        (TASK % (POOL, ", userIdentity: {autoUser: {elevationLevel: nonadmin}}"), {}, {}, "task t of job j"),
        (TASK % (AUTO_POOL % "", ""), {}, {}, "task t of job j"),
        (TASK % (POOL, ""), {"runAs": "self"}, {}, None),
        (TASK % (POOL, ""), {"runAs": "poolUser"}, {}, None),
        (TASK % (POOL, ""), {}, {"autoUserScope": "task"}, None),
        (TASK % (POOL, ", userIdentity: {autoUser: {elevationLevel: admin}}"), {}, {}, None),
        (TASK % (POOL, ", userIdentity: {autoUser: {scope: task}}"), {}, {}, None),
        (TASK % (AUTO_POOL % ", startTask: {commandLine: x}", ", userIdentity: {autoUser: {scope: task}}"), {}, {},
         "the start task of the pool that is made for job j"),
        ("jobSchedules: [{id: s, schedule: {recurrenceInterval: PT1H}, jobSpecification: {poolInfo: {poolId: p}, "
         "jobManagerTask: {id: m, commandLine: x}}}]", {}, {}, "the job manager task of job schedule s"),
        ("jobs: [{id: j, poolInfo: {poolId: p}, jobPreparationTask: {commandLine: x}}]", {}, {"autoUserScope": "task"},
         "the preparation task of job j"),
    ],
)  # fmt: skip
def test_who_is_warned(tmp_path, job, options, own, warned):
    (tmp_path / "w.yaml").write_text(f"pools: [{{id: p, vmSize: local.small}}]\n{job}")
    settings = msgspec.convert({**own, "providers": {"local": options}}, Settings)
    offers = {"local": offer(open_one("local", {"baseDir": str(tmp_path), **options}), options)}
    told = unasked_root(load_workload(tmp_path / "w.yaml", settings, offers).spec, settings, offers)
    if warned is None:
        assert told is None
    else:
        assert told is not None and told.startswith(f"{warned} will run as root")
