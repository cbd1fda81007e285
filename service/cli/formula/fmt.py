from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ...printable import printable
from ..door import colour
from ..options import complete_files
from .reading import Document, Problem, changed, documents, store, syntax_faults, tell

if TYPE_CHECKING:
    from formula.embedded import FormulaText


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit code 1 if a file would change.")
@click.option("--diff", "show_diff", is_flag=True, help="Change nothing; print what would change.")
def fmt(paths: tuple[str, ...], only_check: bool, show_diff: bool) -> None:
    """Lay formulas out in the one canonical way; comments and meaning stay.

    Files are changed in place. `-` reads standard input and writes standard output; of a directory, every file with
    formulas is laid out. Exit code 1 if a formula has a syntax error: its file is left as it is.
    """
    from formula.embedded import FormulaFileError

    problems: list[Problem] = []
    count = differing = refused = 0
    for document in documents(paths, problems):
        try:
            content = _laid_out(document)
        except FormulaFileError as exc:
            told = f"{exc}\n{document.name}: left as it is"
            click.echo("\n".join(map(printable, told.split("\n"))), err=True)
            refused += 1
            content = document.content
        differs = content != document.content
        if show_diff:
            _print_lines(_difference(document, content))
        elif only_check:
            if differs:
                click.echo(document.name)
        elif document.path is None:
            # Bytes, so that line ends stay what they are.
            click.echo(content.encode(), nl=False)
        elif differs:
            try:
                store(document.path, content)
            except OSError as exc:
                told = f"{document.name}: cannot be written: {exc.strerror or exc}"
                problems.append(Problem(document.name, told))
                continue
        count += 1
        differing += differs
    tell(problems)
    if count and paths != ("-",):
        _summarise(count, differing, refused, only_check or show_diff)
    if problems:
        raise SystemExit(2)
    if refused or (only_check and differing):
        raise SystemExit(1)


def _laid_out(document: Document) -> str:
    """The document with all its formulas laid out. Raises FormulaFileError if one of them cannot be."""
    from formula import FormulaError
    from formula.embedded import FormulaFileError
    from formula.layout import format_formula

    texts: dict[FormulaText, str] = {}
    faults: list[str] = []
    for formula in document.reading.formulas:
        try:
            text = format_formula(formula.text)
        except FormulaError as exc:
            faults.append(syntax_faults(formula, exc))
            continue
        # How a formula inside of a document ends is the document's matter.
        same = formula.text.rstrip("\r\n") == text.rstrip("\r\n")
        if not (same and (formula.notation is not None or formula.text == text)):
            texts[formula] = text
    for unreadable in document.reading.unreadable:
        line, column = document.reading.document.position(unreadable.start)
        told = f"{document.name}:{line}:{column}: {unreadable.message}; this formula is left as it is"
        click.echo(printable(told), err=True)
    if faults:
        raise FormulaFileError("\n".join(faults))
    return changed(document, texts) if texts else document.content


def _difference(document: Document, content: str) -> Iterator[str]:
    from difflib import unified_diff

    before, after = document.content.splitlines(keepends=True), content.splitlines(keepends=True)
    for line in unified_diff(before, after, document.name, document.name):
        yield line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"


def _print_lines(lines: Iterator[str]) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    coloured = colour(sys.stdout)
    for line in lines:
        end = line[len(line.rstrip("\r\n")) :]
        click.echo(click.style(line.rstrip("\r\n"), fg=colours.get(line[0])) + end, nl=False, color=coloured)


def _summarise(count: int, differing: int, refused: int, kept: bool) -> None:
    left = count - differing - refused
    parts = [f"{differing} {'would change' if kept else 'changed'}", f"{left} unchanged"]
    if refused:
        parts.append(f"{refused} with faults left as {'it is' if refused == 1 else 'they are'}")
    click.echo(f"{count} file{'' if count == 1 else 's'}: {', '.join(parts)}", err=True)
