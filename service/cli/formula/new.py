from __future__ import annotations

import os
from pathlib import Path

import click

from ..door import BadInput
from .reading import store

# As in formula.starting_points, which is not imported for a list of words.
_NAMES = ("pending", "workday", "weekend", "spot-fallback", "scale-to-zero")


@click.command()
@click.argument("name", type=click.Choice(_NAMES))
@click.option("--output", metavar="FILE", type=click.Path(), help="The file to write; default: standard output.")
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
def new(name: str, output: str | None, force: bool) -> None:
    """Write a good, commented formula to begin with.

    \b
    pending        follows the queue
    workday        keeps nodes ready in office hours, and follows the queue
    weekend        few nodes in the week, many on the weekend, as the queue needs
    spot-fallback  Spot nodes, and dedicated ones as far as those do not come
    scale-to-zero  no node while there is nothing to do, a warm one between tasks
    """
    from formula.starting_points import starting_point

    text = starting_point(name)
    if output is None or output == "-":
        click.echo(text, nl=False)
        return
    try:
        if force and os.path.exists(output):
            store(Path(output), text)
        else:
            _create(output, text)
    except FileExistsError:
        raise BadInput(f"{output}: exists; choose another name, or say --force") from None
    except OSError as exc:
        raise BadInput(f"{output}: cannot be written: {exc.strerror or exc}") from None


def _create(path: str, text: str) -> None:
    """Raises FileExistsError, and OSError; then nothing is left of it."""
    with open(path, "x", encoding="utf-8", newline="\n") as file:
        try:
            file.write(text)
            file.flush()
        except BaseException:
            os.unlink(path)
            raise
