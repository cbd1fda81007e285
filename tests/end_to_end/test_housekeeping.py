"""What a running controller forgets: asked by `ebbtide gc`, and on its nodes."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import msgspec
from click.testing import CliRunner

from pools import MetadataItem
from runner import (
    AddJob,
    AddJobSchedule,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    Schedule,
    TaskConstraints,
    TaskSpec,
    node_tidying,
)
from service.cli import main

from .world import FAST, World

SETTINGS = msgspec.structs.replace(FAST, job_retention=timedelta(microseconds=1))


def gc(world, *words):
    command = [sys.executable, "-m", "service", "gc", "--state", str(world.state.path), *words]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=180, check=False)


def test_the_running_controller_is_asked(tmp_path):
    with World(tmp_path, SETTINGS) as world:
        world.pool(target_dedicated_nodes=1)
        world.job("head -c 200000 /dev/zero", job_id="over", on_all_tasks_complete="terminatejob")
        world.job("sleep 600", job_id="live")
        world.wait(lambda: any(job.end_time for job in world.controller.journal.jobs()), "the job to be over")
        assert len(list(world.state.outputs.iterdir())) == 1
        looked = json.loads(gc(world, "--dry-run", "--json").stdout)
        assert looked["jobs"] == []  # by the default of the settings; the controller has its own
        run = gc(world, "--json")
        assert run.returncode == 0, run.stderr
        told = json.loads(run.stdout)
        assert told["by"] == "controller"
        assert [(job["id"], job["tasks"], job["bytes"]) for job in told["jobs"]] == [("over", 1, 200000)]
        assert world.controller.journal.job("over") is None
        assert world.controller.journal.load(0.0).gone == {}, "no file declares it"
        assert world.look(lambda: [job.id for job in world.controller.core.jobs.jobs]) == ["live"]
        assert list(world.state.outputs.iterdir()) == []
        refused = gc(world, "--vacuum")
        assert refused.returncode != 0
        assert "without --vacuum" in refused.stderr


def test_folders_leave_the_node_when_their_time_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(node_tidying, "YOUNG", 0.0)

    def task(name, line, retention):
        constraints = TaskConstraints(retention_time=retention)
        return TaskSpec(id=name, command_line=line, constraints=constraints)

    with World(tmp_path) as world:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=2)
        tasks = (
            task("short", "mkdir -p a/b", timedelta(milliseconds=1)),
            task("kept", "true", timedelta(hours=1)),
            task("usual", "true", None),
            task("runs", "sleep 600", timedelta(milliseconds=1)),
        )
        world.request(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool")), tasks))
        done = ("short", "kept", "usual")
        world.wait(lambda: all(world.task(name).state == "completed" for name in done), "the short ones to end")
        world.wait(lambda: world.task("runs").state == "running", "the long one to start")
        world.stop()
        world.start()  # nothing is kept in mind of it
        world.wait(lambda: bool(world.controller.core.ctx.connected), "the node to be connected")
        (place,) = world.state.nodes.glob("**/workitems/job/job-1")

        def tidied():
            world.controller.housekeeping.begin(0.0)
            return not (place / "short").exists()

        world.wait(tidied, "the folder to go")
        assert sorted(path.name for path in place.iterdir()) == ["kept", "runs", "usual"]
        assert world.task("runs").state == "running"


def schedule(world, *words):
    return CliRunner().invoke(main, ["schedule", *words, "--state", str(world.state.path)])


def test_schedules_are_asked_for_from_outside(tmp_path):
    with World(tmp_path) as world:
        world.pool(target_dedicated_nodes=1)
        specification = JobSpecification(
            pool_info=PoolInfo(pool_id="pool"), job_manager_task=JobManagerTask(id="m", command_line="true")
        )
        cron = (MetadataItem(name="cron", value="0 0 29 2 *"),)
        spec = JobScheduleSpec(id="s", schedule=Schedule(), job_specification=specification, metadata=cron)
        world.request(AddJobSchedule(spec))
        assert schedule(world, "disable", "s").exit_code == 0
        assert schedule(world, "run", "s").exit_code == 0
        world.wait_completed("s:job-1")
        (told,) = json.loads(schedule(world, "list", "--json").stdout)
        execution = told["executionInfo"]
        assert (told["state"], execution["recentJob"]["id"]) == ("disabled", "s:job-1")
        assert "-02-29T00:00:00" in execution["nextRunTime"]
        assert "s:job-1" in schedule(world, "list").stdout
        refused = schedule(world, "run", "none")
        assert (refused.exit_code, "JobScheduleNotFound" in refused.stderr) == (1, True)
        assert schedule(world, "delete", "s").exit_code == 0
        world.wait(lambda: not world.controller.journal.job_schedules(), "the schedule to go")
        assert world.controller.journal.jobs() == []
        world.stop()
        none = schedule(world, "run", "s")
        assert (none.exit_code, "JobScheduleNotFound" in none.stderr) == (1, True)
        world.start()
