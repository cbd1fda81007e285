"""The rows of a CSV file, each of which becomes a task: what stands in place of `{column}`, and the variables. Pure."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pools import holds_secrets

from .nearest import named

#: `{column}`, where it is no `${variable}` of a shell; doubled braces stand for single ones.
_PLACE = re.compile(r"\{\{|\}\}|(?<!\$)\{([^{}\s$][^{}$]*)\}")
#: What is not a column may be something else, if it does not look like one: `{print}` does, `{a; b}` does not.
_LIKE_A_COLUMN = re.compile(r"[A-Za-z_][\w.-]*")
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
_COMMAND_OPTION = re.compile(r"-[a-z]*c[a-z]*")
_NOT_IN_NAMES = re.compile(r"\W", re.ASCII)
#: Variables without which nothing is found, or which are others' to set.
_TAKEN = re.compile(r"PATH|HOME|USER|SHELL|TMPDIR|IFS|LD_\w*|PYTHON(PATH|HOME)|AZ_BATCH_\w*")


class SweepError(ValueError):
    """The message says where, and what helps."""


class Sweep(NamedTuple):
    """`variables`: the name of each column as one of the environment. `rows`: values, one for each column."""

    columns: tuple[str, ...]
    variables: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_sweep(text: str, source: str) -> Sweep:
    """Of a CSV file with a line of headings; empty lines count for nothing. `source`: its name, for errors. Raises
    SweepError."""
    rows = list(_lines(text, source))
    if not rows:
        raise SweepError(f"{source}: is empty; its first line is to name the columns")
    columns = tuple(name.strip() for name in rows[0][1])
    variables = _variables(columns, source)
    for line, row in rows[1:]:
        if len(row) != len(columns):
            raise SweepError(f"{source}:{line}: {len(row)} values, and there are {len(columns)} columns")
        if any("\0" in value for value in row):
            raise SweepError(f"{source}:{line}: holds a NUL character, which no command can be given")
        if any(holds_secrets(value) for value in row):
            text = "holds `${secret:`, and rows are data, which may not ask for secrets; give those with --env"
            raise SweepError(f"{source}:{line}: {text}")
    if len(rows) == 1:
        raise SweepError(f"{source}: holds no row but the headings; each row becomes a task")
    return Sweep(columns, variables, tuple(tuple(row) for _, row in rows[1:]))


def _lines(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """With the number of the line where each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as exc:
        raise SweepError(f"{source}:{reader.line_num}: is no CSV: {exc}") from None


def _variables(columns: Sequence[str], source: str) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for number, column in enumerate(columns, 1):
        if not column or "{" in column or "}" in column or "\n" in column:
            raise SweepError(f"{source}:1: column {number} is called {column!r}; give it a name, without braces")
        name = _NOT_IN_NAMES.sub("_", column)
        name = f"_{name}" if name[0].isdigit() else name
        if _TAKEN.fullmatch(name):
            text = f"a column {column!r} would be the variable {name}, which tasks need; rename it"
            raise SweepError(f"{source}:1: {text}")
        if name in found:
            text = f"the columns {found[name]!r} and {column!r} would both be the variable {name}; rename one"
            raise SweepError(f"{source}:1: {text}")
        found[name] = column
    return tuple(found)


def filled(words: Sequence[str], sweep: Sweep, row: Sequence[str]) -> list[str]:
    """The words of a command with the values of a row. Each stays one word, whatever the values hold; in the script of
    a shell, those that it would take for more than a word are read from their variables. Raises SweepError for a
    `{name}` that is no column."""
    script = _script(words)
    values = dict(zip(sweep.columns, row, strict=True))
    variables = dict(zip(sweep.columns, sweep.variables, strict=True))

    def in_script(word: str, at: int, name: str) -> str:
        value = values[name]
        return value if shlex.quote(value) == value else _expansion(word[:at], variables[name])

    def plain(word: str, at: int, name: str) -> str:
        return values[name]

    return [_filled(word, sweep.columns, in_script if n == script else plain) for n, word in enumerate(words)]


def _filled(word: str, columns: Sequence[str], value: Callable[[str, int, str], str]) -> str:
    def found_value(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return found[0][0]
        if name in columns:
            return value(word, found.start(), name)
        if not _LIKE_A_COLUMN.fullmatch(name):
            return found[0]
        known = named("columns", columns, name)
        raise SweepError(f"{found[0]} names no column; {known}. Written {{{found[0]}}}, it is passed on as it is")

    return _PLACE.sub(found_value, word)


def _expansion(before: str, variable: str) -> str:
    """The variable as one word, where so much of the script stands before it. Where that is misread, as behind an
    apostrophe in a comment, the value is still no command."""
    quote, skipped = "", False
    for sign in before:
        if skipped:
            skipped = False
        elif sign == "\\" and quote != "'":
            skipped = True
        elif sign in ("'", '"') and quote in ("", sign):
            quote = "" if quote else sign
    # within apostrophes: they end, and begin again behind it
    return {"": f'"${{{variable}}}"', '"': f"${{{variable}}}", "'": f"'\"${{{variable}}}\"'"}[quote]


def _script(words: Sequence[str]) -> int | None:
    """Where in the words of `sh -c SCRIPT` it is."""
    if words[0].rpartition("/")[2] not in _SHELLS:
        return None
    for at, word in enumerate(words[1:], 1):
        if not word.startswith("-"):
            return None
        if _COMMAND_OPTION.fullmatch(word):
            return at + 1
    return None
