"""The spool: outcomes that the controller has not acknowledged yet, in one preallocated file per supervisor.

All blocks are written when the file is made, so that a full disk cannot keep an exit code from being
recorded. Record 0 holds the current execution, the last one names a damage, the others hold outcomes. A
record is CRC32, length, JSON; length 0 is a free one. A record whose checksum is wrong is as good as none:
its execution is then unknown, and the controller starts it again. Nothing is synced: a spool has to
outlive processes, and a node that lost its power is replaced.

A damage has a name, so that the controller counts it once, and is acknowledged like an outcome; what is
found later has another. An empty file is damaged only if it was whole before (`.made` says so): whoever
made it may have died over that, and had begun nothing.
"""

from __future__ import annotations

import os
import struct
import time
import zlib

from . import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

SIZE = 2048
OUTCOMES = 256
_HEAD = struct.Struct("<IH")
_FREE = b"\0" * _HEAD.size
MAX_PAYLOAD = SIZE - _HEAD.size
_LAST = OUTCOMES + 1  # the record that names a damage
_NAME = SIZE * _LAST
_TOTAL = _NAME + SIZE


def _pack(payload: bytes) -> bytes:
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a spool record holds {MAX_PAYLOAD} bytes, not {len(payload)}")
    length = struct.pack("<H", len(payload))
    return struct.pack("<I", zlib.crc32(length + payload)) + length + payload


def _unpack(record: bytes) -> Message | None:
    """None for a free or damaged record."""
    if len(record) < _HEAD.size:
        return None
    checksum, length = _HEAD.unpack_from(record)
    payload = record[_HEAD.size : _HEAD.size + length]
    if not length or zlib.crc32(record[4:6] + payload) != checksum:
        return None
    try:
        return wire.decode(payload)
    except ValueError:
        return None


def _name(last: list[Message | None]) -> str:
    """Of the damage that the last record tells of."""
    record = last[0] if last else None
    return str(record["id"]) if record is not None and wire.valid_id(record.get("id")) else ""


class Spool:
    """`current` and `outcomes` (by execution id, oldest first) as the file holds them, for its one owner. `damage`:
    names what was destroyed of it; "": nothing."""

    def __init__(self, path: str) -> None:
        """Raises OSError, e.g. for a full disk."""
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        content = b""
        while len(content) < _TOTAL:
            piece = os.pread(self._fd, _TOTAL - len(content), len(content))
            if not piece:
                break
            content += piece
        records = [_unpack(content[at : at + SIZE]) for at in range(0, len(content), SIZE)]
        heads = [content[at : at + _HEAD.size] for at in range(0, len(content), SIZE)]
        bad = [place for place, head in enumerate(heads) if records[place] is None and any(head)]
        short = len(content) < _NAME
        self.damage = _name(records[_LAST:])
        if bad or (short and (content or os.path.exists(path + ".made"))):
            self.damage = f"damage-{os.getpid()}-{time.monotonic_ns()}"
            # before anything is mended; it makes a short file long
            os.pwrite(self._fd, _pack(wire.encode({"id": self.damage})), _NAME)
        if len(content) < _TOTAL:
            os.posix_fallocate(self._fd, 0, _TOTAL)
            os.pwrite(self._fd, b"\0" * ((_NAME if self.damage else _TOTAL) - len(content)), len(content))
        for place in bad:
            if place != _LAST:
                os.pwrite(self._fd, _FREE, place * SIZE)
        self._mark_made()
        del records[_LAST:]
        self.current: Message | None = records[0] if records else None
        self._begun = self.current["id"] if self.current is not None else ""  # whose record 0 is
        self.outcomes: dict[str, Message] = {}
        self._places: dict[str, int] = {}
        for place, record in enumerate(records[1:], 1):
            if record is not None and wire.valid_id(record.get("id")):
                self.outcomes[record["id"]] = record
                self._places[record["id"]] = place
        self.outcomes = dict(sorted(self.outcomes.items(), key=lambda item: item[1].get("end", 0.0)))
        taken = set(self._places.values())
        self._free = [place for place in range(OUTCOMES, 0, -1) if place not in taken]
        if self.current is not None and self.current.get("id") in self.outcomes:
            self.current = None

    @property
    def full(self) -> bool:
        return not self._free

    def _mark_made(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            os.close(os.open(self._path + ".made", flags, 0o600))
        except OSError:
            pass  # the next owner tries again

    def begin(self, key: str, start: float, uid: int = 0, container: bool = False) -> None:
        """Records what is about to start, the user that is its own, if it has one, and whether it is in a container.

        Raises ValueError if the record is too long, OSError.
        """
        own = b',"uid":%d' % uid if uid else b""
        own += b',"container":true' if container else b""
        os.pwrite(self._fd, _pack(b'{"id":"%b","start":%a%b}\n' % (key.encode("ascii"), start, own)), 0)
        self.current = {"id": key, "start": start}
        self._begun = key

    def finish(self, outcome: Message, payload: bytes) -> None:
        """Records an outcome; `payload` is it encoded. Memory has it whatever happens.

        Raises OSError if the disk refused it.
        """
        key = outcome["id"]
        self.outcomes[key] = outcome
        if self.current is not None and self.current["id"] == key:
            self.current = None  # in the file it is overwritten by the next start, or cleared by the ack
        if self._free:
            place = self._free.pop()
            self._places[key] = place
            os.pwrite(self._fd, _pack(payload), place * SIZE)

    def ack(self, key: str) -> None:
        """The controller holds this outcome: its record may go. Or it knows of this damage."""
        if key == self.damage:
            self.damage = ""
            os.pwrite(self._fd, _FREE, _NAME)
        if self.outcomes.pop(key, None) is None:
            return
        if key == self._begun:
            self._begun = ""
            os.pwrite(self._fd, _FREE, 0)  # first, else it would look lost if this process died in between
        place = self._places.pop(key, None)
        if place is not None:
            os.pwrite(self._fd, _FREE, place * SIZE)
            self._free.append(place)
