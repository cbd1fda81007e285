"""The spool alone: what is in its file after whatever befell it."""

import os
from pathlib import Path

import pytest

from runner.agent import wire
from runner.agent.spool import OUTCOMES, SIZE, Spool


def finish(spool: Spool, key: str, end: float) -> None:
    outcome = {"id": key, "end": end}
    spool.finish(outcome, wire.encode(outcome))


def test_spool_keeps_outcomes_in_order_and_frees_acknowledged_ones(tmp_path: Path) -> None:
    path = str(tmp_path / "spool")
    spool = Spool(path)
    assert not spool.damage and os.stat(path).st_blocks * 512 >= SIZE * (OUTCOMES + 1), "not preallocated"
    for number in range(OUTCOMES):
        spool.begin(f"t{number}", float(number))
        finish(spool, f"t{number}", float(number))
    assert spool.full
    again = Spool(path)
    assert list(again.outcomes) == [f"t{number}" for number in range(OUTCOMES)] and again.current is None
    again.ack(f"t{OUTCOMES - 1}")
    again.ack("t3")
    again.ack("unknown")
    assert not again.full
    third = Spool(path)
    assert third.current is None and len(third.outcomes) == OUTCOMES - 2 and not {"t3"} & set(third.outcomes)


def test_spool_tells_a_begun_execution_without_outcome(tmp_path: Path) -> None:
    path = str(tmp_path / "spool")
    spool = Spool(path)
    spool.begin("a", 1.0)
    assert Spool(path).current == {"id": "a", "start": 1.0}
    finish(spool, "a", 2.0)
    assert Spool(path).current is None
    spool.ack("a")
    assert Spool(path).current is None and not Spool(path).outcomes


@pytest.mark.parametrize("length", [0, 3, SIZE - 1, SIZE, 3 * SIZE + 5])
def test_spool_survives_a_truncated_or_scrambled_file(tmp_path: Path, length: int) -> None:
    path = tmp_path / "spool"
    spool = Spool(str(path))
    finish(spool, "a", 2.0)
    data = path.read_bytes()
    path.write_bytes(data[:length])
    assert set(Spool(str(path)).outcomes) <= {"a"}
    path.write_bytes(b"\xff" * len(data))
    scrambled = Spool(str(path))
    assert not scrambled.outcomes and scrambled.current is None and not scrambled.full
    with pytest.raises(ValueError, match="holds"):
        scrambled.begin("x" * SIZE, 1.0)


def test_a_damage_has_one_name_until_it_is_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    finish(Spool(str(path)), "a", 2.0)
    os.truncate(path, 0)
    name = Spool(str(path)).damage
    assert name and Spool(str(path)).damage == name, "the next owner finds a whole spool, and tells it all the same"
    spool = Spool(str(path))
    spool.begin("b", 3.0)
    spool.ack(name)
    assert not spool.damage
    again = Spool(str(path))
    assert not again.damage and again.current == {"id": "b", "start": 3.0}


@pytest.mark.parametrize("acknowledged", [False, True])
@pytest.mark.parametrize("length", [0, 3 * SIZE + 5])
def test_another_damage_has_another_name(tmp_path: Path, length: int, acknowledged: bool) -> None:
    path = tmp_path / "spool"
    finish(Spool(str(path)), "a", 2.0)
    names = {""}
    for _ in range(3):
        os.truncate(path, length)
        spool = Spool(str(path))
        assert spool.damage not in names
        names.add(spool.damage)
        if acknowledged:
            spool.ack(spool.damage)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


def test_a_record_that_cannot_be_read_is_one_damage_and_no_other_later(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    finish(Spool(str(path)), "a", 2.0)
    path.write_bytes(flipped(path.read_bytes(), SIZE + 20))
    name = Spool(str(path)).damage
    assert name and not Spool(str(path)).outcomes
    path.write_bytes(flipped(path.read_bytes(), (OUTCOMES + 1) * SIZE + 20))
    assert Spool(str(path)).damage not in ("", name), "the name itself was destroyed"


def test_a_spool_of_an_older_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    finish(Spool(str(path)), "a", 2.0)
    (tmp_path / "spool.made").unlink()
    old = path.read_bytes()[: (OUTCOMES + 1) * SIZE]
    path.write_bytes(old)
    spool = Spool(str(path))
    assert list(spool.outcomes) == ["a"] and not spool.damage
    path.write_bytes(flipped(old, SIZE + 20))
    assert Spool(str(path)).damage
