"""Imports go one way, and between packages only through the other's `__init__`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .sources import PACKAGES, ROOT, imported_names, parsed, python_files


def is_door(package: str, inside: str) -> bool:
    """The tools around the language (replay, layout, ...) are packages with doors of their own: few need them all."""
    return package == "formula" and (ROOT / package / inside / "__init__.py").exists()


def past_the_front_door(package: str, tree: ast.AST) -> list[str]:
    """Imports of another package's inside, and of the own package by its absolute name."""
    found = []
    for line, name in imported_names(tree):
        top, _, inside = name.partition(".")
        if top not in PACKAGES:
            continue
        if top == package:
            found.append(f"{line}: {name}: inside a package imports are relative")
        elif inside and not is_door(top, inside):
            found.append(f"{line}: {name}: import it from {top}, which has to offer it")
    return found


def test_imports_go_one_way():
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_talk_through_the_front_door(package):
    found = {
        str(path): wrong
        for path in python_files(package)
        if (wrong := past_the_front_door(package, parsed(path)))
    }
    assert not found


WRONG = [
    "import providers.local",
    "from providers.local import Node",
    "from pools import Pool",
    "from formula.parser import parse",
    "from formula.lint.rules import RULES",
]
RIGHT = [
    "import providers",
    "from providers import Provider",
    "from formula.replay import replay",
    "from . import model",
    "import os",
]


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_import_is_seen(text):
    assert past_the_front_door("pools", ast.parse(text))


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_import_is_let_through(text):
    assert not past_the_front_door("pools", ast.parse(text))
