"""A file holds one thing, is named after it, and can be read in one sitting."""

from pathlib import Path

import pytest

from .sources import PACKAGES, ROOT, python_files

LINES = 300

NOT_A_NAME = {"common", "helper", "helpers", "misc", "util", "utils"}

FILES = python_files(*PACKAGES, "tests", "examples")


def line_count(path: Path | str) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", FILES, ids=str)
def test_length(path):
    lines = line_count(path)
    assert lines <= LINES, f"{path} has {lines} lines: which two things does it hold?"


def test_names_say_what_is_inside():
    nameless = [str(path) for path in FILES if NOT_A_NAME & set(path.with_suffix("").parts)]
    assert not nameless


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package):
    assert (ROOT / package / "py.typed").is_file()


def test_every_test_folder_is_a_package():
    # Without __init__.py, pytest would import tests/formula *as* formula.
    folders = {path.parent for path in python_files("tests")}
    assert not [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file()]
