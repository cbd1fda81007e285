from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import confirm, create, request_options, yes_option
from .ids import application_ids, version_ids
from .listing import show, table
from .source import objects, source_options

if TYPE_CHECKING:
    from ..rest_objects import Objects

#: What is said if no controller runs.
_LATER = "the next `ebbtide run` or `ebbtide serve` brings it to nodes"

one = click.argument("application_id", metavar="APP", shell_complete=application_ids)


@click.group()
def app() -> None:
    """Applications: what is brought to nodes, in versions, for the pools and tasks that reference it."""


@app.command("list")
@source_options
def list_(state: Path, as_json: bool) -> None:
    """Show the applications with their versions."""
    with objects(state, as_json) as found:
        views = list(found.each("applications"))
    if as_json:
        show(views, True)
        return
    rows = [
        (
            view["id"],
            package["version"],
            "yes" if package["version"] == view["defaultVersion"] else None,
            package["contentLength"],
            package["sha256"][:12],
        )
        for view in views
        for package in view["packages"]
    ]
    table(("application", "version", "default", "bytes", "sha256"), rows)


@app.command("show")
@one
@source_options
def show_(application_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of an application."""
    with objects(state, as_json) as found:
        show(found.one("applications", application_id), as_json)


@app.command()
@one
@click.argument("version")
@click.argument("source", metavar="ZIP|DIR", type=click.Path(path_type=Path))
@click.option("--default", "-d", is_flag=True, help="References without a version stand for this one from now on.")
@request_options
def add(
    application_id: str,
    version: str,
    source: Path,
    default: bool,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Add a version of an application: a zip, or a folder with what is to be unpacked on nodes.

    A version that is there already gets this content; nodes that have the former one keep it until they restart.
    """
    with _packed(source) as packed:

        def put(found: Objects) -> None:
            query = {"default": "true"} if default else {}
            found.ask("PUT", "applications", application_id, "versions", version, body=packed, query=query)

        told = f"application {application_id}, version {{}}: added"
        create(state, config, as_json, [(version, put)], told, _LATER)


@contextmanager
def _packed(source: Path) -> Iterator[Path]:
    """As a zip that every node can unpack. Raises PackageError."""
    from tempfile import TemporaryDirectory

    from runner import PackageStore, check_source

    if not source.is_dir():
        check_source(source)
        yield source
        return
    with TemporaryDirectory(prefix="ebbtide-") as folder:
        store = PackageStore(Path(folder))
        yield store.path(store.add("", "", source, 0.0))


@app.command("set-default")
@one
@click.argument("version", shell_complete=version_ids)
@request_options
def set_default(application_id: str, version: str, state: Path, config: Path | None, as_json: bool) -> None:
    """Say for which version references without one stand: on new nodes, and on others when they restart."""

    def patch(found: Objects) -> None:
        found.ask("PATCH", "applications", application_id, body={"defaultVersion": version})

    told = f"application {{}}: references without a version stand for {version}"
    create(state, config, as_json, [(application_id, patch)], told, _LATER)


@app.command()
@one
@click.argument("version", required=False, shell_complete=version_ids)
@yes_option
@request_options
def remove(
    application_id: str, version: str | None, yes: bool, state: Path, config: Path | None, as_json: bool
) -> None:
    """Remove a version of an application, or all of them; not while a pool, a job, a task or a job schedule that is
    not over references it."""
    path = ("applications", application_id, *(("versions", version) if version is not None else ()))
    name = application_id if version is None else f"{application_id}, version {version}"
    confirm("application {}", [name], yes)
    wanted = [(name, lambda found: found.ask("DELETE", *path))]
    create(state, config, as_json, wanted, "application {}: removed", None)
