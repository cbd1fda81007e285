"""What the network is served beside the operations: see `web` and `drain_routes`."""

from __future__ import annotations

from typing import Any

from .answer_schemas import COUNT, TEXT, choice, group, many
from .request_schemas import Schema, reference

#: Where the description is, for whoever asks: it is the same for every deployment.
PATH = "/openapi.json"
_HEALTH = group({"status": choice("ok", "waiting", "stopping")}, "status")
_LEFT = group(
    {"nodes": COUNT, "vms": many(TEXT, 0), "silent": {"type": ["string", "null"]}},
    *("nodes", "vms", "silent"),
    text="How many nodes the records have, the names of the VMs that are there, and why a cloud does not tell, if so.",
)


def paths() -> dict[str, Any]:
    health = {"application/json": {"schema": _HEALTH}}
    pool = [{"name": "pool", "in": "query", "description": "Of this pool only.", "schema": {"type": "string"}}]
    refused: Schema = {each: {"$ref": f"#/components/responses/{each}"} for each in ("401", "403", "404", "503")}
    return {
        "/healthz": _get(
            "server.health",
            "Whether what is asked for can be recorded",
            {
                "200": {"description": "It can.", "content": health},
                "503": {"description": "Not at present, or no more.", "content": health},
            },
            security=[],
        ),
        PATH: _get(
            "server.describe",
            "This description",
            {"200": {"description": "It.", "content": {"application/json": {}}}},
            security=[],
        ),
        "/drain": {
            "post": {
                "operationId": "server.drain",
                "tags": ["server"],
                "summary": "All nodes leave, and nothing new begins",
                "parameters": pool,
                "responses": {"204": {"description": "They have begun to leave."}, **refused},
            }
        },
        "/left": _get(
            "server.left",
            "What is left of the nodes",
            {
                "200": {"description": "This.", "content": {"application/json": {"schema": reference("Left")}}},
                **refused,
            },
            parameters=pool,
        ),
    }


def schemas() -> dict[str, Schema]:
    return {"Left": _LEFT}


def _get(name: str, summary: str, responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"get": {"operationId": name, "tags": ["server"], "summary": summary, "responses": responses, **more}}
