"""A command as a job with one task, or with one for each row of a sweep: the bodies that make it, what its id is, and
whether tasks that are there already are the same. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .stored_files import OUTPUTS, folder_of
from .sweep import Sweep, filled

Body = dict[str, Any]

#: What two tasks of a submission may differ in, and what it is if nothing is said.
COMPARED: Mapping[str, Any] = {
    "commandLine": "", "environmentSettings": [], "outputFiles": [], "requiredSlots": 1, "constraints": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Submission:
    """`words`: of the command. `outputs`: patterns of files that are kept. `constraints`: as the API has them."""

    pool_id: str
    words: tuple[str, ...]
    sweep: Sweep | None = None
    outputs: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    slots: int = 1
    constraints: Mapping[str, Any] | None = None

    def job_id(self) -> str:
        """The same for the same submission, so that making it again finds what is there."""
        content = json.dumps([self.pool_id, self.tasks("")], sort_keys=True)
        return f"submit-{sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"

    def job(self, job_id: str) -> Body:
        """It stays open: what fails can be retried."""
        return {"id": job_id, "poolInfo": {"poolId": self.pool_id}, "onAllTasksComplete": "noaction"}

    def tasks(self, job_id: str) -> list[Body]:
        """Rows keep their tasks' ids when others are added behind them. Raises SweepError."""
        if self.sweep is None:
            return [self._task(job_id, "task", self.words, self.environment)]
        found = []
        for number, row in enumerate(self.sweep.rows, 1):
            own = tuple(zip(self.sweep.variables, row, strict=True))
            words = filled(self.words, self.sweep, row)
            found.append(self._task(job_id, f"row-{number:05}", words, (*self.environment, *own)))
        return found

    def _task(
        self, job_id: str, task_id: str, words: Sequence[str], environment: Sequence[tuple[str, str]]
    ) -> Body:
        # a folder of the task's own, so that they are among its files when its node is gone
        url = f"storage://{OUTPUTS}/{folder_of(job_id, task_id)}"
        return {
            "id": task_id,
            "commandLine": shlex.join(words),
            "environmentSettings": [{"name": name, "value": value} for name, value in environment],
            "outputFiles": [
                {"filePattern": each, "destination": {"container": {"containerUrl": url}}} for each in self.outputs
            ],
            "requiredSlots": self.slots,
            "constraints": dict(self.constraints or {}),
        }


def differences(wanted: Body, found: Mapping[str, Any]) -> list[str]:
    """The properties in which a task that is there is another than the one that is wanted. `found`: as the API
    answers it, with what nobody has said."""
    return [name for name, usual in COMPARED.items() if not _covers(found.get(name, usual), wanted[name])]


def _covers(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_covers(found.get(name), each) for name, each in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(_covers(one, other) for one, other in zip(found, wanted, strict=True))
    # an empty value is not answered
    return bool(found == wanted) or (found is None and wanted == "")
