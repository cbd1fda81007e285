"""Job schedules over the Batch REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runner import (
    AddJobSchedule,
    Core,
    DeleteJobSchedule,
    DisableJobSchedule,
    EnableJobSchedule,
    JobSchedule,
    JobScheduleSpec,
    ReplaceJobSchedule,
    RunJobSchedule,
    TerminateJobSchedule,
)

from ..rest_views import schedule_view
from . import bodies, changes, paging
from .answers import changed, made, of_object
from .application import Handler
from .backend import Backend, guarded, met
from .call import Answer, Call
from .conditions import conditions
from .errors import ApiError
from .properties import FILTERS, PROPERTIES
from .statistics import schedule_stats

if TYPE_CHECKING:
    from pools import Record
    from runner import Event


class Schedules:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "job_schedule.add": self._add,
            "job_schedule.list": self._list,
            "job_schedule.get": self._get,
            "job_schedule.exists": self._get,
            "job_schedule.patch": self._patch,
            "job_schedule.update": self._update,
            "job_schedule.delete": self._delete,
            "job_schedule.disable": self._disable,
            "job_schedule.enable": self._enable,
            "job_schedule.run": self._run,
            "job_schedule.terminate": self._terminate,
        }

    async def _list(self, call: Call) -> Answer:
        check, select = paging.asked_filter(call, FILTERS["schedule"]), paging.selection(call, PROPERTIES["schedule"])
        stats = paging.expands_stats(call)

        def find(unwanted: Callable[[], bool]) -> Answer:
            schedules = {each.id: each for each in self._journal.job_schedules()}
            found = paging.sorted_after(call, schedules, lambda each: self._view(call, each, stats, unwanted), check)
            return paging.page(call, "jobschedules", found, select, unwanted)

        return await self._backend.search(find)

    async def _get(self, call: Call) -> Answer:
        select, stats = paging.selection(call, PROPERTIES["schedule"]), paging.expands_stats(call)
        asked = conditions(call.headers)

        def find(unwanted: Callable[[], bool] = lambda: False) -> Answer:
            schedule = self._known(call)
            met(asked, schedule)
            return of_object(call, "jobschedules", select(self._view(call, schedule, stats, unwanted)), schedule)

        return await (self._backend.search(find) if stats else self._backend.read(find))

    def _known(self, call: Call) -> JobSchedule:
        schedule = self._journal.job_schedule(call.ids["jobScheduleId"])
        if schedule is None:
            raise ApiError("JobScheduleNotFound", f"the job schedule {call.ids['jobScheduleId']!r} does not exist")
        return schedule

    def _view(self, call: Call, schedule: JobSchedule, stats: bool, unwanted: Callable[[], bool]) -> dict[str, Any]:
        view = schedule_view(schedule, call.links)
        if stats:
            view["stats"] = schedule_stats(
                schedule, self._journal, view["url"], self._backend.controller.now(), unwanted
            )
        return view

    async def _add(self, call: Call) -> Answer:
        spec = self._backend.controller.vault.sealed(bodies.read(call.body, JobScheduleSpec))
        schedule: JobSchedule = await self._backend.ask(AddJobSchedule(spec))
        return made(call, schedule, call.links.schedule(schedule.id))

    async def _patch(self, call: Call) -> Answer:
        return await self._replaced(call, whole=False)

    async def _update(self, call: Call) -> Answer:
        return await self._replaced(call, whole=True)

    async def _replaced(self, call: Call, *, whole: bool) -> Answer:
        present = await self._backend.read(lambda: schedule_view(self._known(call), call.links))
        spec, names = changes.schedule(call.ids["jobScheduleId"], call.body, present, whole=whole)
        return await self._asked(call, ReplaceJobSchedule(self._backend.controller.vault.sealed(spec), names))

    async def _delete(self, call: Call) -> Answer:
        call.flag("force")
        return await self._asked(call, DeleteJobSchedule(call.ids["jobScheduleId"]))

    async def _disable(self, call: Call) -> Answer:
        return await self._asked(call, DisableJobSchedule(call.ids["jobScheduleId"]))

    async def _enable(self, call: Call) -> Answer:
        return await self._asked(call, EnableJobSchedule(call.ids["jobScheduleId"]))

    async def _run(self, call: Call) -> Answer:
        return await self._asked(call, RunJobSchedule(call.ids["jobScheduleId"]))

    async def _terminate(self, call: Call) -> Answer:
        call.flag("force")
        return await self._asked(call, TerminateJobSchedule(call.ids["jobScheduleId"]))

    async def _asked(self, call: Call, event: Event) -> Answer:
        def find(core: Core) -> Record | None:
            schedules = core.schedules.schedules
            return schedules.get(schedules.spelled(call.ids["jobScheduleId"]) or "")

        await self._backend.ask(event, guarded(call, find))
        record = await self._backend.read(lambda: self._journal.job_schedule(call.ids["jobScheduleId"]))
        return changed(call, record, event.spec if isinstance(event, ReplaceJobSchedule) else None)
