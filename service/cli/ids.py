"""Completion of ids by what a state holds, or a server: silent where that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..hints import DEFAULT_STATE
from .source import server_address

if TYPE_CHECKING:
    from runner import Journal

    from ..rest_objects import Objects
    from ..rest_over_http import ServerAddress

Complete = Callable[[click.Context, click.Parameter, str], list[str]]
InState = Callable[["Journal", click.Context], Iterable[str]]
OnServer = Callable[["Objects", click.Context], Iterable[str]]

#: Seconds that a server has for an answer: somebody is waiting with a finger on the key.
_PATIENCE = 3.0
#: Ids that are asked of a server at most.
_MOST = 1000


def _complete(in_state: InState, on_server: OnServer) -> Complete:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from pools import JournalError

        from ..rest_objects import RequestRefused, Unanswered

        try:
            with context.scope(cleanup=False):
                address = server_address()
            found = _in_state(in_state, context) if address is None else _on_server(on_server, context, address)
        except (JournalError, OSError, RequestRefused, Unanswered, click.ClickException):
            return []  # nobody reads it: the shell has the line that is being typed
        given = context.params.get(parameter.name or "")
        fits = [each for each in found if each.startswith(incomplete)]
        return [each for each in fits if not isinstance(given, tuple) or each not in given]

    return complete


def _in_state(read: InState, context: click.Context) -> list[str]:
    from runner import open_journal

    from ..state import StateDirectory

    directory = StateDirectory(Path(context.params.get("state") or DEFAULT_STATE))
    if not directory.exists():
        return []
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        return list(read(journal, context))
    finally:
        journal.close()


def _on_server(read: OnServer, context: click.Context, address: ServerAddress) -> list[str]:
    from ..rest_objects import Objects
    from ..rest_over_http import server

    with server(address, _PATIENCE) as way:
        return list(read(Objects(way), context))


def _job(context: click.Context) -> str:
    """The job that was named before. While the value of an option is typed, what stands before it is not read yet."""
    first = context.args[0] if context.args and context.args[0][:1] != "-" else ""
    return str(context.params.get("job_id") or context.params.get("job") or first)


def _app(context: click.Context) -> str:
    """The application that was named before."""
    return str(context.params.get("application_id") or "")


def _ids(objects: Objects, *segments: str) -> list[str]:
    return [each["id"] for each in objects.each(*segments, query={"$select": "id"}, limit=_MOST)]


job_ids = _complete(lambda journal, _: (job.id for job in journal.jobs()), lambda objects, _: _ids(objects, "jobs"))
schedule_ids = _complete(
    lambda journal, _: (each.id for each in journal.job_schedules()),
    lambda objects, _: _ids(objects, "jobschedules"),
)
pool_ids = _complete(
    lambda journal, _: (pool.id for pool in journal.pools()), lambda objects, _: _ids(objects, "pools")
)
node_ids = _complete(
    lambda journal, _: (node.id for node in journal.nodes()),
    lambda objects, _: (each for pool in _ids(objects, "pools") for each in _ids(objects, "pools", pool, "nodes")),
)
task_ids = _complete(
    lambda journal, context: journal.task_queries.ids(_job(context)),
    lambda objects, context: _ids(objects, "jobs", _job(context), "tasks") if _job(context) else (),
)
application_ids = _complete(
    lambda journal, _: dict.fromkeys(package.application_id for package in journal.applications()),
    lambda objects, _: (each["id"] for each in objects.each("applications", limit=_MOST)),
)
version_ids = _complete(
    lambda journal, context: (each.version for each in journal.applications() if each.application_id == _app(context)),
    lambda objects, context: objects.one("applications", _app(context))["versions"],
)


def account_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from ..api.accounts import AccountError, Accounts

    try:
        names = Accounts(Path(context.params.get("state") or DEFAULT_STATE)).all()
    except (AccountError, OSError):
        return []
    return [each for each in names if each.startswith(incomplete)]
