"""The agent's side of one supervisor: finds it alive or starts it, and keeps the lines between them."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time

from . import PRIVATE, processes, wire
from .running import Running
from .supervisor import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .lane import Entry

JOIN_TIMEOUT = 30.0  # a supervisor that does not answer so long is ended; its execution is then lost
# Seconds between two looks whether somebody has stopped a supervisor (see identity.py), who then neither ends what is
# over its time nor takes anything new. Nobody else can tell that it does not merely wait.
LOOK = 5.0
_KEEP_DYING = "supervisor %s died %d times in a row: see %s/log on the node"


class SlotLink:
    """`running`: the id in the slot; `unacked`: the ids whose outcomes it keeps, and its damage; `ready`: it has
    told."""

    def __init__(self, root: str, name: str) -> None:
        self.name = name
        self.running: str | None = None
        self.running_state: wire.Message | None = None  # as the supervisor told when it was joined
        self.next: Entry | None = None  # given to it in advance
        self.quick = False  # its last execution was short
        self.since = 0.0  # when `running` was sent or became the running one, monotonic
        self.unacked: set[str] = set()
        self.acks: list[str] = []
        self.ready = False
        self.damage = ""  # names what nobody can read any more of its spool
        self.damaged = False  # the one before it had another damage, or none
        self.reports: list[bytes] = []  # outcome lines that came with the state
        self.fd = -1
        self.blocked = False
        self._expected = -1
        self._root = root
        self._place = f"{root}/{PRIVATE}/slots/{name}"
        self._lines = wire.Lines()
        self._outbox = wire.Outbox(-1)
        self._socket: socket.socket | None = None
        self._joined_at = 0.0
        self._pid = 0  # of the supervisor, if it is this process's child
        self._deaths = 0
        self._stopped = False

    def join(self, lifeline: int | None) -> None:
        """Connects to the living supervisor, or starts one. Raises OSError, e.g. for a full disk."""
        os.makedirs(self._place, 0o700, exist_ok=True)
        lock = os.open(self._place + "/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + 5.0
        try:
            os.chdir(self._place)  # a socket's path may have 107 bytes only, so it is named relatively
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    self._start(lock, lifeline)
                link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                try:
                    link.connect("socket")
                    break
                except OSError:  # it is dying and has not let go of its lock
                    link.close()
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.002)
        finally:
            os.close(lock)
            os.chdir(self._root)
        link.setblocking(False)
        self._socket, self.fd = link, link.fileno()
        self._lines, self._outbox = wire.Lines(), wire.Outbox(self.fd)
        self.ready, self.blocked, self._expected = False, False, -1
        self.reports, self.acks = [], []
        self._joined_at = time.monotonic()

    def _start(self, lock: int, lifeline: int | None) -> None:
        """Forks the supervisor. It inherits the held lock and the listening socket, so it can be joined."""
        if self._pid:
            os.waitpid(self._pid, 0)  # the one before let go of the lock, so it has ended but for moments
            self._pid = 0
        processes.load_ctypes()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            if os.path.lexists("socket"):
                os.unlink("socket")
            listener.bind("socket")
            listener.listen(8)
            log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                self._pid = os.fork()
                if not self._pid:
                    self._become_supervisor(lock, listener, log, lifeline)
            finally:
                os.close(log)

    def _become_supervisor(self, lock: int, listener: socket.socket, log: int, lifeline: int | None) -> None:
        status = 1
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, b"%d\n" % os.getpid(), 0)
            os.setsid()
            for number in (signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            null = os.open(os.devnull, os.O_RDWR)
            for fd, source in ((0, null), (1, null), (2, log)):
                os.dup2(source, fd)
            keep = {lock, listener.fileno()}
            if lifeline is not None:
                os.set_inheritable(lifeline, False)
                keep.add(lifeline)
            processes.close_inherited(keep)
            os.chdir(self._root)
            running = Running(self._root, self.name, self._place)
            Supervisor(self.name, running, listener, lifeline).run()
            status = 0
        except BaseException:  # noqa: BLE001 - a child of fork: whatever happens must not run on
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)

    def receive(self) -> list[bytes] | None:
        """Complete report lines; None when the supervisor is gone. Those of its state go to `reports`."""
        assert self._socket is not None
        try:
            data = self._socket.recv(1 << 18)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._socket.close()
            return None
        lines = self._lines.feed(data)
        if self.ready:
            return lines
        for at, line in enumerate(lines):
            if self._expected < 0:
                state = wire.decode(line)
                self._expected = state["outcomes"]
                self.running_state = state["running"]
                found = state.get("damage", "")  # one of an older version has none
                self.damaged, self.damage = found not in ("", self.damage), found
            else:
                self.reports.append(line)
            if len(self.reports) == self._expected:
                self.unacked = {wire.head_of(report)[1] for report in self.reports}
                if self.damage:
                    self.unacked.add(self.damage)
                self.running = None if self.running_state is None else self.running_state["id"]
                self.ready = True
                self._deaths = 0 if self.running or self.reports else self._deaths
                return lines[at + 1 :]
        return []

    def died(self) -> None:
        """Counts a death. Raises RuntimeError if it keeps dying."""
        self._deaths = self._deaths + 1 if time.monotonic() - self._joined_at < 1.0 else 1
        if self._deaths > 5:
            raise RuntimeError(_KEEP_DYING % (self.name, self._deaths, self._place))

    def end_if_stuck(self) -> None:
        """Ends a supervisor that does not tell its state, or that is stopped: its socket then says that it is gone.
        Call it every `LOOK` seconds: stopped is who is so twice in a row."""
        mute = not self.ready and time.monotonic() - self._joined_at > JOIN_TIMEOUT
        pid = self._pid or self._recorded()
        stopped = pid > 1 and processes.stopped(pid)
        if mute:
            self._joined_at = time.monotonic()
        if pid > 1 and (mute or (stopped and self._stopped)):
            processes.end([pid])
        self._stopped = stopped

    def _recorded(self) -> int:
        """What the supervisor wrote when it began; 0: nothing yet."""
        try:
            with open(self._place + "/lock", "rb") as file:
                return int(file.read(20) or b"0")
        except (OSError, ValueError):
            return 0

    def send(self, line: bytes) -> None:
        """Queues a line; acks that wait go first, in the same write."""
        if self.acks:
            self._outbox.put(wire.encode({"op": "ack", "ids": self.acks}))
            self.acks = []
        self._outbox.put(line)
        self.flush()

    def flush(self) -> None:
        if self.acks:
            self._outbox.put(wire.encode({"op": "ack", "ids": self.acks}))
            self.acks = []
        try:
            self.blocked = not self._outbox.flush()
        except OSError:
            self.blocked = False  # reading will find it gone
