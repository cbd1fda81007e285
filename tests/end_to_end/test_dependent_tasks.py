"""Dependencies, exit conditions and requests about single tasks, with real processes on a local node."""

from runner import (
    AddJob,
    DeleteTask,
    JobSpec,
    PoolInfo,
    ReactivateTask,
    TaskConstraints,
    TaskDependencies,
    TaskIdRange,
    TaskSpec,
    TaskState,
    TerminateTask,
)
from runner.task_spec import ExitCodeMapping, ExitConditions, ExitOptions

from .world import World


def shell(task_id, command, **changes):
    return TaskSpec(id=task_id, command_line=f"/bin/sh -c '{command}'", **changes)


def after(*ids, ranges=()):
    spans = tuple(TaskIdRange(start=start, end=end) for start, end in ranges)
    return TaskDependencies(task_ids=ids, task_id_ranges=spans)


def on(code, **options):
    return ExitConditions(exit_codes=(ExitCodeMapping(code=code, exit_options=ExitOptions(**options)),))


def add(world, *tasks, **properties):
    pool = PoolInfo(pool_id="pool")
    world.request(AddJob(JobSpec(id="job", pool_info=pool, uses_task_dependencies=True, **properties), tasks))


def test_a_graph_of_tasks(tmp_path):
    log = tmp_path / "log"
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=4)
        tasks = [
            shell("last", f"echo last >> {log}", depends_on=after("sum")),
            shell("sum", f"echo sum >> {log}", depends_on=after(ranges=[(1, 4)])),
            *(shell(str(n), f"echo {n} >> {log}") for n in (1, 2, 3)),
            shell("4", f"echo 4 >> {log}; exit 5", exit_conditions=on(5, dependency_action="satisfy")),
        ]
        add(world, *tasks, on_all_tasks_complete="terminatejob")
        world.wait_completed()
        lines = log.read_text().split()
        assert sorted(lines[:4]) == ["1", "2", "3", "4"] and lines[4:] == ["sum", "last"]
        four = world.task("4")
        assert (four.exit_code, four.failure.code, four.failure.details[0].value) == (5, "FailureExitCode", "5")


def test_a_failed_task_is_mended_and_run_again(tmp_path):
    good = tmp_path / "good"
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        add(
            world,
            shell("a", f"test -e {good}"),
            shell("b", "echo b", depends_on=after("a")),
            shell("c", "echo c", depends_on=after("b")),
            on_all_tasks_complete="terminatejob",
        )
        world.wait(lambda: world.task("c").scheduling_error is not None, "c is told that it cannot start")
        assert world.task("b").scheduling_error.code == "DependencyFailed"
        good.touch()
        world.stop()
        world.start()
        world.request(ReactivateTask("job", "a"))
        world.wait_completed()
        assert [world.task(each).result for each in "abc"] == ["success"] * 3


def test_a_failure_ends_the_job(tmp_path):
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=2)
        add(
            world,
            shell("slow", "sleep 600"),
            shell("bad", "exit 3", exit_conditions=on(3, job_action="terminate"), constraints=TaskConstraints()),
            on_task_failure="performexitoptionsjobaction",
        )
        world.wait_completed()
        assert world.task("slow").failure.code == "TaskEnded"
        (job,) = world.look(lambda: list(world.controller.engine.core.jobs.jobs))
        assert job.terminate_reason == "TaskFailed"


def test_end_and_delete_tasks_that_run(tmp_path):
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=2)
        add(world, shell("a", "echo a; sleep 600"), shell("b", "echo b; sleep 600"))
        world.wait(lambda: all(task.state is TaskState.RUNNING for task in world.tasks()), "both run")
        world.request(TerminateTask("job", "a"))
        world.request(DeleteTask("job", "b"))
        world.wait(lambda: [task.state for task in world.tasks()] == ["completed"], "one has ended, one has gone")
        assert world.task("a").failure.code == "TaskEnded"
        assert world.printed("a") == b"a\n"
