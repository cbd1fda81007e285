"""Brings a database to the tables of this version, by Alembic; refuses one of a newer version.

To change a table, change its tables.py and add `versions/r<next number>_<what>.py` with that number as
revision. The test that compares the two says what is still missing. Also add one (it may hold no DDL) when a
record changes in a way that an older version would misread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from pools import WRITES, JournalError, explained, named

VERSION_TABLE = "migrations"
_HERE = Path(__file__).parent


def revisions() -> list[str]:
    """All revisions that this version knows, oldest first."""
    return sorted(path.name[1:5] for path in (_HERE / "versions").glob("r[0-9][0-9][0-9][0-9]_*.py"))


def stored_revision(engine: Engine) -> str | None:
    """What the database was last migrated to; None: it has no tables yet. Raises JournalError."""
    with explained(engine), engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def check(engine: Engine) -> bool:
    """Whether the database is up to date. Raises JournalError if a newer version wrote it."""
    stored, known = stored_revision(engine), revisions()
    if stored is not None and stored not in known:
        raise JournalError(
            f"{named(engine.url)} was written by a newer ebbtide (its tables have revision {stored}, "
            f"this version knows up to {known[-1]}): use that version, or a backup from before its upgrade"
        )
    return stored == known[-1]


def require(engine: Engine) -> None:
    """Raises JournalError unless the database is there and up to date."""
    missing = engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file()
    if missing or not check(engine):
        raise JournalError(
            f"{named(engine.url)} holds no records of this version: "
            "`ebbtide run` makes them, `ebbtide down` ends what VMs there are all the same"
        )


def migrate(engine: Engine) -> None:
    """Make the tables or upgrade them, in one transaction, if need be. Raises JournalError; the database is then as it
    was."""
    if check(engine):
        return
    if stored_revision(engine) is None:
        _create(engine)
    else:
        upgrade(engine)


def _create(engine: Engine) -> None:
    """What the migrations lead to, without the third of a second that Alembic takes to load."""
    from ..tables import metadata

    with _writing(engine) as connection:
        metadata.create_all(connection, checkfirst=False)
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:last)"), {"last": revisions()[-1]})


def upgrade(engine: Engine) -> None:
    """Every migration that the database has not had."""
    # Imported only now: a start with an up-to-date database does not wait for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    with _writing(engine) as connection:
        config.attributes["configure"] = {"connection": connection, "version_table": VERSION_TABLE}
        command.upgrade(config, "head")


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with explained(engine), engine.connect().execution_options(**WRITES) as connection, connection.begin():
        yield connection
