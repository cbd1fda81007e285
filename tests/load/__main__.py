"""`python -m tests.load`: many clients at one server, which is killed in the middle. See `--help`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .run import Load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0, help="half before kill -9, half after")
    parser.add_argument("--processes", type=int, default=3, help="that the clients are in")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ebbtide-load-", ignore_cleanup_errors=True) as folder:
        load = Load(Path(folder), arguments.clients, arguments.seconds, arguments.processes, arguments.seed)
        outcome = load.run()
    print("\n".join(outcome.lines()))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
