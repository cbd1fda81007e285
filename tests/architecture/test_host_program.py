"""What is sent to hosts of an inventory runs on Python 3.8 or later, with nothing installed and nothing left out."""

import ast

import pytest

from providers.static.link import MODULES

from .sources import ROOT
from .test_agent import OLDEST, annotations_are_evaluated, foreign_imports


def tree_of(module: str) -> ast.Module:
    path = ROOT / "providers" / f"{module.replace('.', '/')}.py"
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=OLDEST)


def own_imports(module: str) -> list[str]:
    """The modules of this package that it imports, named as in MODULES."""
    found = []
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = module.split(".")[: -node.level]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found += [".".join([*above, name]) for name in names]
    return found


@pytest.mark.parametrize("module", MODULES)
def test_it_needs_python_3_8_and_what_was_sent_before(module: str) -> None:
    tree = tree_of(module)
    absolute = [node for node in ast.walk(tree) if not (isinstance(node, ast.ImportFrom) and node.level)]
    assert not foreign_imports(ast.Module([node for node in absolute if isinstance(node, ast.stmt)], []))
    assert not annotations_are_evaluated(tree), "start with: from __future__ import annotations"
    assert set(own_imports(module)) <= set(MODULES[: MODULES.index(module)])
