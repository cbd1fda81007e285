"""Jobs, tasks and pools are asked from the command line: of the controller that works, and in its absence."""

import json

from click.testing import CliRunner

from service.cli import main

from .world import World


def ebbtide(world, *words):
    return CliRunner().invoke(main, [*words, "--state", str(world.state.path)])


def done(world, *words):
    run = ebbtide(world, *words)
    assert run.exit_code == 0, run.stderr
    return run


def test_a_controller_does_what_it_is_asked(tmp_path):
    with World(tmp_path) as world:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=2)
        world.job("sleep 600", "sleep 600")
        world.wait(lambda: [str(task.state) for task in world.tasks()] == ["running", "running"], "both to run")

        assert done(world, "job", "disable", "job", "--tasks", "wait").stderr == ""
        refused = ebbtide(world, "task", "reactivate", "job", "t0", "--json")
        assert (refused.exit_code, json.loads(refused.stdout)[0]["error"]["code"]) == (1, "TaskNotCompleted")
        done(world, "task", "terminate", "job", "t0")
        world.wait(lambda: world.task("t0").failure is not None, "the task to end")
        done(world, "task", "delete", "job", "t0", "t1")
        world.wait(lambda: world.tasks() == [], "the tasks to go")
        (job,) = json.loads(done(world, "job", "list", "--json").stdout)
        assert (job["state"], job["previousState"]) == ("disabled", "disabling")

        done(world, "pool", "resize", "pool", "--dedicated", "0")
        world.wait(lambda: not world.nodes(), "the node to go")
        done(world, "job", "delete", "job")
        world.wait(lambda: world.controller.journal.jobs() == [], "the job to go")


def test_the_next_controller_does_what_was_asked_in_the_absence_of_one(tmp_path):
    with World(tmp_path) as world:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=2)
        world.job("sleep 600", job_id="ends")
        world.job("sleep 600", job_id="waits")
        world.wait(lambda: all(str(world.task("t0", j).state) == "running" for j in ("ends", "waits")), "both to run")
        world.stop()

        told = done(world, "job", "terminate", "ends", "--reason", "Enough")
        assert "no controller works on the state" in told.stderr
        done(world, "job", "disable", "waits", "--tasks", "requeue")
        # what has not happened is not claimed
        shown = json.loads(done(world, "task", "list", "ends", "--json").stdout)
        assert [task["state"] for task in shown] == ["running"]
        assert [job["state"] for job in json.loads(done(world, "job", "list", "--json").stdout)] == [
            "terminating", "disabling",
        ]  # fmt: skip
        assert ebbtide(world, "job", "terminate", "none").exit_code == 1

        world.start()
        states = lambda: {job.id: str(job.state) for job in world.controller.journal.jobs()}  # noqa: E731
        world.wait(lambda: states() == {"ends": "completed", "waits": "disabled"}, "the jobs to end")
        assert world.task(job_id="ends").failure.code == "TaskEnded"
        assert (str(world.task(job_id="waits").state), world.task(job_id="waits").requeue_count) == ("active", 1)
        assert [job.terminate_reason for job in world.controller.journal.jobs()] == ["Enough", None]
