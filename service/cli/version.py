from __future__ import annotations

import click


@click.command()
def version() -> None:
    """Print the version."""
    from importlib import metadata

    try:
        number = metadata.version("ebbtide")
    except metadata.PackageNotFoundError:
        number = "(not installed: run from its source folder)"
    click.echo(f"ebbtide {number}")
