"""What can be asked about jobs, tasks and job schedules. A request may be refused: an error is raised, and nothing has
changed."""

from __future__ import annotations

from .events import Event
from .spec import JobScheduleSpec, JobSpec
from .task_model import TaskKey
from .task_spec import TaskConstraints, TaskSpec


class AddJob(Event, frozen=True):
    """`declared`: a workload file has it, and asks for it again and again."""

    spec: JobSpec
    tasks: tuple[TaskSpec, ...] = ()
    declared: bool = False


class AddTasks(Event, frozen=True):
    job_id: str
    tasks: tuple[TaskSpec, ...]


class AddTaskCollection(AddTasks, frozen=True):
    """Each by itself: what is refused of one says nothing of the others. The answer has the tasks as they are recorded,
    or the errors (JobError, PoolError) of those that are refused, in the same order."""


class AddJobSchedule(Event, frozen=True):
    spec: JobScheduleSpec


class UpdateJob(Event, frozen=True):
    """Another budget for the job of that id; all else as it is."""

    spec: JobSpec


class UpdateJobSchedule(Event, frozen=True):
    """Another budget for the jobs of that schedule, also for the present one; all else as it is."""

    spec: JobScheduleSpec


class ReplaceJob(Event, frozen=True):
    """Other values for what may change of the job of that id (Batch REST API: PATCH and PUT of a job). `changed`: names
    of the attributes of `spec` that count."""

    spec: JobSpec
    changed: frozenset[str]


class DisableJob(Event, frozen=True):
    """`tasks`: what becomes of those that run: "requeue", "terminate" or "wait"."""

    job_id: str
    tasks: str


class EnableJob(Event, frozen=True):
    job_id: str


class TerminateJob(Event, frozen=True):
    job_id: str
    reason: str = "UserTerminate"


class DeleteJob(Event, frozen=True):
    job_id: str


class ForgetJob(Event, frozen=True):
    """A job that was completed at `ended` is about to go, and its tasks before it, not all at once. Refused if it is
    another job by now."""

    job_id: str
    ended: float


class JobForgotten(ForgetJob, frozen=True):
    """That is over. `gone`: all of its tasks are gone; else some may be there still. Never refused."""

    gone: bool = True


class OfTask(Event, frozen=True):
    """Something is asked of one task."""

    job_id: str
    task_id: str

    @property
    def task_key(self) -> TaskKey | None:
        return (self.job_id, self.task_id)


class TerminateTask(OfTask, frozen=True):
    pass


class ReactivateTask(OfTask, frozen=True):
    """Let a completed task that failed run again."""


class DeleteTask(OfTask, frozen=True):
    pass


class UpdateTask(OfTask, frozen=True):
    """Other constraints; they count from the next execution on, retries at once."""

    constraints: TaskConstraints


class ReplaceJobSchedule(Event, frozen=True):
    """See ReplaceJob; a change of the job specification counts for the jobs to come."""

    spec: JobScheduleSpec
    changed: frozenset[str]


class DisableJobSchedule(Event, frozen=True):
    schedule_id: str


class EnableJobSchedule(Event, frozen=True):
    schedule_id: str


class TerminateJobSchedule(Event, frozen=True):
    """No further job; the present one is terminated."""

    schedule_id: str


class DeleteJobSchedule(Event, frozen=True):
    """With all its jobs."""

    schedule_id: str


class RunJobSchedule(Event, frozen=True):
    """Make a job of the schedule now, whatever its times say. Not `at_once`: it is only recorded that somebody wants
    it, and the next controller makes it."""

    schedule_id: str
    at_once: bool = True
