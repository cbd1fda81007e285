"""Patterns of files mean the same to who fetches them as to the node that keeps them."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.agent import patterns
from service.file_patterns import PatternError, below, means, parts_of

NAMES = st.sampled_from(["a", "b.txt", ".a", "ab", "c.csv", "[a]", "a*"])
FILES = st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=6)
PARTS = st.sampled_from(["a", "*", "**", "?", "*.txt", ".*", "[ab]*", "[!a]*", "ab", "b.*", "..", ".", "[a]", "["])
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(FILES, PATTERNS)
@settings(max_examples=300, deadline=None)
def test_as_the_agent_means_them(files, pattern):
    """Law: of the files of a task, those are meant that its node would upload."""
    with tempfile.TemporaryDirectory() as folder:
        made = set()
        for name in {f"wd/{each}" for each in files} | {"stdout.txt", "stderr.txt"}:
            path = Path(folder, name)
            if path.exists() or any(Path(folder, *name.split("/")[:n]).is_file() for n in range(name.count("/") + 1)):
                continue  # a file of that name is there, or a folder
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            made.add(name)
        real = str(Path(folder).resolve())
        try:
            uploaded = {path[len(real) + 1 :] for path, _ in patterns.found(pattern, folder, lambda *_: None)}
        except patterns.PatternError:
            with pytest.raises(PatternError):
                parts_of(pattern)
            return
        assert {name for name in made if means(pattern, name)} == uploaded
        above, deep = below(pattern)
        for name in uploaded:
            assert name.startswith(f"{above}/" if above else "")
            assert deep or "/" not in name[len(above) :].lstrip("/")


@pytest.mark.parametrize(
    ("pattern", "folder", "deep"),
    [
        ("../stdout.txt", "", False),
        ("*.csv", "wd", False),
        ("out/*.csv", "wd/out", False),
        ("out/**", "wd/out", True),
        ("**/*.csv", "wd", True),
        ("../**", "", True),
        ("$NAME/x", "wd", True),
        ("a/$NAME.x", "wd/a", True),
    ],
)
def test_where_they_lie(pattern, folder, deep):
    assert below(pattern) == (folder, deep)


@pytest.mark.parametrize("pattern", ["", "/etc/passwd", "../../x", "a/../../../x", "*/../../x", "a\0b"])
def test_no_patterns(pattern):
    with pytest.raises(PatternError):
        means(pattern, "wd/x")


def test_variables_may_be_anything():
    assert means("$AZ_BATCH_TASK_ID.csv", "wd/t-1.csv")
    assert means("x/${NAME}/*", "wd/x/y/z")
    assert not means("$NAME.csv", "wd/t-1.txt")
