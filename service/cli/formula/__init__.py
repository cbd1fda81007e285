"""`ebbtide formula`: one module for each command."""

from __future__ import annotations

import click

from .check import check
from .docs import docs
from .evaluate import evaluate


@click.group()
def formula() -> None:
    """Check a formula, or see what it decides."""


for command in (check, docs, evaluate):
    formula.add_command(command)
