"""The command `ebbtide` and its groups."""

from __future__ import annotations

import click

from .completion import completion
from .door import Door
from .down import down
from .formula import formula
from .logs import logs
from .node import node
from .pool import pool
from .provider import provider
from .reap import reap
from .run import run
from .status import status
from .version import version


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Pools of cloud VMs that grow by formula and ebb to nothing."""


for command in (run, logs, status, down, reap, pool, node, provider, formula, version, completion):
    main.add_command(command)
