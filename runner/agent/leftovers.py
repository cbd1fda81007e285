"""What the executions of one slot have left running: found and ended.

The supervisor is their subreaper, so as long as it has a child, something is left. Without a subreaper they are found
by the marker in their environment.
"""

from __future__ import annotations

import os
import time

from . import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .launch import Execution

ROUND = 0.02  # between two rounds of SIGKILL, seconds
CHILDREN = 10.0  # seconds that what a container's engine has started may take to tidy up
GIVE_UP = 10.0  # what does not die by SIGKILL in this time (uninterruptible, or another user's) is left behind


class Leftovers:
    def __init__(self, name: str, place: str) -> None:
        """`name` is the slot's, `place` its folder. Call it in the supervisor."""
        self.marker = "EBBTIDE_SLOT=" + place
        self.subreaper = processes.become_subreaper("ebbtide-" + name)

    def of(self, execution: Execution) -> list[int]:
        """A start task's daemons are only ended if it is killed."""
        if execution.startup:
            return processes.marked("EBBTIDE_EXECUTION=" + execution.id)
        if self.subreaper:
            return processes.descendants(os.getpid())
        return processes.marked(self.marker)

    def there(self, execution: Execution, children: bool) -> bool:
        """Is anything left that must end before the slot is free? `children`: the supervisor has some."""
        if execution.startup:
            return (execution.killed or execution.timeout) and bool(self.of(execution))
        return children if self.subreaper else bool(self.of(execution))

    def end(self, execution: Execution) -> bool:
        """False when it is no use to go on. Inside the grace of a kill they may still save their work."""
        now = time.monotonic()
        if execution.kill_at is None:
            # what an engine has started ends by itself, and should tidy up
            execution.kill_at = now + (CHILDREN if execution.container else 0.0)
        if execution.give_up_at is None:
            execution.give_up_at = max(now, execution.kill_at) + GIVE_UP
        if now >= execution.kill_at:
            processes.end(self.of(execution))
            execution.kill_at = now + ROUND
        return now < execution.give_up_at

    def sweep(self, marker: str) -> None:
        """Ends what carries the marker; who started it is gone."""
        until = time.monotonic() + GIVE_UP
        ended: set[int] = set()
        while time.monotonic() < until:
            found = processes.marked(marker)
            ended.update(found)
            # the environment is gone before the files are closed: until then only the id is known
            if not any(processes.alive(pid) for pid in ended):
                return
            processes.end(found)
            time.sleep(ROUND)

    def end_all(self) -> None:
        """Ends every descendant: the machine has died."""
        until = time.monotonic() + GIVE_UP
        while time.monotonic() < until:
            found = processes.descendants(os.getpid()) if _reap_all() else []
            if not self.subreaper:
                found += processes.marked(self.marker)
            if not found:
                return
            processes.end(found)
            time.sleep(0.001)


def _reap_all() -> bool:
    """False if there is no child left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
