"""The command `ebbtide` and its groups."""

from __future__ import annotations

import click

from .completion import completion
from .door import Door
from .down import down
from .files import files
from .formula import formula
from .gc import gc
from .logs import logs
from .node import node
from .pool import pool
from .provider import provider
from .reap import reap
from .run import run
from .schedule import schedule
from .status import status
from .storage import storage
from .version import version


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Pools of cloud VMs that grow by formula and ebb to nothing."""


COMMANDS = (run, logs, files, status, down, reap, gc, schedule, pool, node, provider, storage, formula, version)
for command in (*COMMANDS, completion):
    main.add_command(command)
