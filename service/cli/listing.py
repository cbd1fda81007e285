"""What commands show of the records: a table or a document for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from runner import Job, Journal, Task


@contextmanager
def records(state: Path) -> Iterator[Journal]:
    """The journal of a state, to be read. Raises StateError, JournalError."""
    from runner import open_journal

    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        yield journal
    finally:
        journal.close()


def meant(name: str, known: Iterable[str]) -> str:
    """The one of the ids that differs in upper and lower case at most; if there is none, the name."""
    from pools import folded

    by_spelling = {folded(each): each for each in known}
    return by_spelling.get(folded(name), name)


def find_job(journal: Journal, job_id: str) -> Job | None:
    found = journal.job(job_id)
    return found if found is not None else journal.job(meant(job_id, (job.id for job in journal.jobs())))


def find_task(journal: Journal, job: Job, task_id: str) -> Task | None:
    found = journal.task((job.id, task_id))
    return found if found is not None else journal.task((job.id, meant(task_id, journal.task_queries.ids(job.id))))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A line for each row; what is None or empty is a dash."""
    from ..columns import columns

    cells = [["-" if cell in (None, "") else str(cell) for cell in row] for row in rows]
    for line in columns([list(heads), *cells]):
        click.echo(line)


def show(view: Mapping[str, Any] | Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """JSON, or the same as YAML."""
    if as_json:
        click.echo(json.dumps(view, indent=2))
        return
    import yaml

    text = yaml.safe_dump(view, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)
    click.echo(text, nl=False)
