"""What is gone on purpose, of the jobs that workload files declare: whoever brings such a file here once more does not
want it made again. Ours, beyond the Batch REST API."""

from __future__ import annotations

from collections.abc import Mapping

from pools import folded

from ..iso8601 import format_instant
from . import paging
from .application import Handler
from .backend import Backend
from .call import Answer, Call
from .errors import ApiError


class Gone:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {"job.get_forgotten": self._job, "task.list_deleted": self._tasks}

    async def _job(self, call: Call) -> Answer:
        """It means nothing while there is a job of that id."""

        def find() -> Answer:
            job_id = call.ids["jobId"]
            found = self._journal.forgotten_job(job_id)
            if found is None:
                raise ApiError("JobNotFound", f"no job {job_id!r} was forgotten")
            content = {"odata.metadata": f"{call.base}/$metadata#forgottenjobs/@Element"}
            return Answer({**content, "id": found.job_id, "forgottenTime": format_instant(found.time)})

        return await self._backend.read(find)

    async def _tasks(self, call: Call) -> Answer:
        """Ids in lower case; tasks that were added again are not among them."""

        def find() -> paging.Found:
            job = self._journal.job(call.ids["jobId"])
            if job is None:
                raise ApiError("JobNotFound", f"the job {call.ids['jobId']!r} does not exist")
            deleted = self._journal.deleted_tasks(job.id)
            if deleted:  # there may be a million tasks
                deleted -= {folded(each) for each in self._journal.task_queries.ids(job.id)}
            found = {each: each for each in deleted}
            return paging.sorted_after(call, found, lambda each: {"id": each}, None)

        return await self._backend.page(call, "deletedtasks", find)
