"""The documents about what users write and type say what is there, and nothing else."""

import re
from datetime import timedelta
from pathlib import Path

import click
import msgspec
import pytest
from msgspec import inspect as shape

from runner import Workload
from service.cli import main
from service.iso8601 import format_duration
from service.settings import Settings
from service.settings_file import environment_names

DOCS = Path(__file__).resolve().parents[2] / "docs"


def sections(document):
    """The text below each heading."""
    parts = re.split(r"^#+ (.+)$", (DOCS / document).read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text):
    return re.findall(r"^\| `([^`]+)`", text, flags=re.M)


# -- settings --------------------------------------------------------------------------------------------------


def default_of(field):
    if field.default_factory is not msgspec.NODEFAULT:
        return "none"
    value = field.default
    return f"`{format_duration(value) if isinstance(value, timedelta) else value}`"


def settings_table():
    """The table of docs/settings.md, from the struct."""
    variables = {field.encode_name: name for name, field in environment_names().items()}
    rows = ["| setting | default | meaning | variable |", "|---|---|---|---|"]
    info = shape.type_info(Settings)
    assert isinstance(info, shape.StructType)
    for field in info.fields:
        assert isinstance(field.type, shape.Metadata)
        meaning = (field.type.extra_json_schema or {})["description"]
        variable = f"`{variables[field.encode_name]}`" if field.encode_name in variables else ""
        rows.append(f"| `{field.encode_name}` | {default_of(field)} | {meaning} | {variable} |")
    return "\n".join(rows)


def test_settings():
    assert settings_table() in (DOCS / "settings.md").read_text(encoding="utf-8")


# -- workload file ---------------------------------------------------------------------------------------------


def structs(kind, found):
    """Every struct that a workload is made of."""
    match kind:
        case shape.StructType():
            if kind.cls.__name__ not in found:
                found[kind.cls.__name__] = {field.encode_name for field in kind.fields}
                for field in kind.fields:
                    structs(field.type, found)
        case shape.VarTupleType():
            structs(kind.item_type, found)
        case shape.UnionType():
            for inner in kind.types:
                structs(inner, found)
    return found


STRUCTS = structs(shape.type_info(Workload), {})


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_workload_file(name):
    assert set(first_cells(sections("workload.md")[name])) == STRUCTS[name]


# -- command line ----------------------------------------------------------------------------------------------


def commands(group, words="ebbtide"):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")
        elif not command.hidden:
            yield f"{words} {name}", command


COMMANDS = dict(commands(main))
SHARED = {"--state", "--config", "--json", "--filter", "--select"}
#: Told once, for all commands that may be about a server.
SERVER = {"--endpoint", "--account", "--key"}


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_command_line(words):
    text = sections("cli.md")[words]
    options = {
        name
        for parameter in COMMANDS[words].params
        if isinstance(parameter, click.Option)
        for name in parameter.opts
        if name.startswith("--")
    }
    assert options & SERVER in (SERVER, set())
    options -= SERVER
    (synopsis,) = re.findall(rf"`{words}[^`]*`", text)[:1]
    assert set(re.findall(r"--[a-z][a-z0-9-]*", synopsis)) == options
    assert {cell.split()[0] for cell in first_cells(text)} - SHARED == options - SHARED
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Argument) and not isinstance(parameter.type, click.Choice):
            assert (parameter.metavar or parameter.name.upper()) in synopsis


def test_options_that_are_told_once():
    assert set(first_cells(sections("cli.md")["On a server"])) == {"--endpoint URL", "--account NAME", "--key KEY"}
    assert set(first_cells(sections("cli.md")["Lists"])) == {"--filter FILTER", "--select NAMES"}


def test_nothing_else_is_documented():
    told = {heading for heading in sections("cli.md") if heading.startswith("ebbtide ")}
    assert told == set(COMMANDS)
