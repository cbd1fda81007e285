"""The address of the door in what a node is told: put in place as the message leaves."""

from __future__ import annotations

from typing import Any

import pytest

from runner.door import DOOR, NoDoor, door_url, likely_ports, through_door

HERE = door_url(20001)
FILES: dict[str, Any] = {
    "resources": ({"url": f"{DOOR}/storage/in/a?sig=x", "path": "a", "mode": ""}, {"container": f"{DOOR}/storage/c"}),
    "outputs": [{"pattern": "*", "url": f"{DOOR}/storage/out", "headers": [["a", "b"]]}],
    "checkpoint": {"url": f"{DOOR}/storage/checkpoints/x"},
}


def message(**members: Any) -> dict[str, Any]:
    return {"op": "start", "id": "u-1", "env": {"A": "b"}, "resources": (), **members}


def test_a_message_that_does_not_mention_it_stays_the_same_object() -> None:
    plain = message()
    assert through_door(plain, HERE) is plain
    assert through_door(plain, None) is plain


def test_every_place_gets_the_address() -> None:
    placed = through_door(message(env={"A": "b", "U": DOOR, "V": f"x={DOOR}/y"}, **FILES), HERE)
    assert placed["env"] == {"A": "b", "U": HERE, "V": f"x={HERE}/y"}
    assert placed["resources"][0] == {"url": f"{HERE}/storage/in/a?sig=x", "path": "a", "mode": ""}
    assert DOOR not in repr(placed) and repr(placed).count(HERE) == 6
    assert placed["id"] == "u-1"


def test_without_a_door_variables_are_left_out() -> None:
    assert through_door(message(env={"A": "b", "U": DOOR}), None)["env"] == {"A": "b"}


@pytest.mark.parametrize("name", FILES)
def test_without_a_door_files_are_refused_with_the_cure(name: str) -> None:
    with pytest.raises(NoDoor, match="AllowTcpForwarding"):
        through_door(message(**{name: FILES[name]}), None)


def test_files_that_come_from_elsewhere_need_no_door() -> None:
    elsewhere = message(resources=({"url": "https://example.org/a", "path": "a"},), checkpoint=None, outputs=[])
    assert through_door(elsewhere, None) is elsewhere


def test_likely_ports_stay_and_are_spread() -> None:
    assert likely_ports("node-1") == likely_ports("node-1")
    assert likely_ports("node-1", 1) == likely_ports("node-1")[:1]
    first = [likely_ports(f"node_{n:012x}_d")[0] for n in range(500)]
    assert all(20_000 <= port < 32_000 for port in first)
    assert len(set(first)) > 450
