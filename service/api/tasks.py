"""Tasks over the Batch REST API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pools import Spec
from runner import (
    AddTaskCollection,
    AddTasks,
    Core,
    DeleteTask,
    Job,
    ReactivateTask,
    Task,
    TaskConstraints,
    TaskSpec,
    TaskState,
    TerminateTask,
    UpdateTask,
)

from ..rest_views import subtask_views, task_view
from . import added, bodies, changes, filters, paging
from .answers import changed, made, of_object
from .application import Handler
from .backend import Backend, guarded, met
from .call import MOST, Answer, Call
from .conditions import conditions
from .errors import ApiError
from .properties import FILTERS, PROPERTIES
from .statistics import task_stats
from .task_filters import narrowed, only_id

if TYPE_CHECKING:
    from pools import Record
    from runner import Event

#: Tasks in one collection at most (Batch REST API).
MOST_ADDED = 100
#: Seconds between looks whether a task that is to end has ended: 5 in all, and the first ones soon.
_LOOKS = (0.02, 0.03, 0.05, 0.1, 0.1, 0.2, *(0.5,) * 9)


class Collection(Spec, frozen=True, kw_only=True):
    value: tuple[TaskSpec, ...]


class UpdateBody(Spec, frozen=True, kw_only=True):
    """What of a task can change; see `changes.task`."""

    constraints: TaskConstraints = TaskConstraints()


class Tasks:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "task.add": self._add,
            "task.add_collection": self._add_collection,
            "task.list": self._list,
            "task.get": self._get,
            "task.list_subtasks": self._subtasks,
            "task.update": self._update,
            "task.delete": self._delete,
            "task.terminate": self._terminate,
            "task.reactivate": self._reactivate,
        }

    # -- read --------------------------------------------------------------------------------------------------

    async def _list(self, call: Call) -> Answer:
        check, select = paging.asked_filter(call, FILTERS["task"]), paging.selection(call, PROPERTIES["task"])
        stats = paging.expands_stats(call)

        def find() -> paging.Found:
            job, queries = self._job(call), self._journal.task_queries
            where, exact = narrowed(check, queries.integer)
            fulfils = filters.predicate(check) if check is not None and not exact else lambda _: True
            some = call.page_size + 1 if exact else MOST
            for key, task in queries.after(job.id, paging.skipped_to(call), where, some, only_id(check)):
                view = self._view(call, job, task, stats) if task is not None else None
                yield key, view if view is not None and fulfils(view) else None

        return await self._backend.page(call, "tasks", find, select)

    async def _get(self, call: Call) -> Answer:
        select, stats = paging.selection(call, PROPERTIES["task"]), paging.expands_stats(call)
        asked = conditions(call.headers)

        def find() -> Answer:
            job, task = self._task(call)
            met(asked, task)
            return of_object(call, "tasks", select(self._view(call, job, task, stats)), task)

        return await self._backend.read(find)

    async def _subtasks(self, call: Call) -> Answer:
        select = paging.selection(call, PROPERTIES["subtask"])

        def find() -> Answer:
            job, task = self._task(call)
            found = [select(each) for each in subtask_views(task, job, call.links)]
            return Answer({"odata.metadata": f"{call.base}/$metadata#subtasks", "value": found})

        return await self._backend.read(find)

    def _job(self, call: Call) -> Job:
        job = self._journal.job(call.ids["jobId"])
        if job is None:
            raise ApiError("JobNotFound", f"the job {call.ids['jobId']!r} does not exist")
        return job

    def _task(self, call: Call) -> tuple[Job, Task]:
        job = self._job(call)
        task = self._journal.task((job.id, call.ids["taskId"]))
        if task is None:
            raise ApiError("TaskNotFound", f"job {job.id!r} has no task {call.ids['taskId']!r}")
        return job, task

    def _view(self, call: Call, job: Job, task: Task, stats: bool) -> dict[str, Any]:
        view = task_view(task, job, call.links)
        if stats:
            view["stats"] = task_stats(task, view["url"], self._backend.controller.now())
        return view

    # -- write -------------------------------------------------------------------------------------------------

    async def _add(self, call: Call) -> Answer:
        spec = self._backend.controller.vault.sealed(bodies.read(call.body, TaskSpec))
        found: tuple[Task, ...] = await self._backend.ask(AddTasks(call.ids["jobId"], (spec,)))
        return made(call, found[0], call.links.task(found[0].job_id, found[0].id))

    async def _add_collection(self, call: Call) -> Answer:
        tasks = bodies.read(call.body, Collection).value
        if not 1 <= len(tasks) <= MOST_ADDED:
            text = f"value: 1 to {MOST_ADDED} tasks at a time, not {len(tasks)}"
            # the clients try again with half as many
            code = "RequestBodyTooLarge" if tasks else "InvalidPropertyValue"
            raise ApiError(code, text, (("MaxLimit", str(MOST_ADDED)),))
        event = AddTaskCollection(call.ids["jobId"], self._backend.controller.vault.sealed(tasks))
        found: list[Task | ValueError] = await self._backend.ask(event)
        results = list(added.results(call, tasks, found, self._backend.controller.now()))
        return Answer({"odata.metadata": f"{call.base}/$metadata#taskaddresult", "value": results})

    async def _update(self, call: Call) -> Answer:
        job, task = await self._backend.read(lambda: self._task(call))
        constraints = changes.task(task.id, call.body, task_view(task, job, call.links))
        return await self._asked(call, UpdateTask(call.ids["jobId"], call.ids["taskId"], constraints))

    async def _delete(self, call: Call) -> Answer:
        return await self._asked(call, DeleteTask(call.ids["jobId"], call.ids["taskId"]))

    async def _terminate(self, call: Call) -> Answer:
        """Answers when the task has ended, as the service does; of one that takes long, that it was asked to end."""
        answer = await self._asked(call, TerminateTask(call.ids["jobId"], call.ids["taskId"]))
        for pause in _LOOKS:
            task = await self._backend.read(lambda: self._present(call))
            if task is None or task.state is TaskState.COMPLETED:
                return changed(call, task)
            await asyncio.sleep(pause)
        return answer

    async def _reactivate(self, call: Call) -> Answer:
        return await self._asked(call, ReactivateTask(call.ids["jobId"], call.ids["taskId"]))

    async def _asked(self, call: Call, event: Event) -> Answer:
        def find(core: Core) -> Record | None:
            return core.tasks.tasks.get(core.spelling.task((call.ids["jobId"], call.ids["taskId"])))

        await self._backend.ask(event, guarded(call, find))
        return changed(call, await self._backend.read(lambda: self._present(call)))

    def _present(self, call: Call) -> Task | None:
        job = self._journal.job(call.ids["jobId"])
        return self._journal.task((job.id, call.ids["taskId"])) if job is not None else None
