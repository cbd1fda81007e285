"""What attempts printed, on its way to the journal."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from pools import Attempt, Ledger, Log

from .model import Output, OutputKey

#: What an agent brings in of an execution.
_STREAMS = ("stdout", "stderr")


class KeptOutputs(Log[OutputKey, Output]):
    """Each attempt has its own. `owner`, `parent_id`, `id`: whose it is (see Output)."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, "outputs")

    def keep(
        self,
        outputs: Iterable[Output],
        owner: str,
        parent_id: str,
        id: str,
        attempt: int,
        kept: float | None = None,
    ) -> None:
        for output in outputs:
            output = replace(output, owner=owner, parent_id=parent_id, id=id, attempt=attempt, kept=kept)
            self.append(output.key, output)

    def forget(self, attempts: Iterable[Attempt], owner: str, parent_id: str, id: str) -> None:
        for attempt in attempts:
            for stream in _STREAMS:
                self.remove((owner, parent_id, id, attempt.number, stream))
