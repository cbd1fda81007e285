"""What the packages import is asked for in pyproject.toml, pinned in constraints.txt, and explained."""

import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from .sources import PACKAGES, ROOT, imported_names, parsed, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXPLAINED = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
PINNED = (ROOT / "constraints.txt").read_text(encoding="utf-8")
#: Imported by packages that need them only in part: an extra, and what comes with a dependency that is built on it.
ELSEWHERE = {"psycopg": "an extra", "botocore": "comes with boto3", "pytest": "the plugin runs in its user's pytest"}


def names(requirements: list[str]) -> list[str]:
    return [normal(re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0]) for each in requirements]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


RUN_TIME = names(PROJECT["dependencies"])
EXTRAS = {name for extra in PROJECT["optional-dependencies"].values() for name in names(extra)}


@cache
def imported() -> dict[str, str]:
    """Distributions of others that our packages import, each with a place."""
    known = packages_distributions()
    found: dict[str, str] = {}
    for path in python_files(*PACKAGES):
        for line, module in imported_names(parsed(path)):
            top = module.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in PACKAGES:
                for distribution in known.get(top, [top]):
                    found.setdefault(normal(distribution), f"{path}:{line}")
    return found


def test_what_is_imported_is_asked_for():
    assert {name: place for name, place in imported().items() if name not in {*RUN_TIME, *ELSEWHERE}} == {}


@pytest.mark.parametrize("name", sorted({*RUN_TIME, *EXTRAS}))
def test_every_dependency_is_explained_and_pinned(name):
    # paragraphs name those of the benchmarks, and types-... stand beside what they are of
    text = EXPLAINED.lower().replace("_", "-")
    found = re.search(rf"(?<![a-z0-9-]){re.escape(name)}(?![a-z0-9-])", text)
    assert found, f"{name} has no row in docs/dependencies.md"
    pinned = {normal(line.partition("==")[0]) for line in PINNED.splitlines() if "==" in line}
    assert name in pinned, f"{name} has no line in constraints.txt"


def test_every_row_of_run_time_is_a_dependency():
    table = EXPLAINED.split("## At run time\n")[1].split("\n## ")[0]
    _head, *rows = re.findall(r"^\| ([\w-]+)(?: \(.+?\))? \|", table, flags=re.M)
    assert sorted(map(normal, rows)) == sorted([*RUN_TIME, "psycopg"])
