"""A share of `python -m tests.load`: fewer clients, and for seconds."""

from __future__ import annotations

from pathlib import Path

from tests.load.run import Load


def test_many_clients_at_a_server_that_is_killed(tmp_path: Path) -> None:
    outcome = Load(tmp_path, clients=20, seconds=10.0, processes=2, seed=1).run()
    assert outcome.faults == []
    assert outcome.checked > 50, "it was there to be asked, and things were looked at afterwards"
    assert all(outcome.answers[kind].keys() & {"200", "201", "202"} for kind in ("create", "count", "tasks", "list"))
