"""Credentials that tasks find: whose they are, where they are good, and when they end."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from runner import AddJob, JobManagerTask, JobSpec, PoolInfo, TerminateJob

from .asking import add, answers, script
from .world import World


def test_a_task_asks_with_its_token(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        ask = script(
            tmp_path / "ask.py",
            """
            changed = own[:-2] + ("AA" if own[-2:] != "AA" else "BB")
            print(json.dumps([ask("/health"), ask("/health", own), ask("/health", changed), ask("/jobs"),
                              ask("/jobs", own)]))
            """,
        )
        add(world, ask)
        deployment = world.controller.deployment.id
        plain, with_token, changed, without, all_jobs = answers(world)
        assert plain[0] == 200 and plain[1]["deployment"] == deployment and "pid" not in plain[1]
        assert with_token == [200, {**plain[1], "jobId": "job"}]
        assert changed[0] == 403 and changed[1]["code"] == "AuthenticationFailed"
        assert without[0] == 401 and "AZ_BATCH_AUTHENTICATION_TOKEN" in without[1]["message"]["value"]
        assert all_jobs[0] == 403 and "reaches the job 'job' and its tasks" in all_jobs[1]["message"]["value"]


def test_a_task_signs_with_its_key(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1, task_slots_per_node=2)
        other = tmp_path / "other"
        lend = f"""
            open({str(other)!r} + ".new", "w").write(key)
            os.rename({str(other)!r} + ".new", {str(other)!r})
            print(json.dumps(0))
        """
        add(world, script(tmp_path / "lend.py", lend), job_id="first")
        answers(world, job_id="first")
        ask = script(
            tmp_path / "ask.py",
            f"""
            print(json.dumps([signed("/health", key), signed("/health", open({str(other)!r}).read()),
                              signed("/health", key, "another")]))
            """,
        )
        add(world, ask)
        own, of_an_ended_one, account = answers(world)
        assert own[0] == 200 and own[1]["jobId"] == "job"
        assert of_an_ended_one[0] == account[0] == 403
        assert "another" in account[1]["message"]


def test_a_job_manager_finds_them_unasked(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        ask = script(tmp_path / "ask.py", "print(json.dumps([ask('/health', own), signed('/health', key)]))")
        manager = JobManagerTask(id="manager", command_line=ask)
        world.request(AddJob(JobSpec(id="job", pool_info=PoolInfo(pool_id="pool"), job_manager_task=manager), ()))
        by_token, by_key = answers(world, "manager")
        assert by_token[0] == 200 and by_token[1]["jobId"] == "job" and by_key == by_token


def test_credentials_end_with_the_job(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        begun, told = tmp_path / "begun", tmp_path / "told"
        last_words = script(
            tmp_path / "last.py",
            f"""
            import signal
            def end(*_):
                answer = ask("/health", own)
                open({str(told)!r} + ".new", "w").write(json.dumps(answer))
                os.rename({str(told)!r} + ".new", {str(told)!r})
                sys.exit(0)
            signal.signal(signal.SIGTERM, end)
            open({str(begun)!r}, "w").close()
            while True: time.sleep(0.05)
            """,
        )
        add(world, last_words)
        world.wait(begun.exists, "the task to begin")
        world.request(TerminateJob("job"))
        world.wait(told.exists, "its last words")
        status, error = json.loads(told.read_text())
        assert status == 403 and "terminating" in error["message"]


def test_deployments_do_not_know_each_others_tokens(tmp_path: Path) -> None:
    with World(tmp_path / "one") as one, World(tmp_path / "two") as two:
        for world in (one, two):
            world.pool(target_dedicated_nodes=1)
        token = tmp_path / "token"
        hold = f"""
            open({str(token)!r} + ".new", "w").write(own)
            os.rename({str(token)!r} + ".new", {str(token)!r})
            while not os.path.exists({str(tmp_path / "asked")!r}): time.sleep(0.02)
            print(json.dumps(ask("/health", own)))
        """
        add(one, script(tmp_path / "hold.py", hold))
        one.wait(token.exists, "the token")
        add(two, script(tmp_path / "ask.py", f"print(json.dumps(ask('/health', open({str(token)!r}).read())))"))
        status, error = answers(two)
        assert status == 403 and "none of this deployment" in error["message"]
        (tmp_path / "asked").touch()
        status, health = answers(one)
        assert status == 200 and health["deployment"] == one.controller.deployment.id


def test_only_tasks_that_ask_for_them_find_credentials_and_all_find_the_address(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        tell = script(tmp_path / "tell.py", "print(json.dumps([ask('/health')[0], own is None, key is None]))")
        add(world, tell, job_id="without", access=None)
        add(world, tell, job_id="with")
        assert answers(world, job_id="without") == [200, True, True]
        assert answers(world, job_id="with") == [200, False, False]


def test_a_credential_is_good_for_its_owner_and_while_it_runs(tmp_path: Path) -> None:
    """Tasks of other jobs that got hold of a token: on another node, of a task that has ended, of a job that ends."""
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=2, task_slots_per_node=1)
        stolen, tried = tmp_path / "stolen", tmp_path / "tried"
        owner = script(
            tmp_path / "owner.py",
            f"""
            open({str(stolen)!r} + ".new", "w").write(own)
            os.rename({str(stolen)!r} + ".new", {str(stolen)!r})
            while not os.path.exists({str(tried)!r}): time.sleep(0.02)
            print(json.dumps(ask("/health", own)))
            """,
        )
        thief = script(
            tmp_path / "thief.py",
            f"""
            while not os.path.exists({str(stolen)!r}): time.sleep(0.02)
            print(json.dumps(ask("/jobs", open({str(stolen)!r}).read())))
            open({str(tried)!r}, "w").close()
            """,
        )
        add(world, owner, job_id="owner")
        world.wait(lambda: stolen.exists(), "the token")
        add(world, thief, job_id="thief")
        status, error = answers(world, job_id="thief")
        assert status == 403 and "another node" in error["message"]["value"]
        assert answers(world, job_id="owner")[0] == 200
        add(world, thief, job_id="late")  # the owner has ended
        status, error = answers(world, job_id="late")
        assert status == 403 and "ended" in error["message"]["value"]


def test_secrets_stay_out_of_the_journal_and_of_others_reach(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        add(world, script(tmp_path / "tell.py", "print(json.dumps([own, key]))"))
        token, key = answers(world)
        world.job("true", job_id="other")
        world.wait_completed("other")
        state = tmp_path / "state"
        printed = world.printed()
        assert token.encode() in printed  # what a task prints is kept: that is where they may be found, and only there
        for path in (state / "ebbtide.db", state / "ebbtide.db-wal"):
            if path.exists():
                data = path.read_bytes().replace(printed, b"").replace(printed.strip(), b"")
                assert token.encode() not in data and key.encode() not in data
        assert stat.S_IMODE((state / "secret").stat().st_mode) == 0o600
        assert stat.S_IMODE((state / "controller.sock").stat().st_mode) == 0o600
