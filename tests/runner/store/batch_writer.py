"""A process that commits until it is killed: `python -m tests.runner.store.batch_writer URL SIZE`.

In every batch the job and all its tasks get the same version, so that half a batch would be seen.
"""

import sys
from itertools import count

from runner import open_journal

from .records import job, put, task


def main(url: str, size: int) -> None:
    journal = open_journal(url, upgrade=False)
    for version in count(1):
        tasks = [put(task(f"t{number}", sequence=number, version=version)) for number in range(size)]
        journal.commit([put(job(version=version)), *tasks])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
