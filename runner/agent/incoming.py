"""A file that is being received: it appears whole, or not at all."""

from __future__ import annotations

import os

from .confine import directory


class Incoming:
    """`parts`: where it will be below `root`. Raises PathRefused, OSError.

    Until `publish` it has no name, where the file system can do that (NFS and FUSE cannot), so that nothing is left
    of it if this process is killed, which is what a cut connection may do.
    """

    def __init__(self, root: str, parts: list[str]) -> None:
        self._name = parts[-1]
        self._temporary = f".{self._name[:100]}.{os.getpid()}.part"
        self._named = False  # it is called `_temporary`
        self._fd = -1
        self._parent = directory(root, parts[:-1], create=True)
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            try:
                self._fd = os.open(".", flags | os.O_TMPFILE, 0o600, dir_fd=self._parent)
            except OSError:  # if it was for another reason, that shows again
                flags |= os.O_CREAT | os.O_TRUNC
                self._fd = os.open(self._temporary, flags, 0o600, dir_fd=self._parent)
                self._named = True
        except OSError:
            self.close()
            raise

    def write(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            view = view[os.write(self._fd, view) :]

    def publish(self, mode: int) -> None:
        """It is there now, instead of what was there before."""
        os.fchmod(self._fd, mode)
        if not self._named:
            try:
                self._link(self._name)
                return
            except FileExistsError:  # a link replaces nothing, but a renamed file does
                self._link(self._temporary)
                self._named = True
        os.rename(self._temporary, self._name, src_dir_fd=self._parent, dst_dir_fd=self._parent)
        self._named = False

    def _link(self, name: str) -> None:
        os.link(f"/proc/self/fd/{self._fd}", name, dst_dir_fd=self._parent, follow_symlinks=True)

    def close(self) -> None:
        """What was not published is gone."""
        if self._named:
            os.unlink(self._temporary, dir_fd=self._parent)
        for fd in (self._fd, self._parent):
            if fd >= 0:
                os.close(fd)
