"""What a user can type stands in the documentation, and the documentation tells of nothing else."""

import re
from collections.abc import Iterator

import click
import pytest

from formula.reference import find
from service.cli import main
from service.hints import DEFAULT_STATE

from .sources import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def commands(command: click.Command, words: tuple[str, ...] = ("ebbtide",)) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as the words to type."""
    if not isinstance(command, click.Group):
        yield words
        return
    for name, inner in command.commands.items():
        if not inner.hidden:
            yield from commands(inner, (*words, name))


COMMANDS = sorted(" ".join(words) for words in commands(main))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert re.search(rf"{re.escape(command)}\b", TEXT), f"`{command}` is in neither README.md nor docs/"


def typed_commands() -> list[str]:
    """Every `ebbtide ...` in the documents' code, up to its first argument or option."""
    code = re.findall(r"```.*?```|`[^`\n]+`", TEXT, flags=re.DOTALL)
    return sorted({words for block in code for words in re.findall(r"\bebbtide((?: [a-z][a-z-]*)+)", block)})


@pytest.mark.parametrize("typed", typed_commands())
def test_every_documented_command_exists(typed):
    full = f"ebbtide{typed} "
    known = any(full.startswith(f"{command} ") or command.startswith(full) for command in COMMANDS)
    assert known, f"`ebbtide{typed}` is not a command"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path):
    for target, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", path.read_text(encoding="utf-8")):
        document = path.parent / target if target else path
        assert document.exists(), f"{path.name} links to {target}"
        assert not heading or heading in anchors(document), f"{path.name} links to {target}#{heading}"


#: What a command that is shown writes: options, and the folder of a download.
WRITTEN = re.compile(r"(?:--state|--destination) (?!/)([\w./-]*[a-z])|job download \S+ (?!/)([a-z]\w*)")


def test_what_the_documents_leave_in_a_clone_is_ignored():
    lines = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()}
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", TEXT, flags=re.DOTALL))
    written = {(given or folder).removeprefix("./") for given, folder in WRITTEN.findall(code)}
    assert {".demo", "hello.txt", "results"} <= written
    assert {DEFAULT_STATE, *written} <= lines


def anchors(document):
    """The headings of a document, as links name them."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_finding_that_is_named_exists():
    unknown = {code for code in re.findall(r"\bF\d{3}\b", TEXT) if find(code) is None}
    assert unknown <= {"F999"}  # the example of one that does not
