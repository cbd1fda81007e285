"""What a workload file asks for, beside what there is: a plan, before anything is done."""

from __future__ import annotations

from pathlib import Path

from ..left_alone import gone_lines
from ..rest_objects import Objects
from ..workload_file import LoadedWorkload
from .applications import plan_applications
from .changes import Plan
from .jobs import plan_job
from .pools import plan_pool
from .schedules import plan_schedule


def plan(loaded: LoadedWorkload, objects: Objects, scratch: Path, where: str = "") -> Plan:
    """In the order in which one needs the other. `scratch`: a folder for packages, as long as the plan is of use.
    `where`: the options by which commands find these objects. Raises RequestRefused, Unanswered, PackageError."""
    made, spec = Plan(), loaded.spec
    plan_applications(spec.applications, loaded.base, scratch, objects, made)
    for pool in spec.pools:
        plan_pool(pool, objects, made)
    for schedule in spec.job_schedules:
        plan_schedule(schedule, objects, made)
    for job in spec.jobs:
        plan_job(job, objects, made)
    made.left_alone += gone_lines(made.forgotten, made.deleted, where)
    return made
