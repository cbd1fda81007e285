"""The command `ebbtide` and its groups."""

from __future__ import annotations

import click

from .account import account
from .app import app
from .completion import completion
from .create import job, pool, schedule, task
from .door import Door
from .down import down
from .files import files
from .formula import formula
from .gc import gc
from .logs import logs
from .node import node
from .provider import provider
from .reap import reap
from .run import run
from .serve import serve
from .status import status
from .storage import storage
from .version import version


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Pools of cloud VMs that grow by formula and ebb to nothing."""


COMMANDS = (
    run, serve, account, status, logs, files, job, task, schedule, pool, node, app, storage, formula, provider, down,
    reap, gc, version,
)  # fmt: skip
for command in (*COMMANDS, completion):
    main.add_command(command)
