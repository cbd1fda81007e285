"""The asynchronous client, which sends its requests by another transport (aiohttp)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from azure.batch import models as m
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import IMAGE, SIZE

flow = Flow()
POOL, JOB = "asynchronous-pool", "asynchronous-job"


def run(work: Callable[[BatchClient], Awaitable[None]]) -> None:
    async def connected() -> None:
        credential = AzureNamedKeyCredential(flow.account, flow.key)
        options = {"retry_total": 1, "user_agent": flow.agent}
        async with BatchClient(endpoint=flow.endpoint, credential=credential, **options) as client:
            await work(client)

    asyncio.run(connected())


@flow.step
def a_pool_and_a_job_are_made() -> None:
    async def work(client: BatchClient) -> None:
        pool = m.BatchPoolCreateOptions(
            id=POOL, vm_size=SIZE, virtual_machine_configuration=IMAGE, target_dedicated_nodes=1
        )
        await client.create_pool(pool)
        await client.create_job(m.BatchJobCreateOptions(id=JOB, pool_info=m.BatchPoolInfo(pool_id=POOL)))
        assert JOB in [job.id async for job in client.list_jobs(filter=f"id eq '{JOB}'")]

    run(work)


@flow.step
def tasks_run_and_their_output_is_read() -> None:
    async def work(client: BatchClient) -> None:
        some = [m.BatchTaskCreateOptions(id=f"t{number}", command_line="/bin/echo hello") for number in range(120)]
        result = await client.create_tasks(JOB, some)
        assert len(result.result_values) == 120

        async def done() -> None:
            while (await client.get_job_task_counts(JOB)).task_counts.completed < 120:
                await asyncio.sleep(0.2)

        await asyncio.wait_for(done(), 120)
        assert len([task async for task in client.list_tasks(JOB, max_results=50)]) == 120
        pieces = await client.download_task_file(JOB, "t7", "stdout.txt")
        assert b"".join([piece async for piece in pieces]) == b"hello\n"

    run(work)


@flow.step
def pollers_wait_for_the_end() -> None:
    async def work(client: BatchClient) -> None:
        options = m.BatchJobDisableOptions(disable_tasks="requeue")
        await (await client.begin_disable_job(JOB, options, polling_interval=1)).result()
        assert (await client.get_job(JOB)).state == m.BatchJobState.DISABLED
        await (await client.begin_enable_job(JOB, polling_interval=1)).result()
        await (await client.begin_delete_job(JOB, polling_interval=1)).result()
        await (await client.begin_delete_pool(POOL, polling_interval=1)).result()
        assert not [pool.id async for pool in client.list_pools(filter=f"id eq '{POOL}'")]

    run(work)


if __name__ == "__main__":
    flow.run()
