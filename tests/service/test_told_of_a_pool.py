"""What `ebbtide status` and `ebbtide node logs` say of a pool whose nodes failed."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pools import Change, Node, NodeState, Pool, PoolSpec, ResizeError
from runner import open_journal
from service.cli.main import main
from service.state import StateDirectory

STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
CURE = "`ebbtide pool resume brk`"
ERROR = ResizeError(
    "CircuitBreakerOpen",
    f"nodes failed 5 times in a row, no more are created until somebody acts; {CURE} lets it try again, " * 3,
)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A pool that has stopped, one of whose nodes is to be seen still."""
    monkeypatch.chdir(tmp_path)
    directory = StateDirectory(Path("there"))
    directory.create(lambda: "0123456789ab")
    pool = Pool(
        **STAMP, id="brk", spec=PoolSpec(id="brk", vm_size="t3.small"), provider="aws", broken_since=100.0,
        broken_node="node_failed", resize_errors=(ERROR,),
    )  # fmt: skip
    node = Node(
        **STAMP, id="node_new", pool_id="brk", vm_name="ebbtide-0123456789ab-new", low_priority=True, size="t3.small",
        zone="us-east-1a", state=NodeState.UNUSABLE, reason="not ready " * 12,
    )  # fmt: skip
    journal = open_journal(directory.database_url)
    journal.commit((Change("pools", "brk", pool), Change("nodes", node.id, node)))
    journal.close()
    return directory.path


def say(state, *words, columns="100"):
    return CliRunner().invoke(main, [*words, "--state", str(state)], env={"COLUMNS": columns})


def test_status_is_as_wide_as_the_terminal(state):
    lines = say(state, "status").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[:4] == [
        "pools:",
        "  brk: state active, provider aws, vmSize t3.small, allocationState steady, targetDedicatedNodes 0,",
        "      targetLowPriorityNodes 0, currentNodes 1, circuitBreakerOpenSince 1970-01-01T00:01:40.000Z,",
        "      failedNode node_failed, cost 0.00",
    ]
    assert lines[4].startswith("    CircuitBreakerOpen: nodes failed 5 times in a row, no more")
    cure = f"{CURE[:-1]} --state {state}`"
    assert sum(cure in line for line in lines) == 3, "what is to be copied stays in one piece"
    assert [line for line in lines if line.startswith("    reason: ")] == [f"    reason: {'not ready ' * 8}not"]


def test_where_there_is_room_each_text_is_one_line(state):
    lines = say(state, "status", columns="9999").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "pools", "  brk", "    CircuitBreakerOpen", "nodes", "  node_new", "    reason", "jobs"
    ]  # fmt: skip


@pytest.mark.parametrize("node", ["node_failed", "node_new"])
def test_a_node_of_which_nothing_came_is_known_all_the_same(state, node):
    run = say(state, "node", "logs", node)
    assert run.exit_code == 1
    assert f"nothing came of node '{node}': no start task has ended there" in run.output


def test_a_node_that_never_was_is_not(state):
    run = say(state, "node", "logs", "nobody")
    assert run.exit_code == 1
    assert "there is no node 'nobody', and nothing is kept of it; nodes: node_failed, node_new" in run.output
