"""`ebbtide formula`: one module for each command."""

from __future__ import annotations

import click

from .check import check
from .docs import docs
from .evaluate import evaluate
from .explain import explain
from .fmt import fmt
from .new import new
from .replay import replay
from .test import test


@click.group()
def formula() -> None:
    """Check autoscale formulas, test them, and see what they decide."""


for command in (check, docs, evaluate, explain, fmt, new, replay, test):
    formula.add_command(command)
