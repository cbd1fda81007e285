"""Opens the database that everything is kept in: an SQLite file, or PostgreSQL by its URL.

SQLAlchemy takes a fifth of a second to import; it is imported when a database is opened, not before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

#: Seconds that a statement waits for another process that writes to the same SQLite file.
BUSY_TIMEOUT = 10.0
#: Bytes to which SQLite cuts its write-ahead log back after a burst.
WAL_LIMIT = 64 * 1024 * 1024
#: Pages that its write-ahead log grows by before they are put in their places. With SQLite's 1,000, most of these are
#: changed again at once: many small rows take half as long again to be added.
WAL_PAGES = 4000
#: Execution option of a connection that will write: SQLite takes the write lock at once, and waits for it.
WRITES = {"ebbtide_writes": True}

#: What a database says, and what helps. The first that occurs in the message counts.
CURES = (
    ("disk is full", "free space there; nothing is lost, what was to be written is tried again"),
    ("no space left on device", "free space on the database server; what was to be written is tried again"),
    ("disk i/o error", "see whether the disk is full, over its quota or failing (`df`, `dmesg`)"),
    ("is locked", "another process writes to it: end it, or wait"),
    ("readonly", "make the file and its folder writable for this user"),
    ("read-only", "make the database writable for this user"),
    ("unable to open database file", "see whether its folder exists and is writable for this user"),
    ("malformed", "the file is damaged: restore it from a backup"),
    ("not a database", "the file is something else: name another one, or restore it from a backup"),
    ("no such table", "it holds no ebbtide state yet: start the controller once, or name the right database"),
    ("does not exist", "create it, or name the right one"),
    ("authentication failed", "see user and password in the database URL"),
    ("connection", "see whether PostgreSQL runs and can be reached from here"),
)


class JournalError(Exception):
    """The database cannot be used; the message names it, what it said, and what helps."""


def open_database(url: str) -> Engine:
    """An engine for `sqlite:////path/to/file` or `postgresql://user@host/database`; connects when used.

    SQLite has a write-ahead log: readers, in other processes too, never wait for the writer, nor it for them.
    A crash of the process loses nothing that was committed. A power cut can lose the last moments, but never
    consistency. Where its folder cannot be written, it is opened to be read.
    Raises JournalError if the URL cannot be understood or the driver is missing.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            return _open_sqlite(parsed)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
            backend = "postgresql"
        if backend != "postgresql":
            raise JournalError(f"{named(parsed)}: only sqlite:///FILE and postgresql://... are supported")
        return create_engine(
            parsed, paramstyle="format", isolation_level="REPEATABLE READ", pool_pre_ping=True
        )
    except (ArgumentError, NoSuchModuleError) as exc:
        raise JournalError(
            f"the database URL cannot be used ({exc}); give sqlite:///FILE or postgresql://..."
        ) from None
    except ModuleNotFoundError as exc:
        raise JournalError(f"{named(parsed)} needs a driver: pip install 'psycopg[binary]' ({exc})") from None


def named(url: URL) -> str:
    """The database for messages: the file, or the URL without its password."""
    file = url.database if url.get_backend_name() == "sqlite" else None
    return f"database {file or url.render_as_string(hide_password=True)}"


def _open_sqlite(url: URL) -> Engine:
    from sqlalchemy import create_engine, event

    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise JournalError("an SQLite database needs a file: sqlite:////path/to/file")
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False})

    file = Path(url.database)

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _: object, places: Sequence[Any], options: Mapping[str, Any]) -> Any:
        if file.is_file() and not os.access(file.parent, os.W_OK):
            address = f"file:{quote(str(file.resolve()))}?{_way_to_read(file)}"
            return dialect.connect(address, **{**options, "uri": True})
        # for nobody else's eyes, and so are the files that SQLite makes beside it; else they are for all to read.
        # Never one that is there: closing it would let go of the locks that others in this process have on it.
        with suppress(OSError):  # it is there; or connecting tells
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        return None

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # The driver's own transactions leave out DDL; ours begin below.
        connection.isolation_level = None
        if not os.access(file.parent, os.W_OK):
            return
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            connection.close()
            raise JournalError(f"{named(url)}: no write-ahead log is possible there; put it on a local disk")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("ebbtide_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _way_to_read(file: Path) -> str:
    """How SQLite reads a database beside which it can make no files. Raises JournalError if it cannot."""
    log, index = (file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))
    if log.exists() and index.exists():
        return "mode=ro"  # it was not closed, or another user's controller works on it
    if log.exists() and log.stat().st_size:
        raise JournalError(
            f"database {file}: its folder is read-only, and what is in {log.name} cannot be taken over there; copy the "
            "folder to where it can be written, and name the copy"
        )
    return "mode=ro&immutable=1"  # nobody has it open: it is whole, and no lock is needed


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Whatever the database raises in here becomes a JournalError with a cure."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as exc:
        said = str(getattr(exc, "orig", None) or exc).strip()
        cure = next((cure for sign, cure in CURES if sign in said.lower()), "see its log")
        raise JournalError(f"{named(engine.url)}: {said}; {cure}") from exc


def vacuum(engine: Engine) -> None:
    """Give the free pages of an SQLite database back to the disk; nobody may use it meanwhile. Raises JournalError."""
    if engine.dialect.name != "sqlite":
        return
    import sqlite3

    with explained(engine):
        raw = engine.raw_connection()  # in no transaction
        try:
            raw.cursor().execute("VACUUM")
        except sqlite3.Error as exc:
            raise JournalError(f"{engine.url.database}: VACUUM: {exc}; it needs as much room again") from exc
        finally:
            raw.close()
