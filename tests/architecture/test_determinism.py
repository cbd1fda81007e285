"""The wall clock and randomness enter in clock.py and ids.py, and are handed in everywhere else.

Ruff's TID251 keeps the bans. Here stands that it really does, and what it cannot see: an unseeded
`random.Random()`.
"""

import ast
import subprocess
import sys

import pytest

from .sources import PACKAGES, ROOT, dotted, parsed, python_files


def ruff(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", *arguments],
        cwd=ROOT, input=text, capture_output=True, text=True, check=False,
    )


def unseeded_generators(tree: ast.AST) -> list[int]:
    """Lines with a `Random()` that is given no seed."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func) in {"random.Random", "Random"} and not node.args
    ]


def test_no_wall_clock_and_no_global_randomness():
    run = ruff(*PACKAGES)
    assert run.returncode == 0, run.stdout + run.stderr


MISUSES = [
    "import time\ntime.time()",
    "from time import time\ntime()",
    "import datetime\ndatetime.datetime.now(datetime.UTC)",
    "from datetime import datetime\ndatetime.utcnow()",
    "from datetime import date\ndate.today()",
    "import random\nrandom.random()",
    "from random import choice\nchoice([1])",
    "import uuid\nuuid.uuid4()",
    "from uuid import uuid1\nuuid1()",
    "import os\nos.urandom(8)",
    "import secrets\nsecrets.token_hex()",
]


@pytest.mark.parametrize("text", MISUSES)
def test_a_misuse_is_seen_everywhere_but_in_its_one_module(text):
    assert "TID251" in ruff("--stdin-filename", "pools/planner.py", "-", text=text).stdout
    allowed = "pools/clock.py" if "time" in text or "date" in text else "pools/ids.py"
    assert ruff("--stdin-filename", allowed, "-", text=text).returncode == 0


def test_what_is_handed_in_may_be_used():
    text = "import random\nimport time\nrng = random.Random(7)\nrng.random()\ntime.monotonic()\n"
    run = ruff("--stdin-filename", "pools/planner.py", "-", text=text)
    assert run.returncode == 0, run.stdout


def test_no_generator_without_a_seed():
    found = {
        str(path): lines
        for path in python_files(*PACKAGES)
        if path.name != "ids.py" and (lines := unseeded_generators(parsed(path)))
    }
    assert not found


def test_a_generator_without_a_seed_is_seen():
    assert unseeded_generators(ast.parse("import random\nr = random.Random()")) == [2]
    assert unseeded_generators(ast.parse("import random\nr = random.Random(seed)")) == []
