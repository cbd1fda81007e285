"""Accounts of a node: those that are made, those that are numbers only, and machines that get none."""

import os
import pwd
from pathlib import Path

import pytest

from runner.agent import accounts
from runner.agent.identity import BASE, SPAN

from .node import Node
from .test_identity import ADMIN, POOL, SEPARATE, TASK, who


def test_a_lent_machine_gets_no_accounts_and_runs_tasks_as_its_owner(open_node: Node) -> None:
    node = open_node
    node.connect(users={"accounts": [{"name": "alice"}]})
    assert who(node, "pool") == [0] * 6
    assert who(node, "task", TASK)[0] >= BASE
    node.start("named", "true", user={"name": "alice"})
    assert "not a node alone" in node.outcome("named")["error"]["message"]


def test_the_pools_tasks_may_have_a_user_without_rights_on_a_lent_machine(open_node: Node) -> None:
    node = open_node
    lent = {"poolUser": True, "accounts": [{"name": "alice"}]}
    node.connect(slots=1, users=lent)
    first = who(node, "t", POOL)
    assert len(set(first)) == 1 and BASE <= first[0] < BASE + SPAN
    node.sh("shares", 'touch "$HOME/x" "$AZ/shared/x" && echo $USER && ls "$HOME"', env={"AZ": str(node.root)})
    assert node.outcome("shares")["stdout"]["text"] == "_azbatch\nx\n"
    own, admin = who(node, "own", TASK), who(node, "admin", ADMIN)
    assert own[0] not in (0, first[0]) and own[0] >= BASE and admin == [0] * 6
    node.start("named", "true", user={"name": "alice"})
    assert "not a node alone" in node.outcome("named")["error"]["message"]
    node.kill_agent()
    node.connect(slots=1, users=lent)
    assert who(node, "later") == first, "the node's user stays the same"


def test_accounts_with_numbers_of_their_own(open_node: Node) -> None:
    node = open_node
    accounts = [{"name": "eb-bob", "uid": 23456, "gid": 23457, "password": "x"}]
    node.connect(users={"separate": True, "accounts": accounts})
    assert who(node, "t", {"name": "eb-bob"}) == [23456] * 3 + [23457] * 3
    assert (node.root / "home/eb-bob").stat().st_uid == 23456


def test_an_account_is_made_with_its_numbers_and_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By tools of the machine, which get the password on their standard input."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("useradd", "groupadd", "chpasswd"):
        taken = "/bin/cat" if name == "chpasswd" else ":"
        (tools / name).write_text(f'#!/bin/sh\n(echo {name} "$@"; {taken}) >> {tmp_path}/log\n')
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    entry = pwd.struct_passwd(("eb-bob", "x", 23456, 23457, "", str(tmp_path / "home/eb-bob"), "/bin/sh"))
    (tmp_path / "cron.deny").write_text("somebody")
    monkeypatch.setattr(accounts, "DENIED", [str(tmp_path / "cron.deny"), str(tmp_path / "at.deny")])
    monkeypatch.setattr(accounts, "MANAGER", str(tmp_path / "user@{}.service"))
    monkeypatch.setattr(accounts, "_entry", lambda name: entry if (tmp_path / "log").exists() else None)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    wanted = {"name": "eb-bob", "uid": 23456, "gid": 23457, "password": "pass word"}
    told = accounts.account(str(tmp_path), "eb-bob", 1, True, wanted)
    assert (told["uid"], told["gid"]) == (23456, 23457) and "pass word" not in repr(told)
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0] == "groupadd --gid 23457 -- eb-bob"
    assert lines[1].startswith("useradd --uid 23456 --gid 23457 ") and lines[1].endswith(" -- eb-bob")
    assert lines[2:] == ["chpasswd", "eb-bob:pass word"]
    for _ in range(2):  # neither cron nor at nor a systemd of its own starts anything for it
        assert (tmp_path / "cron.deny").read_text() == "somebody\neb-bob\n"
        assert (tmp_path / "at.deny").read_text() == "eb-bob\n"
        assert os.readlink(tmp_path / "user@23456.service") == "/dev/null"
        accounts.account(str(tmp_path), "eb-bob", 1, True, wanted)
    refused = accounts.account(str(tmp_path), "eb-bob", 1, True, {**wanted, "uid": 9})
    assert "with the uid 23456, not 9" in refused["refusal"]


def test_unknown_users_are_refused(open_node: Node) -> None:
    node = open_node
    node.connect(users=SEPARATE)
    node.start("t", "true", user={"name": "mallory"})
    error = node.outcome("t")["error"]
    assert error["code"] == "UserIdentityUnavailable" and "userAccounts" in error["message"]
    assert not node.folder("t").exists()
