"""What can be asked about jobs, tasks and job schedules. A request may be refused: an error is raised, and nothing has
changed."""

from __future__ import annotations

from dataclasses import dataclass

from .events import Event
from .spec import JobScheduleSpec, JobSpec
from .task_model import TaskKey
from .task_spec import TaskConstraints, TaskSpec


@dataclass(frozen=True, slots=True)
class AddJob(Event):
    """`declared`: a workload file has it, and asks for it again and again."""

    spec: JobSpec
    tasks: tuple[TaskSpec, ...] = ()
    declared: bool = False


@dataclass(frozen=True, slots=True)
class AddTasks(Event):
    job_id: str
    tasks: tuple[TaskSpec, ...]


@dataclass(frozen=True, slots=True)
class AddTaskCollection(AddTasks):
    """Each by itself: what is refused of one says nothing of the others. The answer has the tasks as they are recorded,
    or the errors (JobError, PoolError) of those that are refused, in the same order."""


@dataclass(frozen=True, slots=True)
class AddJobSchedule(Event):
    spec: JobScheduleSpec


@dataclass(frozen=True, slots=True)
class UpdateJob(Event):
    """Another budget for the job of that id; all else as it is."""

    spec: JobSpec


@dataclass(frozen=True, slots=True)
class UpdateJobSchedule(Event):
    """Another budget for the jobs of that schedule, also for the present one; all else as it is."""

    spec: JobScheduleSpec


@dataclass(frozen=True, slots=True)
class ReplaceJob(Event):
    """Other values for what may change of the job of that id (Batch REST API: PATCH and PUT of a job). `changed`: names
    of the attributes of `spec` that count."""

    spec: JobSpec
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class DisableJob(Event):
    """`tasks`: what becomes of those that run: "requeue", "terminate" or "wait"."""

    job_id: str
    tasks: str


@dataclass(frozen=True, slots=True)
class EnableJob(Event):
    job_id: str


@dataclass(frozen=True, slots=True)
class TerminateJob(Event):
    job_id: str
    reason: str = "UserTerminate"


@dataclass(frozen=True, slots=True)
class DeleteJob(Event):
    job_id: str


@dataclass(frozen=True, slots=True)
class ForgetJob(Event):
    """A job that was completed at `ended` is about to go, and its tasks before it, not all at once. Refused if it is
    another job by now."""

    job_id: str
    ended: float


@dataclass(frozen=True, slots=True)
class JobForgotten(ForgetJob):
    """That is over. `gone`: all of its tasks are gone; else some may be there still. Never refused."""

    gone: bool = True


@dataclass(frozen=True, slots=True)
class OfTask(Event):
    """Something is asked of one task."""

    job_id: str
    task_id: str

    @property
    def task_key(self) -> TaskKey | None:
        return (self.job_id, self.task_id)


@dataclass(frozen=True, slots=True)
class TerminateTask(OfTask):
    pass


@dataclass(frozen=True, slots=True)
class ReactivateTask(OfTask):
    """Let a completed task that failed run again."""


@dataclass(frozen=True, slots=True)
class DeleteTask(OfTask):
    pass


@dataclass(frozen=True, slots=True)
class UpdateTask(OfTask):
    """Other constraints; they count from the next execution on, retries at once."""

    constraints: TaskConstraints


@dataclass(frozen=True, slots=True)
class ReplaceJobSchedule(Event):
    """See ReplaceJob; a change of the job specification counts for the jobs to come."""

    spec: JobScheduleSpec
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class DisableJobSchedule(Event):
    schedule_id: str


@dataclass(frozen=True, slots=True)
class EnableJobSchedule(Event):
    schedule_id: str


@dataclass(frozen=True, slots=True)
class TerminateJobSchedule(Event):
    """No further job; the present one is terminated."""

    schedule_id: str


@dataclass(frozen=True, slots=True)
class DeleteJobSchedule(Event):
    """With all its jobs."""

    schedule_id: str


@dataclass(frozen=True, slots=True)
class RunJobSchedule(Event):
    """Make a job of the schedule now, whatever its times say. Not `at_once`: it is only recorded that somebody wants
    it, and the next controller makes it."""

    schedule_id: str
    at_once: bool = True
