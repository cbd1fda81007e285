"""The entry of the zipapp: `serve ROOT`, `files ROOT`, `logins ROOT` (see logins), `door ROOT PORT WANTED...` (see
gate), `fetch ARGV...` (see fetch), `upload` (see upload) or `container` (see contain)."""

from __future__ import annotations

import os
import sys


def main() -> None:
    if sys.argv[1] == "fetch":
        from .fetch import run

        run(sys.argv[2:])
    if sys.argv[1] == "upload":
        from .upload import run as upload

        upload()
    if sys.argv[1] == "container":
        from .contain import run as contain

        contain()
    mode, root = sys.argv[1], os.path.realpath(sys.argv[2])
    os.umask(0o022)
    os.chdir(root)
    number = os.environ.pop("EBBTIDE_LIFELINE_FD", "")
    if mode == "serve":
        import gc

        from .serve import serve

        gc.freeze()  # what has been loaded stays, also in the supervisors, who are forks of this process
        gc.enable()
        serve(root, int(number) if number.isdigit() else None)
    elif mode == "door":
        from .gate import run as gate

        gate(root, int(sys.argv[3]), [int(port) for port in sys.argv[4:]])
    elif mode == "logins":
        from .logins import run as logins

        logins(root, int(number) if number.isdigit() else None)
    elif mode == "files":
        from .files import serve_files

        serve_files(root)
    else:
        sys.exit(f"unknown mode {mode!r}")
