"""Completion of ids by what a state holds: silent where that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..hints import DEFAULT_STATE

if TYPE_CHECKING:
    from runner import Journal

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _complete(read: Callable[[Journal, click.Context], Iterable[str]]) -> Complete:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from runner import JournalError, open_journal

        from ..state import StateDirectory

        try:
            directory = StateDirectory(Path(context.params.get("state") or DEFAULT_STATE))
            if not directory.exists():
                return []
            journal = open_journal(directory.database_url, upgrade=False)
            try:
                found = [each for each in read(journal, context) if each.startswith(incomplete)]
            finally:
                journal.close()
        except (JournalError, OSError):  # nobody reads it: the shell has the line that is being typed
            return []
        given = context.params.get(parameter.name or "")
        return [each for each in found if not isinstance(given, tuple) or each not in given]

    return complete


def _job(context: click.Context) -> str:
    """The job that was named before."""
    return str(context.params.get("job_id") or context.params.get("job") or "")


job_ids = _complete(lambda journal, context: (job.id for job in journal.jobs()))
schedule_ids = _complete(lambda journal, context: (each.id for each in journal.job_schedules()))
pool_ids = _complete(lambda journal, context: (pool.id for pool in journal.pools()))
node_ids = _complete(lambda journal, context: (node.id for node in journal.nodes()))
task_ids = _complete(lambda journal, context: journal.task_queries.ids(_job(context)))
