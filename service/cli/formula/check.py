from __future__ import annotations

import json
from typing import TextIO

import click

from ..options import json_option
from .reading import text_of


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@json_option
def check(file: TextIO, as_json: bool) -> None:
    """Tell every fault of a formula, with place and cure. Exit code 1 if there is an error."""
    from formula import lint

    found = lint(text_of(file))
    if as_json:
        click.echo(json.dumps([diagnostic.to_json(file.name) for diagnostic in found], indent=2))
    else:
        for diagnostic in found:
            click.echo(diagnostic.render(file.name))
    errors = sum(diagnostic.is_error for diagnostic in found)
    if not found and not as_json:
        click.echo(f"{file.name}: no faults", err=True)
    if errors:
        raise SystemExit(1)
