"""An instance as the rig shows it to tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Instance:
    """What the cloud itself knows of one, whether the API shows it yet or not. `lifecycle`: "spot" or None.

    `born`, `ended`: Instants of its creation, and of the beginning of its end.
    """

    id: str
    state: str
    tags: Mapping[str, str]
    lifecycle: str | None
    zone: str
    size: str
    image: str
    private_ip: str
    public_ip: str | None
    key_name: str | None
    groups: tuple[str, ...]
    reason: str
    stranger: bool
    born: float
    ended: float | None
    client_token: str | None


def instance_of(life: Any) -> Instance:
    it = life.instance
    return Instance(
        id=it.id,
        state=it.state,
        tags={tag["key"]: tag["value"] for tag in it.get_tags()},
        lifecycle=it.lifecycle,
        zone=it.placement.zone,
        size=it.instance_type,
        image=it.image_id,
        private_ip=it.private_ip,
        public_ip=it.public_ip,
        key_name=it.key_name,
        groups=tuple(group.id for group in it.nics[0].group_set) if it.nics else (),
        reason=it.state_reason.code if it.state_reason is not None else "",
        stranger=life.stranger,
        born=life.born,
        ended=life.ended,
        client_token=it.client_token if it.client_token != "ABCDE" else None,
    )
