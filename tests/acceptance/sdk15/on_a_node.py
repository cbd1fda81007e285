"""What a job manager does on its node, with the credentials of its own task: adds a hundred tasks to its job, waits for
them and adds up what they print. It finds nothing but the client there, so it uses nothing else.

Prints the sum, and then, a line each, what it is refused.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from azure.batch import BatchClient
from azure.batch import models as m
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError

JOB, OWN = os.environ["AZ_BATCH_JOB_ID"], os.environ["AZ_BATCH_TASK_ID"]
COUNT = 100

client = BatchClient(
    endpoint=os.environ["AZ_BATCH_ACCOUNT_URL"],
    credential=AzureNamedKeyCredential(os.environ["AZ_BATCH_ACCOUNT_NAME"], os.environ["EBBTIDE_ACCOUNT_KEY"]),
    user_agent="flow/on_a_node",
)


def refused(what: str, call: Callable[[], object]) -> None:
    try:
        call()
    except HttpResponseError as error:
        print(what, error.status_code, error.model.code if error.model is not None else None)
    else:
        print(what, "allowed")


def printed(task_id: str) -> int:
    return int(b"".join(client.download_task_file(JOB, task_id, "stdout.txt")))


tasks = [
    m.BatchTaskCreateOptions(id=f"piece-{number:03}", command_line=f"/bin/sh -c 'echo {number}'")
    for number in range(COUNT)
]
told = client.create_tasks(JOB, tasks).result_values or []
assert sorted(each.task_id for each in told) == [each.id for each in tasks]

end = time.monotonic() + 120
while client.get_job_task_counts(JOB).task_counts.completed < COUNT:
    assert time.monotonic() < end, client.get_job_task_counts(JOB)
    time.sleep(0.2)
mine = [task.id for task in client.list_tasks(JOB, filter="executionInfo/result eq 'success'", max_results=30)]
assert OWN not in mine
assert len(mine) == COUNT
print(sum(map(printed, mine)))

refused("pools", lambda: list(client.list_pools()))
refused("its pool", lambda: client.get_pool(os.environ["AZ_BATCH_POOL_ID"]))
refused("jobs", lambda: list(client.list_jobs()))
refused("another job", lambda: client.get_job("managers-other"))
refused("a new job", lambda: client.create_job({"id": "managers-new", "poolInfo": {"poolId": "managers-pool"}}))
