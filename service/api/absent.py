"""Operations of the Batch REST API that have no meaning here: an honest refusal, with what there is instead."""

from __future__ import annotations

from collections.abc import Mapping

from .application import Handler
from .call import Answer, Call
from .errors import ApiError
from .operations import OPERATIONS

_CERTIFICATES = "certificates are not supported: bring secrets as environment variables, or files as resource files"
_POWER = "nodes cannot be stopped and kept: resize the pool to 0, which costs nothing, or remove the node"
INSTEAD: Mapping[str, str] = {
    "certificate.add": _CERTIFICATES,
    "certificate.cancel_deletion": _CERTIFICATES,
    "certificate.delete": _CERTIFICATES,
    "certificate.get": _CERTIFICATES,
    "certificate.list": _CERTIFICATES,
    "compute_node.deallocate": _POWER,
    "compute_node.get_remote_desktop": "nodes run Linux: ask for remoteloginsettings and use ssh",
    "compute_node.start": _POWER,
    "compute_node.upload_batch_service_logs": "`ebbtide node logs` prints what is kept of a node",
    "compute_node_extension.get": "VM extensions are not supported: let the pool's start task do it",
    "compute_node_extension.list": "VM extensions are not supported: let the pool's start task do it",
    "pool.list_usage_metrics": "ask for a pool with $expand=stats, or see `ebbtide status`: it tells what a pool cost",
}


def handlers() -> Mapping[str, Handler]:
    return {each.name: _refuse for each in OPERATIONS if not each.served}


async def _refuse(call: Call) -> Answer:
    raise ApiError("OperationNotSupported", f"{call.operation.name}: {INSTEAD[call.operation.name]}")
