"""What commands show of objects: a table or a document for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from runner import Journal

    from ..rest_objects import View


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


def query_of(filter_: str | None, select: str | None, *also: str) -> dict[str, str]:
    """Of a list: `also` are properties that are needed beside those that are to be shown."""
    names = ",".join((select, *also)) if select else None
    return {name: value for name, value in (("$filter", filter_), ("$select", names)) if value}


def oldest_first(views: Iterable[View]) -> list[View]:
    return sorted(views, key=lambda view: str(view.get("creationTime", "")))


def show_list(
    views: Iterable[View],
    as_json: bool,
    select: str | None,
    heads: Sequence[str],
    row: Callable[[View], Sequence[object]],
) -> None:
    """`select`: the properties that are to be the columns, with commas between; None: `heads`, and what `row` makes."""
    if as_json:
        show(list(views), True)
    elif select:
        names = [each.strip() for each in select.split(",")]
        table(names, [[_plain(_at(view, name)) for name in names] for view in views])
    else:
        table(heads, [row(view) for view in views])


def _at(view: Any, path: str) -> Any:
    """The property, or one of its own (`executionInfo/exitCode`), in any case."""
    for name in path.lower().split("/"):
        known = {each.lower(): value for each, value in view.items()} if isinstance(view, Mapping) else {}
        view = known.get(name)
    return view


def _plain(value: Any) -> object:
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else value
