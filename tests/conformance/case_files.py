"""Reading the cases: each says what is given, what is done over time, and what is to be seen in the end.

    - case: what holds, in words
      shows: [TaskConstraints.maxTaskRetryCount]    # the properties that it is about; each stands in its bodies
      needs: root                                   # or `user`; else it is skipped
      storage: {in.txt: text}                       # blobs of the container @JOB@, before anything else
      web: {a.txt: text}                            # files below @WEB@
      pool: one                                     # a pool that cases share (see stage.py), or a body of its own
      job: {...}                                    # without `id` and `poolInfo`: they are filled in
      schedule: {...}                               # without `id`, and without the `poolInfo` of its job specification
      steps:
        - until: {tasks: {a: {state: running}}}     # wait for it
        - check: {...}                              # it holds already
        - touch: gate                               # make the file @DIR@/gate
        - disableJob: wait                          # a request (see requests.py); `refused: CODE` beside it: it is
      expect: {...}                                 # the last `until`

`@DIR@` is a folder outside the nodes that tasks can write to, `@JOB@` the id of the job (of the schedule, of the
container), `@POOL@` that of the pool, `@WEB@` the address of a web server. Bodies are as in a workload file and go the
same way. What can be looked at stands in views.py, how it is compared in matching.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

HERE = Path(__file__).parent


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str = msgspec.field(name="case")
    shows: tuple[str, ...]
    expect: dict[str, Any]
    needs: str | None = None
    storage: dict[str, str] = {}
    web: dict[str, str] = {}
    applications: tuple[dict[str, Any], ...] = ()
    pool: str | dict[str, Any] = "one"
    job: dict[str, Any] | None = None
    schedule: dict[str, Any] | None = None
    steps: tuple[dict[str, Any], ...] = ()
    #: where it stands
    family: str = ""
    #: unlike that of every other case
    number: int = 0


class BadBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A body that is refused. `of`: "job", "schedule" (what they need is filled in), "plain job", "plain schedule",
    "task" or "tasks" (in a job like `job`); `says`: a part of the message, with the way to the property."""

    name: str = msgspec.field(name="body")
    of: str
    given: Any
    code: Any
    says: str
    job: dict[str, Any] = {}


def cases() -> list[Case]:
    found: list[Case] = []
    for path in sorted((HERE / "cases").glob("*.yaml")):
        for plain in _documents(path):
            case = msgspec.convert(plain, Case)
            found.append(msgspec.structs.replace(case, family=path.stem, number=len(found) + 1))
    return found


def bad_bodies() -> list[BadBody]:
    return [msgspec.convert(plain, BadBody) for plain in _documents(HERE / "bodies.yaml")]


def _documents(path: Path) -> list[dict[str, Any]]:
    # all scalars but null stay text or what YAML's JSON subset says; times are told as text by quoting them
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, list), f"{path} holds no list of cases"
    return found


def filled_in(value: Any, names: dict[str, str]) -> Any:
    """With what stands for the names in all its texts."""
    match value:
        case str():
            for name, text in names.items():
                value = value.replace(name, text)
            return value
        case dict():
            return {filled_in(key, names): filled_in(each, names) for key, each in value.items()}
        case list() | tuple():
            return [filled_in(each, names) for each in value]
    return value
