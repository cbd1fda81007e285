"""Job schedules."""

from __future__ import annotations

from typing import Any

from runner import JobSchedule, ScheduleState

from ..noted import noted
from .links import Links
from .records import head, state
from .specifications import instant, known, specification_view

_LIVE = (ScheduleState.ACTIVE, ScheduleState.DISABLED)


def schedule_view(schedule: JobSchedule, links: Links) -> dict[str, Any]:
    recent = schedule.recent_job_id
    execution = {
        "nextRunTime": instant(schedule.next_run_time) if schedule.state in _LIVE else None,
        "recentJob": known({"id": recent, "url": links.job(recent)}) if recent is not None else None,
        "endTime": instant(schedule.end_time),
    }
    own = {**head(schedule, links.schedule(schedule.id)), **state(schedule), "executionInfo": known(execution)}
    own["warnings"] = list(noted(schedule.spec)) or None
    return known({"id": schedule.id, **specification_view(schedule.spec), **own})
