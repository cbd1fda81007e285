"""`python -m tests.fuzz --requests 20000`: tries to find a request that `ebbtide serve` answers wrongly. Ends with 1 if
there is one, or if the server has grown."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .campaign import Campaign
from .world import world

#: Megabytes that the memory may grow by between the marks.
_GROWTH = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long, however many there were")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, help="a file for the requests that were answered wrongly")
    asked = parser.parse_args()
    marks = tuple(asked.requests * quarter // 4 for quarter in (1, 2, 3, 4))
    with tempfile.TemporaryDirectory(prefix="ebbtide-fuzz-") as directory, world(Path(directory)) as served:
        campaign = Campaign(served, asked.seed)
        try:
            campaign.run(asked.requests, asked.seconds, marks)
        except BaseException:
            print(*campaign.findings[:50], campaign.report(), sep="\n")
            raise
        log = [line for line in served.served.err.splitlines() if " failed" in line or "Traceback" in line]
    for finding in campaign.findings[:200]:
        print(finding)
    print(campaign.report())
    print(f"lines of its log that tell of a fault: {len(log)}", *log[:20], sep="\n  ")
    if asked.found is not None:
        asked.found.write_text(campaign.cases())
    if campaign.growth > _GROWTH:
        print(f"it has grown by {campaign.growth:.0f} MB")
    return int(bool(campaign.findings or log or campaign.growth > _GROWTH))


if __name__ == "__main__":
    sys.exit(main())
