"""A job schedule on the virtual clock, for tests."""

from datetime import UTC, datetime, timedelta

from pools import MetadataItem
from runner import (
    AddJobSchedule,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    Schedule,
)
from runner.simulation import START

from .run import POOL, SETTINGS, ask, job_of, simulation, until

HOUR, DAY = 3600.0, 86400.0


def spec(seconds=HOUR, *, metadata=None, command="work", **times):
    """A schedule "s"; `seconds` None: without an interval."""
    interval = timedelta(seconds=seconds) if seconds is not None else None
    manager = JobManagerTask(id="m", command_line=command)
    return JobScheduleSpec(
        id="s",
        schedule=Schedule(recurrence_interval=interval, **times),
        job_specification=JobSpecification(pool_info=POOL, job_manager_task=manager),
        metadata=tuple(MetadataItem(name=name, value=value) for name, value in (metadata or {}).items()),
    )


def at(seconds):
    return datetime.fromtimestamp(START + seconds, UTC)


def schedule_of(sim):
    return sim.journal.table("job_schedules").get("s")


def jobs_of(sim):
    return [job for job in sim.journal.table("jobs").values() if job.schedule_id == "s"]


def starts(sim):
    """When jobs were made, in seconds of the simulation."""
    return [round(job.created - START) for job in sorted(jobs_of(sim), key=lambda job: job.number)]


def begun(**times):
    """A simulation with a schedule; each of its jobs takes as long as the test says (600 s)."""
    duration = times.pop("duration", 600.0)
    sim = simulation({"m": [(duration, 0)]}, settings=times.pop("settings", SETTINGS))
    assert ask(sim, AddJobSchedule(spec(**times))) is None
    return sim


def rest(sim, seconds):
    sim.run(lambda: False, sim.now + seconds)


def to(sim, seconds):
    """Go to that time of the simulation."""
    sim.run(lambda: sim.now >= START + seconds, START + seconds)


def active(sim):
    until(sim, lambda: job_of(sim, "s:job-1") is not None)
