"""The files that commands about formulas are given: formulas, documents with formulas, whole directories.

    problems: list[Problem] = []
    for document in documents(paths, problems):
        for formula in document.reading.formulas:
            ...
    tell(problems)  # and exit with 2 if there are some
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...printable import printable
from ..door import BadInput, print_error

if TYPE_CHECKING:
    from formula import FormulaError
    from formula.embedded import DocumentReading, FormulaText

#: No document with formulas is larger; a formula has at most 8192 characters.
MOST_BYTES = 4 * 1024 * 1024

_SKIPPED = frozenset({"node_modules"})


@dataclass(frozen=True)
class Document:
    """A file with formulas, or without. `name`: for messages; `path`: None for standard input.

    `content`: with its byte order mark and its line ends. `followed`: a scenario names it, and nobody else.
    """

    name: str
    path: Path | None
    content: str
    reading: DocumentReading
    followed: bool = False


@dataclass(frozen=True)
class Problem:
    """A file that cannot be used; the message is complete, with the file's name and the cure."""

    name: str
    message: str


def documents(paths: Sequence[str], problems: list[Problem], *, follow: bool = False) -> Iterator[Document]:
    """The documents at the paths: `-` is standard input, of a directory those files that hold formulas.

    What cannot be used is added to `problems`. Every file comes once; with `follow`, those come last that scenarios
    name.
    """
    seen: set[str] = set()
    scenarios = []
    for document in _given(paths, seen, problems, follow):
        if follow and document.reading.files:
            scenarios.append(document)
        if document.reading.formulas or document.reading.unreadable:
            yield document
    for scenario in scenarios:
        yield from _named(scenario, seen, problems)


def _given(paths: Sequence[str], seen: set[str], problems: list[Problem], follow: bool) -> Iterator[Document]:
    for path in paths:
        if os.path.isdir(path):
            yield from _of_directory(path, seen, problems)
            continue
        if path != "-":
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
        document = _of_file(path, problems)
        if document is None:
            continue
        reading = document.reading
        if not reading.formulas and not reading.unreadable and not (follow and reading.files):
            names = ", ".join(file.name for file in reading.files)
            cure = f"they are in {printable(names)}" if names else f"looked for {reading.looked_for}"
            problems.append(Problem(document.name, f"no formula found in {document.name}: {cure}"))
            continue
        yield document


def _named(scenario: Document, seen: set[str], problems: list[Problem]) -> Iterator[Document]:
    """The files that a scenario names, relative to itself."""
    folder = os.path.dirname(scenario.path) if scenario.path is not None else ""
    for file in scenario.reading.files:
        line, column = scenario.reading.document.position(file.start)
        place = f"{scenario.name}:{line}:{column}: {file.where}"
        path = os.path.normpath(os.path.join(folder, file.name))
        try:
            real = os.path.realpath(path)
        except ValueError:
            problems.append(Problem(scenario.name, f"{place}: {file.name!r} is no name of a file"))
            continue
        if real in seen:
            continue
        seen.add(real)
        before = len(problems)
        document = _of_file(path, problems)
        if document is None:
            problems[before:] = [Problem(scenario.name, f"{place}: {each.message}") for each in problems[before:]]
        elif not document.reading.formulas and not document.reading.unreadable:
            problems.append(Problem(scenario.name, f"{place}: no formula found in {document.name}"))
        else:
            yield replace(document, followed=True)


def the_formula(path: str, where: str | None = None) -> FormulaText:
    """The only formula of a document, or the only one whose place is `where` or contains it. Raises BadInput."""
    from formula.embedded import FormulaFileError, formulas_at, read_formulas

    name = shown(path)
    try:
        found = read_formulas(name, _content(path))
    except OSError as exc:
        raise BadInput(f"{name}: cannot be read: {exc.strerror or exc}") from None
    except (FormulaFileError, _Refused) as exc:
        raise BadInput(str(exc)) from None
    chosen = formulas_at(found, where or "")
    if len(chosen) == 1:
        return chosen[0]
    there = ", ".join(formula.where or "the whole file" for formula in chosen or found)
    if not chosen:
        raise BadInput(f"{name}: there is no formula at {where!r}; there are: {there}")
    fitting = f"formulas at {where!r}" if where else "formulas"
    raise BadInput(f"{name}: holds {len(chosen)} {fitting}; choose one of {there}")


def syntax_faults(formula: FormulaText, refused: FormulaError) -> str:
    """The syntax errors of a formula, with their places in the document, a line for each."""
    lines = []
    for found in refused.diagnostics:
        if found.is_error:
            line, column = formula.position(found.start)
            cure = f"; {found.hint}" if found.hint else ""
            lines.append(f"{formula.file}:{line}:{column}: {found.severity} {found.code}: {found.message}{cure}")
    return "\n".join(lines)


def changed(document: Document, texts: Mapping[FormulaText, str]) -> str:
    """The document's content with new texts of its formulas. Raises FormulaFileError.

    Inside of another document a formula keeps the indentation and the blank lines around it.
    """
    from formula.embedded import fitted, rewrite

    return rewrite(
        document.content,
        {
            formula: text if formula.notation is None else fitted(formula.text, text)
            for formula, text in texts.items()
        },
    )


def store(path: Path, content: str) -> None:
    """Replace a file's content at once, keeping its owner and mode; a link stays a link. Raises OSError.

    A file that may not be written is not replaced, even where its directory would allow it.
    """
    target = os.path.realpath(path)
    with open(target, "r+b") as file:
        was = os.fstat(file.fileno())
    handle, temporary = tempfile.mkstemp(prefix=".ebbtide-", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8"))
            with suppress(PermissionError):  # only root may give files away
                os.fchown(file.fileno(), was.st_uid, was.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(was.st_mode))
            # before it takes the old one's place: a power cut must not leave an empty file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):  # an interrupt may come when it has its new name already
            os.unlink(temporary)
        raise


def standard_input(most: int = -1) -> bytes:
    """What stands there, or the first so many bytes of it. Raises OSError."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdin.buffer.read(most)


def shown(path: str) -> str:
    """A path as messages show it, whatever bytes it has."""
    return "<stdin>" if path == "-" else os.fsencode(path).decode("utf-8", "replace")


def tell(problems: Sequence[Problem]) -> None:
    """Every problem as one line on standard error."""
    for problem in problems:
        print_error(printable(problem.message))


class _Refused(Exception):
    """A file that is not read; the message is complete."""


def _content(path: str) -> str:
    """Raises OSError and _Refused."""
    name = shown(path)
    if path == "-":
        data = standard_input(MOST_BYTES + 1)
    else:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _Refused(f"{name}: is larger than {MOST_BYTES >> 20} MiB; give the file that holds the formula")
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise _Refused(f"{name}: is UTF-16, as PowerShell writes it; save the file as UTF-8")
    if b"\0" in data:
        raise _Refused(f"{name}: is a binary file; give a text file in UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise _Refused(f"{name}:{line}: is not UTF-8; save the file as UTF-8") from None


def _of_file(path: str, problems: list[Problem], only_likely: bool = False) -> Document | None:
    from formula.embedded import FormulaFileError, may_hold_formulas, read_document

    name = shown(path)
    try:
        content = _content(path)
        if only_likely and not may_hold_formulas(path, content):
            return None
        return Document(name, None if path == "-" else Path(path), content, read_document(name, content))
    except OSError as exc:
        problems.append(Problem(name, f"{name}: cannot be read: {exc.strerror or exc}"))
    except (FormulaFileError, _Refused) as exc:
        problems.append(Problem(name, str(exc)))
    return None


def _of_directory(path: str, seen: set[str], problems: list[Problem]) -> Iterator[Document]:
    from formula.embedded import EXTENSIONS

    def unlisted(exc: OSError) -> None:
        name = shown(str(exc.filename))
        problems.append(Problem(name, f"{name}: cannot be listed: {exc.strerror or exc}"))

    found, before = 0, len(problems)
    for folder, folders, files in os.walk(path, onerror=unlisted):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        for file in sorted(files):
            whole = os.path.join(folder, file).removeprefix("./")
            real = os.path.realpath(whole)
            if file.startswith(".") or not file.lower().endswith(EXTENSIONS) or not os.path.isfile(whole):
                continue
            if real in seen:
                found += 1
                continue
            seen.add(real)
            document = _of_file(whole, problems, only_likely=True)
            if document is None:
                continue
            reading = document.reading
            if reading.formulas or reading.unreadable or reading.files:
                found += 1
                yield document
    if not found and len(problems) == before:
        name = shown(path)
        looked_for = ", ".join(f"*{extension}" for extension in EXTENSIONS)
        problems.append(Problem(name, f"no formula found in {name}: looked for formulas in {looked_for}"))
