"""A PostgreSQL cluster of its own for the tests: on a unix socket, no network, gone when they end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path


class Missing(Exception):
    """Why there can be no cluster here."""


def program(name: str) -> str:
    """Where a program of the server is; many systems keep them off the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next(map(str, installed), None)
    if found is None:
        raise Missing(f"PostgreSQL server is not installed ({name} not found)")
    return found


class Cluster:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = count()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        psycopg = import_module("psycopg")
        name = f"ebbtide_{next(self._names)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Raises Missing."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if find_spec("psycopg") is None:
        raise Missing("the driver is not installed: pip install 'psycopg[binary]'")
    # Short, for the path of a socket has 107 bytes at most; and the server refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as name:
        user = None
        if os.geteuid() == 0:
            try:
                user = pwd.getpwnam("postgres").pw_name
            except KeyError:
                raise Missing("PostgreSQL does not run as root, and there is no user `postgres`") from None
            shutil.chown(name, user)

        def run(*command: str) -> None:
            subprocess.run(command, user=user, cwd=name, check=True, stdout=subprocess.DEVNULL, timeout=60)

        data = f"{name}/data"
        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={name} -c fsync=off"
        run(pg_ctl, "-D", data, "-w", "-l", f"{name}/log", "-o", options, "start")
        try:
            yield Cluster(Path(name))
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
