"""Jobs with preparation and release tasks, and what their nodes did."""

from runner import TaskConstraints
from runner.commands import StartExecution
from runner.simulation import START
from runner.task_spec import JobPreparationTask, JobReleaseTask

from .run import job

FOR_EVER = 10_000_000.0


def preparation(retries=None, **changes):
    constraints = TaskConstraints(max_task_retry_count=retries)
    return JobPreparationTask(**{"command_line": "prepare", "constraints": constraints, **changes})


RELEASE = JobReleaseTask(command_line="tidy up")


def prepared_job(job_id, *tasks, retries=None, release=True, prepare=None, **changes):
    fields = {"job_preparation_task": prepare or preparation(retries)} | changes
    return job(job_id, *tasks, **({"job_release_task": RELEASE} if release else {}), **fields)


def record_of(sim, job_id="j"):
    return next((r for key, r in sim.journal.table("job_nodes").items() if key[0] == job_id), None)


def runs(sim, kind):
    """Starts and ends of the executions of one kind, in seconds after the start: "task", or "p" or "r"."""
    found = []
    for execution in sim.world.log.started:
        attempt = execution.id.rpartition("-")[2]
        own = attempt[0] if attempt[0] in "pr" else "task"
        if own == kind and not execution.id.startswith("start:"):
            found.append((execution.started - START, None if execution.ended is None else execution.ended - START))
    return found


def starts_of(sim):
    """What nodes are told to start from now on, as it leaves."""
    said = []
    issue = sim.world.issue

    def watched(command):
        if isinstance(command, StartExecution):
            said.append(command)
        issue(command)

    sim.world.issue = watched
    return said
