"""azure-batch 14 (`BatchServiceClient`) at the endpoint of a flow, and what all its flows ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from azure.batch import BatchServiceClient
from azure.batch import models as m
from azure.batch.batch_auth import SharedKeyCredentials

from tests.acceptance.flow import Flow

IMAGE = m.VirtualMachineConfiguration(
    image_reference=m.ImageReference(
        publisher="canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts", version="latest"
    ),
    node_agent_sku_id="batch.node.ubuntu 22.04",
)
SIZE = "standard_d2s_v3"


def connected(flow: Flow, key: str | None = None) -> BatchServiceClient:
    client = BatchServiceClient(SharedKeyCredentials(flow.account, key or flow.key), batch_url=flow.endpoint)
    client.config.add_user_agent(flow.agent)
    return client


def refused(code: str, status: int, call: Callable[[], Any]) -> str:
    """Its message. The call must fail with the code and the status."""
    try:
        found = call()
        if isinstance(found, Iterable):
            list(found)
    except m.BatchErrorException as error:
        told = (error.error.code, error.response.status_code)
        assert told == (code, status), f"{told} instead of {(code, status)}: {error}"
        return str(error.error.message.value)
    raise AssertionError(f"{code} expected, and there was no refusal: {found!r}")


def text(content: Iterable[bytes]) -> str:
    return b"".join(content).decode()


def make_pool(client: BatchServiceClient, pool_id: str, nodes: int, **properties: Any) -> None:
    given = {"virtual_machine_configuration": IMAGE, "target_dedicated_nodes": nodes, **properties}
    client.pool.add(m.PoolAddParameter(id=pool_id, vm_size=SIZE, **given))


def idle(flow: Flow, client: BatchServiceClient, pool_id: str, count: int) -> list[str]:
    """The ids of the pool's nodes, when there are so many, and all are idle."""

    def found() -> list[str]:
        nodes = list(client.compute_node.list(pool_id))
        return sorted(node.id for node in nodes) if [node.state.value for node in nodes] == ["idle"] * count else []

    return flow.wait(f"{count} idle nodes", found)


def steady(flow: Flow, client: BatchServiceClient, pool_id: str) -> m.CloudPool:
    def found() -> m.CloudPool | None:
        pool = client.pool.get(pool_id)
        return pool if pool.allocation_state == m.AllocationState.steady else None

    return flow.wait(f"{pool_id} is steady", found)


def gone(flow: Flow, what: str, get: Callable[[], Any]) -> None:
    """Waits until it is not there any more."""

    def not_found() -> bool:
        try:
            get()
        except m.BatchErrorException as error:
            return bool(error.response.status_code == 404)
        return False

    flow.wait(f"{what} is gone", not_found)
