"""What brings a job schedule to what a workload file says of it."""

from __future__ import annotations

from msgspec.structs import fields

from runner import JobScheduleSpec, ScheduleState

from ..rest_objects import Objects
from .changes import Change, Plan, Step
from .compared import differences, names_of, tops, wanted
from .reading import found

#: What may change (Batch REST API), for jobs to come.
CHANGEABLE = ("jobSpecification", "metadata", "schedule")
_ATTRIBUTES = {each.encode_name: each.name for each in fields(JobScheduleSpec)}
_LIVE = (ScheduleState.ACTIVE, ScheduleState.DISABLED)


def plan_schedule(spec: JobScheduleSpec, objects: Objects, plan: Plan) -> None:
    """Raises RequestRefused, Unanswered."""
    held = found(objects, "jobschedules", spec.id)
    if held is None:
        making = Step("POST", ("jobschedules",), spec)
        plan.changes.append(Change(kind="job schedule", name=spec.id, new=True, steps=(making,)))
        return
    name, state = held["id"], held["state"]
    if state == ScheduleState.DELETING:
        plan.refused.append(f"job schedule {name!r} is being deleted; give this command again when it is gone")
        return
    differing = differences(held, wanted(spec), names_of(JobScheduleSpec))
    changed = tops(differing)
    fixed = [each.path for each in differing if not each.path.startswith(CHANGEABLE)]
    if fixed:
        plan.refused.append(
            f"job schedule {name!r}: {', '.join(fixed)} cannot change; what can: {', '.join(CHANGEABLE)}. Undo this "
            "change, use another id, or delete the schedule first"
        )
    elif differing and state not in _LIVE:
        told = f"job schedule {name!r} is {state} and makes no job any more, so it keeps its {', '.join(changed)}"
        plan.left_alone.append(told)
        plan.unchanged += 1
        return
    body = {each: getattr(spec, _ATTRIBUTES[each]) for each in changed}
    steps = (Step("PATCH", ("jobschedules", name), body),) if differing else ()
    plan.note(Change(kind="job schedule", name=name, differences=differing, steps=steps))
