"""The node agent runs on whatever Python 3.8 or later a node has, with nothing installed."""

import ast
import sys

import pytest

from .sources import ROOT, imported_names, python_files

FILES = python_files("runner/agent")
OLDEST = (3, 8)
#: Must be read even by a Python too old for postponed annotations, to say that it is too old; has plain names only.
FOR_ANY_PYTHON = "loader.py"


def foreign_imports(tree: ast.AST) -> list[str]:
    """Imported modules that do not come with Python."""
    known = sys.stdlib_module_names
    return [f"{line}: {name}" for line, name in imported_names(tree) if name.split(".")[0] not in known]


def annotations_are_evaluated(tree: ast.Module) -> bool:
    """Whether `x: list[int]`, a crash in Python 3.8, would be evaluated when the module is loaded."""
    annotated = any(
        (isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None)
        or (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None)
        for node in ast.walk(tree)
    )
    postponed = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
    return annotated and not postponed


def test_there_is_an_agent():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=str)
def test_it_needs_python_3_8_and_nothing_else(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path), feature_version=OLDEST)
    assert not foreign_imports(tree)
    if path.name == FOR_ANY_PYTHON:
        return
    assert not annotations_are_evaluated(tree), "start with: from __future__ import annotations"


def test_newer_syntax_is_seen():
    with pytest.raises(SyntaxError):
        ast.parse("match x:\n    case 1: pass", feature_version=OLDEST)


@pytest.mark.parametrize("text", ["import msgspec", "from runner import model", "import os, paramiko.client"])
def test_a_foreign_import_is_seen(text):
    assert foreign_imports(ast.parse(text))


def test_an_evaluated_annotation_is_seen():
    text = "def f(x: list[int]): ..."
    assert annotations_are_evaluated(ast.parse(text))
    assert not annotations_are_evaluated(ast.parse(f"from __future__ import annotations\n{text}"))
