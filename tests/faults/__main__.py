"""`python -m tests.faults --seeds 50 [--first N] [--jobs 2]`: the fault run, with a table. Root only."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.rig import CloudRig

from .trial import Outcome, Trial, summary_of

#: Seconds that a seed may take in all.
LIMIT = 600.0
#: `peak`: VMs at a time, those left out that had been told to go. `most`: the targets, and the surge of pool options.
HEAD = " seed      s  VMs  calls kills peak/most left tasks lost  faults"


def line(outcome: Outcome) -> str:
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(outcome.faults.items()))
    return (
        f"{outcome.seed:>5} {outcome.seconds:>6.1f} {outcome.creates:>4} {outcome.calls:>6} {len(outcome.kills):>5} "
        f"{f'{outcome.peak}/{outcome.target}':>9} {outcome.left:>4} {outcome.tasks:>5} {outcome.lost:>4}  {faults}"
        + ("  FAILED" if outcome.problems else "")
    )


def in_a_process(seed: int) -> Outcome:
    """A seed with a rig in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, "-m", "tests.faults", "--one", str(seed), "--to", file.name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return Outcome(seed, problems=[f"no end after {LIMIT:g} s"])
        text = Path(file.name).read_text()
    if done.returncode != 0 or not text:
        return Outcome(seed, problems=[f"the trial itself failed: {done.stderr[-3000:]}"])
    return Outcome(**json.loads(text))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="seeds at a time")
    parser.add_argument("--stories", type=Path, help="folder for all stories (default: those of failures are printed)")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if (missing := CloudRig.unavailable()) is not None:
        print(f"no fault run: {missing}", file=sys.stderr)
        return 2
    if given.one is not None:
        given.to.write_text(json.dumps(Trial(given.one).run().to_json()))
        return 0
    if given.stories is not None:
        given.stories.mkdir(parents=True, exist_ok=True)
    outcomes = []
    print(HEAD, flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        for outcome in pool.map(in_a_process, range(given.first, given.first + given.seeds)):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
            for problem in outcome.problems:
                print(f"      {problem}", flush=True)
            if outcome.story and given.stories is not None:
                (given.stories / f"{outcome.seed}.txt").write_text(outcome.story)
            elif outcome.problems:
                print(outcome.story, flush=True)
    for what, counts in summary_of(outcomes).items():
        print(f"{what}: {', '.join(f'{name} {count}' for name, count in counts.most_common())}")
    failed = [outcome.seed for outcome in outcomes if outcome.problems]
    print(
        f"{len(outcomes)} seeds: {sum(o.creates for o in outcomes)} VMs, {sum(len(o.kills) for o in outcomes)} kills, "
        f"{sum(o.left for o in outcomes)} VMs left, {sum(o.lost for o in outcomes)} of "
        f"{sum(o.tasks for o in outcomes)} tasks lost, failed: {failed or 'none'}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
