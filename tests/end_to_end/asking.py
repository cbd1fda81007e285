"""Tasks that ask the HTTP side of the controller something, and print the answers."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from runner import AddJob, JobSpec, PoolInfo, TaskSpec, TaskState
from runner.task_spec import AuthenticationTokenSettings

from .world import World

ACCESS = AuthenticationTokenSettings(access=("job",))

#: Asks a few things of the door and prints the answers: a list of [status, body].
ASK = textwrap.dedent("""
    import json, os, sys, time, urllib.request, urllib.error
    def ask(path, token=None, patience=0.0):
        headers = {"Authorization": "Bearer " + token} if token else {}
        request = urllib.request.Request(os.environ["AZ_BATCH_ACCOUNT_URL"] + path, headers=headers)
        end = time.monotonic() + patience
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return [answer.status, json.load(answer)]
            except urllib.error.HTTPError as error:
                return [error.code, json.load(error)]
            except OSError as error:
                if time.monotonic() > end:
                    return [0, str(error)]
                time.sleep(0.05)
    def signed(path, key, account=os.environ["AZ_BATCH_ACCOUNT_NAME"]):
        from email.utils import formatdate
        from runner.shared_key import signature
        headers = {"ocp-date": formatdate(usegmt=True)}
        made = signature(key, account, "GET", path, "", headers)
        headers["Authorization"] = "SharedKey %s:%s" % (account, made)
        try:
            request = urllib.request.Request(os.environ["AZ_BATCH_ACCOUNT_URL"] + path, headers=headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return [answer.status, json.load(answer)]
        except urllib.error.HTTPError as error:
            return [error.code, json.load(error)]
    own = os.environ.get("AZ_BATCH_AUTHENTICATION_TOKEN")
    key = os.environ.get("EBBTIDE_ACCOUNT_KEY")
""")


def script(path: Path, body: str) -> str:
    path.write_text(ASK + textwrap.dedent(body))
    return f"{sys.executable} {path}"


def add(world: World, *commands: str, job_id: str = "job", access: AuthenticationTokenSettings | None = ACCESS) -> None:
    tasks = tuple(
        TaskSpec(id=f"t{n}", command_line=command, authentication_token_settings=access)
        for n, command in enumerate(commands)
    )
    world.request(AddJob(JobSpec(id=job_id, pool_info=PoolInfo(pool_id="pool")), tasks))


def answers(world: World, task_id: str = "t0", job_id: str = "job") -> Any:
    world.wait(lambda: world.task(task_id, job_id).state is TaskState.COMPLETED, f"{task_id} to end")
    assert world.task(task_id, job_id).exit_code == 0, world.printed(task_id, "stderr", job_id)
    return json.loads(world.printed(task_id, "stdout", job_id))
