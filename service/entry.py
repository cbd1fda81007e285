"""Where the command `ebbtide` begins. It takes a while to load; an interrupt ends that in one line, too.

Imports nothing that takes time itself.
"""

import os
import signal


def main() -> None:
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else whoever started us wants none
        signal.signal(signal.SIGINT, _interrupted)
    from .cli import main as command
    from .cli.standard_output import replace

    replace()
    signal.signal(signal.SIGINT, before)
    command()


def _interrupted(*_: object) -> None:
    """Nothing has begun that would have to end. At once: a module half loaded might take an exception for its own."""
    os.write(2, b"ebbtide: error: interrupted\n")
    os._exit(130)
