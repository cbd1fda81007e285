"""`python -m tests.chaos --seeds 20 --tasks 2000 --nodes 8 --jobs 1`: the storm, with a table."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from .plan import BLOWS, plan_of
from .trial import Outcome, Trial, disks_can_be_mounted

#: `gone`: nodes that were given up; `unsure`: requeues of what had been sent to a node and had not begun; `room`:
#: attempts that found no room to begin.
HEAD = " seed      s tasks  VMs gone starts retries requeues unsure room lost  "
HEAD += " ".join(f"{kind:>5.5}" for kind in BLOWS)


def line(outcome: Outcome) -> str:
    done, counted = outcome, outcome.blows
    return (
        f"{done.seed:>5} {done.seconds:>6.1f} {done.tasks:>5} {done.vms:>4} {done.given_up:>4} {done.starts:>6} "
        f"{done.retries:>7} {done.requeues:>8} {done.uncertain:>6} {done.launches:>4} {done.lost:>4}  "
        + " ".join(f"{counted.get(kind, 0):>5}" for kind in BLOWS)
        + ("  FAILED" if done.problems else "")
    )


def in_a_process(given: argparse.Namespace, seed: int) -> Outcome:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, "-m", "tests.chaos", "--one", str(seed), "--to", file.name]
        command += ["--tasks", str(given.tasks), "--nodes", str(given.nodes), "--storm", str(given.storm)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        text = Path(file.name).read_text()
    if done.returncode != 0 or not text:
        return Outcome(seed, problems=[f"the trial itself failed: {done.stderr[-3000:]}"])
    return Outcome(**json.loads(text))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--storm", type=float, default=45.0, help="seconds until the last blow")
    parser.add_argument("--jobs", type=int, default=1, help="seeds at a time")
    parser.add_argument("--stories", type=Path, help="folder for all stories (default: those of failures are printed)")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        trial = Trial(plan_of(given.one, given.tasks, given.nodes, given.storm))
        given.to.write_text(json.dumps(trial.run().to_json()))
        return 0
    if not disks_can_be_mounted():
        print("no disks are filled: only root can give every node a small one (tmpfs)", file=sys.stderr)
    if given.stories is not None:
        given.stories.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    print(HEAD, flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        for outcome in pool.map(partial(in_a_process, given), range(given.first, given.first + given.seeds)):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
            for problem in outcome.problems[:20]:
                print(f"      {problem}", flush=True)
            if given.stories is not None:
                (given.stories / f"{outcome.seed}.txt").write_text(outcome.story)
            elif outcome.problems:
                print(outcome.story, flush=True)
    blows = sum((Counter(outcome.blows) for outcome in outcomes), Counter())
    failed = [outcome.seed for outcome in outcomes if outcome.problems]
    print(
        f"{len(outcomes)} seeds, {sum(o.tasks for o in outcomes)} tasks, {sum(o.starts for o in outcomes)} starts, "
        f"{sum(o.requeues for o in outcomes)} requeues, {sum(o.lost for o in outcomes)} lost, "
        f"{', '.join(f'{kind} {count}' for kind, count in blows.most_common())}; failed: {failed or 'none'}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
