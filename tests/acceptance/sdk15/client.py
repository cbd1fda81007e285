"""azure-batch 15 (`BatchClient`) at the endpoint of a flow, and what all its flows ask of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from azure.batch import BatchClient
from azure.batch import models as m
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError

from tests.acceptance.flow import Flow

IMAGE = m.VirtualMachineConfiguration(
    image_reference=m.BatchVmImageReference(
        publisher="canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts", version="latest"
    ),
    node_agent_sku_id="batch.node.ubuntu 22.04",
)
SIZE = "standard_d2s_v3"


def connected(flow: Flow, key: str | None = None) -> BatchClient:
    credential = AzureNamedKeyCredential(flow.account, key or flow.key)
    return BatchClient(endpoint=flow.endpoint, credential=credential, retry_total=1, user_agent=flow.agent)


def refused(code: str, call: Callable[[], Any], kind: type[HttpResponseError] = HttpResponseError) -> str:
    """Its message. The call must fail as `kind` (exactly), with the code that the body tells."""
    try:
        found = call()
        if isinstance(found, Iterable):
            list(found)
    except HttpResponseError as error:
        assert type(error) is kind, f"{type(error).__name__} instead of {kind.__name__}: {error}"
        model: Any = error.model
        assert model is not None, f"the body told no code: {error}"
        assert model.code == code, f"{model.code} instead of {code}: {error}"
        return str(model.message.value)
    raise AssertionError(f"{code} expected, and there was no refusal: {found!r}")


def text(content: Iterable[bytes]) -> str:
    return b"".join(content).decode()


def make_pool(client: BatchClient, pool_id: str, nodes: int, **properties: Any) -> None:
    client.create_pool(
        m.BatchPoolCreateOptions(
            id=pool_id,
            vm_size=SIZE,
            virtual_machine_configuration=IMAGE,
            target_dedicated_nodes=nodes,
            target_low_priority_nodes=0,
            **properties,
        )
    )


def idle(flow: Flow, client: BatchClient, pool_id: str, count: int) -> list[str]:
    """The ids of the pool's nodes, when there are so many, and all are idle."""

    def found() -> list[str]:
        nodes = list(client.list_nodes(pool_id))
        return sorted(node.id for node in nodes) if [node.state for node in nodes] == ["idle"] * count else []

    return flow.wait(f"{count} idle nodes", found)


def variable(name: str) -> str:
    return os.environ[name]
