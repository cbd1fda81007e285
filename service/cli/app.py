from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .listing import records, show, table
from .options import json_option, state_option

if TYPE_CHECKING:
    from runner import ApplicationPackage


@click.group()
def app() -> None:
    """Applications: the packages that a state holds."""


@app.command("list")
@state_option
@json_option
def list_(state: Path, as_json: bool) -> None:
    """Show the applications of a state with their versions."""
    from ..rest_views import application_view

    found: dict[str, list[ApplicationPackage]] = defaultdict(list)
    with records(state) as journal:
        for package in journal.applications():
            found[package.application_id].append(package)
    if as_json:
        show([application_view(packages) for packages in found.values()], True)
        return
    rows = [
        (name, package.version, "yes" if package.default else None, package.size, package.sha256[:12])
        for name, packages in found.items()
        for package in packages
    ]
    table(("application", "version", "default", "bytes", "sha256"), rows)
