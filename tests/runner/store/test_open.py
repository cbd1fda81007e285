"""What can be opened, and what is said of what cannot."""

import subprocess
import sys

import pytest

from runner import JournalError, open_journal


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://user:secret@host/db", "only sqlite:///FILE and postgresql://"),
        ("oracle:nonsense", "give sqlite:///FILE or postgresql://"),
        ("not a url", "give sqlite:///FILE or postgresql://"),
        ("sqlite:////no/such/x.db", "/no/such/x.db: unable to open .* whether its folder exists"),
    ],
)
def test_refused(url, said):
    with pytest.raises(JournalError, match=said) as refusal:
        open_journal(url)
    assert "secret" not in str(refusal.value)


def test_something_else_than_a_database(tmp_path):
    (tmp_path / "x.db").write_text("Dear diary, " * 100)
    with pytest.raises(JournalError, match=r"x\.db: file is not a database; the file is something else"):
        open_journal(f"sqlite:///{tmp_path}/x.db")


def test_the_driver_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(JournalError, match=r"needs a driver: pip install 'psycopg\[binary\]'") as refusal:
        open_journal("postgresql://user:secret@host/db")
    assert "secret" not in str(refusal.value)


def test_no_server(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(JournalError, match="whether PostgreSQL runs"):
        open_journal(f"postgresql://user:secret@/db?host={tmp_path}")


def test_reading_makes_nothing(tmp_path):
    with pytest.raises(JournalError, match="makes them"):
        open_journal(f"sqlite:///{tmp_path}/x.db", upgrade=False)
    assert list(tmp_path.iterdir()) == []


def imported(code: str, module: str) -> bool:
    """Whether this code brings the module."""
    code = f"{code}\nimport sys\nprint({module!r} in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip() == "True"


def test_what_is_not_needed_is_not_imported(tmp_path):
    opening = f"import runner\nrunner.open_journal('sqlite:///{tmp_path}/x.db')"
    assert not imported("import pools, runner", "sqlalchemy")
    assert not imported(opening, "alembic"), "it is made from the tables"
    assert not imported(opening, "alembic"), "it is as it should be"
