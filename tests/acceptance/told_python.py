"""Runs what it is told, in the environment of a client: each line of its input is Python, as a text in JSON, and is
executed; one expression is evaluated and read to its end. The answer is a line of JSON: null, or how it failed.

Standard library only.
"""

from __future__ import annotations

import ast
import json
import sys
import traceback
from collections.abc import Iterator
from typing import Any


def run(source: str, names: dict[str, Any]) -> None:
    tree = ast.parse(source)
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        found = eval(compile(source.strip(), "<told>", "eval"), names)
        for _ in found if isinstance(found, Iterator) or hasattr(found, "by_page") else ():
            pass
    else:
        exec(compile(tree, "<told>", "exec"), names)


if __name__ == "__main__":
    known: dict[str, Any] = {}
    for line in sys.stdin:
        failure = None
        try:
            run(json.loads(line), known)
        except Exception:  # noqa: BLE001 - whatever the client raises is the finding
            failure = traceback.format_exc()
        print(json.dumps(failure), flush=True)
