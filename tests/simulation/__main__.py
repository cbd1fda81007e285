"""The storm over the real engine, seed by seed: `python -m tests.simulation --seeds 200`; see storms/.

`--seed 7` tells one story; if it fails, with as few incidents as it takes. `--only` tells it with these alone.
`--mutants` breaks the build on purpose, in many ways, and says which seed notices.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .storms.caught import named, table
from .storms.minimal import shrink, tell, told
from .storms.seeds import Ledger, Told, several, summary

#: Stories that fail of which the shortest form is looked for.
SHRUNK = 3


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=_at_least(1), default=200, help="how many stories (default 200)")
    parser.add_argument("--first", type=_at_least(0), default=0, help="the first seed (default 0)")
    parser.add_argument("--jobs", type=_at_least(1), default=1, help="processes (default 1)")
    parser.add_argument("--to", type=Path, help="file of what was told: a run that was cut off goes on from there")
    parser.add_argument("--seed", type=_at_least(0), help="tell this story alone")
    parser.add_argument("--only", help="with these incidents alone, as a failure names them")
    parser.add_argument(
        "--mutants", nargs="?", const="", type=_broken_build, metavar="NAME",
        help="break the build, in this way or in all",
    )  # fmt: skip
    given = parser.parse_args(words)
    logging.disable(logging.CRITICAL)
    if given.mutants is not None:
        return table(given.mutants, 500 if given.seeds == 200 else given.seeds, print)
    if given.seed is not None:
        return _one(given.seed, None if given.only is None else [name for name in given.only.split(",") if name])
    try:
        ledger = Ledger(given.to)
    except ValueError as exc:
        print(exc, file=sys.stderr)
        return 2
    return _several(range(given.first, given.first + given.seeds), given.jobs, ledger)


def _at_least(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        try:
            found = int(text)
        except ValueError:
            found = least - 1
        if found < least:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, at least {least}")
        return found

    return whole


def _broken_build(name: str) -> str:
    if name and not list(named(name)):
        raise argparse.ArgumentTypeError(f"there is no broken build {name!r}; without a name all are tried")
    return name


def _one(seed: int, only: list[str] | None) -> int:
    telling = tell(seed, only, trace=True)
    if telling.failure is not None and only is None:
        print(f"seed {seed}: {telling.law}; looking for what can be left out ...", file=sys.stderr)
        telling = shrink(telling)
    print(told(telling))
    return 1 if telling.failure is not None else 0


def _several(seeds: range, jobs: int, ledger: Ledger) -> int:
    terminal = sys.stderr.isatty()

    def say(one: Told) -> None:
        if one.failure:
            print(f"seed {one.seed}: {one.failure[:300]}", flush=True)
        if terminal:
            print(f"\r{len(ledger.told)} of {len(seeds)}", end="", file=sys.stderr, flush=True)

    try:
        whole = several(seeds, jobs, ledger, say)
    except OSError as exc:
        cure = "with room there, the same command goes on"
        print(f"{ledger.path} cannot be written: {exc.strerror}; {cure}", file=sys.stderr)
        return 1
    print(summary(ledger.told[seed] for seed in seeds if seed in ledger.told), flush=True)
    failed = [seed for seed in seeds if seed in ledger.told and ledger.told[seed].failure]
    if not whole:
        print("it was cut off" + ("; the same command goes on" if ledger.path is not None else ""), flush=True)
        return 130
    for seed in failed[:SHRUNK]:
        print()
        _one(seed, None)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
