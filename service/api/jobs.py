"""Jobs over the Batch REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pools import Spec
from runner import (
    AddJob,
    Core,
    DeleteJob,
    DisableJob,
    EnableJob,
    Job,
    JobSpec,
    ReplaceJob,
    TerminateJob,
)

from ..rest_views import job_view, preparation_view, task_counts_view
from . import bodies, changes, paging
from .answers import changed, made, of_object
from .application import Handler
from .backend import Backend, guarded, met
from .call import Answer, Call
from .conditions import conditions
from .errors import ApiError
from .properties import FILTERS, PROPERTIES
from .statistics import job_stats

if TYPE_CHECKING:
    from pools import Record
    from runner import Event


class DisableBody(Spec, frozen=True, kw_only=True):
    disable_tasks: Literal["requeue", "terminate", "wait"]


class TerminateBody(Spec, frozen=True, kw_only=True):
    terminate_reason: str | None = None


class Jobs:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "job.add": self._add,
            "job.list": self._list,
            "job.list_from_job_schedule": self._of_schedule,
            "job.get": self._get,
            "job.patch": self._patch,
            "job.update": self._update,
            "job.delete": self._delete,
            "job.disable": self._disable,
            "job.enable": self._enable,
            "job.terminate": self._terminate,
            "job.get_task_counts": self._counts,
            "job.list_preparation_and_release_task_status": self._preparations,
        }

    # -- read --------------------------------------------------------------------------------------------------

    async def _list(self, call: Call) -> Answer:
        return await self._listed(call, None)

    async def _of_schedule(self, call: Call) -> Answer:
        return await self._listed(call, call.ids["jobScheduleId"])

    async def _listed(self, call: Call, schedule_id: str | None) -> Answer:
        check, select = paging.asked_filter(call, FILTERS["job"]), paging.selection(call, PROPERTIES["job"])
        stats = paging.expands_stats(call)

        def find(unwanted: Callable[[], bool]) -> Answer:
            own = None
            if schedule_id is not None:
                schedule = self._journal.job_schedule(schedule_id)
                if schedule is None:
                    raise ApiError("JobScheduleNotFound", f"the job schedule {schedule_id!r} does not exist")
                own = schedule.id
            jobs = {job.id: job for job in self._journal.jobs() if own is None or job.schedule_id == own}
            found = paging.sorted_after(call, jobs, lambda job: self._view(call, job, stats, unwanted), check)
            return paging.page(call, "jobs", found, select, unwanted)

        return await self._backend.search(find)

    async def _get(self, call: Call) -> Answer:
        select, stats = paging.selection(call, PROPERTIES["job"]), paging.expands_stats(call)
        asked = conditions(call.headers)

        def find(unwanted: Callable[[], bool] = lambda: False) -> Answer:
            job = self._known(call)
            met(asked, job)
            return of_object(call, "jobs", select(self._view(call, job, stats, unwanted)), job)

        return await (self._backend.search(find) if stats else self._backend.read(find))

    async def _counts(self, call: Call) -> Answer:
        def find(unwanted: Callable[[], bool]) -> Answer:
            job = self._known(call)
            counts, slots = self._journal.task_queries.counts_of(job.id, unwanted)
            return Answer({"odata.metadata": f"{call.base}/$metadata#taskcounts", **task_counts_view(counts, slots)})

        return await self._backend.search(find)

    async def _preparations(self, call: Call) -> Answer:
        names = PROPERTIES["preparation"]
        check, select = paging.asked_filter(call, FILTERS["preparation"]), paging.selection(call, names)

        def find() -> paging.Found:
            job = self._known(call)
            records = {each.node_id: each for each in self._journal.job_nodes(job.id)}
            view = lambda each: preparation_view(each, job, call.links)  # noqa: E731
            return paging.sorted_after(call, records, view, check)

        entity = "Microsoft.Azure.Batch.Protocol.Entities.JobPreparationAndReleaseTaskStatus"
        return await self._backend.page(call, entity, find, select)

    def _known(self, call: Call) -> Job:
        job = self._journal.job(call.ids["jobId"])
        if job is None:
            raise ApiError("JobNotFound", f"the job {call.ids['jobId']!r} does not exist")
        return job

    def _view(self, call: Call, job: Job, stats: bool, unwanted: Callable[[], bool]) -> dict[str, Any]:
        view = job_view(job, call.links)
        if stats:
            view["stats"] = job_stats(job, self._journal, view["url"], self._backend.controller.now(), unwanted)
        return view

    # -- write -------------------------------------------------------------------------------------------------

    async def _add(self, call: Call) -> Answer:
        declared = call.flag("declared")
        spec = self._backend.controller.vault.sealed(bodies.read(call.body, JobSpec))
        job: Job = await self._backend.ask(AddJob(spec, declared=declared))
        return made(call, job, call.links.job(job.id))

    async def _patch(self, call: Call) -> Answer:
        return await self._replaced(call, whole=False)

    async def _update(self, call: Call) -> Answer:
        return await self._replaced(call, whole=True)

    async def _replaced(self, call: Call, *, whole: bool) -> Answer:
        present = await self._backend.read(lambda: job_view(self._known(call), call.links))
        spec, names = changes.job(call.ids["jobId"], call.body, present, whole=whole)
        return await self._asked(call, ReplaceJob(self._backend.controller.vault.sealed(spec), names))

    async def _delete(self, call: Call) -> Answer:
        call.flag("force")
        return await self._asked(call, DeleteJob(call.ids["jobId"]))

    async def _disable(self, call: Call) -> Answer:
        body = bodies.read(call.body, DisableBody)
        return await self._asked(call, DisableJob(call.ids["jobId"], body.disable_tasks))

    async def _enable(self, call: Call) -> Answer:
        return await self._asked(call, EnableJob(call.ids["jobId"]))

    async def _terminate(self, call: Call) -> Answer:
        call.flag("force")
        body = bodies.optional(call.body, TerminateBody)
        return await self._asked(call, TerminateJob(call.ids["jobId"], body.terminate_reason or "UserTerminate"))

    async def _asked(self, call: Call, event: Event) -> Answer:
        def find(core: Core) -> Record | None:
            jobs = core.jobs.jobs
            return jobs.get(jobs.spelled(call.ids["jobId"]) or "")

        await self._backend.ask(event, guarded(call, find))
        spec = event.spec if isinstance(event, ReplaceJob) else None
        return changed(call, await self._backend.read(lambda: self._journal.job(call.ids["jobId"])), spec)
