"""The output store: what tasks printed, kept so that it can be read after the nodes are gone.

Small streams stand in the journal itself (`Output.data`); larger ones are files here, written and synced before the
outcome that names them is committed.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from . import durable
from .disk_room import disk_room
from .model import Output

#: Streams up to this many bytes ride along with the outcome and stand in the journal.
INLINE = 64 * 1024
_STREAMS = ("stdout", "stderr")


class OutputStore:
    def __init__(self, directory: Path, cap: int = 64 * 1024 * 1024, reserve: int = 0) -> None:
        """`cap`: of a longer stream the last `cap` bytes are kept. `reserve`: bytes of the disk that are left to the
        rest of the state (see `disk_room`)."""
        self._directory = directory
        self._reserve = reserve
        self.cap = cap
        self._numbers = itertools.count()
        #: by name of the file: what was brought in, and may yet be recorded
        self._unrecorded: dict[str, Output] = {}
        self._lock = threading.Lock()

    def keep(self, execution_id: str, stream: str, size: int, fetch: Callable[[int, int, BinaryIO], None]) -> Output:
        """Bring a large stream in: `fetch(offset, length, file)` writes it. Its file awaits its record until the
        execution is `settled`, or who brought it in has `dropped` it. Raises OSError (disk full), or what `fetch`
        raises; nothing is left behind then."""
        name = _name(execution_id, stream)
        durable.make_folder(self._directory)
        path = self._directory / name
        # a session that ends and the one after it may both bring the same output in
        temporary = path.with_name(f"{path.name}.{os.getpid()}.{next(self._numbers)}.tmp")
        length = min(size, self.cap)
        if self._reserve and length > disk_room(self._directory, self._reserve):
            raise OSError(errno.ENOSPC, "the disk is nearly full, and what is left is the state's (storageReserve)")
        try:
            with open(temporary, "wb") as file:
                fetch(size - length, length, file)
                file.flush()
                os.fsync(file.fileno())
            durable.rename(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        output = Output(stream=stream, size=size, file=name)
        with self._lock:
            self._unrecorded[name] = output
        return output

    def settled(self, execution_ids: Iterable[str]) -> None:
        """What became of these executions is committed: what the journal does not name now, it never will."""
        if self._unrecorded:
            with self._lock:
                for name in [_name(each, stream) for each in execution_ids for stream in _STREAMS]:
                    self._unrecorded.pop(name, None)

    def dropped(self, outputs: Iterable[Output]) -> None:
        """Who brought these in will not report them."""
        with self._lock:
            for output in outputs:
                if output.file is not None and self._unrecorded.get(output.file) is output:  # nobody else brought it in
                    del self._unrecorded[output.file]

    def awaits_record(self, name: str) -> bool:
        """May a record yet name this file? Asked before the records are read, as these are written first."""
        return name in self._unrecorded

    def read(self, output: Output, chunk: int = 1 << 20) -> Iterator[bytes]:
        """The kept bytes. Raises FileNotFoundError if the store was tampered with."""
        if output.file is None:
            yield output.data or b""
            return
        with open(self._directory / output.file, "rb") as file:
            while data := file.read(chunk):
                yield data

    def kept(self, output: Output) -> int:
        """How many bytes of the output are here. The last ones, if it is longer than the cap."""
        if output.file is None:
            return len(output.data or b"")
        try:
            return (self._directory / output.file).stat().st_size
        except FileNotFoundError:
            return 0

    def piece(self, output: Output, offset: int, length: int) -> bytes:
        """Of the kept bytes. Raises FileNotFoundError if the store was tampered with."""
        if output.file is None:
            return (output.data or b"")[offset : offset + length]
        with open(self._directory / output.file, "rb") as file:
            file.seek(offset)
            return file.read(length)

    def sweep(self, named: set[str]) -> int:
        """Remove files that no record names (an attempt that was tried again, a crash before the commit)."""
        if not self._directory.is_dir():
            return 0
        stray = [path for path in self._directory.iterdir() if path.name not in named]
        for path in stray:
            path.unlink(missing_ok=True)
        return len(stray)


def _name(execution_id: str, stream: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', execution_id)}.{stream}"
