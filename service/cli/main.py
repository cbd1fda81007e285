"""The command `ebbtide` and its groups."""

from __future__ import annotations

import click

from .account import account
from .app import app
from .apply import apply
from .completion import completion
from .delete import delete
from .door import Door
from .down import down
from .file_groups import job, node, pool, schedule, task
from .files import files
from .formula import formula
from .gc import gc
from .history import history
from .job_download import job_download
from .job_failures import job_failures
from .job_retry import job_retry
from .job_wait import job_wait
from .logs import logs
from .provider import provider
from .reap import reap
from .replay import replay
from .run import run
from .serve import serve
from .simulate import simulate
from .status import status
from .storage import storage
from .submit import submit
from .task_logs import task_logs
from .tune import tune
from .version import version
from .why import why


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Pools of cloud VMs that grow by formula and ebb to nothing."""


COMMANDS = (
    run, serve, apply, delete, submit, account, status, logs, files, job, task, schedule, pool, node, app, storage,
    history, why, replay, formula, simulate, tune, provider, down, reap, gc, version,
)  # fmt: skip
for command in (*COMMANDS, completion):
    main.add_command(command)
for command in (job_wait, job_retry, job_failures, job_download):
    job.add_command(command)
task.add_command(task_logs)
