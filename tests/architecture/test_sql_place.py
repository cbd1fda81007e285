"""SQL is executed in the stores and nowhere else, so that one place decides about transactions."""

import ast

import pytest

from .sources import PACKAGES, parsed, python_files

EXECUTES = {"exec_driver_sql", "execute", "executemany", "executescript"}


def executing_lines(tree: ast.AST) -> list[int]:
    """Lines that call something's `.execute(...)` or one of its relatives."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in EXECUTES
    ]


def may_execute(path: str) -> bool:
    """`store.py`, `sample_store.py`, `database.py`, and whatever stands in a folder `migrations`."""
    *folders, name = path.split("/")
    return "migrations" in folders or name.endswith("store.py") or name == "database.py"


def test_sql_is_executed_in_the_stores_only():
    found = {
        str(path): lines
        for path in python_files(*PACKAGES)
        if not may_execute(path.as_posix()) and (lines := executing_lines(parsed(path)))
    }
    assert not found


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("runner/store.py", True),
        ("pools/sample_store.py", True),
        ("pools/database.py", True),
        ("service/migrations/versions/0001_start.py", True),
        ("runner/planner.py", False),
        ("runner/stored.py", False),
    ],
)
def test_where_it_may_be(path, allowed):
    assert may_execute(path) is allowed


def test_a_call_is_seen():
    assert executing_lines(ast.parse("with engine.begin() as c:\n    c.execute(query)")) == [2]
