"""Many stories, in processes of their own; a file says which have been told: what is cut off goes on there."""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .minimal import tell

ROOT = Path(__file__).parents[3]
#: What a story goes by.
CODE = ("formula", "pools", "providers", "runner", "tests/simulation")


@dataclass
class Told:
    """Of one story. `kinds`: its incidents by kind; `seconds` of CPU; `virtual` seconds that it lasted; `failure` is ""
    if all was well."""

    seed: int
    steps: int = 0
    commits: int = 0
    crashes: int = 0
    requests: int = 0
    seconds: float = 0.0
    virtual: float = 0.0
    kinds: dict[str, int] = field(default_factory=dict)
    failure: str = ""


def one(seed: int) -> Told:
    logging.disable(logging.CRITICAL)  # what the engine says of clocks and disks
    start = time.process_time()
    telling = tell(seed)
    story = telling.story
    sim = story.sim
    return Told(
        seed=seed,
        steps=sim.steps,
        commits=sim.journal.commits,
        crashes=sim.crashes,
        requests=len(sim.requests),
        seconds=time.process_time() - start,
        virtual=sim.chances.clock(),
        kinds=dict(Counter(each.kind for each in story.incidents)),
        failure="" if telling.failure is None else f"{type(telling.failure).__name__}: {telling.failure}"[:2000],
    )


def fingerprint() -> str:
    """Names the code that the stories go by."""
    digest = hashlib.sha256()
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class Ledger:
    """The file: a line that names the code, and a line for each story that was told."""

    def __init__(self, path: Path | None) -> None:
        """Raises ValueError if the file is of other code, is no such file, or cannot be read and written."""
        self.told: dict[int, Told] = {}
        self.path = path
        if path is None:
            return
        try:
            self._read(path)
        except UnicodeDecodeError as exc:
            raise ValueError(f"{path} is no file of stories that were told: name another") from exc
        except OSError as exc:
            cure = "name a file in a folder that there is, and that you may write to"
            raise ValueError(f"{path} cannot be read and written: {exc.strerror}; {cure}") from exc

    def _read(self, path: Path) -> None:
        """Raises ValueError, OSError."""
        head, found = json.dumps({"code": fingerprint()}) + "\n", path.read_text() if path.exists() else ""
        text = found[: found.rfind("\n") + 1]  # the last line may have been cut off anywhere
        if not text and head.startswith(found):
            path.write_text(head)
            return
        first, *lines = text.splitlines() or [found]
        try:
            same = json.loads(first)["code"] == fingerprint()
            self.told = {each["seed"]: Told(**each) for each in map(json.loads, lines)} if same else {}
        except (ValueError, TypeError, KeyError) as exc:
            raise ValueError(f"{path} is no file of stories that were told: name another") from exc
        if not same:
            raise ValueError(f"{path} is of other code than this: name another file, or remove it")
        os.truncate(path, len(text.encode()))

    def add(self, told: Told) -> None:
        self.told[told.seed] = told
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps(asdict(told)) + "\n")


def several(seeds: Iterable[int], jobs: int, ledger: Ledger, say: Callable[[Told], None]) -> bool:
    """Tell those that have not been told. False: somebody has cut it off."""
    left = [seed for seed in seeds if seed not in ledger.told]
    try:
        for told in _in_processes(left, jobs):
            ledger.add(told)
            say(told)
    except KeyboardInterrupt:
        return False
    return True


def _in_processes(seeds: list[int], jobs: int) -> Iterator[Told]:
    if jobs == 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, _leave_interrupts_to_the_parent) as pool:
        yield from pool.imap_unordered(one, seeds)  # one at a time: what is told is in the file at once


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def summary(told: Iterable[Told]) -> str:
    told = list(told)
    kinds: Counter[str] = Counter()
    for each in told:
        kinds.update(each.kinds)
    requests = sum(count for kind, count in kinds.items() if kind.startswith(("request/", "api/")))
    faults = {kind: count for kind, count in kinds.items() if not kind.startswith(("request/", "api/"))}
    grouped: Counter[str] = Counter()
    for kind, count in faults.items():
        grouped[kind if kind.startswith(("crash/", "deed/", "journal/")) else kind.partition("/")[0]] += count
    failed = [each for each in told if each.failure]
    lines = [
        f"{len(told)} seeds, {sum(t.steps for t in told)} steps, {sum(t.commits for t in told)} commits, "
        f"{sum(t.crashes for t in told)} crashes of the controller, {requests} requests, "
        f"{sum(faults.values())} faults, {sum(t.virtual for t in told) / 3600:.0f} hours in "
        f"{sum(t.seconds for t in told):.0f} s of CPU",
        "faults: " + ", ".join(f"{kind} {count}" for kind, count in grouped.most_common()),
        f"failed: {' '.join(str(each.seed) for each in failed) or 'none'}",
    ]
    return "\n".join(lines)
