"""A state that has lost the SSH key its nodes let in."""

import pytest

from service.state import StateDirectory

from .stage import SLOW

KEY = "id_ed25519"


@pytest.fixture
def killed(stage, tmp_path):
    """A state with a node, and no controller."""
    run = stage.start(workload=SLOW % (tmp_path / "go"))
    stage.until_running()
    run.kill()
    run.wait()
    return stage


def test_a_lost_key_is_told_and_its_nodes_can_be_ended(killed, tmp_path):
    stage = killed
    for file in (KEY, f"{KEY}.pub"):
        (stage.state / file).unlink()
    workload = SLOW % (tmp_path / "go")
    refused = stage(workload=workload)
    assert refused.returncode == 2
    told = f"{stage.state / KEY} is missing, the key that the nodes of this state let in (1 on record)"
    assert told in refused.stderr
    assert f"`ebbtide down --state {stage.state}`" in refused.stderr
    assert not (stage.state / KEY).exists()
    assert stage("reap", "--dry-run").returncode == 0
    down = stage("down")
    assert down.returncode == 0, down.stderr
    assert "without asking the nodes first, because the key that they let in is missing" in down.stdout
    assert stage.processes() == [] and stage.status()["nodes"] == []
    assert not (stage.state / KEY).exists()
    (tmp_path / "go").touch()
    again = stage(workload=workload)
    assert again.returncode == 0, again.stderr
    assert (stage.state / KEY).stat().st_mode & 0o777 == 0o600


def test_a_lost_public_half_follows_from_the_private_one(tmp_path):
    state = StateDirectory(tmp_path)
    state.create(lambda: "0123456789ab")
    assert state.deployment().public_key == ""
    state.key.make(nodes=0)
    kind, blob, _ = state.deployment().public_key.split()
    (tmp_path / f"{KEY}.pub").unlink()
    assert state.deployment().public_key.split() == [kind, blob]


def test_a_first_run_that_was_killed_before_the_key_was_made(stage, tmp_path):
    stage.state.mkdir()
    (stage.state / "deployment").write_text("0123456789ab\n")
    (tmp_path / "go").touch()
    run = stage(workload=SLOW % (tmp_path / "go"))
    assert run.returncode == 0, run.stderr
