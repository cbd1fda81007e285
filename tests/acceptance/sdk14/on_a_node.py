"""What a job manager does on its node, with the credentials of its own task: adds a hundred tasks to its job, waits for
them and adds up what they print. It finds nothing but the client there, so it uses nothing else.
"""

from __future__ import annotations

import os
import time

from azure.batch import BatchServiceClient
from azure.batch import models as m
from azure.batch.batch_auth import SharedKeyCredentials

JOB, COUNT = os.environ["AZ_BATCH_JOB_ID"], 100

client = BatchServiceClient(
    SharedKeyCredentials(os.environ["AZ_BATCH_ACCOUNT_NAME"], os.environ["EBBTIDE_ACCOUNT_KEY"]),
    batch_url=os.environ["AZ_BATCH_ACCOUNT_URL"],
)
client.config.add_user_agent("flow/on_a_node")

tasks = [
    m.TaskAddParameter(id=f"piece-{number:03}", command_line=f"/bin/sh -c 'echo {number}'") for number in range(COUNT)
]
told = client.task.add_collection(JOB, tasks, threads=2).value
assert {each.status for each in told} == {m.TaskAddStatus.success}

end = time.monotonic() + 120
while (counts := client.job.get_task_counts(JOB).task_counts).completed < COUNT:
    assert time.monotonic() < end, counts
    time.sleep(0.2)
assert counts.succeeded == COUNT
print(sum(int(b"".join(client.file.get_from_task(JOB, task.id, "stdout.txt"))) for task in tasks))
try:
    client.pool.get(os.environ["AZ_BATCH_POOL_ID"])
except m.BatchErrorException as error:
    print(error.error.code)
